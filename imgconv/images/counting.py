"""How many frames a file has, read from its structure alone: no picture is decoded for it.

Whatever is damaged or made to mislead ends the count there, and never raises; and no walk takes more than `_MOST_STEPS` steps.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

# About a second of Python; a sound file of 500 MB stays below.
_MOST_STEPS = 2_000_000


def count_pages(data: memoryview, format_name: str) -> int:
    """Return the number of frames of a file, 1 where the format has no such thing; the pages of a TIFF are not counted here."""
    count = _COUNTERS.get(format_name)
    return max(1, count(data)) if count else 1


def _in_gif(data: memoryview) -> int:
    if len(data) < 13:
        return 1
    frames, at, inside = 0, 13 + _colour_table(data[10]), False
    for _ in range(_MOST_STEPS):
        if at + (1 if inside else 10) > len(data):
            break
        if inside:  # a block: its size, and its content; that may begin with any of the bytes below
            inside = data[at] > 0
            at += 1 + data[at]
        elif data[at] == 0x2C:  # an image: its place and size, perhaps a table of colours, the size of its codes
            frames, inside = frames + 1, True
            at += 11 + _colour_table(data[at + 9])
        elif data[at] == 0x21:  # an extension
            at, inside = at + 2, True
        elif data[at] == 0:  # an end of blocks too many
            at += 1
        else:
            break
    return frames


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _in_png(data: memoryview) -> int:
    """Return the number that is claimed: where the file is cut there are fewer, and who reads them has to know."""
    at = 8
    for _ in range(_MOST_STEPS):
        if at + 12 > len(data):
            break
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL":
            return int(struct.unpack_from(">I", data, at + 8)[0])
        if kind == b"IDAT":
            break
        at += 12 + size
    return 1


def _in_webp(data: memoryview) -> int:
    frames, at = 0, 12
    for _ in range(_MOST_STEPS):
        if at + 8 > len(data):
            break
        kind, size = struct.unpack_from("<4sI", data, at)
        frames += kind == b"ANMF"
        at += 8 + size + size % 2
    return frames


def _in_avif(data: memoryview) -> int:
    """Return the frames of a sequence. What names itself a still first is one, whatever else is in the file."""
    from imgconv.images.containers import avif

    return avif.frames(data) if bytes(data[8:12]) == b"avis" else 1


_COUNTERS: dict[str, Callable[[memoryview], int]] = {
    "gif": _in_gif,
    "png": _in_png,
    "webp": _in_webp,
    "avif": _in_avif,
}
