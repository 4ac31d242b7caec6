"""The frames of an animation as an animated PNG (PNG, third edition, 11.3.6), in 8 or 16 bits, each coded as a still by OpenCV.

Of each frame after the first there is only what has changed, and it replaces what was there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import WriteError
from imgconv.images.atomic import Piece
from imgconv.images.codecs import opencv
from imgconv.images.codecs.apng_chunks import SIGNATURE, chunk, contents
from imgconv.images.codecs.frames import Frames, changed
from imgconv.images.coding import Coding
from imgconv.images.containers import png
from imgconv.images.formats import FORMATS
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Timing
from imgconv.images.settings import parameters

_LONGEST = 65_535  # a duration is a fraction of two numbers of 16 bits
_MOST_LOOPS = (1 << 31) - 1


def encoded(frames: Frames, timing: Timing, coding: Coding, metadata: Metadata) -> Iterator[Piece]:
    """Yield the file."""
    delays = [_fraction(duration, frames.where) for duration in timing.durations]
    before: NDArray[Any] | None = None
    number = 0  # of the chunk: those of an animation are counted
    for delay, pixels in zip(delays, frames, strict=True):
        place = changed(pixels, before)
        header, data = _coded(np.ascontiguousarray(place.of(pixels)), coding, frames)
        if before is None:
            head = b"".join((SIGNATURE, *chunk(b"IHDR", header)))
            yield from png.written(memoryview(head), metadata)
            yield from chunk(b"acTL", struct.pack(">II", frames.count, min(timing.loop, _MOST_LOOPS)))
        where = (place.columns, place.rows, place.left, place.top)
        yield from chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, *where, delay.numerator, delay.denominator, 0, 0))
        number += 1
        if before is None:
            yield from chunk(b"IDAT", data)
        else:
            yield from chunk(b"fdAT", struct.pack(">I", number) + data)
            number += 1
        before = pixels
    yield from chunk(b"IEND", b"")


def _coded(pixels: NDArray[Any], coding: Coding, frames: Frames) -> tuple[bytes, bytes]:
    """Return the header and the data of a still of the pixels."""
    if pixels.ndim == 3 and pixels.shape[2] == 2:  # no encoder of OpenCV takes grey with alpha
        pixels = np.ascontiguousarray(pixels[:, :, [0, 0, 0, 1]])
    bilevel = pixels.dtype == bool
    told = parameters(FORMATS["png"], coding, pixels.dtype)
    found = None
    if bilevel or pixels.dtype in (np.uint8, np.uint16):
        found = opencv.encoded(pixels.view(np.uint8) * np.uint8(255) if bilevel else pixels, ".png", told)
    if found is None:
        raise frames.failure("PNG", f"a frame of {pixels.shape[0]} x {pixels.shape[1]} pixels of {pixels.dtype}")
    parts: dict[bytes, list[bytes]] = {}
    for kind, content in contents(found):
        parts.setdefault(kind, []).append(bytes(content))
    return parts[b"IHDR"][0], b"".join(parts[b"IDAT"])


def _fraction(duration: float, where: str) -> Fraction:
    """Return a duration in seconds as a fraction that goes into the file: a sixtieth of a second stays one."""
    seconds = Fraction(duration) / 1000
    if seconds > _LONGEST:
        raise WriteError(f"{where}: PNG cannot show a frame for {float(seconds):g} s, at most for {_LONGEST} s")
    found = seconds.limit_denominator(_LONGEST)
    while found.numerator > _LONGEST:
        found = seconds.limit_denominator(max(1, min(found.denominator - 1, int(_LONGEST / seconds))))
    return found
