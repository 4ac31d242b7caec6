"""Samples of fewer bits than their type, or of another greatest value, scaled to the full range: white stays white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def scaled(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return samples of so many bits, up to 16, scaled to the full range of uint8 or, beyond 8 bits, of uint16."""
    return scaled_from(pixels, (1 << bits) - 1)


def scaled_from(pixels: NDArray[Any], greatest: int) -> NDArray[Any]:
    """Return samples from 0 to `greatest` scaled to the full range of uint8 or, where that is more than 255, of uint16.

    Samples beyond it become the greatest value.

    Args:
        pixels: uint8 or uint16, of any shape.
        greatest: up to 65535.
    """
    dtype = np.uint8 if greatest < 256 else np.uint16
    full = 255 if greatest < 256 else 65_535
    if greatest == full and pixels.dtype == dtype:
        return pixels
    levels = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=np.float64) * (full / greatest)
    table = np.rint(np.minimum(levels, full)).astype(dtype)
    found: NDArray[Any] = table[pixels]
    return found
