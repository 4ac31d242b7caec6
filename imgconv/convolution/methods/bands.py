"""`cv2.filter2D` in floating point, the kernel in bands small enough that OpenCV sums it one weight at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import extend
from imgconv.convolution import costs
from imgconv.convolution.opencv_calls import correlate_window, direct_taps
from imgconv.convolution.plan import Job, Method


def run(image: NDArray[Any], job: Job) -> NDArray[Any]:
    """Return the sums, shape (H', W') or (H', W', C)."""
    dtype = job.arithmetic.dtype
    dilation = (job.rows.dilation, job.columns.dilation)
    window = np.ascontiguousarray(extend(image, job.rows.window(), job.columns.window(), job.border, dtype))
    sums = np.zeros(job.output_shape, dtype)
    for top, left, weights in _bands(job.arithmetic.weights.astype(dtype), dilation, direct_taps(dtype)):
        sums += correlate_window(window, weights, job, top=top, left=left)
    return sums


def _bands(weights: NDArray[Any], dilation: tuple[int, int], most: int) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Yield the parts of the dilated weights with at most `most` of them, and the row and column where each begins."""
    reach = [(n - 1) * d + 1 for n, d in zip(weights.shape, dilation, strict=True)]
    spread = np.zeros(reach, weights.dtype)
    spread[:: dilation[0], :: dilation[1]] = weights
    width = min(reach[1], most)
    height = max(1, most // width)
    for top in range(0, reach[0], height):
        for left in range(0, reach[1], width):
            part = spread[top : top + height, left : left + width]
            if part.any():
                yield top, left, np.ascontiguousarray(part)


def cost(job: Job) -> float:
    """Predict the time: the image in floating point, then a pass over it for each band."""
    name, most = job.arithmetic.dtype.name, direct_taps(job.arithmetic.dtype)
    width = min(job.columns.reach, most)
    bands = -(-job.columns.reach // width) * -(-job.rows.reach // max(1, most // width))
    per_sample = costs.BANDS_SAMPLE[name] + costs.BANDS_BAND[name] * (bands - 1) + costs.BANDS_TAP[name] * job.kernel.taps
    computed = job.samples * job.rows.stride * job.columns.stride
    return computed * (per_sample + costs.conversion(job.dtype)) + costs.CALL * bands


METHOD = Method(
    name="bands",
    engine="opencv",
    about="cv2.filter2D in floating point, large kernels in bands that OpenCV sums one weight at a time",
    supports=lambda job: None,
    cost=cost,
    run=run,
)
