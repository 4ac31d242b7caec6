"""Whether a result is the one that was asked for: a time counts only if it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.benchmark.cells import Cell
from imgconv.convolution.api import correlate
from imgconv.depth import limits

#: What a result may be off, as a share of the picture's largest pixel; integer results half a level more, for their rounding.
TOLERANCE = 2e-5


def exact_result(cell: Cell) -> NDArray[np.float64]:
    """Return what imgconv's NumPy engine computes in float64, not rounded: what all others are held against."""
    values: NDArray[np.float64] = correlate(cell.picture.pixels.astype(np.float64), cell.kernel, engine="numpy")
    return values


def disagreement(result: NDArray[Any], exact: NDArray[np.float64], cell: Cell, *, inside_only: bool = False) -> str:
    """Return how a result differs from the exact one, or "" where it does not.

    Args:
        result: shape (H, W) or (H, W, C).
        exact: of `exact_result`.
        cell: the picture and the kernel.
        inside_only: whether to leave out what depends on the border.
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
    return "" if off <= allowed else f"its result is off by up to {off:.3g}, where {allowed:.3g} is allowed"
