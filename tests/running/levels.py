"""A kernel that is neither square nor symmetric, SciPy's sums with it, and pixels in every type."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

KERNEL = "[1 2 3; 4 5 6]:scale=1/21"
WEIGHTS = np.array([[1, 2, 3], [4, 5, 6]]) / 21


def full(dtype) -> float:
    return 1.0 if np.dtype(dtype).kind == "f" else float(np.iinfo(dtype).max)


def of_type(pixels: np.ndarray, dtype: str) -> np.ndarray:
    """Return 8-bit pixels in another type, white staying white."""
    if dtype == "uint8":
        return pixels
    return (pixels * (full(dtype) / 255)).astype(dtype)


def averaged(plane: np.ndarray) -> np.ndarray:
    return ndimage.correlate(plane.astype(float), WEIGHTS, mode="mirror")
