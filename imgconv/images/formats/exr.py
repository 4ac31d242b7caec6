"""OpenEXR (openexr.com, "OpenEXR File Layout")."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.base import Format
from imgconv.images.image import Coding, Image
from imgconv.images.pages import Header

_DEEP, _PARTS = 0x800, 0x1000  # flags in the version field
_HALF, _FLOAT = 1, 2  # channel types


class Exr(Format):
    """OpenEXR, decoded and encoded by OpenCV; some builds of OpenCV lack it."""

    name = "exr"
    title = "OpenEXR"
    extensions = (".exr",)
    signatures = (b"\x76\x2f\x31\x01",)
    dtypes = ("float16", "float32")
    alpha = True
    optional = True

    def header(self, file: FileBytes) -> Header:
        """Return the header of the picture, read from the attributes."""
        (flags,) = file.numbers("<I", 4)
        if flags & (_DEEP | _PARTS):
            raise HeaderError("an OpenEXR file with several parts or deep pixels is not supported; save it as one flat picture")
        attributes = _attributes(file.text()[8:])
        window, channels = attributes.get(b"dataWindow", b""), _channels(attributes.get(b"channels", b""))
        if len(window) != 16 or not channels:
            raise HeaderError
        kinds = set(channels.values())
        if not kinds <= {_HALF, _FLOAT}:
            raise HeaderError("an OpenEXR file with integer samples is not supported; save it in floating point")
        left, top, right, bottom = struct.unpack("<4i", window)
        colours = 3 if channels.keys() & {b"R", b"G", b"B", b"RY", b"BY"} else 1
        count = 4 if colours == 3 and b"A" in channels else colours
        return Header.of(bottom - top + 1, right - left + 1, count, np.float16 if kinds == {_HALF} else np.float32)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture. OpenCV decodes half floats as float32; they are converted back to float16."""
        image = super().decode(file, name, header)
        return image.replaced(image.pixels.astype(header.dtype, copy=False))

    def stored(self, pixels: NDArray[Any], coding: Coding) -> NDArray[Any]:
        """Return the pixels as float32, the type that OpenCV's encoder requires for half floats, too."""
        return pixels.astype(np.float32, copy=False)

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return the encoder parameter for the type of the stored pixels."""
        return (("IMWRITE_EXR_TYPE", _HALF if np.dtype(dtype) == np.float16 else _FLOAT),)


def _attributes(content: bytes) -> dict[bytes, bytes]:
    """Return the values of the attributes by name. The content may be truncated."""
    found = {}
    name, _, rest = content.partition(b"\0")
    while name:
        _, _, rest = rest.partition(b"\0")  # the type
        end = 4 + int.from_bytes(rest[:4], "little")
        found[name] = rest[4:end]
        name, _, rest = rest[end:].partition(b"\0")
    return found


def _channels(content: bytes) -> dict[bytes, int]:
    """Return the types of the channels by name. The type is the first 4 of 16 bytes that follow the name."""
    found = {}
    name, _, rest = content.partition(b"\0")
    while name:
        found[name] = int.from_bytes(rest[:4], "little")
        name, _, rest = rest[16:].partition(b"\0")
    return found
