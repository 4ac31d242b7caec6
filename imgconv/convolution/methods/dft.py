"""OpenCV's own DFT, to which `cv2.filter2D` turns for large kernels; in float64, so that whole sums come back whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import extend
from imgconv.convolution import costs
from imgconv.convolution.opencv_calls import correlate_window, direct_taps
from imgconv.convolution.plan import Job, Method

# OpenCV transforms blocks of float32 and float64 images in float64. Their error stays below this share of the bound on the
# sums; seen: 1e-15 of it at 31x31. Whole sums are then rounded back to themselves.
_ERROR = 2.0**-46


def run(image: NDArray[Any], job: Job) -> NDArray[Any]:
    """Return the sums, shape (H', W') or (H', W', C)."""
    dtype = job.arithmetic.dtype
    kernel = job.kernel.dilated((job.rows.dilation, job.columns.dilation))
    weights = np.zeros(kernel.shape, dtype)
    weights[:: job.rows.dilation, :: job.columns.dilation] = job.arithmetic.weights
    window = np.ascontiguousarray(extend(image, job.rows.window(), job.columns.window(), job.border, dtype))
    sums = np.ascontiguousarray(correlate_window(window, weights, job))
    return np.rint(sums, out=sums) if job.arithmetic.exact else sums


def supports(job: Job) -> str | None:
    """Take only what OpenCV does by DFT, and only pixels that cannot spoil a whole block."""
    if job.rows.reach * job.columns.reach <= direct_taps(job.arithmetic.dtype):
        return f"up to {direct_taps(job.arithmetic.dtype)} weights OpenCV sums one by one"
    if job.dtype.kind not in "biu" or not np.isfinite(job.border.value).all():
        return "one NaN or infinity would spread over a whole block"
    if not job.arithmetic.largest * _ERROR < 0.25:
        return "its error bound reaches a quarter of a level"
    return None


def cost(job: Job) -> float:
    """Predict the time: the same for every kernel, but for the rims of the blocks."""
    computed = job.samples * job.rows.stride * job.columns.stride
    return computed * (costs.DFT_SAMPLE[job.arithmetic.dtype.name] + costs.conversion(job.dtype)) + costs.CALL


METHOD = Method(
    name="dft",
    engine="opencv",
    about="OpenCV's block DFT in float64, for large kernels on integer images",
    supports=supports,
    cost=cost,
    run=run,
)
