"""Carries out a plan: the sums of its method, then scale and delta, then rounding and saturation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import Border
from imgconv.convolution.method import StripMethod
from imgconv.convolution.methods import STRIP_METHODS, WHOLE_METHODS
from imgconv.convolution.normalization import make_normalized_values
from imgconv.convolution.plan import Job, Plan
from imgconv.convolution.source import Source
from imgconv.convolution.strips import StripWork, asked_threads, run_strips
from imgconv.convolution.sums import Values, make_sums
from imgconv.convolution.workspace import Workspace
from imgconv.depth import Fitted, fit, fit_into, limits
from imgconv.errors import UsageError
from imgconv.opencv import opencv_threads


# Beyond the largest float lies infinity, and NaN beyond that, as IEEE 754 has it: a result, not a warning.
@np.errstate(over="ignore", invalid="ignore")
def execute(plan: Plan, image: NDArray[Any], *, fallback: Plan | None = None) -> Fitted:
    """Carry out a plan on an image.

    Args:
        plan: made for the shape and the type of the image.
        image: shape (H, W) or (H, W, C).
        fallback: a plan for the same job by a method that does not round by itself. Where the plan's own method does, and
            a value stands at an end of the range, it counts the values that were clipped; without it they are not counted.

    Returns:
        The result and the number of values clipped, or -1 where they were not counted.
    """
    job = plan.job
    if not image.dtype.isnative:  # the other order of bytes, as some files have it
        image = image.astype(image.dtype.newbyteorder("="))
    if image.shape != job.shape or image.dtype != job.dtype:
        raise UsageError(
            f"the plan is for {job.dtype.name} of shape {job.shape}, the image is {image.dtype.name} of shape {image.shape}"
        )
    _check_wide_integers(image, job)
    with opencv_threads(asked_threads(job.options.jobs) if plan.engine == "opencv" else None):
        if plan.method in STRIP_METHODS:
            return _in_strips(image, job, STRIP_METHODS[plan.method])
        values = WHOLE_METHODS[plan.method].finish(image, job)
        return Fitted(values, _count_clipped(values, image, fallback))


def _in_strips(image: NDArray[Any], job: Job, method: StripMethod) -> Fitted:
    policy = job.options.range_policy
    waits = policy in ("stretch", "error")  # for all values, before the first is rounded
    out = np.empty(job.output_shape, _unrounded_dtype(job) if waits else job.output)
    work = _strip_work(image, job, method, out, "clip" if waits else policy)
    jobs = job.options.jobs if method.threads else 1
    clipped = run_strips(work, job.rows.outputs, method.rows(job), jobs=jobs, blas=method.blas or method.spreads)
    return fit(out, job.output, policy) if waits else Fitted(out, clipped)


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


def _strip_work(image: NDArray[Any], job: Job, method: StripMethod, out: NDArray[Any], policy: str) -> StripWork:
    """Return what computes a strip of the result and puts it, rounded, into `out`."""
    values = (make_normalized_values if job.options.normalizes else _make_values)(image, job, method)
    planes = _planes(image, job.border) if method.planar(job) else [(..., job.border)]

    def work(start: int, stop: int, workspace: Workspace) -> int:
        clipped = 0
        for at, border in planes:
            target = out[start:stop][at]
            strip = values(at, border, start, stop, workspace, target)
            if strip is not target:
                clipped += fit_into(strip, target, policy)
        return clipped

    return work


def _planes(image: NDArray[Any], border: Border) -> list[tuple[Any, Border]]:
    """Return where each channel of an image stands, and its border."""
    if image.ndim == 2:
        return [(..., border)]
    values = border.value if len(border.value) > 1 else border.value * image.shape[2]
    return [((..., c), Border(border.rows, border.columns, (value,))) for c, value in enumerate(values)]


def _make_values(image: NDArray[Any], job: Job, method: StripMethod) -> Values:
    """Return the values of a strip: its sums, scaled."""
    sums = make_sums(job, method)

    # Sums that are the result already are written where it stands.
    final = job.arithmetic.finishes_as_summed and job.output.kind == "f" and job.options.range_policy not in ("abs", "offset")

    def values(at: Any, border: Border, start: int, stop: int, workspace: Workspace, out: NDArray[Any]) -> NDArray[Any]:
        return _scaled(sums(Source(job, image[at], border, start, stop, workspace), out if final else None), job, workspace)

    return values


def _scaled(sums: NDArray[Any], job: Job, workspace: Workspace) -> NDArray[Any]:
    """Return (sums * numerator + offset) / denominator; the array of the sums is used again where its type fits."""
    arithmetic = job.arithmetic
    if arithmetic.finishes_as_summed:
        return sums
    finish = arithmetic.finish_dtype
    if sums.dtype.kind == "c":
        finish = np.result_type(finish, np.complex64)
    values = sums
    if values.dtype != finish:
        values = workspace.take("values", sums.shape, finish)
        np.copyto(values, sums)
    if arithmetic.numerator != 1:
        values *= finish.type(arithmetic.numerator)
    if arithmetic.offset:
        values += finish.type(arithmetic.offset)
    if arithmetic.denominator != 1:
        values /= finish.type(arithmetic.denominator)
    return values


def _check_wide_integers(image: NDArray[Any], job: Job) -> None:
    """Refuse 64-bit integers that float64 sums would not hold, which only the pixels can tell."""
    if image.dtype.kind not in "iu" or image.dtype.itemsize < 8 or image.size == 0:
        return
    outside = [int(abs(v)) for v in job.border.value if np.isfinite(v)] if job.border.uses_value else []
    most = max(abs(int(image.min())), abs(int(image.max())), *outside)
    if most > 2.0**53 / max(float(np.abs(job.arithmetic.weights).sum()), 1.0):  # an integer and a float: compared exactly
        raise UsageError(
            f"{image.dtype.name} pixels up to {most} give sums beyond 2**53, which float64 does not hold exactly; "
            "convert the image to float64 to accept that"
        )
