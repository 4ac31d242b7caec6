"""One call of `cv2.filter2D` on the image in its own type, which sums, rounds and saturates in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import extend
from imgconv.convolution.method import WholeMethod
from imgconv.convolution.opencv_calls import correlate_window, direct_taps, native_border
from imgconv.convolution.plan import Job, Work
from imgconv.opencv import load_cv2

_TYPES = ("uint8", "uint16", "int16", "float32", "float64")


class Filter2d(WholeMethod):
    """A single call for the whole image."""

    name = "filter2d"
    engine = "opencv"
    about = "one call of cv2.filter2D on the image in its own type"

    def finish(self, image: NDArray[Any], job: Job) -> NDArray[Any]:
        """Return the result, shape (H', W') or (H', W', C), in the type of the image."""
        kernel, delta = job.kernel, job.arithmetic.offset / job.arithmetic.denominator
        weights = kernel.weights.astype(np.float64 if image.dtype == np.float64 else np.float32)
        border = native_border(job)
        if border is None:
            window = extend(image, job.rows.window(), job.columns.window(), job.border)
            return np.ascontiguousarray(correlate_window(window, weights, job, job.rows.outputs, delta))
        anchor = kernel.anchor[1], kernel.anchor[0]
        result: NDArray[Any] = load_cv2().filter2D(image, -1, weights, anchor=anchor, delta=delta, borderType=border)
        return result.reshape(job.output_shape)  # OpenCV drops a third axis of length 1

    def refusal(self, job: Job) -> str | None:
        """Say what stands in the way of a single call."""
        if job.dtype.name not in _TYPES or job.output != job.dtype:
            return (
                f"OpenCV takes {', '.join(_TYPES)} and returns the type it was given, not {job.dtype.name} to {job.output.name}"
            )
        if job.options.normalizes:
            return "OpenCV cannot divide by the weight inside"
        if job.kernel.is_complex:
            return "OpenCV has no complex weights"
        # Floating point has no range to leave: to clip, or to refuse what does not fit, is to do nothing.
        if job.options.range_policy not in (("clip", "error") if job.dtype.kind == "f" else ("clip",)):
            return f"range {job.options.range_policy} needs the values before they are rounded"
        if job.rows.dilation != 1 or job.columns.dilation != 1:
            return "the taps of a dilated kernel are taken one by one"
        if job.kernel.weights.size > direct_taps(job.dtype):
            return f"beyond {direct_taps(job.dtype)} weights OpenCV turns to a DFT, whose bits are not those of the sum"
        if job.channels > 4:
            return "more than 4 channels"
        if not job.arithmetic.direct:
            return "float32 products, rounded by OpenCV, would not give the bits of the exact sum"
        if job.border.uses_value and job.dtype.kind != "f":
            limits = np.iinfo(job.dtype)
            if not all(float(np.real(v)).is_integer() and limits.min <= np.real(v) <= limits.max for v in job.border.value):
                return f"{job.dtype.name} cannot hold the border value"
        return None

    def work(self, job: Job) -> Work:
        """One pass over the samples, and a share for each tap; every place is computed, whatever the stride."""
        computed = float(job.samples * job.rows.stride * job.columns.stride)
        return Work(computed * job.kernel.taps, bytes=computed * 2 * job.dtype.itemsize, calls=1)


METHOD = Filter2d()
