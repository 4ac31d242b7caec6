"""`renormalize` and `nan="ignore"`: the sums are divided by the weight that fell on pixels that count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import OUTSIDE, Border, source_indices
from imgconv.convolution.geometry import Axis
from imgconv.convolution.method import Method
from imgconv.convolution.plan import Job
from imgconv.convolution.source import Source
from imgconv.convolution.sums import Sums, Values, make_sums
from imgconv.convolution.workspace import Workspace

#: Returns the weight on pixels that count: `inside(at, border, start, stop, workspace)`.
Weights: TypeAlias = Callable[[Any, Border, int, int, Workspace], NDArray[Any]]

# A weight that is nothing but rounding, relative to the sum of the absolute weights, counts as none.
_NOTHING = 1e-12


def make_normalized_values(image: NDArray[Any], job: Job, method: Method) -> Values:
    """Return the values of a strip: its sums over the pixels that count, in float64, divided by the weight on them."""
    arithmetic = job.arithmetic
    least = _NOTHING * np.abs(arithmetic.weights).sum()
    sums, inside, image = _sums_and_weights(image, job, method)

    def values(at: Any, border: Border, start: int, stop: int, workspace: Workspace, out: NDArray[Any]) -> NDArray[Any]:
        weight = inside(at, border, start, stop, workspace)
        dividend = sums(Source(job, image[at], _without_nan(border), start, stop, workspace), None)
        dividend = dividend.astype(np.complex128 if dividend.dtype.kind == "c" else np.float64)
        empty = np.abs(weight) <= least
        if arithmetic.offset:  # sum / weight + delta as one quotient, so that it is rounded once
            dividend = dividend * arithmetic.denominator + arithmetic.offset * weight
            weight = weight * arithmetic.denominator
        quotient: NDArray[Any] = dividend / weight
        quotient[np.broadcast_to(empty, quotient.shape)] = np.nan
        return quotient

    return values


def _sums_and_weights(image: NDArray[Any], job: Job, method: Method) -> tuple[Sums, Weights, NDArray[Any]]:
    """Return the sums, the weight that falls on pixels that count, and the image with 0 in place of those that do not."""
    border, ignores = job.border, job.options.nan == "ignore"
    void = ignores and border.uses_value and bool(np.isnan(border.value).any())
    if not void and not (ignores and image.dtype.kind in "fc" and np.isnan(image).any()):
        return make_sums(job, method), _weight_by_shape(job), image
    counts = np.ones(image.shape, bool) if image.dtype.kind not in "fc" else ~np.isnan(image)
    wide = replace(job, dtype=counts.dtype, arithmetic=replace(job.arithmetic, dtype=np.dtype(np.float64), integer=None))
    weights = make_sums(wide, method)

    def inside(at: Any, border: Border, start: int, stop: int, workspace: Workspace) -> NDArray[Any]:
        value = tuple(0.0 if np.isnan(v) else 1.0 for v in border.value)
        ones = Border(border.rows, border.columns, value)
        return weights(Source(job, counts[at], ones, start, stop, workspace), None).copy()

    return make_sums(job, method), inside, np.where(counts, image, image.dtype.type(0))


def _without_nan(border: Border) -> Border:
    return Border(border.rows, border.columns, tuple(0.0 if np.isnan(v) else v for v in border.value))


def _weight_by_shape(job: Job) -> Weights:
    """Return the weight that falls inside of the image, which the shapes alone decide.

    Each tap counts where its row and its column are inside, so the sum over the taps is a product of three matrices.
    """
    down = _inside(job.rows, job.border.rows)
    across = job.arithmetic.weights @ _inside(job.columns, job.border.columns).T

    def inside(at: Any, border: Border, start: int, stop: int, workspace: Workspace) -> NDArray[Any]:
        weight = (down if len(down) == 1 else down[start:stop]) @ across
        # Whole numbers are put back where the weights are whole.
        weight = np.rint(weight) if job.arithmetic.exact else weight
        return np.asarray(weight[..., None] if len(job.shape) == 3 and at is ... else weight)

    return inside


def sums_to_nothing(weights: NDArray[Any]) -> bool:
    """Whether the weights sum to 0, but for their rounding."""
    return bool(abs(weights.sum()) <= _NOTHING * np.abs(weights).sum())


def _inside(axis: Axis, border: str) -> NDArray[np.float64]:
    """Return a matrix (outputs, taps), 1 where the tap of that output counts and 0 where it does not."""
    if border != "renormalize":
        return np.ones((1, axis.taps))
    start, stop = axis.window()
    counts = (source_indices(axis.length, start, stop, border) != OUTSIDE).astype(np.float64)
    columns = [counts[axis.outputs_of(tap, axis.outputs)] for tap in range(axis.taps)]
    return np.stack(columns, axis=1)
