"""OpenEXR (openexr.com, "OpenEXR File Layout")."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.base import Format
from imgconv.images.image import Coding, Image
from imgconv.images.pages import Header

_DEEP, _PARTS = 0x800, 0x1000  # flags beside the version
_HALF, _FLOAT = 1, 2  # types of a channel
_MOST_ATTRIBUTES = 1000
_LONGEST_NAME = 256


class Exr(Format):
    """OpenEXR, decoded and encoded by OpenCV, where OpenCV was built with it."""

    name = "exr"
    title = "OpenEXR"
    extensions = (".exr",)
    signatures = (b"\x76\x2f\x31\x01",)
    dtypes = ("float16", "float32")
    alpha = True
    optional = True

    def header(self, file: FileBytes) -> Header:
        """Return what the attributes say of the pixels."""
        (flags,) = file.numbers("<I", 4)
        if flags & (_DEEP | _PARTS):
            raise HeaderError("an OpenEXR file with several parts or deep pixels is not supported; save it as one flat picture")
        window, channels = None, {}
        at = 8
        for _ in range(_MOST_ATTRIBUTES):
            name, at = _text(file, at)
            if not name:
                break
            _, at = _text(file, at)
            (size,) = file.numbers("<I", at)
            if name == b"dataWindow":
                window = file.numbers("<4i", at + 4)
            elif name == b"channels":
                channels = _channels(file, at + 4, at + 4 + size)
            at += 4 + size
        if window is None or not channels:
            raise HeaderError
        kinds = set(channels.values())
        if not kinds <= {_HALF, _FLOAT}:
            raise HeaderError("an OpenEXR file of integers is not supported; save it in floating point")
        left, top, right, bottom = window
        colours = 3 if channels.keys() & {b"R", b"G", b"B", b"RY", b"BY"} else 1
        count = 4 if colours == 3 and b"A" in channels else colours
        return Header.of(bottom - top + 1, right - left + 1, count, np.float16 if kinds == {_HALF} else np.float32)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture, whose half floats OpenCV returns as float32."""
        image = super().decode(file, name, header)
        return image.replaced(image.pixels.astype(header.dtype, copy=False))

    def stored(self, pixels: NDArray[Any], coding: Coding) -> NDArray[Any]:
        """Return the pixels as float32, from which OpenCV's encoder writes half floats too."""
        return pixels.astype(np.float32, copy=False)

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return the type in which OpenCV's encoder stores the pixels."""
        return (("IMWRITE_EXR_TYPE", _HALF if np.dtype(dtype) == np.float16 else _FLOAT),)


def _channels(file: FileBytes, at: int, end: int) -> dict[bytes, int]:
    """Return the type of each channel, by name."""
    found = {}
    while at < end:
        name, at = _text(file, at)
        if not name:
            break
        (found[name],) = file.numbers("<I", at)
        at += 16  # the type, whether it is linear, and how it is sampled
    return found


def _text(file: FileBytes, at: int) -> tuple[bytes, int]:
    """Return a text that a zero ends, and where the following byte stands."""
    found = file.read(at, min(_LONGEST_NAME, file.size - at))
    end = found.find(b"\0")
    if end < 0:
        raise HeaderError
    return found[:end], at + end + 1
