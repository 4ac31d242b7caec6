"""The integral image: the sum over a rectangle of any size combines four of its values.

A kernel is a sum of rectangles of one weight each. Their corners are the positions where the second difference of the weights
is not zero; a box of any size has four. (Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984.) Integers may overflow
in intermediate results: they wrap modulo a power of two, and the final sums fit.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.methods import Method, Run
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.convolution.taps import add_groups, steps, tap_groups

# Rows per group; the groups are accumulated in parallel.
_GROUP = 12


class SummedArea(Method):
    name = "summed_area"
    about = "the integral image: cost by the number of corners of the areas of one weight, whatever their size"
    single_channel = True
    mixes = True
    spreads = True  # an overflow in the integral image affects all sums below it
    least_reaches = 2

    def dtype(self, job: Job) -> np.dtype[Any]:
        """Return the narrowest integer type that holds the sums, else float64."""
        return job.arithmetic.integer or np.dtype(np.float64)

    def mixed_error(self, job: Job) -> float:
        """Return the error bound of the integral image of a strip of maximal pixels."""
        if job.arithmetic.integer is not None:
            return 0.0
        height = job.rows.span(min(self.rows(job), job.rows.outputs))
        width = job.columns.span(job.columns.outputs)
        corners = self._corners(job)
        most = height * width * job.arithmetic.largest_pixel
        if job.arithmetic.whole and most * np.abs(corners).sum() < 2.0**53:
            return 0.0
        if job.dtype.kind in "biu" and most < 2.0**53:
            roundings = np.count_nonzero(corners) + 2  # the integral image itself is exact
        else:
            roundings = height + width + np.count_nonzero(corners)
        return float(roundings * UNIT["float64"] * height * width * np.abs(corners).sum())

    @staticmethod
    def _corners(job: Job) -> NDArray[Any]:
        """Return the second difference of the weights, shape (reach + 1, reach + 1)."""
        return np.diff(np.diff(np.pad(job.spread_weights, 1), axis=0), axis=1)

    def work(self, job: Job) -> Work:
        """The integral image, and one pass per corner."""
        passes = steps(tap_groups(job, self._corners(job), self.dtype(job)))
        strips = self.strips(job) * job.channels
        height = self.rows(job) * job.rows.stride + job.rows.reach
        inputs = strips * height * job.columns.outputs * job.columns.stride
        return Work(
            multiply_adds=job.samples * passes / 2,
            transforms=inputs,
            bytes=moved(job),
            calls=strips * (height / _GROUP + _GROUP + passes + 10),
        )

    def prepare(self, job: Job) -> Run:
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        groups = tap_groups(job, self._corners(job), dtype)

        def run(source: Source, sums: NDArray[Any]) -> None:
            window = source.window(dtype)
            integral = source.workspace.take("integral", (len(window) + 1, window.shape[1] + 1), dtype)
            integral[0], integral[:, 0] = 0, 0
            np.cumsum(window, axis=1, dtype=dtype, out=integral[1:, 1:])
            _accumulate_down(integral[1:])

            def shifted(i: int, j: int) -> NDArray[Any]:
                down = slice(i, i + (sums.shape[0] - 1) * rows.stride + 1, rows.stride)
                return integral[down, j : j + (sums.shape[1] - 1) * columns.stride + 1 : columns.stride]

            add_groups(groups, shifted, sums, source.workspace.take("product", sums.shape, dtype))

        return run


def _accumulate_down(table: NDArray[Any]) -> None:
    """Accumulate rows downwards in place: first within groups of rows, all groups at once, then from group to group.

    One call per row would spend its time on call overhead, and NumPy's own accumulation across rows misses the cache.
    """
    whole = len(table) // _GROUP * _GROUP
    groups = table[:whole].reshape(-1, _GROUP, table.shape[1])
    for row in range(1, _GROUP):
        np.add(groups[:, row], groups[:, row - 1], out=groups[:, row])
    for above, below in itertools.pairwise(groups):
        np.add(below, above[-1], out=below)
    for row in range(max(whole, 1), len(table)):
        np.add(table[row], table[row - 1], out=table[row])


METHOD = SummedArea()
