"""Two dimensions as one: the rows of the continued image end to end, the kernel unwound with gaps of zeros between its rows.

A tap is then an offset into one long line, whatever its row, and a convolution of the line is one of the image (Claerbout,
"Multidimensional recursive filters via a helix", Geophysics 63, 1998). What falls across the end of a row is thrown away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.methods import Method, Run
from imgconv.convolution.methods.shifts import METHOD as SHIFTS
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source, Workspace
from imgconv.convolution.taps import add_groups, steps, tap_groups


class Helix(Method):
    """A one-dimensional convolution of the flattened image, the zeros of the gaps skipped."""

    name = "helix"
    about = "the kernel unwound to one dimension, a convolution of the rows laid end to end"
    strip_bytes = 1 << 19

    def dtype(self, job: Job) -> np.dtype[Any]:
        """As for shifts."""
        return SHIFTS.dtype(job)

    def rows(self, job: Job) -> int:
        """Rows whose line, with the outputs that are thrown away, goes well with the caches."""
        width = job.columns.window()[1] - job.columns.window()[0]
        return max(1, self.strip_bytes // (job.rows.stride * width * job.channels * self.dtype(job).itemsize))

    def work(self, job: Job) -> Work:
        """As for shifts, over every place of the line."""
        passes = steps(tap_groups(job, job.arithmetic.weights, self.dtype(job)))
        width = job.columns.window()[1] - job.columns.window()[0]
        line = job.rows.outputs * job.rows.stride * width * job.channels
        strips = -(-job.rows.outputs // self.rows(job))
        return Work(multiply_adds=line * passes / 2, bytes=moved(job), calls=strips * (passes + 9))

    def prepare(self, job: Job) -> Run:
        """Find the groups of taps."""
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        groups = tap_groups(job, job.arithmetic.weights, dtype)

        def run(source: Source, sums: NDArray[Any]) -> None:
            window = source.window(dtype)
            height, width, *channels = window.shape
            step = int(np.prod(channels, dtype=int))
            line = _contiguous(window, source.workspace).reshape(-1)
            places = line.size - ((rows.reach - 1) * width + columns.reach - 1) * step

            def shifted(i: int, j: int) -> NDArray[Any]:
                start = (i * rows.dilation * width + j * columns.dilation) * step
                return line[start : start + places]

            whole = source.workspace.take("line", ((height - rows.reach + 1) * width * step,), sums.dtype)
            add_groups(groups, shifted, whole[:places], source.workspace.take("product", (places,), sums.dtype))
            grid = whole.reshape(height - rows.reach + 1, width, *channels)
            used = (sums.shape[1] - 1) * columns.stride + 1
            np.copyto(sums, grid[:: rows.stride, : used : columns.stride])

        return run


def _contiguous(window: NDArray[Any], workspace: Workspace) -> NDArray[Any]:
    if window.flags.c_contiguous:
        return window
    copy = workspace.take("contiguous", window.shape, window.dtype)
    np.copyto(copy, window)
    return copy


METHOD = Helix()
