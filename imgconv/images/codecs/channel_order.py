"""Red first, as most libraries have it, and blue first, as OpenCV and `Image` have it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.opencv import load_cv2


def swapped(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return pixels with red and blue in each other's place, contiguous; grey, with or without alpha, as it is.

    Args:
        pixels: (H, W) or (H, W, C), C up to 4; of a type of 8 or 16 bits, or float32.
    """
    pixels = np.ascontiguousarray(pixels)
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        return pixels
    cv2 = load_cv2()
    code = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    # OpenCV knows no signed integers here.
    found: NDArray[Any] = cv2.cvtColor(pixels.view(f"u{pixels.itemsize}") if pixels.dtype.kind == "i" else pixels, code)
    return found.view(pixels.dtype)
