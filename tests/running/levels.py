"""An asymmetric, non-square kernel, its correlation by SciPy, and conversion of pixels to every type."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

KERNEL = "[1 2 3; 4 5 6]:scale=1/21"
WEIGHTS = np.array([[1, 2, 3], [4, 5, 6]]) / 21


def full_scale(dtype) -> float:
    return 1.0 if np.dtype(dtype).kind == "f" else float(np.iinfo(dtype).max)


def as_type(pixels: np.ndarray, dtype: str) -> np.ndarray:
    """Return 8-bit pixels scaled to another type, so that white stays white."""
    if dtype == "uint8":
        return pixels
    return (pixels * (full_scale(dtype) / 255)).astype(dtype)


def scipy_sum(plane: np.ndarray) -> np.ndarray:
    return ndimage.correlate(plane.astype(float), WEIGHTS, mode="mirror")
