"""When a sum is exact enough: bounds on rounding errors, and the rule by which a method is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.plan import Job
from imgconv.convolution.source import Workspace

# Of whole numbers a sum may be off by less than this, and is then rounded back to what it is.
_HALF = 0.5
# A pixel darker than this share of the largest one may drown in the errors that the largest one makes.
_DARKEST = 2.0**-22


def why_not_exact(job: Job, error: float, *, mixes: bool = False) -> str | None:
    """Return why sums that may be off by `error` times the largest pixel are not exact enough, or None where they are.

    Sums of whole numbers have to be within half a level, so that rounding gives them back. Others may be off by as much as
    a plain sum, one product after the other (`Arithmetic.allowed`); and everything by the tolerance asked for.

    Where errors `mix`, those of bright pixels reach dark ones far away. In float64 that makes up for many sums in float32, but
    not for sums in float64.
    """
    arithmetic, tolerance = job.arithmetic, job.options.tolerance
    drowns = mixes and job.dtype.kind in "fc" and arithmetic.dtype == np.float64
    if error <= arithmetic.allowed and not drowns:
        return None
    if arithmetic.whole:
        levels = error * arithmetic.largest_pixel
        if levels < _HALF or levels * arithmetic.scale <= tolerance:
            return None
        return f"its error bound is {levels:.2g} levels of the sum; whole numbers need less than 0.5"
    if job.dtype.kind in "biu":
        levels, plain = error * arithmetic.largest_pixel, arithmetic.allowed * arithmetic.largest_pixel
        if levels <= tolerance:
            return None
        return f"its error bound is {levels:.2g} levels, where a plain sum has {plain:.2g}"
    relative = error / max(float(np.abs(arithmetic.weights).sum()), math.ulp(0.0))
    if relative <= tolerance:
        return None
    return f"its error bound is {relative:.2g} of the largest sum; a tolerance of that much allows it"


def narrowest(job: Job, error: Callable[[np.dtype[Any]], float], *, mixes: bool = False) -> np.dtype[Any]:
    """Return float32 where sums in it are exact enough for a job, else float64.

    Args:
        job: what is to be computed.
        error: returns a bound on what sums in a type are off, relative to the largest pixel.
        mixes: whether errors of bright pixels reach dark ones far away: for floating-point pixels the tolerance then decides.
    """
    narrow, wide = np.dtype(np.float32), np.dtype(np.float64)
    if job.dtype.kind not in "biu" and job.arithmetic.dtype == wide:
        return wide
    if job.dtype.kind not in "biu" and mixes:
        return narrow if error(narrow) <= job.options.tolerance * np.abs(job.arithmetic.weights).sum() else wide
    return wide if why_not_exact(job, error(narrow)) else narrow


def narrowing_error(job: Job) -> float:
    """Return what sums in float64 lose when they become the job's, relative to the largest pixel; whole ones lose nothing."""
    arithmetic = job.arithmetic
    if arithmetic.whole or arithmetic.dtype == np.float64:
        return 0.0
    return UNIT[arithmetic.dtype.name] * float(np.abs(arithmetic.weights).sum())


def may_be_infinite(job: Job) -> bool:
    """Whether a pixel, or the border, may be NaN or infinite."""
    return job.dtype.kind in "fc" or not np.isfinite(job.border.value).all()


def is_finite(sums: NDArray[Any]) -> bool:
    """Whether no sum is NaN or infinite; those whose squares, or sums, are infinite count as infinite too."""
    if not sums.flags.c_contiguous:
        return math.isfinite(float(sums.sum()))
    line = sums.reshape(-1)
    return math.isfinite(float(np.dot(line, line)))  # faster than a sum


def darkest_share(job: Job, mixed_error: float) -> float:
    """Return the share of the largest pixel below which a pixel would drown in errors that mix.

    A plain sum over such pixels alone would be off by less. Where a tolerance was given, it is relative to the largest sum.
    """
    if job.options.tolerance:
        return 0.0
    return min(_DARKEST, mixed_error / max(job.arithmetic.error, math.ulp(0.0)))


def is_even(window: NDArray[Any], darkest: float, workspace: Workspace) -> bool:
    """Whether all pixels are finite, and those that are not 0 no darker than a share of the brightest one."""
    magnitudes = np.abs(window, out=workspace.take("magnitudes", window.shape, window.dtype))
    largest = float(magnitudes.max())
    if not math.isfinite(largest):
        return False
    found = workspace.take("found", window.shape, np.bool_)
    dark = np.count_nonzero(np.less(magnitudes, largest * darkest, out=found))
    return bool(dark == 0 or dark == np.count_nonzero(np.equal(magnitudes, 0, out=found)))
