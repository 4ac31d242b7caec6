"""`cv2.sepFilter2D` on strips, once for each outer product of the kernel."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.banded import dilate_taps
from imgconv.convolution.low_rank import LowRank, pairs_for
from imgconv.convolution.methods import Run
from imgconv.convolution.opencv_calls import Strip, computed_values, holds_border, write_sum
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.opencv import load_cv2


class OuterProducts(LowRank):
    name = "pairs"
    about = "cv2.sepFilter2D in floating point on strips, for each of the kernel's outer products"
    spreads = True
    strip_bytes = 3 << 20
    least_reaches = 8

    def work(self, job: Job) -> Work:
        """Two passes per pair; outputs skipped by the stride are computed too."""
        _, count = pairs_for(job)
        computed = computed_values(job, self.rows(job))
        between = 4 * computed * self.dtype(job).itemsize
        return Work(
            multiply_adds=computed * count * (job.rows.reach + job.columns.reach),
            bytes=moved(job) + count * between,
            calls=self.strips(job) * (2.0 + 2 * count),
        )

    def prepare(self, job: Job) -> Run:
        pairs, count = pairs_for(job)
        cv2, dtype = load_cv2(), self.dtype(job)
        lines = [
            (dilate_taps(row, job.columns.dilation), dilate_taps(column, job.rows.dilation))
            for column, row in zip(pairs.columns[:count], pairs.rows[:count], strict=True)
        ]
        # OpenCV's separable filters read bytes with vector instructions, but 16-bit integers one by one.
        reads_bytes = job.dtype == np.uint8 and dtype == np.float32 and holds_border(job, job.dtype)
        pixels_dtype = job.dtype if reads_bytes else dtype
        depth = cv2.CV_32F if dtype == np.float32 else cv2.CV_64F
        rounds = job.arithmetic.whole and not pairs.whole

        def call(row: Any, column: Any, pixels: Any, result: Any, anchor: tuple[int, int], border: int) -> Any:
            return cv2.sepFilter2D(pixels, depth, row, column, result, anchor, 0, border)

        def run(source: Source, sums: NDArray[Any]) -> None:
            strip = Strip(source, job, pixels_dtype)
            parts = (strip.filtered(partial(call, row, column), (column.size, row.size), dtype) for row, column in lines)
            write_sum(parts, sums)
            if rounds:
                np.rint(sums, out=sums)

        return run


METHOD = OuterProducts()
