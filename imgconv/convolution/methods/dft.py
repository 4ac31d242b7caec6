"""A product of spectra by OpenCV's DFT, in overlapping tiles: the cost hardly depends on the size of the kernel.

Two tiles form the real and the imaginary part of one complex transform. Since the kernel is real, the inverse transform holds
the two filtered tiles in its parts. Channels stay interleaved, with the taps of the kernel spaced accordingly.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.exactness import narrowest, narrowing_error
from imgconv.convolution.methods import Method, Run
from imgconv.convolution.plan import Axis, Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.convolution.tiles import likely_error, sides_for, tiles_along, worst_error
from imgconv.opencv import load_cv2

# Complex samples per tile that suit a second-level cache of one megabyte, for transforms in float32 and in float64.
_TILES = (1 << 16, 3 << 14)
# Cost of separating and merging channels, per sample, in steps of a transform.
_SEPARATION_COST = 20
# Minimum tile side, unless the image is smaller: with shorter ones, calls would cost more than transforms.
_SHORTEST = 64


class Dft(Method):
    name = "dft"
    about = "a product of spectra by cv2.dft, in overlapping tiles on threads; two tiles in each complex transform"
    mixes = True
    spreads = True  # an overflow in a transform affects the whole tile

    def planar(self, job: Job) -> bool:
        """Whether separate channels cost less, because tiles of all channels exceed the cache."""
        return _layout(job)[2]

    def dtype(self, job: Job) -> np.dtype[Any]:
        """Return the narrowest type that is exact enough, in which the transforms run too."""
        return narrowest(job, lambda dtype: self._error_in(dtype, job), mixes=True)

    def error(self, job: Job) -> float:
        """Return the error bound of the transforms and of narrowing the sums."""
        return self._error_in(self.dtype(job), job)

    def mixed_error(self, job: Job) -> float:
        """Return the error bound of the transforms alone."""
        return self._transforms_error(self.dtype(job), job)

    def _error_in(self, dtype: np.dtype[Any], job: Job) -> float:
        return self._transforms_error(dtype, job) + (0.0 if dtype == job.arithmetic.dtype else narrowing_error(job))

    def _transforms_error(self, dtype: np.dtype[Any], job: Job) -> float:
        height, width, planar = _layout(job)
        places = height * width * (1 if planar else job.channels)
        bound = worst_error if dtype == np.float64 else likely_error
        return math.sqrt(2) * bound(job.arithmetic.weights, places)  # each part also has the errors of the other part

    def work(self, job: Job) -> Work:
        """Forward and inverse transform of every tile."""
        height, width, planar = _layout(job)
        strips, tiles = tiles_along(job.rows, height), tiles_along(job.columns, width)
        samples = float(strips * tiles * height * width * job.channels)
        calls = 8.0 * strips * tiles * (job.channels if planar else 1)
        return Work(transforms=samples * math.log2(height * width), bytes=moved(job) + 32 * samples, calls=calls)

    def rows(self, job: Job) -> int:
        """Return the number of output rows of a tile."""
        return job.rows.outputs_in(_layout(job)[0])

    def prepare(self, job: Job) -> Run:
        cv2, dtype = load_cv2(), self.dtype(job)
        kind = np.result_type(dtype, np.complex64)
        height, width, planar = _layout(job)
        step = 1 if planar else job.channels
        shape = height, width * step
        kernel = np.zeros(shape)
        spread = job.spread_weights
        kernel[: spread.shape[0], : spread.shape[1] * step : step] = spread
        spectrum = (np.conj(np.fft.fft2(kernel)) / kernel.size).astype(kind)
        rows, columns, outputs = job.rows, job.columns, job.columns.outputs_in(width)

        def run(source: Source, sums: NDArray[Any]) -> None:
            window = source.window(dtype)
            pixels = window.reshape(len(window), -1)
            results = sums.reshape(len(sums), -1, step)
            tiles = source.workspace.take("tiles", (*shape, 2), dtype)
            spectra = tiles.view(kind)[..., 0]
            down = rows.outputs_of(0, len(sums))
            for first in range(0, sums.shape[1], 2 * outputs):
                starts = [start for start in (first, first + outputs) if start < sums.shape[1]]
                _fill(tiles, pixels, [start * columns.stride * step for start in starts])
                cv2.dft(tiles, tiles)
                np.multiply(spectra, spectrum, out=spectra)
                cv2.idft(tiles, tiles)
                for part, start in enumerate(starts):
                    stop = min(start + outputs, sums.shape[1])
                    values = tiles[..., part].reshape(height, width, step)[down, columns.outputs_of(0, stop - start)]
                    if job.arithmetic.whole:
                        np.rint(values, out=results[:, start:stop])
                    else:
                        np.copyto(results[:, start:stop], values)

        return run


def _fill(tiles: NDArray[Any], pixels: NDArray[Any], starts: list[int]) -> None:
    """Write the tiles of pixels that start in the columns `starts` into the parts of `tiles`, padded with zeros."""
    height, width = tiles.shape[:2]
    if len(starts) == 2 and len(pixels) == height and starts[1] + width <= pixels.shape[1]:
        load_cv2().merge([pixels[:, start : start + width] for start in starts], tiles)
        return
    tiles[...] = 0
    for part, start in enumerate(starts):
        some = pixels[:, start : start + width]
        tiles[: some.shape[0], : some.shape[1], part] = some


def _layout(job: Job) -> tuple[int, int, bool]:
    """Return the rows and columns of a tile, in pixels, and whether the channels are separated."""
    return _cheapest(job.rows, job.columns, job.channels, _TILES[job.dtype.kind not in "biu"])


@functools.lru_cache(maxsize=256)
def _cheapest(rows: Axis, columns: Axis, channels: int, most: int) -> tuple[int, int, bool]:
    most = max(most, 4 * max(rows.reach, _SHORTEST) * max(columns.reach, _SHORTEST))
    best, least = (0, 0, False), math.inf
    for planar in (False, True) if channels > 1 else (False,):
        step = 1 if planar else channels
        for height, width in itertools.product(sides_for(rows, _SHORTEST), sides_for(columns, _SHORTEST)):
            if height * width * step > most:
                continue
            samples = tiles_along(rows, height) * height * tiles_along(columns, width) * width
            cost = samples * (math.log2(height * width) + 8) + planar * _SEPARATION_COST * rows.outputs * columns.outputs
            if cost < least:
                best, least = (height, width, planar), cost
    return best


METHOD = Dft()
