"""The frames of an animation as a WebP (RFC 9649, 2.7), each of them as OpenCV codes a still.

libwebp's own encoder of animations makes one frame of two that are alike, and changes colours under transparent pixels. Without
loss, of each frame after the first there is only what has changed, and it replaces what was there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import WriteError
from imgconv.images.atomic import Piece
from imgconv.images.codecs import opencv
from imgconv.images.codecs.frames import Frames, Place, changed
from imgconv.images.coding import Coding
from imgconv.images.formats import FORMATS
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Timing
from imgconv.images.settings import parameters

_LONGEST = (1 << 24) - 1  # milliseconds
_MOST_LOOPS = 65_535
_LARGEST = (1 << 32) - 2  # of what a RIFF file says of its size

_ANIMATED, _XMP, _EXIF, _ALPHA, _PROFILE = 0x02, 0x04, 0x08, 0x10, 0x20  # flags of the whole
_REPLACES = 0x02  # flags of a frame: no blending; it stays
_CODED = (b"ALPH", b"VP8 ", b"VP8L")


def encoded(frames: Frames, timing: Timing, coding: Coding, metadata: Metadata) -> Iterator[Piece]:
    """Yield the file. It begins with its size: so all frames are coded before the first piece."""
    lossy = coding.quality is not None and not coding.lossless
    durations = [_milliseconds(duration, frames.where) for duration in timing.durations]
    before: NDArray[Any] | None = None
    pieces: list[Piece] = []
    size = 0
    for duration, pixels in zip(durations, frames, strict=True):
        place = changed(pixels, None if lossy else before)
        # Only even numbers say where a frame begins.
        place = Place(place.top & ~1, place.left & ~1, place.rows + place.top % 2, place.columns + place.left % 2)
        found = _frame(place, np.ascontiguousarray(place.of(pixels)), duration, coding, frames)
        size += sum(map(len, found))
        if size > _LARGEST:
            raise frames.failure("WebP", "it has more than 4 GB")
        pieces += found
        before = pixels
    if before is None:
        return
    flags = _ANIMATED | _ALPHA * (before.ndim == 3 and before.shape[2] in (2, 4))
    flags |= sum(flag for block, flag in ((metadata.icc, _PROFILE), (metadata.exif, _EXIF), (metadata.xmp, _XMP)) if block)
    played = bytes(4) + struct.pack("<H", min(timing.loop, _MOST_LOOPS))  # behind the colour of a background that is never seen
    head = _chunk(b"VP8X", struct.pack("<B3x", flags) + _size(*before.shape[:2]))
    head += [*(_chunk(b"ICCP", metadata.icc) if metadata.icc else ()), *_chunk(b"ANIM", played)]
    tail = [
        *(_chunk(b"EXIF", metadata.exif) if metadata.exif else ()),
        *(_chunk(b"XMP ", metadata.xmp) if metadata.xmp else ()),
    ]
    yield struct.pack("<4sI4s", b"RIFF", 4 + sum(map(len, (*head, *pieces, *tail))), b"WEBP")
    yield from (*head, *pieces, *tail)


def _frame(place: Place, pixels: NDArray[Any], duration: int, coding: Coding, frames: Frames) -> list[Piece]:
    """Return the chunk of a frame."""
    if pixels.ndim == 2:
        pixels = np.dstack([pixels] * 3)
    elif pixels.shape[2] == 2:
        pixels = np.ascontiguousarray(pixels[:, :, [0, 0, 0, 1]])
    told = parameters(FORMATS["webp"], coding, np.uint8)
    found = opencv.encoded(pixels, ".webp", told) if pixels.dtype == np.uint8 else None
    if found is None:
        raise frames.failure("WebP", f"a frame of {pixels.shape[0]} x {pixels.shape[1]} pixels of {pixels.dtype}")
    head = (place.left // 2).to_bytes(3, "little") + (place.top // 2).to_bytes(3, "little") + _size(place.rows, place.columns)
    content: list[Piece] = [head + duration.to_bytes(3, "little") + bytes([_REPLACES])]
    at = 12
    while at + 8 <= len(found):
        kind, size = struct.unpack_from("<4sI", found, at)
        if kind in _CODED:
            content.append(found[at : at + 8 + size + size % 2])
        at += 8 + size + size % 2
    return [struct.pack("<4sI", b"ANMF", sum(map(len, content))), *content]


def _size(rows: int, columns: int) -> bytes:
    return (columns - 1).to_bytes(3, "little") + (rows - 1).to_bytes(3, "little")


def _chunk(kind: bytes, content: bytes) -> list[Piece]:
    return [struct.pack("<4sI", kind, len(content)), content, bytes(len(content) % 2)]


def _milliseconds(duration: float, where: str) -> int:
    if duration > _LONGEST:
        raise WriteError(f"{where}: WebP cannot show a frame for {duration / 1000:g} s, at most for {_LONGEST / 1000:g} s")
    return round(duration)
