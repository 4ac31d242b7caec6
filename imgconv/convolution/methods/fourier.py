"""A product of spectra, in overlapping tiles: the cost hardly depends on the size of the kernel.

Overlap-save: of the cyclic convolution of a tile, only outputs whose pixels all lie in the tile are kept. Transforms run in
float64, which in NumPy takes no longer than float32.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.methods import Method, Run
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.convolution.tiles import best_side, tiles_along, worst_error

# Maximum tile side, unless the kernel needs a longer one, chosen to keep its spectrum and buffers near the cache.
_LONGEST = 512
# Samples of a strip of sums: 8 MB in float64, and as much again for the pixels.
_STRIP_SAMPLES = 1 << 20
# Minimum tile side, unless the image is smaller: with shorter ones, calls would cost more than transforms.
_SHORTEST = 128


class Fourier(Method):
    name = "fourier"
    about = "a product of spectra by numpy.fft, in overlapping tiles; whole sums are rounded back to whole numbers"
    single_channel = True
    mixes = True
    spreads = True  # an overflow in a transform affects the whole tile

    def dtype(self, job: Job) -> np.dtype[Any]:
        """Return float64, the type of the transforms."""
        return np.dtype(np.float64)

    def mixed_error(self, job: Job) -> float:
        """Return the error bound of the transforms of a tile."""
        return worst_error(job.arithmetic.weights, math.prod(self._tile(job)))

    def _tile(self, job: Job) -> tuple[int, int]:
        longest = max(_LONGEST, 4 * job.columns.reach)
        # A strip is as high as a tile and as wide as the image, so the height is limited for wide images.
        highest = max(2 * job.rows.reach, min(max(_LONGEST, 4 * job.rows.reach), _STRIP_SAMPLES // job.columns.outputs))
        return best_side(job.rows, highest, _SHORTEST), best_side(job.columns, longest, _SHORTEST)

    def work(self, job: Job) -> Work:
        """Forward and inverse transform of every tile."""
        down, across = self._tile(job)
        strips, tiles = tiles_along(job.rows, down), tiles_along(job.columns, across)
        samples = float(strips * tiles * down * across * job.channels)
        return Work(transforms=samples * math.log2(down * across), bytes=moved(job) + 32 * samples, calls=12.0 * strips * tiles)

    def rows(self, job: Job) -> int:
        """Return the number of output rows of a tile."""
        return job.rows.outputs_in(self._tile(job)[0])

    def prepare(self, job: Job) -> Run:
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        height, width = self._tile(job)
        spectrum = np.conj(np.fft.rfft2(job.spread_weights, (height, width)))
        outputs = columns.outputs_in(width)

        def run(source: Source, sums: NDArray[Any]) -> None:
            window = source.window(dtype)
            transform = source.workspace.take("transform", (height, width // 2 + 1), np.complex128)
            kept = (len(sums) - 1) * rows.stride + 1
            back = source.workspace.take("back", (kept, width), np.float64)
            for start in range(0, sums.shape[1], outputs):
                stop = min(start + outputs, sums.shape[1])
                pixels = window[:, start * columns.stride : start * columns.stride + width]
                np.fft.rfft(pixels, n=width, axis=1, out=transform[: len(window)])
                transform[len(window) :] = 0
                np.fft.fft(transform, axis=0, out=transform)
                np.multiply(transform, spectrum, out=transform)
                np.fft.ifft(transform, axis=0, out=transform)
                np.fft.irfft(transform[:kept], n=width, axis=1, out=back)
                np.copyto(sums[:, start:stop], back[:: rows.stride, columns.outputs_of(0, stop - start)])
            if job.arithmetic.whole:
                np.rint(sums, out=sums)

        return run


METHOD = Fourier()
