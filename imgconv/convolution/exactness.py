"""Bounds on rounding errors, and the criterion by which an inexact method is rejected."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.plan import Job
from imgconv.convolution.source import Workspace

# A sum of whole numbers with an error below this is restored by rounding.
_HALF = 0.5
# A pixel below this fraction of the largest one may be lost in the errors that the largest one causes.
_DARKEST = 2.0**-22


def why_not_exact(job: Job, error: float, *, mixes: bool = False) -> str | None:
    """Return why sums with an error of up to `error` times the largest pixel are not exact enough, or None if they are.

    Sums of whole numbers need an error below half a level, so that rounding restores them. Other sums may have the error of a
    plain sum (`Arithmetic.allowed`). A `tolerance` allows more in either case.

    With `mixes`, errors of bright pixels affect dark pixels far away. Computed in float64 such errors are acceptable in place
    of float32 sums, but not in place of float64 sums.
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
        return f"its error bound is {levels:.2g} levels; that of a plain sum is {plain:.2g}"
    relative = error / max(float(np.abs(arithmetic.weights).sum()), math.ulp(0.0))
    if relative <= tolerance:
        return None
    return f"its error bound is {relative:.2g} of the largest sum; a tolerance of that much allows it"


def narrowest(job: Job, error: Callable[[np.dtype[Any]], float], *, mixes: bool = False) -> np.dtype[Any]:
    """Return float32 if sums in it are exact enough for a job, else float64.

    Args:
        job: the convolution.
        error: returns a bound on the error of sums in a type, relative to the largest pixel.
        mixes: whether errors of bright pixels affect dark ones far away; for floating-point pixels the tolerance then decides.
    """
    narrow, wide = np.dtype(np.float32), np.dtype(np.float64)
    if job.dtype.kind not in "biu" and job.arithmetic.dtype == wide:
        return wide
    if job.dtype.kind not in "biu" and mixes:
        return narrow if error(narrow) <= job.options.tolerance * np.abs(job.arithmetic.weights).sum() else wide
    return wide if why_not_exact(job, error(narrow)) else narrow


def narrowing_error(job: Job) -> float:
    """Return the error of converting float64 sums to the type of the job, relative to the largest pixel; 0 for whole sums."""
    arithmetic = job.arithmetic
    if arithmetic.whole or arithmetic.dtype == np.float64:
        return 0.0
    return UNIT[arithmetic.dtype.name] * float(np.abs(arithmetic.weights).sum())


def may_be_infinite(job: Job) -> bool:
    """Whether a pixel or the border value may be NaN or infinite."""
    return job.dtype.kind in "fc" or not np.isfinite(job.border.value).all()


def is_finite(sums: NDArray[Any]) -> bool:
    """Whether all sums are finite; False also if their sum or sum of squares overflows."""
    if not sums.flags.c_contiguous:
        return math.isfinite(float(sums.sum()))
    line = sums.reshape(-1)
    return math.isfinite(float(np.dot(line, line)))  # faster than a sum


def darkest_share(job: Job, mixed_error: float) -> float:
    """Return the fraction of the largest pixel below which a pixel would be lost in errors that mix.

    A plain sum over such pixels alone would have a smaller error. A tolerance, being relative to the largest sum, makes it 0.
    """
    if job.options.tolerance:
        return 0.0
    return min(_DARKEST, mixed_error / max(job.arithmetic.error, math.ulp(0.0)))


def has_limited_range(window: NDArray[Any], darkest: float, workspace: Workspace) -> bool:
    """Whether all pixels are finite, and the non-zero ones at least the fraction `darkest` of the largest magnitude."""
    magnitudes = np.abs(window, out=workspace.take("magnitudes", window.shape, window.dtype))
    largest = float(magnitudes.max())
    if not math.isfinite(largest):
        return False
    found = workspace.take("found", window.shape, np.bool_)
    dark = np.count_nonzero(np.less(magnitudes, largest * darkest, out=found))
    return bool(dark == 0 or dark == np.count_nonzero(np.equal(magnitudes, 0, out=found)))
