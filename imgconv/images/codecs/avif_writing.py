"""The frames of an animation as an AVIF by libavif through Pillow, in 8 bits, at full resolution of colour.

Pillow is given one picture that has all frames, and makes each when it is asked for. How often it is played Pillow cannot be
told: that is put into the file behind it. Of a sequence that is turned, libavif 1.4.2 reads memory that is none: so pixels are
turned upright, and the orientation goes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import WriteError
from imgconv.images.atomic import Piece
from imgconv.images.boxes import Box, first, named
from imgconv.images.codecs.channel_order import swapped
from imgconv.images.codecs.frames import Frames
from imgconv.images.coding import Coding
from imgconv.images.metadata import Metadata, upright
from imgconv.images.pages import Timing
from imgconv.images.seeking import FileBytes
from imgconv.images.settings import QUALITY

_MODES = {2: "RGBA", 3: "RGB", 4: "RGBA"}  # Pillow has none for grey with alpha


def encoded(frames: Frames, timing: Timing, coding: Coding, metadata: Metadata) -> Iterator[Piece]:
    """Yield the file, in one piece: what its first bytes say is known when the last frame is coded."""
    quality = coding.quality if coding.quality is not None else QUALITY
    pending = (upright(pixels, metadata.orientation) for pixels in frames)
    start = next(pending, None)
    if start is None:
        return
    colour = start.ndim == 3 and start.shape[2] > 2
    if start.dtype != np.uint8:
        raise WriteError(f"{frames.where}: an AVIF animation has 8 bits a sample, not those of {start.dtype} (--depth 8)")
    if coding.lossless and colour:
        raise WriteError(f"{frames.where}: an AVIF animation in colour cannot be written without loss; choose .webp or .png")
    file = io.BytesIO()
    try:
        _picture(start, pending, frames.count).save(
            file,
            "AVIF",
            save_all=True,
            duration=[round(duration) for duration in timing.durations],
            quality=100 if coding.lossless else quality,
            subsampling="4:4:4" if colour else "4:0:0",
            exif=metadata.oriented(1).exif or None,
            xmp=metadata.xmp or None,
            icc_profile=metadata.icc or None,
        )
    except (WriteError, MemoryError):
        raise
    except Exception as error:  # whatever Pillow makes of it
        raise frames.failure("AVIF", error) from error
    if next(pending, None) is not None:  # there is one too many: `Frames` has said so
        raise frames.failure("AVIF")
    view = file.getbuffer()
    if timing.loop:
        _limit(view, timing.loop)
    yield view


def _picture(start: NDArray[Any], rest: Iterator[NDArray[Any]], count: int) -> Any:
    """Return a picture of Pillow's that has all frames, and makes each of them when its bytes are taken, in their order."""
    from PIL import Image as Pillow

    class Picture(Pillow.Image):
        n_frames = count
        is_animated = count > 1

        def __init__(self) -> None:
            super().__init__()
            self._mode = "L" if start.ndim == 2 else _MODES[start.shape[2]]
            self._size = (start.shape[1], start.shape[0])
            self._at = 0

        def seek(self, frame: int) -> None:
            if frame >= count:
                raise EOFError
            self._at = frame

        def tell(self) -> int:
            return self._at

        def load(self) -> None:
            return None

        def tobytes(self, encoder_name: str = "raw", *args: Any) -> bytes:
            pixels = start if self._at == 0 else next(rest)
            if pixels.ndim == 3 and pixels.shape[2] == 2:
                pixels = pixels[:, :, [0, 0, 0, 1]]
            return swapped(pixels).tobytes()

    return Picture()


def _limit(view: memoryview, loop: int) -> None:
    """Say in an AVIF that is played for ever how often it is played: its tracks are that many times as long as their edit."""
    file = FileBytes(view)
    movie = first(file, Box(b"", 0, file.size), b"moov")
    length = 0
    for track in named(file, movie, b"trak"):
        edits, header = first(file, track, b"edts", b"elst"), first(file, track, b"tkhd")
        (edit,) = file.numbers(">Q", edits.start + 8)  # libavif writes version 1 of all of these
        length = max(length, edit * loop)
        struct.pack_into(">Q", view, header.start + 28, edit * loop)
    struct.pack_into(">Q", view, first(file, movie, b"mvhd").start + 24, length)
