"""All neighbourhoods as a strided view of the image, without copies, and one product over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.methods import Method, Run
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source


class Windows(Method):
    name = "windows"
    about = "a sliding window view of every neighbourhood, and one einsum"
    single_channel = True
    spreads = True  # einsum multiplies zero weights too

    def work(self, job: Job) -> Work:
        """One call per neighbourhood, and its weights, including zeros."""
        return Work(multiply_adds=job.samples * job.kernel.weights.size, calls=job.samples, bytes=moved(job))

    def prepare(self, job: Job) -> Run:
        rows, columns, dtype = job.rows, job.columns, self.dtype(job)
        weights = job.arithmetic.weights.astype(dtype)

        def run(source: Source, sums: NDArray[Any]) -> None:
            window = source.window(dtype)
            views = np.lib.stride_tricks.sliding_window_view(window, (rows.reach, columns.reach))
            views = views[:: rows.stride, :: columns.stride, :: rows.dilation, :: columns.dilation]
            np.einsum("yxij,ij->yx", views, weights, out=sums)

        return run


METHOD = Windows()
