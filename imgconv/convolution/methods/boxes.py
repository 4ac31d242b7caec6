"""`cv2.boxFilter` on strips for every rectangle that the kernel is a sum of."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.exactness import narrowing_error
from imgconv.convolution.method import Method, Run
from imgconv.convolution.opencv_calls import Strip, holds_border, places
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.rectangles import MOST, box_error, find_rectangles
from imgconv.convolution.source import Source
from imgconv.convolution.workspace import Workspace
from imgconv.opencv import load_cv2


class Boxes(Method):
    """Unscaled sums over rectangles, in integers where they are whole."""

    name = "boxes"
    engine = "opencv"
    about = "cv2.boxFilter on strips, once for each rectangle of one weight that the kernel is a sum of"
    mixes = True
    spreads = True
    least_reaches = 8

    def dtype(self, job: Job) -> np.dtype[Any]:
        """Integers where the sums are whole and OpenCV sums the pixels in integers."""
        whole = job.arithmetic.integer is not None and self._pixels(job).kind == "u"
        return np.dtype(np.int32 if whole else np.float64)

    @staticmethod
    def _pixels(job: Job) -> np.dtype[Any]:
        """Return the type in which OpenCV gets the pixels."""
        fits = job.dtype.name in ("uint8", "uint16") and holds_border(job, job.dtype)
        return job.dtype if fits else np.dtype(np.float64)

    def refusal(self, job: Job) -> str | None:
        """Refuse what has too many rectangles."""
        if job.rows.dilation != 1 or job.columns.dilation != 1:
            return "the taps of a dilated kernel are no rectangles"
        if find_rectangles(job.arithmetic.weights) is None:
            return f"the kernel is no sum of {MOST} rectangles of one weight each"
        return None

    def error(self, job: Job) -> float:
        """Add to the errors of the running sums that of narrowing them."""
        return self.mixed_error(job) + narrowing_error(job)

    def mixed_error(self, job: Job) -> float:
        """Bound the error of the running sums; whole ones have none."""
        arithmetic = job.arithmetic
        rectangles = find_rectangles(arithmetic.weights) or ()
        parts = sum(abs(r.weight) * r.height * r.width for r in rectangles)
        if arithmetic.whole and parts * arithmetic.largest_pixel < 2.0**53:
            return 0.0
        return box_error(job, self.rows(job)) * float(parts) * (1 + len(rectangles))

    def work(self, job: Job) -> Work:
        """A running sum in each direction for each rectangle, over every place of the strips."""
        count = len(find_rectangles(job.arithmetic.weights) or ())
        computed = places(job, self.rows(job))
        return Work(
            multiply_adds=2.0 * computed * count,
            bytes=moved(job) + 3.0 * count * computed * self.dtype(job).itemsize,
            calls=self.strips(job) * (2.0 + 3 * count),
        )

    def prepare(self, job: Job) -> Run:
        """Find the rectangles."""
        cv2, dtype, kind = load_cv2(), self.dtype(job), self._pixels(job)
        depth = cv2.CV_32S if dtype == np.int32 else cv2.CV_64F
        rectangles = find_rectangles(job.arithmetic.weights) or ()

        def call(size: tuple[int, int], pixels: Any, result: Any, anchor: tuple[int, int], border: int) -> NDArray[Any]:
            return cv2.boxFilter(pixels, depth, size, result, anchor, False, border)  # type: ignore[no-any-return]

        def run(source: Source, sums: NDArray[Any], workspace: Workspace) -> None:
            if not rectangles:
                sums[...] = 0
            strip = Strip(source, job, kind, windowed=True)
            for n, r in enumerate(rectangles):
                found = strip.filtered(partial(call, (r.width, r.height)), (r.height, r.width), dtype, top=r.top, left=r.left)
                if not n:
                    np.multiply(found, dtype.type(r.weight), out=sums)
                    continue
                np.multiply(found, dtype.type(r.weight), out=found)
                np.add(sums, found, out=sums)

        return run


METHOD = Boxes()
