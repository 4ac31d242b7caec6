"""Unscaled `cv2.boxFilter` on strips, for each rectangle of a kernel that is a sum of rectangles."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.methods import Method, Run
from imgconv.convolution.opencv_calls import Strip, computed_values, holds_border
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.opencv import load_cv2

# Maximum number of rectangles: with more, running sums save nothing.
_MAX_RECTANGLES = 4


class Boxes(Method):
    name = "boxes"
    about = "cv2.boxFilter on strips, once per rectangle, for a kernel that is a sum of few rectangles of one weight"
    mixes = True
    spreads = True
    least_reaches = 8

    def dtype(self, job: Job) -> np.dtype[Any]:
        """Return int32 if the sums are whole and OpenCV sums the pixels in integers, else float64."""
        whole = job.arithmetic.integer is not None and self._pixels(job).kind == "u"
        return np.dtype(np.int32 if whole else np.float64)

    @staticmethod
    def _pixels(job: Job) -> np.dtype[Any]:
        """Return the type of the pixels passed to OpenCV."""
        fits = job.dtype.name in ("uint8", "uint16") and holds_border(job, job.dtype)
        return job.dtype if fits else np.dtype(np.float64)

    def refusal(self, job: Job) -> str | None:
        if job.rows.dilation != 1 or job.columns.dilation != 1:
            return "the taps of a dilated kernel do not form rectangles"
        if find_rectangles(job.arithmetic.weights) is None:
            return f"the kernel is not a sum of at most {_MAX_RECTANGLES} rectangles of one weight each"
        return None

    def mixed_error(self, job: Job) -> float:
        """Return the error bound of the running sums; 0 if they are whole."""
        arithmetic = job.arithmetic
        rectangles = find_rectangles(arithmetic.weights) or ()
        parts = sum(abs(r.weight) * r.height * r.width for r in rectangles)
        if arithmetic.whole and parts * arithmetic.largest_pixel < 2.0**53:
            return 0.0
        return box_error(job, self.rows(job)) * float(parts) * (1 + len(rectangles))

    def work(self, job: Job) -> Work:
        """One running sum in each direction per rectangle; outputs skipped by the stride are computed too."""
        count = len(find_rectangles(job.arithmetic.weights) or ())
        computed = computed_values(job, self.rows(job))
        return Work(
            multiply_adds=2.0 * computed * count,
            bytes=moved(job) + 3.0 * count * computed * self.dtype(job).itemsize,
            calls=self.strips(job) * (2.0 + 3 * count),
        )

    def prepare(self, job: Job) -> Run:
        cv2, dtype, kind = load_cv2(), self.dtype(job), self._pixels(job)
        depth = cv2.CV_32S if dtype == np.int32 else cv2.CV_64F
        rectangles = find_rectangles(job.arithmetic.weights) or ()

        def call(size: tuple[int, int], pixels: Any, result: Any, anchor: tuple[int, int], border: int) -> Any:
            return cv2.boxFilter(pixels, depth, size, result, anchor, False, border)

        def run(source: Source, sums: NDArray[Any]) -> None:
            if not rectangles:
                sums[...] = 0
            strip = Strip(source, job, kind, windowed=True)
            for n, r in enumerate(rectangles):
                found = strip.filtered(partial(call, (r.width, r.height)), (r.height, r.width), dtype, top=r.top, left=r.left)
                np.multiply(found, dtype.type(r.weight), out=found if n else sums)
                if n:
                    np.add(sums, found, out=sums)

        return run


class Rectangle(NamedTuple):
    """A rectangle of the kernel with one weight."""

    top: int
    left: int
    height: int
    width: int
    weight: float


def find_rectangles(weights: NDArray[np.float64]) -> tuple[Rectangle, ...] | None:
    """Return rectangles, possibly overlapping, whose sum is the weights; None if more than `_MAX_RECTANGLES` are needed."""
    return _find_rectangles(weights.tobytes(), weights.shape)


@lru_cache(maxsize=256)
def _find_rectangles(data: bytes, shape: tuple[int, int]) -> tuple[Rectangle, ...] | None:
    rest = np.frombuffer(data).reshape(shape).copy()
    found: list[Rectangle] = []
    while rest.any():
        if len(found) == _MAX_RECTANGLES:
            return None
        # Subtract the most frequent weight over the bounding box of the rest: a frame becomes a box minus a smaller box.
        down, across = np.flatnonzero(rest.any(axis=1)), np.flatnonzero(rest.any(axis=0))
        part = rest[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
        values, counts = np.unique(part[part != 0], return_counts=True)
        weight = float(values[counts.argmax()])
        found.append(Rectangle(int(down[0]), int(across[0]), part.shape[0], part.shape[1], weight))
        part -= weight
    return tuple(found)


def box_error(job: Job, rows: int) -> float:
    """Return a bound on the error of a running mean in float64 over a strip of `rows` rows, relative to the largest pixel.

    Each row and each column is added and subtracted once, with one rounding each.
    """
    height, width = job.rows.span(min(rows, job.rows.outputs)), job.columns.span(job.columns.outputs)
    return float(2 * (height + width) * UNIT["float64"])


METHOD = Boxes()
