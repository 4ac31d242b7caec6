"""Checks that a timed result is correct; times of wrong results are not reported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.benchmark.cells import Cell
from imgconv.convolution.api import correlate
from imgconv.depth import limits

#: Allowed error as a share of the picture's largest pixel. Integer results may differ by half a level more due to rounding.
TOLERANCE = 2e-5


def exact_result(cell: Cell) -> NDArray[np.float64]:
    """Return the reference for all results: the unrounded float64 result of imgconv's NumPy engine."""
    values: NDArray[np.float64] = correlate(cell.picture.pixels.astype(np.float64), cell.kernel, engine="numpy")
    return values


def disagreement(result: NDArray[Any], exact: NDArray[np.float64], cell: Cell, *, inside_only: bool = False) -> str:
    """Return a description of how a result differs from the exact one, or "" if it agrees.

    Args:
        result: shape (H, W) or (H, W, C).
        exact: the return value of `exact_result`.
        cell: the picture and the kernel.
        inside_only: whether to ignore pixels that depend on the border.
    """
    if result.shape != exact.shape:
        return f"its result has the shape {result.shape}, not {exact.shape}"
    if inside_only:
        before, after = cell.size // 2, cell.size - 1 - cell.size // 2
        inside = tuple(slice(before, max(before, side - after)) for side in exact.shape[:2])
        result, exact = result[inside], exact[inside]
    if not exact.size:
        return ""
    allowed = TOLERANCE * cell.picture.largest
    if result.dtype.kind in "iu":
        low, high = limits(result.dtype)
        exact, allowed = np.clip(exact, low, high), allowed + 0.5
    off = float(np.abs(np.subtract(result, exact, dtype=np.float64)).max())
    return "" if off <= allowed else f"its result is off by up to {off:.3g} (allowed: {allowed:.3g})"
