"""The frames of a GIF, composed as browsers compose them.

Pillow decodes the pictures, each handed to it as a GIF of its own, and nothing else: as a whole it fills what a frame leaves
behind with a colour where browsers let it be transparent, and has a picture in colour with 4 channels in one frame and 3 in
the next.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images.codecs.frame_pages import ComposedPages
from imgconv.images.codecs.gif_blocks import GifError, GifFile, GifFrame, parsed
from imgconv.images.image import Image
from imgconv.images.pages import Timing

_CLEARED, _PUT_BACK = 2, 3
_INTERLACED = 0x40
_OPAQUE = 255

# Pixels that are looked up at a time: for each of them numpy makes an index of 8 bytes.
_STRIP = 1 << 16


class GifPages(ComposedPages):
    """The frames of a GIF.

    One after the other each costs its own decoding; going back begins with the first one again.
    """

    def __init__(self, view: memoryview, name: str, max_pixels: int) -> None:
        super().__init__(view, "gif", name, max_pixels)
        try:
            self._file: GifFile = parsed(view)
        except GifError as fault:
            raise self._damaged(f"it {fault}") from fault
        frames = self._file.frames
        if not frames:
            raise self._damaged("it has no picture")
        self.count = len(frames)
        self.timing = Timing(tuple(frame.duration for frame in frames), self._file.loop)
        decoded = sum(frame.rows * frame.columns for frame in frames)
        self._require_room(self._file.rows, self._file.columns, decoded=decoded)
        self._begin()
        self._alpha = self._is_transparent_somewhere()

    def _frame(self, index: int) -> Image:
        """Return a frame, uint8: (H, W, 3), or (H, W, 4) for all of them where a pixel of any is transparent."""
        self._advance(index)
        pixels = self._canvas.view(np.uint8).reshape(*self._canvas.shape, 4)
        return self._image((pixels if self._alpha else pixels[:, :, :3]).copy())

    def _begin(self) -> None:
        super()._begin()
        # A pixel is one number: blue, green, red, alpha in this order in memory. 0 is transparent.
        self._canvas: NDArray[np.uint32] = np.zeros((self._file.rows, self._file.columns), np.uint32)
        self._kept: NDArray[np.uint32] | None = None

    def _dispose(self, index: int) -> None:
        frame = self._file.frames[index]
        place = self._place(frame)
        if frame.disposal == _CLEARED:
            place[:] = 0
        elif frame.disposal == _PUT_BACK and self._kept is not None:
            place[:] = self._kept
        self._kept = None

    def _draw(self, index: int) -> None:
        frame = self._file.frames[index]
        place = self._place(frame)
        if not place.size:
            return
        table = _table(frame.colours if frame.colours is not None else self._file.colours)
        indices = self._indices(frame)[: place.shape[0], : place.shape[1]]
        if frame.disposal == _PUT_BACK:
            self._kept = place.copy()
        step = max(1, _STRIP // place.shape[1])
        for start in range(0, place.shape[0], step):
            strip, colours = indices[start : start + step], place[start : start + step]
            if frame.transparent < 0:
                np.take(table, strip, out=colours, mode="clip")
            else:
                np.copyto(colours, table[strip], where=strip != frame.transparent)

    def _place(self, frame: GifFrame) -> NDArray[np.uint32]:
        return self._canvas[frame.top : frame.top + frame.rows, frame.left : frame.left + frame.columns]

    def _indices(self, frame: GifFrame) -> NDArray[np.uint8]:
        """Return the numbers of the colours of a picture, (rows, columns)."""
        from PIL.GifImagePlugin import GifImageFile

        size = struct.pack("<HH", frame.columns, frame.rows)
        screen, picture = size + bytes(3), bytes(4) + size + bytes([_INTERLACED * frame.interlaced])
        alone = b"".join([b"GIF89a", screen, b",", picture, frame.codes, b";"])
        try:
            with GifImageFile(io.BytesIO(alone)) as image:
                return np.asarray(image)
        except MemoryError:
            raise
        except Exception as error:  # whatever Pillow makes of it: IndexError, SyntaxError and struct.error among others
            raise self._undecodable(self._done + 1) from error

    def _is_transparent_somewhere(self) -> bool:
        """Return whether any pixel of any frame is transparent, without decoding them where the blocks say enough."""
        first, *_ = frames = self._file.frames
        covers = self._place(first).shape == self._canvas.shape and not first.top and not first.left
        if not covers:
            return True
        if first.transparent < 0 and not any(f.disposal == _CLEARED for f in frames[:-1]) and first.disposal != _PUT_BACK:
            return False
        found = False
        try:
            for index in range(self.count):
                self._advance(index)
                if self._canvas.view(np.uint8)[:, 3::4].min() < _OPAQUE:
                    found = True
                    break
        except ReadError:  # whoever asks for that frame will be told
            pass
        self._begin()
        return found


def _table(colours: memoryview | None) -> NDArray[np.uint32]:
    """Return 256 colours as a pixel of the canvas; those that the file does not have are black, without any it is grey."""
    table = np.zeros((256, 4), np.uint8)
    table[:, 3] = _OPAQUE
    if colours is None:
        table[:, :3] = np.arange(256)[:, np.newaxis]
    else:
        given: NDArray[Any] = np.frombuffer(colours, np.uint8).reshape(-1, 3)
        table[: len(given), :3] = given[:, ::-1]
    return table.view(np.uint32)[:, 0]
