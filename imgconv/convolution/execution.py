"""Carries out a plan: the sums of its method, then scale and delta, then rounding and saturation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import Border
from imgconv.convolution.methods import METHODS
from imgconv.convolution.normalization import no_weight, weight_inside
from imgconv.convolution.plan import Job, Method, Plan
from imgconv.depth import Fitted, fit, limits
from imgconv.errors import UsageError


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
    job, method = plan.job, METHODS[plan.method]
    if not image.dtype.isnative:  # the other order of bytes, as some files have it
        image = image.astype(image.dtype.newbyteorder("="))
    if image.shape != job.shape or image.dtype != job.dtype:
        raise UsageError(
            f"the plan is for {job.dtype.name} of shape {job.shape}, the image is {image.dtype.name} of shape {image.shape}"
        )
    _check_wide_integers(image, job)
    if method.finishes:
        values = method.run(image, job)
        return Fitted(values, _count_clipped(values, image, fallback))
    return fit(_values(image, job, method), job.output, job.options.range_policy)


def _count_clipped(values: NDArray[Any], image: NDArray[Any], fallback: Plan | None) -> int:
    if values.dtype.kind == "f":
        return 0
    if fallback is None:
        return -1
    low, high = limits(values.dtype)
    if values.min() > low and values.max() < high:
        return 0
    return execute(fallback, image).clipped


def _values(image: NDArray[Any], job: Job, method: Method) -> NDArray[Any]:
    """Return the results in floating point: not yet rounded, not yet in the output's type."""
    arithmetic = job.arithmetic
    if not job.options.normalizes:
        sums = _sums(image, job, method)
        return _scaled(sums, job)
    sums, inside = _normalized_sums(image, job, method)
    empty = no_weight(inside, job)
    if arithmetic.offset:  # sum / weight + delta as one quotient, so that it is rounded once
        sums = sums * arithmetic.denominator + arithmetic.offset * inside
        inside = inside * arithmetic.denominator
    with np.errstate(divide="ignore", invalid="ignore"):
        values: NDArray[Any] = sums / inside
    values[np.broadcast_to(empty, values.shape)] = np.nan
    return values


def _normalized_sums(image: NDArray[Any], job: Job, method: Method) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the sums over the pixels that count, in float64, and the weight that fell on them."""
    counts = ~np.isnan(image) if job.options.nan == "ignore" and image.dtype.kind in "fc" else None
    border = job.border
    void = job.options.nan == "ignore" and border.uses_value and bool(np.isnan(border.value).any())
    if (counts is None or counts.all()) and not void:
        inside = weight_inside(job)
        inside = inside[..., None] if image.ndim == 3 else inside
    else:
        mask = np.ones(image.shape, bool) if counts is None else counts
        value = tuple(0.0 if np.isnan(v) else 1.0 for v in border.value)
        wide_job = replace(job, arithmetic=replace(job.arithmetic, dtype=np.dtype(np.float64)))
        inside = _sums(mask.astype(np.float64), _job_with(wide_job, Border(border.rows, border.columns, value)), method)
        image = np.where(mask, image, image.dtype.type(0))
        border = Border(border.rows, border.columns, tuple(0.0 if np.isnan(v) else v for v in border.value))
    sums = _sums(image, _job_with(job, border), method)
    wide = np.complex128 if np.iscomplexobj(sums) or np.iscomplexobj(inside) else np.float64
    return sums.astype(wide), inside.astype(wide)


def _job_with(job: Job, border: Border) -> Job:
    return replace(job, options=replace(job.options, border=border))


def _sums(image: NDArray[Any], job: Job, method: Method) -> NDArray[Any]:
    """Return what the method sums, complex pixels and complex weights taken apart: the sum is linear in both."""
    weights = job.arithmetic.weights
    if image.dtype.kind == "c":
        border = job.border
        parts = [
            _sums(part, _job_with(job, Border(border.rows, border.columns, value)), method)
            for part, value in (
                (image.real, tuple(np.real(border.value).tolist())),
                (image.imag, tuple(np.imag(border.value).tolist())),
            )
        ]
    elif weights.dtype.kind == "c":
        parts = [
            method.run(image, replace(job, arithmetic=replace(job.arithmetic, weights=part)))
            for part in (weights.real, weights.imag)
        ]
    else:
        return method.run(image, job)
    return _plus_i_times(parts[0], parts[1])


def _plus_i_times(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return a + i * b, put together part by part: 1j times infinity would be infinity and a NaN beside it."""
    result = np.empty(a.shape, np.result_type(a, b, np.complex64))
    result.real = a.real - b.imag if np.iscomplexobj(b) else a.real
    result.imag = a.imag + b.real if np.iscomplexobj(a) else b.real
    return result


def _scaled(sums: NDArray[Any], job: Job) -> NDArray[Any]:
    """Return (sums * numerator + offset) / denominator; the array of the sums is used again where its type fits."""
    arithmetic = job.arithmetic
    finish = arithmetic.finish_dtype
    if sums.dtype.kind == "c":
        finish = np.result_type(finish, np.complex64)
    values = sums.astype(finish, copy=False)
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
