"""The doubly block Toeplitz matrix, multiplied block by block by BLAS.

Convolution is linear and so a product with a matrix, which has a row per output and a column per pixel. It consists of blocks,
one for each pair of an output row and a pixel row. Each block is a Toeplitz matrix that holds one row of the kernel, shifted by
one place from row to row. Only non-zero blocks are multiplied, 16 outputs at a time, which limits multiplications by zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.banded import BandMatrices, band_work, dilate_taps, planes_and_step, separates_channels
from imgconv.convolution.methods import Method, Run
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source


class Toeplitz(Method):
    name = "toeplitz"
    about = "the doubly block Toeplitz matrix: a product with a band matrix through BLAS for each row of the kernel"
    blas = True
    spreads = True
    strip_bytes = 1 << 21

    def planar(self, job: Job) -> bool:
        """Whether separate channels shorten the bands enough."""
        return separates_channels(job, job.rows.taps)

    def work(self, job: Job) -> Work:
        """One band product per row of the kernel, including the zeros of the band, and the sum over the rows."""
        weights = job.arithmetic.weights
        count = int(np.count_nonzero(weights.any(axis=1)))
        planes, step = planes_and_step(job, self.planar(job))
        return Work(
            multiply_adds=job.samples * count * band_work((job.columns.reach - 1) * step + 1, job.columns.stride),
            bytes=moved(job) + 5.0 * job.samples * self.dtype(job).itemsize * max(count - 1, 0),
            calls=self.strips(job) * planes * (10.0 + 4 * count),
        )

    def prepare(self, job: Job) -> Run:
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        _, step = planes_and_step(job, self.planar(job))
        bands = [
            (i, BandMatrices(dilate_taps(row.astype(dtype), columns.dilation * step), columns.stride))
            for i, row in enumerate(job.arithmetic.weights)
            if row.any()
        ]

        def run(source: Source, sums: NDArray[Any]) -> None:
            if not bands:
                sums[...] = 0
            window = source.window(dtype)
            product = source.workspace.take("product", sums.shape, dtype)
            for n, (i, band) in enumerate(bands):
                band.across(window[rows.outputs_of(i, len(sums))], product if n else sums)
                if n:
                    np.add(sums, product, out=sums)

        return run


METHOD = Toeplitz()
