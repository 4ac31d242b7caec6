"""Execution of a plan: the sums of its method, then scale and delta, then rounding and saturation.

The output is divided into strips of rows, which are distributed over threads.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.exactness import may_be_infinite
from imgconv.convolution.methods import METHODS, Method
from imgconv.convolution.plan import Job, Plan
from imgconv.convolution.source import Plane, Source, Workspace, planes_of
from imgconv.convolution.sums import prepared_sums, scaled
from imgconv.depth import Fitted, fit, fit_into, limits
from imgconv.errors import UsageError
from imgconv.opencv import opencv_threads
from imgconv.threads import asked_threads, one_blas_thread, pool, thread_count

if TYPE_CHECKING:
    from imgconv.convolution.normalization import NormalizedValues

# A value half a level beyond the range may round out of it, and the last steps may run in float32.
_ALMOST_HALF = 0.49
# Maximum size of the buffers that a thread keeps between images.
_KEPT_BYTES = 1 << 25


# Overflow to infinity and NaN are results in IEEE 754, not reasons to warn.
@np.errstate(over="ignore", invalid="ignore")
def execute(plan: Plan, image: NDArray[Any], *, fallback: Plan | None = None) -> Fitted:
    """Execute a plan on an image.

    Args:
        plan: plan for the shape and the type of the image.
        image: shape (H, W) or (H, W, C).
        fallback: plan for the same job by a method that does not finish its values. It is used to count clipped values if
            the method of `plan` finishes its values and one of them lies at an end of the range.

    Returns:
        The result and the number of clipped values; -1 if they were not counted, for lack of a fallback.

    Raises:
        UsageError: shape or type of the image differ from those of the plan, sums of 64-bit integers exceed what float64
            holds, or IMGCONV_JOBS is invalid.
        RangeError: the plan's `range_policy` is `error` and a value lies outside the range of the result.
    """
    job = plan.job
    if not image.dtype.isnative:  # files may be stored in the other byte order
        image = image.astype(image.dtype.newbyteorder("="))
    if image.shape != job.shape or image.dtype != job.dtype:
        raise UsageError(
            f"the plan is for {job.dtype.name} of shape {job.shape}, the image is {image.dtype.name} of shape {image.shape}"
        )
    _check_wide_integers(image, job)
    method = METHODS[plan.method]
    # OpenCV's own threads would compete with those that process the strips.
    limit = 1 if method.threads else asked_threads(job.options.jobs)
    with opencv_threads(limit) if method.engine == "opencv" else nullcontext():
        fitted = Execution(job, method, image).run()
    if method.finishes and not _stays_inside(job, method):
        return Fitted(fitted.values, _count_clipped(fitted.values, image, fallback))
    return fitted


class Execution:
    """A job on one image: the values of each strip are computed, then rounded into the result.

    A strip is a range of rows of the output. Its values are the sums of the method (`Sums`), scaled, or divided by the weight
    on the valid pixels (`NormalizedValues`).
    """

    def __init__(self, job: Job, method: Method, image: NDArray[Any]) -> None:
        policy = job.options.range_policy
        self._job, self._method, self._image = job, method, image
        self._deferred = policy in ("stretch", "error") and not method.finishes  # rounding needs all values first
        self._policy = "clip" if self._deferred else policy
        self._out = np.empty(job.output_shape, _unrounded_dtype(job) if self._deferred else job.output)
        self._planes = planes_of(image, job.border, apart=method.planar(job))
        self._inside = self._policy == "clip" and _stays_inside(job, method)
        # Sums that are already the result are written directly into it.
        self._in_place = job.arithmetic.finishes_as_summed and job.output.kind == "f" and policy not in ("abs", "offset")
        self._sums = prepared_sums(job, method)
        self._normalized: NormalizedValues | None = None
        if job.options.normalizes:
            from imgconv.convolution.normalization import NormalizedValues

            self._normalized = NormalizedValues(job, method, image)

    def run(self) -> Fitted:
        """Return the result and the number of clipped values."""
        job, method = self._job, self._method
        jobs = job.options.jobs if method.threads else 1
        blas = method.blas or (method.spreads and may_be_infinite(job))
        clipped = run_strips(self._finish_strip, job.rows.outputs, method.rows(job), jobs=jobs, blas=blas)
        return fit(self._out, job.output, job.options.range_policy) if self._deferred else Fitted(self._out, clipped)

    def _finish_strip(self, start: int, stop: int, workspace: Workspace) -> int:
        """Write the rows start … stop - 1 of the result and return the number of clipped values."""
        clipped = 0
        for plane in self._planes:
            target = self._out[start:stop][plane.at]
            values = self._values(plane, start, stop, workspace, target)
            if values is not target:
                clipped += fit_into(values, target, self._policy, inside=self._inside)
        return clipped

    def _values(self, plane: Plane, start: int, stop: int, workspace: Workspace, target: NDArray[Any]) -> NDArray[Any]:
        """Return the unrounded values of a strip, or `target` itself if the final values were written into it."""
        if self._normalized is not None:
            return self._normalized.of(plane, start, stop, workspace)
        source = Source(self._job, self._image[plane.at], plane.border, start, stop, workspace)
        if self._method.finishes:
            return self._sums.of(source, target)
        return scaled(self._sums.of(source, target if self._in_place else None), self._job, workspace)


class _ThreadBuffers(threading.local):
    """The buffers of each thread."""

    def __init__(self) -> None:
        self.workspace = Workspace()


_buffers = _ThreadBuffers()


def run_strips(work: Callable[[int, int, Workspace], int], outputs: int, rows: int, *, jobs: int | None, blas: bool) -> int:
    """Process an output of `outputs` rows in strips of `rows` rows, and return the sum of the results of `work`.

    Args:
        work: function called once per strip, from several threads, with the first row, one past the last row, and the
            buffers of the thread.
        outputs: number of rows of the output.
        rows: rows per strip. Strips do not depend on the number of threads, so that neither does the result.
        jobs: number of threads; see `thread_count`.
        blas: whether the work calls BLAS, whose own threads would compete with these.
    """
    count = -(-outputs // rows)
    threads = min(thread_count(jobs), count)
    following = itertools.count()  # shared by the threads: the interpreter returns each number once
    failed = threading.Event()

    def process_strips() -> int:
        total, workspace = 0, _buffers.workspace
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                for strip in following:
                    if strip >= count or failed.is_set():
                        break
                    total += work(strip * rows, min((strip + 1) * rows, outputs), workspace)
        except BaseException:
            failed.set()  # the other threads stop after their current strip
            raise
        if workspace.size > _KEPT_BYTES:
            workspace.clear()
        return total

    with one_blas_thread() if blas else nullcontext():
        if threads <= 1:
            return process_strips()
        others = pool.submit(process_strips, threads - 1)
        try:
            own = process_strips()
        finally:
            wait(others)  # also after an error: no thread may write to the result once this function has returned
        return own + sum(other.result() for other in others)


def _unrounded_dtype(job: Job) -> np.dtype[Any]:
    dtype = np.dtype(np.float64) if job.options.normalizes else job.arithmetic.finish_dtype
    is_complex = job.dtype.kind == "c" or job.arithmetic.weights.dtype.kind == "c"
    return np.result_type(dtype, np.complex64) if is_complex else dtype


def _count_clipped(values: NDArray[Any], image: NDArray[Any], fallback: Plan | None) -> int:
    if values.dtype.kind == "f":
        return 0
    if fallback is None:
        return -1
    low, high = limits(values.dtype)
    if values.min() > low and values.max() < high:
        return 0
    return execute(fallback, image).clipped


@functools.lru_cache(maxsize=64)
def _stays_inside(job: Job, method: Method) -> bool:
    """Whether no value can leave the range of an integer output, whatever the pixels, so that no check is needed."""
    arithmetic, outside = job.arithmetic, np.real(job.border.value) if job.border.uses_value else np.zeros(0)
    if job.options.normalizes or job.dtype.kind not in "biu" or job.output.kind not in "biu" or job.kernel.is_complex:
        return False
    least, most = (float(f([*limits(job.dtype), *outside])) for f in (np.min, np.max))  # NaN if a border value is NaN
    weights, off = arithmetic.weights, method.error(job) * arithmetic.largest_pixel
    above, below = float(weights[weights > 0].sum()), float(weights[weights < 0].sum())
    sums = np.array([above * least + below * most - off, above * most + below * least + off])
    values = (sums * arithmetic.numerator + arithmetic.offset) / arithmetic.denominator
    low, high = limits(job.output)
    return bool(values.min() > low - _ALMOST_HALF and values.max() < high + _ALMOST_HALF)


def _check_wide_integers(image: NDArray[Any], job: Job) -> None:
    """Reject 64-bit integers whose sums float64 does not hold exactly, which depends on the pixels."""
    if image.dtype.kind not in "iu" or image.dtype.itemsize < 8 or image.size == 0:
        return
    outside = [int(abs(v)) for v in job.border.value if np.isfinite(v)] if job.border.uses_value else []
    most = max(abs(int(image.min())), abs(int(image.max())), *outside)
    if most > 2.0**53 / max(float(np.abs(job.arithmetic.weights).sum()), 1.0):  # Python compares int and float exactly
        raise UsageError(
            f"{image.dtype.name} pixels up to {most} give sums beyond 2**53, which float64 does not hold exactly; "
            "convert the image to float64 to accept rounding"
        )
