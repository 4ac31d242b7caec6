"""`cv2.filter2D` in floating point, with the kernel in bands small enough for OpenCV to sum weight by weight."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.methods import Method, Run
from imgconv.convolution.opencv_calls import Strip, computed_values, direct_taps, write_sum
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.opencv import load_cv2


class Bands(Method):
    name = "bands"
    about = "cv2.filter2D in floating point on strips, large kernels in bands that OpenCV sums weight by weight"
    strip_bytes = 3 << 20
    least_reaches = 8

    def work(self, job: Job) -> Work:
        """One pass over the strips per band; outputs skipped by the stride are computed too."""
        most = direct_taps(job.arithmetic.dtype)
        width = min(job.columns.reach, most)
        bands = -(-job.columns.reach // width) * -(-job.rows.reach // max(1, most // width))
        computed = computed_values(job, self.rows(job))
        return Work(
            multiply_adds=computed * job.kernel.taps,
            bytes=moved(job) + 4 * computed * job.arithmetic.dtype.itemsize * (bands - 1),
            calls=self.strips(job) * bands,
        )

    def prepare(self, job: Job) -> Run:
        cv2, dtype = load_cv2(), self.dtype(job)
        bands = list(_bands(job.spread_weights.astype(dtype), direct_taps(dtype)))
        windowed = any(weights.shape[1] < job.columns.reach for _, _, weights in bands)

        def call(weights: NDArray[Any], pixels: Any, result: Any, anchor: tuple[int, int], border: int) -> Any:
            return cv2.filter2D(pixels, -1, weights, result, anchor, 0, border)

        def run(source: Source, sums: NDArray[Any]) -> None:
            strip = Strip(source, job, dtype, windowed=windowed)
            parts = (
                strip.filtered(partial(call, weights), weights.shape, dtype, top=top, left=left) for top, left, weights in bands
            )
            write_sum(parts, sums)

        return run


def _bands(weights: NDArray[Any], most: int) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Yield (row, column, weights) for blocks of at most `most` weights that cover the non-zero ones."""
    width = min(weights.shape[1], most)
    height = max(1, most // width)
    for top in range(0, weights.shape[0], height):
        for left in range(0, weights.shape[1], width):
            part = weights[top : top + height, left : left + width]
            if part.any():
                yield top, left, np.ascontiguousarray(part)


METHOD = Bands()
