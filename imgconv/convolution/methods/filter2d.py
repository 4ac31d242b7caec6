"""One call of `cv2.filter2D` on the image in its own type, which sums, rounds and saturates in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.methods import Method, Run
from imgconv.convolution.opencv_calls import Strip, direct_taps, native_border, why_not_finished
from imgconv.convolution.plan import Job, Work
from imgconv.convolution.source import Source
from imgconv.opencv import load_cv2


class Filter2d(Method):
    name = "filter2d"
    about = "one call of cv2.filter2D on the image in its own type"
    finishes = True
    threads = False

    def refusal(self, job: Job) -> str | None:
        if reason := why_not_finished(job):
            return reason
        if job.rows.dilation != 1 or job.columns.dilation != 1:
            return "cv2.filter2D does not support dilation"
        if job.kernel.weights.size > direct_taps(job.dtype):
            return f"beyond {direct_taps(job.dtype)} weights OpenCV uses a DFT, whose result is not the exact sum"
        if job.channels > 4:
            return "more than 4 channels"
        if not job.arithmetic.direct:
            return "float32 products, rounded by OpenCV, would not give the bits of the exact sum"
        return None

    def work(self, job: Job) -> Work:
        """One pass over the samples, one multiply-add per tap; outputs skipped by the stride are computed too."""
        computed = float(job.samples * job.rows.stride * job.columns.stride)
        return Work(computed * job.kernel.taps, bytes=computed * 2 * job.dtype.itemsize, calls=1)

    def prepare(self, job: Job) -> Run:
        cv2, kernel, delta = load_cv2(), job.kernel, job.arithmetic.offset / job.arithmetic.denominator
        weights = kernel.weights.astype(np.float64 if job.dtype == np.float64 else np.float32)
        border = None
        if job.options.keeps_grid and job.border.rows == job.border.columns:
            border = native_border(job.border.rows, job.border.value)

        def call(pixels: Any, result: Any, anchor: tuple[int, int], border: int) -> Any:
            return cv2.filter2D(pixels, -1, weights, result, anchor, delta, border)

        def run(source: Source, out: NDArray[Any]) -> None:
            if border is None:
                np.copyto(out, Strip(source, job, job.dtype).filtered(call, kernel.shape, job.dtype))
            else:
                target = out.reshape(out.shape[:2]) if job.channels == 1 else out  # OpenCV drops a third axis of length 1
                call(source.image, target, kernel.anchor[::-1], border)

        return run


METHOD = Filter2d()
