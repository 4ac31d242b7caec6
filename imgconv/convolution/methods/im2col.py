"""Patches as columns of a matrix, one row per tap, and one matrix product; stride and dilation cost nothing extra."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.methods import Method, Run
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source

# Size of the matrix of patches: close to the cache, and large enough that calls cost less than copies.
_MATRIX_BYTES = 1 << 22


class Im2col(Method):
    name = "im2col"
    about = "patches as the columns of a matrix, one matrix product"
    single_channel = True
    blas = True

    def work(self, job: Job) -> Work:
        """One copy into the matrix and one multiply-add per tap."""
        taps = job.kernel.taps
        copies = 2 * job.samples * taps * self.dtype(job).itemsize
        parts = job.channels * -(-job.rows.outputs * job.columns.outputs // self._part(job))
        return Work(multiply_adds=job.samples * taps, bytes=moved(job) + copies, calls=parts * (taps + 2))

    def _part(self, job: Job) -> int:
        """Return the number of patches in a part of the matrix."""
        return max(_MATRIX_BYTES // (max(job.kernel.taps, 1) * self.dtype(job).itemsize), 16)

    def prepare(self, job: Job) -> Run:
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        weights, part = job.arithmetic.weights.astype(dtype), self._part(job)
        taps = np.argwhere(weights)
        row = weights[weights != 0][None]

        def run(source: Source, sums: NDArray[Any]) -> None:
            window = source.window(dtype)
            height, width = sums.shape
            together = max(1, part // width)  # rows of the output in a part
            for top in range(0, height, together):
                bottom = min(top + together, height)
                for left in range(0, width, part):
                    right = min(left + part, width)
                    patches = source.workspace.take("patches", (len(taps), bottom - top, right - left), dtype)
                    for patch, (i, j) in zip(patches, taps, strict=True):
                        under = window[rows.outputs_of(i, height), columns.outputs_of(j, width)]
                        np.copyto(patch, under[top:bottom, left:right])
                    product = source.workspace.take("product", (1, (bottom - top) * (right - left)), dtype)
                    np.matmul(row, patches.reshape(len(taps), product.size), out=product)
                    sums[top:bottom, left:right] = product.reshape(bottom - top, right - left)

        return run


METHOD = Im2col()
