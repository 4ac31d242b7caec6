"""`cv2.filter2D` in floating point, the kernel in bands small enough that OpenCV sums it one weight at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.method import Run, StripMethod
from imgconv.convolution.opencv_calls import correlate_window, direct_taps
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.convolution.workspace import Workspace


class Bands(StripMethod):
    """A pass of `cv2.filter2D` for each band of the kernel."""

    name = "bands"
    engine = "opencv"
    about = "cv2.filter2D in floating point, large kernels in bands that OpenCV sums one weight at a time"
    threads = False
    strip_bytes = 1 << 22

    def rows(self, job: Job) -> int:
        """Enough that the rows shared with the next strip do not count."""
        return max(super().rows(job), 4 * job.rows.reach)

    def work(self, job: Job) -> Work:
        """A pass over the image for each band, every place of it computed, whatever the stride."""
        most = direct_taps(job.arithmetic.dtype)
        width = min(job.columns.reach, most)
        bands = -(-job.columns.reach // width) * -(-job.rows.reach // max(1, most // width))
        computed = job.samples * job.rows.stride * job.columns.stride
        strips = -(-job.rows.outputs // self.rows(job))
        return Work(
            multiply_adds=computed * job.kernel.taps,
            bytes=moved(job) + 4 * computed * job.arithmetic.dtype.itemsize * (bands - 1),
            calls=strips * bands,
        )

    def prepare(self, job: Job) -> Run:
        """Cut the kernel."""
        dtype = self.dtype(job)
        bands = list(_bands(job.spread_weights.astype(dtype), direct_taps(dtype)))

        def run(source: Source, sums: NDArray[Any], workspace: Workspace) -> None:
            window = source.window(dtype)
            sums[...] = 0
            for top, left, weights in bands:
                sums += correlate_window(window, weights, job, len(sums), top=top, left=left)

        return run


def _bands(weights: NDArray[Any], most: int) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Yield the parts of the weights with at most `most` of them, and the row and column where each begins."""
    width = min(weights.shape[1], most)
    height = max(1, most // width)
    for top in range(0, weights.shape[0], height):
        for left in range(0, weights.shape[1], width):
            part = weights[top : top + height, left : left + width]
            if part.any():
                yield top, left, np.ascontiguousarray(part)


METHOD = Bands()
