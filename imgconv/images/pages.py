"""How many pages or frames a file has, read from its structure alone: no picture is decoded for it.

A count is for telling the user that there is more than the first page. So whatever is damaged or made to mislead ends
the count there, and never raises; and no walk takes more than `_MOST_STEPS` steps.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from imgconv.images import avif, tiff

# About a second of Python; a sound file of 500 MB stays below.
_MOST_STEPS = 2_000_000

_REDUCED = 1  # of NewSubfileType: a smaller copy of another page


def count_pages(data: memoryview, format_name: str) -> int:
    """Return the number of pages or frames of a file, 1 where the format has no such thing."""
    count = _COUNTERS.get(format_name)
    return max(1, count(data)) if count else 1


def _in_tiff(data: memoryview) -> int:
    layout = tiff.layout_of(data)
    if layout is None:
        return 1
    kinds = (tiff.entries(data, layout, offset).get(tiff.SUBFILE_TYPE) for offset in tiff.directories(data, layout))
    return sum(1 for kind in kinds if not (kind and kind.values[0] & _REDUCED))


def _in_gif(data: memoryview) -> int:
    if len(data) < 13:
        return 1
    frames, at = 0, 13 + _colour_table(data[10])
    for _ in range(_MOST_STEPS):
        if at + 10 > len(data):
            break
        if data[at] == 0x2C:  # an image: its place and size, perhaps a table of colours, the size of its codes
            frames += 1
            at += 11 + _colour_table(data[at + 9])
        elif data[at] == 0x21:  # an extension
            at += 2
        elif data[at] == 0x3B:
            break
        else:  # a sub-block; its end, an empty one, is one byte
            at += 1 + data[at]
    return frames


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _in_png(data: memoryview) -> int:
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


_COUNTERS: dict[str, Callable[[memoryview], int]] = {
    "tiff": _in_tiff,
    "gif": _in_gif,
    "png": _in_png,
    "webp": _in_webp,
    "avif": avif.frames,
}
