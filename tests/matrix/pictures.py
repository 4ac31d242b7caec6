"""The pixels of the files of the matrix: an asymmetric part of one photograph, in every type, in RGB order."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image as Pillow

ROWS, COLUMNS = 41, 58

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"


@functools.cache
def _levels() -> NDArray[np.uint32]:
    """Return 41 x 58 x 3 levels of 32 bits: the photograph in the upper eight, random detail in the lower ones."""
    with Pillow.open(PHOTOGRAPHS / "astronaut.png") as file:
        photograph = np.asarray(file.convert("RGB"))[60 : 60 + ROWS, 195 : 195 + COLUMNS]
    detail = np.random.default_rng(11).integers(0, 1 << 24, photograph.shape, np.uint32)
    return photograph.astype(np.uint32) << 24 | detail


@functools.cache
def _opacity() -> NDArray[np.float64]:
    """Return alpha from 0 on the left to 1 on the right, with a ramp between that shifts from row to row."""
    down, across = np.mgrid[0:ROWS, 0:COLUMNS]
    return np.clip((across - 8 + down / 7) / 40, 0, 1)


def full_scale(dtype: object) -> float:
    """Return the level of white: the largest value of an integer type, else 1."""
    kind = np.dtype(dtype)
    return 1.0 if kind.kind in "fb" else float(np.iinfo(kind).max)


def as_type(levels: NDArray[np.uint32], dtype: object) -> NDArray:
    """Return 32-bit levels in another type, over its whole range; floats reach from -0.25 to 1.25."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return levels >= 1 << 31
    if kind.kind == "f":
        return (levels / 2.0**32 * 1.5 - 0.25).astype(kind)
    bits = 8 * kind.itemsize
    unsigned = (levels >> (32 - bits)).astype(f"u{kind.itemsize}")
    return unsigned if kind.kind == "u" else (unsigned ^ unsigned.dtype.type(1 << (bits - 1))).view(kind)


def picture(dtype: object = "u1", channels: int = 3) -> NDArray:
    """Return the picture, (41, 58) for one channel, else (41, 58, channels): grey or RGB, alpha last."""
    kind = np.dtype(dtype)
    colour = as_type(_levels() if channels > 2 else _levels()[:, :, 1:2], kind)
    if channels % 2:
        return colour if channels == 3 else colour[:, :, 0]
    alpha = _opacity() * full_scale(kind)
    alpha = alpha >= 0.5 if kind.kind == "b" else (alpha if kind.kind == "f" else np.rint(alpha)).astype(kind)
    return np.dstack([colour, alpha])


def positive(channels: int = 3) -> NDArray[np.float32]:
    """Return the picture in float32, from 0 to 1."""
    return (_levels() / 2.0**32).astype(np.float32)[:, :, slice(None) if channels == 3 else 1]


def cmyk_picture(dtype: object = "u1") -> NDArray:
    """Return the picture in cyan, magenta, yellow and black, (41, 58, 4)."""
    colour = picture(dtype)
    full = np.iinfo(colour.dtype).max
    black = (colour.min(axis=2) // 3).astype(colour.dtype)
    return np.dstack([full - colour, black])


def cmyk_to_rgb(inks: NDArray) -> NDArray:
    """Return CMYK without a profile as red, green and blue: (1 - C)(1 - K), rounded."""
    full = np.iinfo(inks.dtype).max
    light = (full - inks.astype(np.float64)) / full
    return np.rint(light[:, :, :3] * light[:, :, 3:] * full).astype(inks.dtype)
