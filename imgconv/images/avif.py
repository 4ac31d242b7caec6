"""What OpenCV does not tell of an AVIF file: how it is turned, its colour profile, its number of frames.

The file is a tree of boxes (ISO/IEC 14496-12): four bytes of size, four of a name, the content. Turning is no matter of EXIF
here; the properties `irot` and `imir` decide (ISO/IEC 23000-22, 7.3). Of each property the first is taken: pictures that
belong together, such as a picture and its alpha, share them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MOST_BOXES = 10_000

# EXIF orientations by quarter turns against the clock, then: not mirrored, top for bottom (0), left for right (1).
_ORIENTATIONS = ((1, 4, 2), (8, 5, 7), (3, 2, 4), (6, 7, 5))


def orientation(data: memoryview) -> int:
    """Return how to turn the stored picture upright, as an EXIF orientation from 1 to 8."""
    turn = _property(data, b"irot")
    mirror = _property(data, b"imir")
    quarters = turn[0] & 3 if turn else 0
    return _ORIENTATIONS[quarters][1 + (mirror[0] & 1) if mirror else 0]


def profile(data: memoryview) -> bytes:
    """Return the ICC profile, or nothing."""
    for name, content in _properties(data):
        if name == b"colr" and bytes(content[:4]) in (b"prof", b"rICC"):
            return bytes(content[4:])
    return b""


def frames(data: memoryview) -> int:
    """Return the number of frames: the samples of the longest track of a sequence, or 1."""
    counts = [1]
    for movie in _named(data, b"moov"):
        for track in _named(movie, b"trak"):
            for table in _inside(track, b"mdia", b"minf", b"stbl", b"stsz"):
                counts += struct.unpack_from(">I", table, 8) if len(table) >= 12 else ()
    return max(counts)


def _property(data: memoryview, wanted: bytes) -> memoryview | None:
    return next((content for name, content in _properties(data) if name == wanted and len(content)), None)


def _properties(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    for meta in _named(data, b"meta"):
        # `meta` has a version and flags before its boxes.
        for container in _inside(meta[4:], b"iprp", b"ipco"):
            yield from _boxes(container)


def _inside(data: memoryview, *path: bytes) -> Iterator[memoryview]:
    if not path:
        yield data
        return
    for content in _named(data, path[0]):
        yield from _inside(content, *path[1:])


def _named(data: memoryview, wanted: bytes) -> Iterator[memoryview]:
    return (content for name, content in _boxes(data) if name == wanted)


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(data):
            return
        size, name = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1 and at + 16 <= len(data):
            (size,), header = struct.unpack_from(">Q", data, at + 8), 16
        if size == 0:  # as long as there are data
            size = len(data) - at
        if size < header:
            return
        yield name, data[at + header : at + size]
        at += size
