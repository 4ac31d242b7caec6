"""OpenCV's own DFT, to which `cv2.filter2D` turns for large kernels; in float64, so that whole sums come back whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.method import Run, StripMethod
from imgconv.convolution.opencv_calls import correlate_window, direct_taps
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.convolution.workspace import Workspace

# OpenCV transforms blocks of float32 and float64 images in float64. Their error stays below this share of the bound on the
# sums; seen: 1e-15 of it at 31x31. Whole sums are then rounded back to themselves.
_ERROR = 2.0**-46


class Dft(StripMethod):
    """What `cv2.filter2D` does with large kernels."""

    name = "dft"
    engine = "opencv"
    about = "OpenCV's block DFT in float64, for large kernels on integer images"
    threads = False
    strip_bytes = 1 << 23

    def rows(self, job: Job) -> int:
        """Enough that the rows shared with the next strip do not count."""
        return max(super().rows(job), 8 * job.rows.reach)

    def refusal(self, job: Job) -> str | None:
        """Take only what OpenCV does by DFT, and only pixels that cannot spoil a whole block."""
        if job.rows.reach * job.columns.reach <= direct_taps(job.arithmetic.dtype):
            return f"up to {direct_taps(job.arithmetic.dtype)} weights OpenCV sums one by one"
        if job.dtype.kind not in "biu" or not np.isfinite(job.border.value).all():
            return "one NaN or infinity would spread over a whole block"
        if not job.arithmetic.largest * _ERROR < 0.25:
            return "its error bound reaches a quarter of a level"
        return None

    def error(self, job: Job) -> float:
        """Bound the error by the sum of the weights."""
        if not job.arithmetic.whole:
            return job.arithmetic.error
        return _ERROR * float(np.abs(job.arithmetic.weights).sum())

    def work(self, job: Job) -> Work:
        """The same for every kernel, but for the rims of the blocks; every place is computed, whatever the stride."""
        computed = job.samples * job.rows.stride * job.columns.stride
        return Work(transforms=computed, bytes=moved(job), calls=-(-job.rows.outputs // self.rows(job)))

    def prepare(self, job: Job) -> Run:
        """Spread the kernel."""
        dtype = self.dtype(job)
        weights = job.spread_weights.astype(dtype)

        def run(source: Source, sums: NDArray[Any], workspace: Workspace) -> None:
            window = source.window(dtype)
            sums[...] = correlate_window(window, weights, job, len(sums))
            if job.arithmetic.whole:
                np.rint(sums, out=sums)

        return run


METHOD = Dft()
