"""TIFF files written by tifffile, or built here with arbitrary directories, even invalid ones."""

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

#: The type and values of each tag; values are numbers or bytes.
Entries = dict[int, tuple[int, Any]]


def packed(order: str, kind: int, values: Any) -> tuple[int, bytes]:
    """Return the number of values, and their bytes."""
    if isinstance(values, bytes):
        return len(values), values
    values = values if isinstance(values, Sequence) else [values]
    return len(values) // (1 + (kind in (5, 10))), struct.pack(f"{order}{len(values)}{CODES[kind]}", *values)


def build(pages: Iterable[tuple[Entries, Sequence[bytes]]], order: str = "<", big: bool = False) -> bytes:
    """Return a TIFF of pages, each with entries and strips or tiles, whose offsets and lengths are filled in.

    An entry with the value None is omitted, also 273 and 279.
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


def page_tags(rows: int, columns: int, bits: int = 8, samples: int = 1, photometric: int = 1, **more: Any) -> Entries:
    """Return the entries of an uncompressed page in one strip; further ones are given as `t338=(3, 2)`."""
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
    """Return (H, W, samples) packed with `bits` bits per sample, highest first, each row padded to whole bytes."""
    rows = []
    for row in values.reshape(len(values), -1):
        text = "".join(f"{int(value):0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return b"".join(rows)


def by_tifffile(pixels: np.ndarray, **options: object) -> bytes:
    """Return a file written by tifffile."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def noise(dtype: str, channels: int, rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """Return random pixels over the range of their type, (H, W) or (H, W, channels); floats from -1 to 2."""
    rng = np.random.default_rng(channels)
    shape = (rows, columns, channels)[: 2 + (channels > 1)]
    if np.dtype(dtype).kind == "f":
        return (rng.random(shape) * 3 - 1).astype(dtype)
    return np.frombuffer(rng.bytes(int(np.prod(shape)) * np.dtype(dtype).itemsize), dtype).reshape(shape)


def open_pages(data: bytes, max_pixels: int = MAX_PIXELS) -> imgconv.Pages:
    """Open the bytes of a file named in.tif."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("in.tif").write_bytes(data)
        return imgconv.open_image("in.tif", max_pixels=max_pixels)


def page(data: bytes, index: int = 0) -> imgconv.Image:
    """Return a page; assert that its header, its metadata and a window agree with it."""
    found = open_pages(data).open_page(index)
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


def encode(images: Sequence[imgconv.Image | np.ndarray] | imgconv.Image | np.ndarray, **coding: Any) -> bytes:
    """Return these pages encoded as out.tif."""
    pages = images if isinstance(images, list) else [images]
    pages = [image if isinstance(image, imgconv.Image) else imgconv.Image(image) for image in pages]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        imgconv.write_pages("out.tif", iter(pages), len(pages), None, coding=imgconv.Coding(**coding))
        return Path("out.tif").read_bytes()


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    """Return BGR pixels in RGB order, or the reverse."""
    return pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]] if pixels.ndim == 3 and pixels.shape[2] > 2 else pixels
