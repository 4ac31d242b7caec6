"""Carries out a plan: the sums of its method, then scale and delta, then rounding and saturation."""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import Border
from imgconv.convolution.exactness import may_be_infinite
from imgconv.convolution.method import Method
from imgconv.convolution.methods import METHODS
from imgconv.convolution.normalization import make_normalized_values
from imgconv.convolution.plan import Job, Plan
from imgconv.convolution.source import Source
from imgconv.convolution.strips import StripWork, asked_threads, run_strips
from imgconv.convolution.sums import Values, make_sums, scaled
from imgconv.convolution.workspace import Workspace
from imgconv.depth import Fitted, fit, fit_into, limits
from imgconv.errors import UsageError
from imgconv.opencv import opencv_threads

# Half a level beyond an end of the range is rounded to even, out of it; and the last steps may be rounded in float32.
_ALMOST_HALF = 0.49


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
    method = METHODS[plan.method]
    # Where strips run on threads, OpenCV's own would stand in their way.
    limit = 1 if method.threads else asked_threads(job.options.jobs)
    with opencv_threads(limit) if method.engine == "opencv" else nullcontext():
        fitted = _in_strips(image, job, method)
    if method.finishes and not _stays_inside(job, method):
        return Fitted(fitted.values, _count_clipped(fitted.values, image, fallback))
    return fitted


def _in_strips(image: NDArray[Any], job: Job, method: Method) -> Fitted:
    policy = job.options.range_policy
    waits = policy in ("stretch", "error") and not method.finishes  # for all values, before the first is rounded
    out = np.empty(job.output_shape, _unrounded_dtype(job) if waits else job.output)
    work = _strip_work(image, job, method, out, "clip" if waits else policy)
    jobs = job.options.jobs if method.threads else 1
    blas = method.blas or (method.spreads and may_be_infinite(job))
    clipped = run_strips(work, job.rows.outputs, method.rows(job), jobs=jobs, blas=blas)
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


def _strip_work(image: NDArray[Any], job: Job, method: Method, out: NDArray[Any], policy: str) -> StripWork:
    """Return what computes a strip of the result and puts it, rounded, into `out`."""
    values = (make_normalized_values if job.options.normalizes else _make_values)(image, job, method)
    inside = policy == "clip" and _stays_inside(job, method)
    planes = _planes(image, job.border) if method.planar(job) else [(..., job.border)]

    def work(start: int, stop: int, workspace: Workspace) -> int:
        clipped = 0
        for at, border in planes:
            target = out[start:stop][at]
            strip = values(at, border, start, stop, workspace, target)
            if strip is not target:
                clipped += fit_into(strip, target, policy, inside=inside)
        return clipped

    return work


@functools.lru_cache(maxsize=64)
def _stays_inside(job: Job, method: Method) -> bool:
    """Whether no value can leave the range of an integer output, whatever the pixels: then none needs to be looked at."""
    arithmetic, outside = job.arithmetic, np.real(job.border.value) if job.border.uses_value else np.zeros(0)
    if job.options.normalizes or job.dtype.kind not in "biu" or job.output.kind not in "biu" or job.kernel.is_complex:
        return False
    least, most = (float(f([*limits(job.dtype), *outside])) for f in (np.min, np.max))  # NaN where there is one
    weights, off = arithmetic.weights, method.error(job) * arithmetic.largest_pixel
    above, below = float(weights[weights > 0].sum()), float(weights[weights < 0].sum())
    sums = np.array([above * least + below * most - off, above * most + below * least + off])
    values = (sums * arithmetic.numerator + arithmetic.offset) / arithmetic.denominator
    low, high = limits(job.output)
    return bool(values.min() > low - _ALMOST_HALF and values.max() < high + _ALMOST_HALF)


def _planes(image: NDArray[Any], border: Border) -> list[tuple[Any, Border]]:
    """Return where each channel of an image stands, and its border."""
    if image.ndim == 2:
        return [(..., border)]
    values = border.value if len(border.value) > 1 else border.value * image.shape[2]
    return [((..., c), Border(border.rows, border.columns, (value,))) for c, value in enumerate(values)]


def _make_values(image: NDArray[Any], job: Job, method: Method) -> Values:
    """Return the values of a strip: its sums, scaled."""
    sums = make_sums(job, method)

    # Sums that are the result already are written where it stands.
    final = job.arithmetic.finishes_as_summed and job.output.kind == "f" and job.options.range_policy not in ("abs", "offset")

    def values(at: Any, border: Border, start: int, stop: int, workspace: Workspace, out: NDArray[Any]) -> NDArray[Any]:
        source = Source(job, image[at], border, start, stop, workspace)
        if method.finishes:
            return sums(source, out)
        return scaled(sums(source, out if final else None), job, workspace)

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
