"""The definition, written to be read: four loops, one pixel and one weight at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import OUTSIDE, source_indices
from imgconv.convolution import costs
from imgconv.convolution.plan import Job, Method


def run(image: NDArray[Any], job: Job) -> NDArray[Any]:
    """Return the sums, shape (H', W') or (H', W', C)."""
    weights = job.arithmetic.weights
    rows, columns, border = job.rows, job.columns, job.border
    down = source_indices(rows.length, *rows.window(), border.rows)
    across = source_indices(columns.length, *columns.window(), border.columns)
    void = _void(job)
    sums = np.zeros(job.output_shape, job.arithmetic.dtype)
    for y in range(rows.outputs):
        for x in range(columns.outputs):
            for i in range(rows.taps):
                for j in range(columns.taps):
                    source_row = down[y * rows.stride + i * rows.dilation]
                    source_column = across[x * columns.stride + j * columns.dilation]
                    if weights[i, j] == 0:  # so that 0 * NaN is nothing, as it is for every method
                        continue
                    if source_row != OUTSIDE and source_column != OUTSIDE:
                        pixel = image[source_row, source_column]
                    elif void(source_row, source_column):
                        continue
                    else:
                        pixel = np.asarray(border.value if len(border.value) > 1 else border.value[0])
                    sums[y, x] += sums.dtype.type(weights[i, j]) * pixel.astype(sums.dtype)
    return sums


def _void(job: Job) -> Any:
    """Return a function that says whether a place outside counts for nothing."""
    void_rows, void_columns = job.border.rows == "renormalize", job.border.columns == "renormalize"
    return lambda row, column: (row == OUTSIDE and void_rows) or (column == OUTSIDE and void_columns)


METHOD = Method(
    name="definition",
    engine="numpy",
    about="the four loops of the definition, to be read and to test the others against",
    supports=lambda job: None,
    cost=lambda job: costs.DEFINITION_TAP * job.samples / job.channels * job.kernel.weights.size,
    run=run,
)
