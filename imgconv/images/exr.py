"""The header of an OpenEXR file: its attributes (openexr.com, "OpenEXR File Layout")."""

from __future__ import annotations

from imgconv.images.seeking import FileBytes, HeaderError, Pixels

_DEEP, _PARTS = 0x800, 0x1000  # of the flags beside the version
_HALF, _FLOAT = 1, 2  # types of a channel
_MOST_ATTRIBUTES = 1000
_LONGEST_NAME = 256


def exr_pixels(file: FileBytes) -> Pixels:
    """Return what an OpenEXR file says of its pixels, as OpenCV reads them."""
    (flags,) = file.numbers("<I", 4)
    if flags & (_DEEP | _PARTS):
        raise HeaderError("an OpenEXR file of several parts, or of deep pixels, cannot be read; save it as one flat picture")
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
    left, top, right, bottom = window
    kinds = set(channels.values())
    if not kinds <= {_HALF, _FLOAT}:
        raise HeaderError("an OpenEXR file of whole numbers cannot be read; save it in floating point")
    colours = 3 if channels.keys() & {b"R", b"G", b"B", b"RY", b"BY"} else 1
    count = 4 if colours == 3 and b"A" in channels else colours
    return Pixels(bottom - top + 1, right - left + 1, count, "float16" if kinds == {_HALF} else "float32")


def _channels(file: FileBytes, at: int, end: int) -> dict[bytes, int]:
    """Return the type of each channel, by name."""
    found = {}
    while at < end:
        name, at = _text(file, at)
        if not name:
            break
        (found[name],) = file.numbers("<I", at)
        at += 16  # its type, whether it is linear, and how it is sampled
    return found


def _text(file: FileBytes, at: int) -> tuple[bytes, int]:
    """Return the text that stands there, and where what comes after the zero at its end begins."""
    found = file.read(at, min(_LONGEST_NAME, file.size - at))
    end = found.find(b"\0")
    if end < 0:
        raise HeaderError
    return found[:end], at + end + 1
