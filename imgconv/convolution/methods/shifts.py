"""One multiply-add a tap: the image, shifted and weighted, added up in strips of rows that stay in the cache."""

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
    taps = [(i, j, dtype.type(job.arithmetic.weights[i, j])) for i, j in np.argwhere(job.arithmetic.weights)]
    sums = np.zeros(job.output_shape, dtype)
    product = np.empty((0,), dtype)
    for start, stop in output_strips(job):
        window = extend(image, rows.window(start, stop), columns.window(), job.border, dtype)
        strip = sums[start:stop]
        if product.shape != strip.shape:
            product = np.empty(strip.shape, dtype)
        for i, j, weight in taps:
            shifted = window[rows.outputs_of(i, stop - start), columns.outputs_of(j, columns.outputs)]
            np.multiply(shifted, weight, out=product)
            strip += product
    return sums


def cost(job: Job) -> float:
    """Predict the time: a multiplication and an addition for each tap."""
    tap = costs.SHIFTS_TAP[job.arithmetic.dtype.name]
    return job.samples * (costs.SHIFTS_SAMPLE + costs.conversion(job.dtype) + tap * job.kernel.taps)


METHOD = Method(
    name="shifts",
    engine="numpy",
    about="one shifted multiply-add a tap, zero taps skipped, in strips that stay in the cache",
    supports=lambda job: None,
    cost=cost,
    run=run,
)
