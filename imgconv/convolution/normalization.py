"""The weight that fell on pixels that count, by which `renormalize` and `nan="ignore"` divide the sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import OUTSIDE, source_indices
from imgconv.convolution.geometry import Axis
from imgconv.convolution.plan import Job

# A weight that is nothing but rounding, relative to the sum of the absolute weights, counts as none.
_NOTHING = 1e-12


def weight_inside(job: Job) -> NDArray[Any]:
    """Return the sum of the weights that fall inside of the image, shape (H', W'), or (1, 1) where that is one number.

    It depends on the shapes alone: each tap counts where its row and its column are inside, so the sum over the taps is a
    product of three matrices.
    """
    down = _inside(job.rows, job.border.rows)
    across = _inside(job.columns, job.border.columns)
    return _settled(down @ job.arithmetic.weights @ across.T, job)


def no_weight(inside: NDArray[Any], job: Job) -> NDArray[np.bool_]:
    """Return where so little weight fell inside that nothing can be divided by it."""
    return np.asarray(np.abs(inside) <= _NOTHING * np.abs(job.arithmetic.weights).sum())


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


def _settled(inside: NDArray[Any], job: Job) -> NDArray[Any]:
    """Return the matrix in float64, whole numbers put back where the weights are whole."""
    return np.rint(inside) if job.arithmetic.exact else inside
