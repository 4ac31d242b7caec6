"""`cv2.boxFilter` on strips in the image's own type: the mean over a rectangle, at a cost independent of its size.

OpenCV sums in integers or in float64, and scales once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.methods import Method, Run
from imgconv.convolution.methods.boxes import box_error
from imgconv.convolution.opencv_calls import Strip, computed_values, why_not_finished
from imgconv.convolution.plan import Job, Work
from imgconv.convolution.source import Source
from imgconv.opencv import load_cv2

# Relative error of scaling a whole sum in float32: sum, scale and product are each rounded.
_SCALING = 3 * UNIT["float32"]


class BoxFilter(Method):
    name = "box_filter"
    about = "cv2.boxFilter on strips in the image's own type, for a mean over a rectangle"
    finishes = True
    mixes = True
    spreads = True
    least_reaches = 8

    def refusal(self, job: Job) -> str | None:
        if reason := why_not_finished(job):
            return reason
        weights, arithmetic = job.arithmetic.weights, job.arithmetic
        if (weights != weights.flat[0]).any() or job.rows.dilation != 1 or job.columns.dilation != 1:
            return "the weights are not all the same"
        if abs(weights.sum() * arithmetic.numerator / arithmetic.denominator - 1) > weights.size * UNIT["float64"]:
            return "the weights do not sum to 1"
        if arithmetic.offset:
            return "cv2.boxFilter does not support a delta"
        if arithmetic.whole and not arithmetic.rounds_alike(_SCALING, representable=False):
            return "the mean, rounded by OpenCV, would not have the bits of the exact sum"
        if not arithmetic.whole and job.dtype.kind != "f":
            return "means of integers need whole sums"
        return None

    def error(self, job: Job) -> float:
        """Return the error of the running sums and of the scaling; 0 if the result has the bits of the exact sum."""
        if job.arithmetic.whole:
            return 0.0
        return self.mixed_error(job) + 3 * UNIT["float64" if job.dtype == np.float64 else "float32"]

    def mixed_error(self, job: Job) -> float:
        """Return the error bound of running sums in float64."""
        return box_error(job, self.rows(job))

    def work(self, job: Job) -> Work:
        """One running sum in each direction; outputs skipped by the stride are computed too."""
        computed = computed_values(job, self.rows(job))
        return Work(multiply_adds=2 * computed, bytes=2 * computed * job.dtype.itemsize, calls=2.0 * self.strips(job))

    def prepare(self, job: Job) -> Run:
        cv2, size = load_cv2(), (job.columns.taps, job.rows.taps)

        def call(pixels: Any, result: Any, anchor: tuple[int, int], border: int) -> Any:
            return cv2.boxFilter(pixels, -1, size, result, anchor, True, border)

        def run(source: Source, out: NDArray[Any]) -> None:
            np.copyto(out, Strip(source, job, job.dtype).filtered(call, job.kernel.shape, job.dtype))

        return run


METHOD = BoxFilter()
