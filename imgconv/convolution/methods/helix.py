"""Two-dimensional convolution as one dimension: the rows of the extended image and of the zero-padded kernel end to end.

Each tap is then an offset into one long line, and a convolution of the line is one of the image (Claerbout,
"Multidimensional recursive filters via a helix", Geophysics 63, 1998). Outputs across the end of a row are discarded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.methods import Run
from imgconv.convolution.methods.shifts import Shifts
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.convolution.taps import add_groups, steps, tap_groups


class Helix(Shifts):
    name = "helix"
    about = "the kernel unwound to one dimension, a convolution of the rows laid end to end"

    def rows(self, job: Job) -> int:
        """Return the number of rows whose line, including discarded outputs, suits the caches."""
        row = job.rows.stride * job.columns.span(job.columns.outputs) * job.channels
        return max(1, self.strip_bytes // (row * self.dtype(job).itemsize))

    def work(self, job: Job) -> Work:
        """As for `shifts`, over the whole line."""
        passes = steps(tap_groups(job, job.arithmetic.weights, self.dtype(job)))
        line = job.rows.outputs * job.rows.stride * job.columns.span(job.columns.outputs) * job.channels
        return Work(multiply_adds=line * passes / 2, bytes=moved(job), calls=self.strips(job) * (passes + 9))

    def prepare(self, job: Job) -> Run:
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        groups = tap_groups(job, job.arithmetic.weights, dtype)

        def run(source: Source, sums: NDArray[Any]) -> None:
            window = source.window(dtype)
            height, width, *channels = window.shape
            step = int(np.prod(channels, dtype=int))
            if not window.flags.c_contiguous:  # columns of a wider image
                view, window = window, source.workspace.take("contiguous", window.shape, dtype)
                np.copyto(window, view)
            line = window.reshape(-1)
            places = line.size - ((rows.reach - 1) * width + columns.reach - 1) * step

            def shifted(i: int, j: int) -> NDArray[Any]:
                start = (i * rows.dilation * width + j * columns.dilation) * step
                return line[start : start + places]

            whole = source.workspace.take("line", ((height - rows.reach + 1) * width * step,), sums.dtype)
            add_groups(groups, shifted, whole[:places], source.workspace.take("product", (places,), sums.dtype))
            grid = whole.reshape(height - rows.reach + 1, width, *channels)
            np.copyto(sums, grid[:: rows.stride, columns.outputs_of(0, sums.shape[1])])

        return run


METHOD = Helix()
