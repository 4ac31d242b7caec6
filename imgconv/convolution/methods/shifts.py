"""One multiply-add per tap: the shifted image, weighted and summed in strips of rows that stay in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.methods import Method, Run
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.convolution.taps import add_groups, steps, tap_groups


class Shifts(Method):
    name = "shifts"
    about = "one shifted multiply-add per tap, zero taps skipped, in 16-bit integers where they hold the sums"
    strip_bytes = 1 << 19

    def dtype(self, job: Job) -> np.dtype[Any]:
        """Return the integer type that holds the sums if it is narrower than their floating-point type, else the latter."""
        integer, floating = job.arithmetic.integer, job.arithmetic.dtype
        return integer if integer is not None and integer.itemsize < floating.itemsize else floating

    def work(self, job: Job) -> Work:
        """One multiplication and one addition per tap; taps of equal magnitude share the multiplication."""
        passes = steps(tap_groups(job, job.arithmetic.weights, self.dtype(job)))
        return Work(multiply_adds=job.samples * passes / 2, bytes=moved(job), calls=self.strips(job) * (passes + 8))

    def prepare(self, job: Job) -> Run:
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        groups = tap_groups(job, job.arithmetic.weights, dtype)

        def run(source: Source, sums: NDArray[Any]) -> None:
            window = source.window(dtype)

            def shifted(i: int, j: int) -> NDArray[Any]:
                return window[rows.outputs_of(i, sums.shape[0]), columns.outputs_of(j, sums.shape[1])]

            add_groups(groups, shifted, sums, source.workspace.take("product", sums.shape, sums.dtype))

        return run


METHOD = Shifts()
