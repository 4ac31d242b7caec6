"""What an image file says of its pixels before anybody decodes them: size, channels, type.

Nothing but the header is read, so it makes no difference how large the picture is. The answer is that of `read_image`,
with one exception: the alpha of a GIF. The header says that there is a transparent colour, only the pixels whether it is used,
and `read_image` leaves out an alpha that is full everywhere. The shape of the colour is the same either way.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from imgconv.errors import ReadError
from imgconv.images import formats
from imgconv.images.seeking import FileBytes, HeaderError, Pixels

# OpenCV counts in 32 bits, with a sign.
_LONGEST_SIDE = (1 << 31) - 1

# Where the header of a format is read, by module and function; no more than what a file needs is imported.
_READERS = {
    "png": "chunks.png_pixels",
    "jpeg": "chunks.jpeg_pixels",
    "gif": "chunks.gif_pixels",
    "webp": "chunks.webp_pixels",
    "tiff": "tagged.tiff_pixels",
    "avif": "boxes.avif_pixels",
    "jp2": "boxes.jpeg_2000_pixels",
    "bmp": "rasters.bmp_pixels",
    "pnm": "rasters.pnm_pixels",
    "pfm": "rasters.pfm_pixels",
    "hdr": "rasters.hdr_pixels",
    "exr": "exr.exr_pixels",
    "ras": "rasters.sun_pixels",
}

# Those that are read but have no name in the table of formats.
_NAMELESS = ((b"P7", "PAM", "rasters.pam_pixels"), (b"\xff\x4f\xff\x51", "JPEG 2000", "boxes.jpeg_2000_pixels"))


@dataclass(frozen=True)
class Header:
    """What `read_image` makes of a file, as far as its header tells.

    Attributes:
        shape: (H, W) or (H, W, C) of `Image.pixels`, alpha counted.
        dtype: their type.
        format: `Image.format`, a name of `formats.FORMATS` or "".
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    format: str

    @property
    def colour_shape(self) -> tuple[int, ...]:
        """The shape of `Image.colour`: alpha not counted."""
        if len(self.shape) == 3 and self.shape[2] in (2, 4):
            return (*self.shape[:2], self.shape[2] - 1)
        return self.shape


def header_of(file: FileBytes, name: str) -> Header:
    """Return shape and type of the pixels of an image file, without reading them.

    Args:
        file: its bytes.
        name: what a message calls it, fit to be shown.

    Returns:
        The header of the image; of several pages or frames that of the first.

    Raises:
        ReadError: it cannot be read; one line, that names the file. A header that is whole may stand before pixels that
            are not: that is for `read_image` to find.
    """
    if not file.head:
        raise ReadError(f"{name}: the file is empty")
    kind = formats.sniffed(memoryview(file.head))
    title, pixels_of = _reader(file, kind)
    if pixels_of is None:
        raise ReadError(f"{name}: is not an image that OpenCV can read")
    try:
        rows, columns, channels, dtype = pixels_of(file)
    except HeaderError as fault:
        why = str(fault) or f"is damaged or cut short: it begins like {title}, but its header cannot be read"
        raise ReadError(f"{name}: {why}") from None
    if not (0 < rows <= _LONGEST_SIDE and 0 < columns <= _LONGEST_SIDE):
        raise ReadError(f"{name}: is damaged: it begins like {title}, but claims {rows} x {columns} pixels")
    if not 1 <= channels <= 4:
        raise ReadError(f"{name}: has {channels} channels, at most 4 can be read; split it")
    return Header((rows, columns) if channels == 1 else (rows, columns, channels), np.dtype(dtype), kind)


def _reader(file: FileBytes, kind: str) -> tuple[str, Callable[[FileBytes], Pixels] | None]:
    """Return the title of a file's format, and what reads its header."""
    if kind:
        title, place = formats.FORMATS[kind].title, _READERS[kind]
    else:
        title, place = next(((title, place) for start, title, place in _NAMELESS if file.head.startswith(start)), ("", ""))
    module, _, function = place.partition(".")
    return title, getattr(importlib.import_module(f"imgconv.images.{module}"), function) if place else None
