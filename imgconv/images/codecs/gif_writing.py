"""The frames of an animation as a GIF, each with colours of its own.

Pillow chooses the colours and codes the pixels. It does not write the whole, as it leaves a frame out that is like the one
before. With up to 256 colours a frame is exact (255 and the one that is transparent); beyond, the mean error of six photographs
is 1.8 levels, and that of OpenCV's way for stills (`IMWRITE_GIF_DITHER` 3) 2.8 (2026-11-23, Pillow 13.0, OpenCV 5.0).
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import WriteError
from imgconv.images.atomic import Piece
from imgconv.images.codecs.channel_order import swapped
from imgconv.images.codecs.frames import Frames, Place, changed, enclosing
from imgconv.images.codecs.gif_blocks import parsed
from imgconv.images.coding import Coding
from imgconv.images.containers import gif
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Timing

_ON = 128  # alpha that counts as opaque, as in OpenCV
_TRANSPARENT = 255  # the number of the transparent colour
# What becomes of the place of a frame, as bits of its flags: it stays, or what was there before is put back, which is nothing.
# Clearing it would say the same, but OpenCV leaves it as it is then.
_KEPT, _PUT_BACK = 1 << 2, 3 << 2
_OWN_COLOURS = 0x80 | 7  # 256 of them
_LONGEST = 65_535  # hundredths of a second
_MOST_SIDE = 65_535


def encoded(frames: Frames, timing: Timing, coding: Coding, metadata: Metadata) -> Iterator[Piece]:
    """Yield the file."""
    delays = [_delay(duration, frames.where) for duration in timing.durations]
    before: NDArray[Any] | None = None
    for delay, pixels in zip(delays, frames, strict=True):
        if pixels.dtype != np.uint8 or max(pixels.shape[:2]) > _MOST_SIDE:
            raise frames.failure("GIF", f"{pixels.shape[0]} x {pixels.shape[1]} pixels of {pixels.dtype}")
        if before is None:
            yield from gif.written(memoryview(_head(pixels, timing.loop)), metadata)
        try:
            if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
                yield from _cut_out(pixels, delay)
            else:
                yield from _drawn_over(pixels, before, delay)
        except (OSError, ValueError) as error:
            raise frames.failure("GIF", error) from error
        before = pixels
    yield b";"


def _delay(duration: float, where: str) -> int:
    # What is shown at all is never shown for no time: viewers make a tenth of a second of that.
    hundredths = max(math.floor(duration / 10 + 0.5), int(duration > 0))
    if hundredths > _LONGEST:
        raise WriteError(f"{where}: GIF cannot show a frame for {duration / 1000:g} s, at most for {_LONGEST / 100:g} s")
    return hundredths


def _head(pixels: NDArray[Any], loop: int) -> bytes:
    """Return what comes before the first frame. Without a word on how often it is played, that is once."""
    rows, columns = pixels.shape[:2]
    head = b"GIF89a" + struct.pack("<HHBBB", columns, rows, 0x70, 0, 0)  # 8 bits a primary, no colours of the whole
    if loop == 1:
        return head
    repeats = min(loop - 1, 65_535) if loop else 0
    return head + b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", repeats, 0)


def _drawn_over(pixels: NDArray[Any], before: NDArray[Any] | None, delay: int) -> Iterator[Piece]:
    """Yield a frame that stays where it is drawn: so of the next one only what differs has to be."""
    place = changed(pixels, before)
    colours, indices = _indexed(np.ascontiguousarray(place.of(pixels)), 256)
    yield struct.pack("<2sBBHBB", b"!\xf9", 4, _KEPT, delay, 0, 0)
    yield from _picture(place, colours, indices)


def _cut_out(pixels: NDArray[Any], delay: int) -> Iterator[Piece]:
    """Yield a frame that is cleared away before the next one, so that nothing of it shows through that."""
    opaque = pixels[:, :, -1] >= _ON
    place = enclosing(opaque)
    inside, part = place.of(opaque), place.of(pixels)[:, :, :-1]
    seen = part[inside]
    # A row of all that is seen: what is not takes no colours away from it.
    colours, found = _indexed(seen[np.newaxis], 255) if len(seen) else (bytes(768), np.zeros((1, 0), np.uint8))
    indices = np.full(inside.shape, _TRANSPARENT, np.uint8)
    indices[inside] = found[0]
    yield struct.pack("<2sBBHBB", b"!\xf9", 4, _PUT_BACK | 1, delay, _TRANSPARENT, 0)
    yield from _picture(place, colours, indices)


def _indexed(pixels: NDArray[np.uint8], most: int) -> tuple[bytes, NDArray[np.uint8]]:
    """Return 256 colours, red, green, blue, ..., of which no more than `most` are used, and the number of that of each pixel.

    Args:
        pixels: (H, W), (H, W, 1) or (H, W, 3) in OpenCV's order.
        most: of the colours.
    """
    from PIL import Image as Pillow

    if pixels.ndim == 2 or pixels.shape[2] == 1:
        if most == 256:
            return np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes(), pixels.reshape(pixels.shape[:2])
        pixels = np.dstack([pixels.reshape(pixels.shape[:2])] * 3)
    picture = Pillow.fromarray(swapped(pixels))
    found = picture.quantize(most, method=Pillow.Quantize.MEDIANCUT, dither=Pillow.Dither.NONE)
    return bytes(found.getpalette() or b"")[:768].ljust(768, b"\0"), np.asarray(found)


def _picture(place: Place, colours: bytes, indices: NDArray[np.uint8]) -> Iterator[Piece]:
    from PIL import Image as Pillow

    yield struct.pack("<BHHHHB", 0x2C, place.left, place.top, place.columns, place.rows, _OWN_COLOURS)
    yield colours
    alone = io.BytesIO()
    # As if they were grey: Pillow puts colours in another order if it is given any.
    Pillow.fromarray(np.ascontiguousarray(indices)).save(alone, "GIF", optimize=False, interlace=False)
    yield parsed(alone.getbuffer()).frames[0].codes
