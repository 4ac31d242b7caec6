"""Every neighbourhood as a strided view of the image, nothing copied, and one product over all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import extend
from imgconv.convolution import costs
from imgconv.convolution.plan import Job, Method
from imgconv.convolution.strips import output_strips


def run(image: NDArray[Any], job: Job) -> NDArray[Any]:
    """Return the sums, shape (H', W') or (H', W', C)."""
    rows, columns, dtype = job.rows, job.columns, job.arithmetic.dtype
    weights = job.arithmetic.weights.astype(dtype)
    sums = np.empty(job.output_shape, dtype)
    for start, stop in output_strips(job):
        strip = extend(image, rows.window(start, stop), columns.window(), job.border, dtype)
        for channel in np.ndindex(sums.shape[2:]):  # a plane at a time: neighbours in memory are neighbours in the image
            plane = np.ascontiguousarray(strip[(..., *channel)])
            views = np.lib.stride_tricks.sliding_window_view(plane, (rows.reach, columns.reach))
            views = views[:: rows.stride, :: columns.stride, :: rows.dilation, :: columns.dilation]
            sums[(slice(start, stop), slice(None), *channel)] = _products(views, weights, plane)
    return sums


def _products(views: NDArray[Any], weights: NDArray[Any], plane: NDArray[Any]) -> NDArray[Any]:
    """Return the sum of weights times each neighbourhood; a weight of zero is no tap, and meets no NaN or infinity."""
    if weights.all() or np.isfinite(plane).all():
        return np.asarray(np.einsum("yxij,ij->yx", views, weights))
    down, across = np.nonzero(weights)
    return np.asarray(views[:, :, down, across] @ weights[down, across])


def cost(job: Job) -> float:
    """Predict the time: the set-up of each neighbourhood, and its weights, zeros included."""
    per_sample = costs.WINDOWS_SAMPLE + costs.conversion(job.dtype) + costs.WINDOWS_TAP * job.kernel.weights.size
    return job.samples * per_sample


METHOD = Method(
    name="windows",
    engine="numpy",
    about="a sliding window view of every neighbourhood, and one einsum",
    supports=lambda job: None,
    cost=cost,
    run=run,
)
