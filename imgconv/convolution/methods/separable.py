"""Two one-dimensional passes for each outer product of the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.banded import BLOCK, BandMatrices, band_work, dilate_taps, planes_and_step, separates_channels
from imgconv.convolution.low_rank import LowRank, pairs_for
from imgconv.convolution.methods import Run
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source


class Separable(LowRank):
    name = "separable"
    about = "a pass down and a pass across, as products with band matrices, for each of the kernel's outer products"
    spreads = True
    blas = True
    least_reaches = 1

    def planar(self, job: Job) -> bool:
        """Whether separate channels shorten the bands enough; always for complex weights, so that both parts agree."""
        return job.kernel.is_complex or separates_channels(job, pairs_for(job)[1])

    def work(self, job: Job) -> Work:
        """Two band products and an addition per pair; the rows between the passes are those of the output."""
        _, count = pairs_for(job)
        down = job.samples * job.columns.stride * band_work(job.rows.reach, job.rows.stride)
        planes, step = planes_and_step(job, self.planar(job))
        across = job.samples * band_work((job.columns.reach - 1) * step + 1, job.columns.stride)
        between = 4 * job.samples * job.columns.stride * self.dtype(job).itemsize
        strips = self.strips(job) * planes
        return Work(count * (down + across), 0.0, moved(job) + count * between, calls=strips * (10 + 12 * count))

    def rows(self, job: Job) -> int:
        """Return the rows of a strip as a multiple of the block."""
        return max(super().rows(job), BLOCK) // BLOCK * BLOCK

    def prepare(self, job: Job) -> Run:
        pairs, count = pairs_for(job)
        _, step = planes_and_step(job, self.planar(job))
        dtype, rows, columns = self.dtype(job), job.rows, job.columns
        bands = [
            (
                BandMatrices(dilate_taps(column.astype(dtype), rows.dilation), rows.stride),
                BandMatrices(dilate_taps(row.astype(dtype), columns.dilation * step), columns.stride),
            )
            for column, row in zip(pairs.columns[:count], pairs.rows[:count], strict=True)
        ]
        rounds = job.arithmetic.whole and not pairs.whole
        first, stop = job.columns.window()
        left, width = max(-first, 0), max(stop, job.shape[1]) + max(-first, 0)
        constant = job.border.columns == "constant"

        def run(source: Source, sums: NDArray[Any]) -> None:
            if not bands:
                sums[...] = 0
            own = source.own_columns(dtype)
            outside = source.window(dtype, (-1, 0), "outside") if constant else None
            channels = sums.shape[2:]
            for n, (down, across) in enumerate(bands):
                between = source.workspace.take("between", (len(sums), width, *channels), dtype)
                down.down(own, between[:, left : left + own.shape[1]])
                beside = source.workspace.take("beside", (len(sums), 1, *channels), dtype)
                if outside is not None:
                    down.down(outside, beside)
                else:
                    beside[...] = 0
                source.continue_sums(between, left, beside)
                target = source.workspace.take("product", sums.shape, dtype) if n else sums
                across.across(between[:, left + first :], target)
                if n:
                    np.add(sums, target, out=sums)
            if rounds:
                np.rint(sums, out=sums)

        return run


METHOD = Separable()
