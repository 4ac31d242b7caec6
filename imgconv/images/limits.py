"""How large a picture may be before anybody makes room for it: a small file can claim to be a very large picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from imgconv.errors import ReadError

#: The most pixels that a picture, or all frames of an animation together, may have unless more are allowed.
MAX_PIXELS = 1 << 30


def require_size(shape: Sequence[int], dtype: np.dtype[Any], name: str, max_pixels: int = MAX_PIXELS) -> None:
    """Make sure that a picture is no larger than is allowed, and that the memory of the machine can hold it.

    Args:
        shape: (H, W) or (H, W, C), of all that is to be held at once.
        dtype: the type of the pixels.
        name: what a message calls the file, fit to be shown.
        max_pixels: the most that are allowed.

    Raises:
        ReadError: it is larger; the message says how to allow it.
    """
    rows, columns, channels = (*map(int, shape), 1)[:3]
    if rows * columns > max_pixels:
        found = f"claims {rows} x {columns} pixels, {_in_words(rows * columns)}"
        raise ReadError(f"{name}: {found}; at most {_in_words(max_pixels)} are read: --max-pixels allows more")
    size, room = rows * columns * channels * dtype.itemsize, _memory()
    if room and size > room:
        raise ReadError(f"{name}: claims {rows} x {columns} pixels, for which this machine has not enough memory")


def _in_words(pixels: int) -> str:
    return f"{pixels / 1e6:.4g} megapixels"


def _memory() -> int:
    """Return the memory of the machine in bytes, or 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0
