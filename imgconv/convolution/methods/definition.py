"""The definition as four loops over pixels and weights, written for readability."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from imgconv.convolution.methods import Method, Run
from imgconv.convolution.plan import Job, Work
from imgconv.convolution.source import Source


class Definition(Method):
    name = "definition"
    about = "the four loops of the definition, a readable reference for testing the others"

    def work(self, job: Job) -> Work:
        """One step per weight, including zeros; the channels of a pixel are processed together."""
        return Work(calls=job.samples / job.channels * job.kernel.weights.size)

    def prepare(self, job: Job) -> Run:
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        weights = job.arithmetic.weights.astype(dtype)

        def run(source: Source, sums: NDArray[Any]) -> None:
            window = source.window(dtype)
            for y in range(sums.shape[0]):
                for x in range(sums.shape[1]):
                    sums[y, x] = 0
                    for i in range(rows.taps):
                        for j in range(columns.taps):
                            pixel = window[y * rows.stride + i * rows.dilation, x * columns.stride + j * columns.dilation]
                            if weights[i, j] != 0:  # every method counts 0 * NaN as 0
                                sums[y, x] += weights[i, j] * pixel

        return run


METHOD = Definition()
