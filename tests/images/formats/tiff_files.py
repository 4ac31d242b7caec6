"""TIFF files: written by tifffile, or by hand with any directory, whether it makes sense or not."""

from __future__ import annotations

import contextlib
import io
import struct
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

import imgconv
from imgconv.images.pages import MAX_PIXELS

DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")
ROWS, COLUMNS = 37, 21

CODES = {1: "B", 2: "s", 3: "H", 4: "I", 5: "I", 6: "b", 7: "s", 8: "h", 9: "i", 10: "i", 11: "f", 12: "d", 13: "I", 16: "Q"}

#: A tag's kind and values: numbers, or bytes.
Entries = dict[int, tuple[int, Any]]


def packed(order: str, kind: int, values: Any) -> tuple[int, bytes]:
    """Return how many values there are, and their bytes."""
    if isinstance(values, bytes):
        return len(values), values
    values = values if isinstance(values, Sequence) else [values]
    return len(values) // (1 + (kind in (5, 10))), struct.pack(f"{order}{len(values)}{CODES[kind]}", *values)


def made(pages: Iterable[tuple[Entries, Sequence[bytes]]], order: str = "<", big: bool = False) -> bytes:
    """Return a TIFF of pages, each of them entries and strips, or tiles; where these are and how long is filled in.

    An entry whose value is None is left out, 273 and 279 too.
    """
    place, entry = order + ("Q" if big else "I"), order + ("HHQ" if big else "HHI")
    data = bytearray(
        (b"II" if order == "<" else b"MM")
        + struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, 0) if big else (42, 0)))
    )
    pointer = len(data) - struct.calcsize(place)
    for entries, strips in pages:
        offsets = []
        for strip in strips:
            offsets.append(len(data) if strip else 0)
            data += strip + bytes(len(strip) % 2)
        kind = 16 if big else 4
        tags = (324, 325) if 322 in entries else (273, 279)
        found = {tags[0]: (kind, offsets), tags[1]: (kind, [len(strip) for strip in strips])} | entries
        rows = []
        for tag, value in sorted(found.items()):
            if value[1] is None:
                continue
            count, content = packed(order, *value)
            if len(content) > struct.calcsize(place):
                content, at = struct.pack(place, len(data)), content
                data += at + bytes(len(at) % 2)
            rows.append(struct.pack(entry, tag, value[0], count) + content.ljust(struct.calcsize(place), b"\0"))
        struct.pack_into(place, data, pointer, len(data))
        data += struct.pack(order + ("Q" if big else "H"), len(rows)) + b"".join(rows)
        pointer = len(data)
        data += bytes(struct.calcsize(place))
    return bytes(data)


def described(rows: int, columns: int, bits: int = 8, samples: int = 1, photometric: int = 1, **more: Any) -> Entries:
    """Return the entries of an uncompressed page in one strip; more of them as `t338=(3, 2)`."""
    found: Entries = {
        256: (4, columns),
        257: (4, rows),
        258: (3, [bits] * samples),
        259: (3, 1),
        262: (3, photometric),
        277: (3, samples),
        278: (4, rows),
    }
    return found | {int(tag[1:]): value for tag, value in more.items()}


def bit_rows(values: np.ndarray, bits: int) -> bytes:
    """Return (H, W, samples) packed into so many bits each, the highest first, rows beginning on bytes."""
    rows = []
    for row in values.reshape(len(values), -1):
        text = "".join(f"{int(value):0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return b"".join(rows)


def written(pixels: np.ndarray, **options: object) -> bytes:
    """Return what tifffile writes."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def noise(dtype: str, channels: int, rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """Return pixels over the whole range of their type, (H, W) or (H, W, channels)."""
    rng = np.random.default_rng(channels)
    shape = (rows, columns, channels)[: 2 + (channels > 1)]
    if np.dtype(dtype).kind == "f":
        return (rng.random(shape) * 3 - 1).astype(dtype)
    return np.frombuffer(rng.bytes(int(np.prod(shape)) * np.dtype(dtype).itemsize), dtype).reshape(shape)


def opened(data: bytes, max_pixels: int = MAX_PIXELS) -> imgconv.Pages:
    """Return the pages of a file that is called in.tif."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("in.tif").write_bytes(data)
        return imgconv.open_image("in.tif", max_pixels=max_pixels)


def page(data: bytes, index: int = 0) -> imgconv.Image:
    """Return a page. Its header, its metadata and a window of it have to agree with it."""
    found = opened(data).open_page(index)
    header, metadata, coding = found.header, found.metadata, found.coding
    image = found.image()
    assert (header.shape, header.dtype) == (image.pixels.shape, image.pixels.dtype)
    assert (header.has_alpha, header.colours) == (image.has_alpha, image.colours)
    assert (metadata, coding) == (image.metadata, image.coding)
    assert image.pixels.dtype.isnative
    assert image.format == "tiff"
    rows, columns = slice(header.shape[0] // 3, header.shape[0] // 2 + 1), slice(header.shape[1] // 4, -1)
    assert np.array_equal(found.read(rows, columns), image.pixels[rows, columns], equal_nan=image.pixels.dtype.kind == "f")
    return image


def encoded(images: Sequence[imgconv.Image | np.ndarray] | imgconv.Image | np.ndarray, **coding: Any) -> bytes:
    """Return the file out.tif with these pages."""
    pages = images if isinstance(images, list) else [images]
    pages = [image if isinstance(image, imgconv.Image) else imgconv.Image(image) for image in pages]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        imgconv.write_pages("out.tif", iter(pages), len(pages), None, coding=imgconv.Coding(**coding))
        return Path("out.tif").read_bytes()


def red_first(pixels: np.ndarray) -> np.ndarray:
    """Return pixels with red and blue exchanged."""
    return pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]] if pixels.ndim == 3 and pixels.shape[2] > 2 else pixels
