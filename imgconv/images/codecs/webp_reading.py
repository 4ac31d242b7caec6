"""The frames of an animated WebP, composed by libwebp through Pillow."""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images.codecs.channel_order import swapped
from imgconv.images.codecs.frame_pages import FramePages
from imgconv.images.codecs.pillow_files import any_size
from imgconv.images.image import Image
from imgconv.images.pages import Timing

_DISPOSED, _REPLACES = 0x01, 0x02  # flags of a frame: its place is cleared afterwards; it is not drawn over what is there


class _WebpFile(NamedTuple):
    """Rows and columns of an animated WebP, milliseconds of each frame, how often they are played (0: for ever).

    `builds_up`: whether a frame never takes away anything of those before it.
    """

    rows: int
    columns: int
    durations: tuple[float, ...]
    loop: int
    builds_up: bool


class WebpPages(FramePages):
    """The frames of a WebP.

    One after the other each costs its own decoding; going back begins with the first one again.
    """

    def __init__(self, view: memoryview, name: str, max_pixels: int) -> None:
        from PIL.WebPImagePlugin import WebPImageFile

        super().__init__(view, "webp", name, max_pixels)
        found = _parsed(view)
        if found is None:
            raise self._damaged()
        self.count = len(found.durations)
        self._require_room(found.rows, found.columns)
        try:
            with any_size(found.rows * found.columns):
                self._file = WebPImageFile(io.BytesIO(view))
        except MemoryError:
            raise
        except Exception as error:  # whatever Pillow makes of it
            raise self._damaged() from error
        if self._file.n_frames != self.count or self._file.size != (found.columns, found.rows):
            raise self._damaged()
        self.timing = Timing(found.durations, found.loop)
        self._alpha = self._file.mode == "RGBA" and self._is_transparent_somewhere(1 if found.builds_up else self.count)

    def _frame(self, index: int) -> Image:
        """Return a frame, uint8: (H, W, 3), or (H, W, 4) for all of them where a pixel of any is transparent."""
        pixels = self._decoded(index)
        return self._image(swapped(pixels if self._alpha else pixels[:, :, :3]))

    def _is_transparent_somewhere(self, count: int) -> bool:
        """Return whether any pixel of the first frames is transparent.

        That a file has alpha is no answer: libwebp gives it to animations that have none, for what a frame leaves as it was.
        """
        with contextlib.suppress(ReadError):  # whoever asks for that frame will be told
            return any(self._decoded(index)[:, :, 3].min() < 255 for index in range(count))
        return False

    def _decoded(self, index: int) -> NDArray[Any]:
        try:
            self._file.seek(index)
            return np.asarray(self._file)
        except MemoryError:
            raise
        except Exception as error:  # whatever Pillow makes of it
            raise self._undecodable(index) from error


def _parsed(view: memoryview) -> _WebpFile | None:
    """Return what the chunks of an animated WebP say (RFC 9649, 2.7), or None when they make no sense."""
    rows = columns = loop = 0
    durations: list[float] = []
    builds_up = True
    for kind, content in _chunks(view):
        if kind == b"VP8X" and len(content) >= 10:
            columns, rows = (1 + int.from_bytes(content[at : at + 3], "little") for at in (4, 7))
        elif kind == b"ANIM" and len(content) >= 6:
            (loop,) = struct.unpack_from("<H", content, 4)
        elif kind == b"ANMF" and len(content) >= 16:
            durations.append(int.from_bytes(content[12:15], "little"))
            replaces = content[15] & _REPLACES and len(durations) > 1
            builds_up = builds_up and not (content[15] & _DISPOSED or (replaces and _may_be_transparent(content)))
    return _WebpFile(rows, columns, tuple(durations), loop, builds_up) if rows and durations else None


def _may_be_transparent(frame: memoryview) -> bool:
    """Return whether a frame may have alpha: not where it is lossy without it, nor where it is lossless and says so."""
    kind = bytes(frame[16:20])
    lossless_alpha = int.from_bytes(frame[25:29], "little") >> 28 & 1  # RFC 9649, 3.4
    return kind != b"VP8 " and (kind != b"VP8L" or bool(lossless_alpha))


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 12
    for _ in range(1 + len(view) // 8):
        if at + 8 > len(view):
            return
        kind, size = struct.unpack_from("<4sI", view, at)
        yield kind, view[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
