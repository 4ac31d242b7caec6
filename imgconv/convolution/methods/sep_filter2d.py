"""`cv2.sepFilter2D` on strips in the image's own type: two passes that sum, round and saturate at once.

`cv2.GaussianBlur` would take half the time for 8-bit images, but it uses weights in 256ths and rounds halves up, which does not
give the bits of the contract.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.banded import dilate_taps
from imgconv.convolution.low_rank import find_pairs
from imgconv.convolution.methods import Method, Run
from imgconv.convolution.opencv_calls import Strip, computed_values, why_not_finished
from imgconv.convolution.plan import Job, Work
from imgconv.convolution.source import Source
from imgconv.opencv import load_cv2


class SepFilter2d(Method):
    name = "sep_filter2d"
    about = "cv2.sepFilter2D on strips in the image's own type, for a kernel that is one column times one row"
    finishes = True
    spreads = True
    least_reaches = 8

    def refusal(self, job: Job) -> str | None:
        if reason := why_not_finished(job):
            return reason
        if len(find_pairs(job.arithmetic.weights).sizes) != 1:
            return f"the kernel has rank {job.kernel.rank}, not 1"
        representable = all(np.array_equal(line.astype(np.float32).astype(np.float64), line) for line in self._lines(job))
        if job.arithmetic.whole and not job.arithmetic.rounds_alike(self._in_float32(job), representable=representable):
            return "float32 products, rounded by OpenCV, would not give the bits of the exact sum"
        return None

    def error(self, job: Job) -> float:
        """Return the bound for one rounding per weight, product and addition of both passes; 0 if the sums are exact."""
        return 0.0 if job.arithmetic.whole else self._in_float32(job)

    def work(self, job: Job) -> Work:
        """Two passes; outputs skipped by the stride are computed too."""
        computed = computed_values(job, self.rows(job))
        return Work(
            multiply_adds=computed * (job.rows.reach + job.columns.reach),
            bytes=computed * (2 * job.dtype.itemsize + 8.0),
            calls=2.0 * self.strips(job),
        )

    def _lines(self, job: Job) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the row and the column, with the scale applied.

        The row is scaled to an absolute sum below 1, because OpenCV rounds the weights to 256ths for bytes if both lines sum to
        1. This also keeps the values between the passes below the largest pixel.
        """
        pairs, arithmetic = find_pairs(job.arithmetic.weights), job.arithmetic
        row, column = pairs.rows[0], pairs.columns[0] * (arithmetic.numerator / arithmetic.denominator)
        power = 2.0 ** -math.ceil(math.log2(np.abs(row).sum()) + 0.5)  # scaling by a power of two is exact
        return row * power, column / power

    def _in_float32(self, job: Job) -> float:
        pairs, arithmetic = find_pairs(job.arithmetic.weights), job.arithmetic
        unit = UNIT["float64" if job.dtype == np.float64 else "float32"]
        scaled = float(pairs.residuals[1] + (sum(job.kernel.shape) + 4) * unit * pairs.sizes.sum())
        return scaled * abs(arithmetic.numerator) / arithmetic.denominator

    def prepare(self, job: Job) -> Run:
        cv2, arithmetic = load_cv2(), job.arithmetic
        row, column = self._lines(job)
        row, column = dilate_taps(row, job.columns.dilation), dilate_taps(column, job.rows.dilation)
        delta = arithmetic.offset / arithmetic.denominator

        def call(pixels: Any, result: Any, anchor: tuple[int, int], border: int) -> Any:
            return cv2.sepFilter2D(pixels, -1, row, column, result, anchor, delta, border)

        def run(source: Source, out: NDArray[Any]) -> None:
            np.copyto(out, Strip(source, job, job.dtype).filtered(call, (column.size, row.size), job.dtype))

        return run


METHOD = SepFilter2d()
