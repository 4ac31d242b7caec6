"""Helpers of the format tests: reading files in memory, and comparing pixels."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image as Pillow

from imgconv.images.file_bytes import FileBytes
from imgconv.images.files import decode
from imgconv.images.formats import registry
from imgconv.images.pages import MAX_PIXELS, Page

ROWS, COLUMNS = 5, 8
NUMBERS = np.random.default_rng(3)
COLOURS = NUMBERS.integers(0, 256, (ROWS, COLUMNS, 3), np.uint8)  # RGB
GREY = NUMBERS.integers(0, 256, (ROWS, COLUMNS), np.uint8)


def page(data: bytes) -> Page:
    """Open the first page of a file, without decoding it."""
    found = registry.recognized(data[:4096])
    assert found is not None
    return found.open(FileBytes(memoryview(data)), "x.pic", MAX_PIXELS).open_page(0)


def read(data: bytes) -> np.ndarray:
    """Return the pixels of a file in RGB order; assert that its header matches them."""
    image, header = decode(data, "x.pic"), page(data).header
    assert (header.shape, header.dtype, header.has_alpha) == (image.pixels.shape, image.pixels.dtype, image.has_alpha)
    assert image.pixels.flags.writeable
    return to_rgb(image.pixels)


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    """Return BGR pixels in RGB order, or the reverse."""
    return pixels if pixels.ndim == 2 or pixels.shape[2] == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]


def by_pillow(data: bytes) -> np.ndarray:
    """Return the pixels decoded by Pillow, in RGB order."""
    with Pillow.open(io.BytesIO(data)) as image:
        found = np.asarray(image.convert("RGB") if image.mode == "P" else image)
    return found * np.uint8(255) if found.dtype == bool else found


def assert_same(found: np.ndarray, expected: np.ndarray, tolerance: int = 0) -> None:
    """Compare shape, type and values."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert np.abs(found.astype(np.int64) - expected.astype(np.int64)).max() <= tolerance


def packed(row: np.ndarray, bits: int) -> bytes:
    """Return samples of up to 8 bits packed into bytes, the first in the highest bits."""
    return np.packbits(np.unpackbits(row.astype(np.uint8)[:, np.newaxis], axis=1)[:, 8 - bits :]).tobytes()


def segment(marker: int, *content: bytes) -> bytes:
    """Return a JPEG segment."""
    joined = b"".join(content)
    return struct.pack(">BBH", 0xFF, marker, 2 + len(joined)) + joined
