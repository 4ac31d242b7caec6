"""The frames of an animated PNG, composed in the depth of the file (PNG, third edition, 11.3.6).

Pillow has 8 bits of the 16 that a frame may have, and mixes alpha as if it were a colour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import full_scale
from imgconv.images.codecs import png_pixels
from imgconv.images.codecs.apng_chunks import CLEARED, PUT_BACK, ApngError, ApngFile, ApngFrame, parsed
from imgconv.images.codecs.frame_pages import ComposedPages
from imgconv.images.codecs.png_pixels import PngError
from imgconv.images.image import Image
from imgconv.images.pages import Timing

_EXTRA = "left out the picture that is shown where animations are not: it is no frame of the animation"


class ApngPages(ComposedPages):
    """The frames of an animated PNG.

    One after the other each costs its own decoding; going back begins with the first one again.
    """

    def __init__(self, view: memoryview, name: str, max_pixels: int) -> None:
        super().__init__(view, "png", name, max_pixels)
        try:
            self._file: ApngFile = parsed(view)
        except ApngError as fault:
            raise self._damaged(f"it {fault}") from fault
        self.count = len(self._file.frames)
        if not self.count:
            raise self._damaged("it has no frame")
        self._require_room(self._file.rows, self._file.columns, np.uint16 if self._file.bits == 16 else np.uint8)
        self.timing = Timing(tuple(frame.duration for frame in self._file.frames), self._file.loop)
        self._shows_through = _shows_through(self._file)
        self._begin()

    def _frame(self, index: int) -> Image:
        """Return a frame, uint8 or uint16, the channels alike for all of them."""
        self._advance(index)
        assert self._canvas is not None
        notes = (_EXTRA,) if self._file.extra and index == 0 else ()
        pixels = self._canvas[:, :, 0] if self._canvas.shape[2] == 1 else self._canvas
        return self._image(pixels.copy(), notes)

    def _begin(self) -> None:
        super()._begin()
        self._canvas: NDArray[Any] | None = None
        self._kept: NDArray[Any] | None = None

    def _dispose(self, index: int) -> None:
        frame = self._file.frames[index]
        assert self._canvas is not None
        if frame.disposal == PUT_BACK and self._kept is not None:
            _place(self._canvas, frame)[:] = self._kept
        elif _clears(self._file, frame):
            _place(self._canvas, frame)[:] = 0
        self._kept = None

    def _draw(self, index: int) -> None:
        frame = self._file.frames[index]
        pixels = self._decoded(frame)
        if self._canvas is None:
            self._canvas = np.zeros((self._file.rows, self._file.columns, pixels.shape[2]), pixels.dtype)
        elif pixels.shape[2] != self._canvas.shape[2]:
            raise self._undecodable(self._done + 1)
        place = _place(self._canvas, frame)
        if frame.disposal == PUT_BACK and self._done >= 0:
            self._kept = place.copy()
        if frame.over and pixels.shape[2] in (2, 4):
            _lay_over(pixels, place)
        else:
            place[:] = pixels

    def _decoded(self, frame: ApngFrame) -> NDArray[Any]:
        """Return the pixels of a frame, (H, W, C), with alpha if any pixel of the animation needs it."""
        try:
            pixels = png_pixels.decoded(frame.alone(self._file.header, self._file.shared))
        except PngError as error:
            raise self._undecodable(self._done + 1) from error
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        if pixels.shape[:2] != (frame.rows, frame.columns):
            raise self._undecodable(self._done + 1)
        if self._shows_through and pixels.shape[2] in (1, 3):
            return np.dstack([pixels, np.full(pixels.shape[:2], full_scale(pixels.dtype), pixels.dtype)])
        return pixels


def _place(canvas: NDArray[Any], frame: ApngFrame) -> NDArray[Any]:
    return canvas[frame.top : frame.top + frame.rows, frame.left : frame.left + frame.columns]


def _clears(file: ApngFile, frame: ApngFrame) -> bool:
    """Return whether nothing is left in the place of a frame; before the first one nothing was there."""
    return frame.disposal == CLEARED or (frame.disposal == PUT_BACK and frame is file.frames[0])


def _shows_through(file: ApngFile) -> bool:
    """Return whether a place where no frame has drawn is ever seen."""
    first = file.frames[0]
    if (first.rows, first.columns) != (file.rows, file.columns):
        return True
    pairs = zip(file.frames, file.frames[1:], strict=False)
    return any(_clears(file, before) and not _covers(after, before) for before, after in pairs)


def _covers(frame: ApngFrame, other: ApngFrame) -> bool:
    down = frame.top <= other.top and frame.top + frame.rows >= other.top + other.rows
    return down and frame.left <= other.left and frame.left + frame.columns >= other.left + other.columns


def _lay_over(pixels: NDArray[Any], place: NDArray[Any]) -> None:
    """Draw pixels with straight alpha over others (PNG, third edition, 13.16), rounded to the nearest."""
    full = full_scale(pixels.dtype)
    alpha, beneath = pixels[:, :, -1], place[:, :, -1]
    replaced = (alpha == full) | (beneath == 0)
    mixed = ~replaced & (alpha > 0)
    above, below = pixels[mixed].astype(np.float64), place[mixed].astype(np.float64)
    weight = above[:, -1:] / full
    rest = below[:, -1:] / full * (1 - weight)
    above[:, :-1] = (weight * above[:, :-1] + rest * below[:, :-1]) / (weight + rest)
    above[:, -1:] = full * (weight + rest)
    np.copyto(place, pixels, where=replaced[:, :, np.newaxis])
    place[mixed] = np.rint(above).astype(pixels.dtype)
