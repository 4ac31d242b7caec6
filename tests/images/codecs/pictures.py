"""What the tests of stills share: how a picture is read, and compared with what it should be."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image as Pillow

from imgconv.images.codecs.stills import read_still
from imgconv.images.formats import sniffed
from imgconv.images.image import Image

ROWS, COLUMNS = 5, 8
NUMBERS = np.random.default_rng(3)
COLOURS = NUMBERS.integers(0, 256, (ROWS, COLUMNS, 3), np.uint8)  # red first
GREY = NUMBERS.integers(0, 256, (ROWS, COLUMNS), np.uint8)


def still(data: bytes) -> Image | None:
    """Return what is made of a file."""
    view = memoryview(data)
    return read_still(view, sniffed(view), "x.pic")


def read(data: bytes) -> np.ndarray:
    """Return the pixels, red first."""
    found = still(data)
    assert found is not None
    assert found.format == sniffed(memoryview(data))
    return red_first(found.pixels)


def red_first(pixels: np.ndarray) -> np.ndarray:
    """Return pixels with red and blue in each other's place."""
    return pixels if pixels.ndim == 2 or pixels.shape[2] == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]


def by_pillow(data: bytes) -> np.ndarray:
    """Return the pixels as Pillow reads them, red first."""
    with Pillow.open(io.BytesIO(data)) as image:
        found = np.asarray(image.convert("RGB") if image.mode == "P" else image)
    return found * np.uint8(255) if found.dtype == bool else found


def assert_same(found: np.ndarray, expected: np.ndarray, tolerance: int = 0) -> None:
    """Compare shape, type and values."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert np.abs(found.astype(np.int64) - expected.astype(np.int64)).max() <= tolerance


def packed(row: np.ndarray, bits: int) -> bytes:
    """Return samples of up to 8 bits side by side, the first in the highest bits."""
    return np.packbits(np.unpackbits(row.astype(np.uint8)[:, np.newaxis], axis=1)[:, 8 - bits :]).tobytes()
