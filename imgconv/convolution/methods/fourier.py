"""A product of spectra, in tiles that overlap: the cost hardly depends on the kernel.

Overlap-save: of the cyclic convolution of a tile, only those outputs are kept whose pixels all lie in the tile. Transforms run
in float64: in NumPy they take no longer than in float32.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.exactness import narrowing_error
from imgconv.convolution.geometry import Axis
from imgconv.convolution.method import Run, StripMethod
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.convolution.workspace import Workspace

# Longest side of a tile, unless the kernel takes a longer one: its spectrum and buffers then stay near the cache.
_LONGEST = 512
# Samples of a strip of sums: 8 MB in float64, and so much again for the pixels.
_STRIP_SAMPLES = 1 << 20
# Shortest side, unless the image is smaller: calls would cost more than transforms.
_SHORTEST = 128
# Each of log2(N) steps of a transform makes the norm off by at most 4 sqrt(2) + 1 units (Higham, "Accuracy and Stability of
# Numerical Algorithms", 2nd edition, theorem 24.2).
_PER_STEP = 4 * math.sqrt(2) + 1


class Fourier(StripMethod):
    """`numpy.fft` with overlap-save."""

    name = "fourier"
    about = "a product of spectra by numpy.fft, in overlapping tiles; whole sums are rounded back to whole numbers"
    mixes = True
    spreads = True  # what overflows in a transform does so for the whole tile

    def planar(self, job: Job) -> bool:
        """One channel at a time."""
        return True

    def dtype(self, job: Job) -> np.dtype[Any]:
        """As `numpy.fft` computes."""
        return np.dtype(np.float64)

    def error(self, job: Job) -> float:
        """Add to the errors of the transforms that of narrowing the sums."""
        return self.mixed_error(job) + narrowing_error(job)

    def mixed_error(self, job: Job) -> float:
        """Bound the errors by norms: of a tile of the brightest pixels, of the kernel, and of the sums, transformed back."""
        places, weights = math.prod(self._tile(job)), job.arithmetic.weights
        norms = math.sqrt(places) * (2 * float(np.linalg.norm(weights)) + float(np.abs(weights).sum()))
        return _PER_STEP * max(math.log2(places), 1) * UNIT["float64"] * norms

    def _tile(self, job: Job) -> tuple[int, int]:
        longest = max(_LONGEST, 4 * job.columns.reach)
        # A strip is as high as a tile and as wide as the image: in a wide one it is kept low.
        highest = max(2 * job.rows.reach, min(max(_LONGEST, 4 * job.rows.reach), _STRIP_SAMPLES // job.columns.outputs))
        return _side(job.rows, highest), _side(job.columns, longest)

    def work(self, job: Job) -> Work:
        """Both transforms of every tile."""
        down, across = self._tile(job)
        strips, tiles = _tiles(job.rows, down), _tiles(job.columns, across)
        samples = float(strips * tiles * down * across * job.channels)
        return Work(transforms=samples * math.log2(down * across), bytes=moved(job) + 32 * samples, calls=12.0 * strips * tiles)

    def rows(self, job: Job) -> int:
        """The rows that a tile gives."""
        return _outputs(job.rows, self._tile(job)[0])

    def prepare(self, job: Job) -> Run:
        """Transform the kernel."""
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        height, width = self._tile(job)
        spectrum = np.conj(np.fft.rfft2(job.spread_weights, (height, width)))
        outputs = _outputs(columns, width)

        def run(source: Source, sums: NDArray[Any], workspace: Workspace) -> None:
            window = source.window(dtype)
            transform = workspace.take("transform", (height, width // 2 + 1), np.complex128)
            kept = (len(sums) - 1) * rows.stride + 1
            back = workspace.take("back", (kept, width), np.float64)
            for start in range(0, sums.shape[1], outputs):
                stop = min(start + outputs, sums.shape[1])
                pixels = window[:, start * columns.stride : start * columns.stride + width]
                np.fft.rfft(pixels, n=width, axis=1, out=transform[: len(window)])
                transform[len(window) :] = 0
                np.fft.fft(transform, axis=0, out=transform)
                np.multiply(transform, spectrum, out=transform)
                np.fft.ifft(transform, axis=0, out=transform)
                np.fft.irfft(transform[:kept], n=width, axis=1, out=back)
                used = (stop - start - 1) * columns.stride + 1
                np.copyto(sums[:, start:stop], back[:: rows.stride, : used : columns.stride])
            if job.arithmetic.whole:
                np.rint(sums, out=sums)

        return run


def _outputs(axis: Axis, side: int) -> int:
    """Return how many outputs a tile gives along an axis."""
    return (side - axis.reach) // axis.stride + 1


def _tiles(axis: Axis, side: int) -> int:
    return -(-axis.outputs // _outputs(axis, side))


@functools.lru_cache(maxsize=256)
def _side(axis: Axis, longest: int) -> int:
    """Return the side of the tiles that makes the transforms of all of them cheapest, hardly longer than `longest`."""
    needed = (axis.outputs - 1) * axis.stride + axis.reach
    least = max(axis.reach, min(_SHORTEST, needed))
    sides = [n for n in _fast_lengths(max(longest, least)) if n >= least]
    sides = [n for n in sides if n <= needed] + [n for n in sides if n > needed][:1]
    return min(sides, key=lambda n: _tiles(axis, n) * n * (math.log2(n) + 8))


@functools.cache
def _fast_lengths(most: int) -> list[int]:
    """Return lengths that transform fast, up to the first that reaches `most`: powers of two times a small odd number."""
    found = sorted(odd * 2**power for odd in (1, 3, 5, 9, 15) for power in range(1, 40))
    return [n for n, before in zip(found, [0, *found], strict=False) if before < most]


METHOD = Fourier()
