"""Stills that OpenCV reads wrong, or not at all, through the libraries that read them right.

Measured on OpenCV 5.0, Pillow 13.0 and imagecodecs 2026.3.6: what OpenCV leaves out or mistakes stands with each function.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images import containers
from imgconv.images.codecs import opencv
from imgconv.images.codecs.channel_order import swapped
from imgconv.images.codecs.depths import scaled
from imgconv.images.image import Image
from imgconv.images.limits import MAX_PIXELS
from imgconv.images.metadata import upright
from imgconv.images.seeking import FileBytes, HeaderError

# Sizes of the header of a BMP: that of OS/2, and the least that has a place for what bits are alpha.
_OLD_BMP, _BMP_WITH_ALPHA = 12, 56
_BIT_FIELDS = 3

_SUN_RUNS, _SUN_RED_FIRST = 2, 3  # kinds of a Sun raster

# How a Radiance HDR is turned, by the signs and names of its two axes, as an EXIF orientation.
_HDR_TURNS = {
    (b"-Y", b"+X"): 1,
    (b"-Y", b"-X"): 2,
    (b"+Y", b"-X"): 3,
    (b"+Y", b"+X"): 4,
    (b"+X", b"-Y"): 5,
    (b"-X", b"-Y"): 6,
    (b"-X", b"+Y"): 7,
    (b"+X", b"+Y"): 8,
}
_HDR_SIZE = re.compile(rb"\n\n([-+][XY])[ \t]+(\d{1,10})[ \t]+([-+][XY])[ \t]+(\d{1,10})[ \t]*\n")
_PFM_HEADER = re.compile(rb"(P[Ff]\s+\+?\d{1,10}\s+\+?\d{1,10}\s+)([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(\s)")
_LONGEST_HEADER = 1 << 16


def read_still(view: memoryview, kind: str, name: str, max_pixels: int = MAX_PIXELS) -> Image | None:
    """Return the picture of a file that is not left to OpenCV, or None: then OpenCV's is right, or there is none.

    What the file claims of its size has been looked at before. Where OpenCV reads what most files of a format are, nothing
    but their header is looked at here.

    Args:
        view: the whole file.
        kind: the name of its format, or "" for PAM and JPEG 2000 without boxes.
        name: what a message calls it, fit to be shown.
        max_pixels: the most that a picture may have.

    Raises:
        ReadError: it is damaged, or of a kind that nobody reads right.
    """
    if kind == "gif":
        from imgconv.images.codecs.gif_reading import GifPages

        return GifPages(view, name, max_pixels).page(0)
    reader = _READERS.get(kind)
    try:
        return reader(view, name) if reader else None
    except HeaderError:
        return None  # OpenCV will not read it either, and there are words for that
    except MemoryError as error:
        raise ReadError(f"{name}: the image does not fit into memory") from error


def _png(view: memoryview, name: str) -> Image:
    """Read all: OpenCV makes colour of grey with alpha, leaves out a shade that is transparent, believes the length of a chunk
    that has gigabytes, and is slower.
    """
    from imgconv.images.codecs import png_pixels

    try:
        pixels = png_pixels.decoded([view])
    except png_pixels.PngError as error:
        raise ReadError(f"{name}: is damaged or cut short: it begins like PNG, but cannot be decoded") from error
    return _described(pixels, view, "png")


def _avif(view: memoryview, name: str) -> Image:
    """Read all: OpenCV reads none that libheif has written, no grey with alpha, and leaves 10 and 12 bits dark."""
    from imagecodecs import avif_decode

    from imgconv.images.boxes import avif_picture

    rows, columns, coded, alpha = avif_picture(FileBytes(view))
    channels = coded.channels + alpha

    try:
        # Never with an index: of a sequence imagecodecs 2026.3.6 writes beyond the end of its memory then.
        pixels = swapped(avif_decode(bytes(view)).reshape((rows, columns, channels) if channels > 1 else (rows, columns)))
    except MemoryError:
        raise
    except Exception as error:  # whatever libavif makes of it
        raise ReadError(f"{name}: is damaged or cut short: it begins like AVIF, but cannot be decoded") from error
    return _described(scaled(pixels, coded.bits), view, "avif")


def _bmp(view: memoryview, name: str) -> Image | None:
    """Read colours of OS/2, which OpenCV makes grey, of 15 and 16 bits, which it makes too dark, and alpha that is none."""
    if len(view) < 34:
        return None
    (size,) = struct.unpack_from("<I", view, 14)
    if size == _OLD_BMP:
        (bits,) = struct.unpack_from("<H", view, 24)
        pixels = _by_pillow("BmpImagePlugin", "BmpImageFile", view, name, "BMP")
        return _described(pixels, view, "bmp", bits if bits < 8 else None)
    bits, compression = struct.unpack_from("<HI", view, 28)
    if bits == 16:
        return _described(_by_pillow("BmpImagePlugin", "BmpImageFile", view, name, "BMP of 16 bits a pixel"), view, "bmp")
    if bits == 32 and compression == _BIT_FIELDS:
        alpha = struct.unpack_from("<I", view, 66)[0] if size >= _BMP_WITH_ALPHA and len(view) >= 70 else 0
        found = opencv.read(view, "bmp", name, *containers.read(view, "bmp"))
        return found if alpha else found.replaced(np.ascontiguousarray(found.pixels[:, :, :3]))
    return None


def _sun(view: memoryview, name: str) -> Image | None:
    """Read grey without a table, which OpenCV makes black, runs, and red before blue, which it does not read."""
    if len(view) < 32:
        return None
    columns, _, bits, _, kind, _, length = struct.unpack_from(">7I", view, 4)
    if kind == _SUN_RED_FIRST and bits == 32:
        # OpenCV reads it where it is told that blue comes first.
        told = memoryview(bytearray(view))
        struct.pack_into(">I", told, 20, 1)
        found = opencv.read(told, "ras", name, *containers.read(view, "ras"))
        return found.replaced(swapped(found.pixels))
    if kind < _SUN_RUNS and (bits > 8 or length):
        return None
    if kind == _SUN_RUNS and (bits == 32 or -(-columns * bits // 8) % 2):
        raise ReadError(
            f"{name}: a Sun raster of runs, of {bits} bits a pixel and {columns} columns, cannot be read; save it as PNG"
        )
    return _described(_by_pillow("SunImagePlugin", "SunImageFile", view, name, "Sun raster"), view, "ras")


def _hdr(view: memoryview, name: str) -> Image | None:
    """Read what does not begin at the top left, row by row, which OpenCV does not."""
    found = _HDR_SIZE.search(bytes(view[:_LONGEST_HEADER]))
    turn = _HDR_TURNS.get((found[1], found[3]), 1) if found else 1
    if found is None or turn == 1:
        return None
    # What it says of its axes does not change how it is stored: read as if it were upright, it is turned then.
    usual = b"\n\n-Y %s +X %s\n" % (found[2], found[4])
    told = b"".join((view[: found.start()], usual, view[found.end() :]))
    image = opencv.read(memoryview(told), "hdr", name, *containers.read(view, "hdr"))
    return image.replaced(upright(image.pixels, turn))


def _pfm(view: memoryview, name: str) -> Image | None:
    """Read what has a scale: the values as they are stored, as other programs do; OpenCV divides by it."""
    found = _PFM_HEADER.match(bytes(view[:_LONGEST_HEADER]))
    if found is None or abs(float(found[2])) == 1:
        return None
    told = b"".join((found[1], b"-1.0" if found[2].startswith(b"-") else b"1.0", found[3], view[found.end() :]))
    return opencv.read(memoryview(told), "pfm", name, *containers.read(view, "pfm"))


def _by_pillow(module: str, plugin: str, view: memoryview, name: str, title: str) -> NDArray[Any]:
    """Return the pixels that a plugin of Pillow's makes of a file, uint8, in OpenCV's order.

    Colours in a table are looked up; where all of them are grey, so is the picture.
    """
    import importlib

    try:
        with getattr(importlib.import_module(f"PIL.{module}"), plugin)(io.BytesIO(view)) as picture:
            if picture.mode == "P":
                picture.load()
                table = np.reshape(picture.getpalette("RGB"), (-1, 3))
                grey = bool((table == table[:, :1]).all())
                return swapped(np.asarray(picture.convert("L" if grey else "RGB")))
            found = np.asarray(picture)
    except MemoryError:
        raise
    except Exception as error:  # whatever Pillow makes of it
        reason = " ".join(str(error).split())[:200]
        raise ReadError(f"{name}: a {title} that is damaged, cut short, or of a kind that is not read ({reason})") from error
    return found * np.uint8(255) if found.dtype == bool else swapped(found)


def _described(pixels: NDArray[Any], view: memoryview, kind: str, bits: int | None = None) -> Image:
    """Return pixels as an image, with what its container says of it."""
    metadata, coding = containers.read(view, kind)
    return Image(pixels, metadata, kind, coding=replace(coding, bits=bits) if bits else coding)


def _nameless(view: memoryview, name: str) -> Image | None:
    """Read PAM, in which OpenCV has red for blue and leaves few levels dark, and JPEG 2000 without boxes."""
    from imgconv.images.codecs import jpeg_2000, pam

    return pam.read(view, name) or jpeg_2000.read(view, name)


def _jpeg(view: memoryview, name: str) -> Image | None:
    from imgconv.images.codecs import jpeg_stills

    return jpeg_stills.read(view, name)


_READERS: dict[str, Callable[[memoryview, str], Image | None]] = {
    "": _nameless,
    "png": _png,
    "jpeg": _jpeg,
    "jp2": _nameless,
    "avif": _avif,
    "bmp": _bmp,
    "ras": _sun,
    "hdr": _hdr,
    "pfm": _pfm,
}

#: The formats some of whose stills are not left to OpenCV, of GIF, PNG and AVIF all.
KINDS = frozenset({"gif", *_READERS})
