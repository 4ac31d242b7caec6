"""The frames of an animation on their way into a file: alike in shape and type, and what of each has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import WriteError
from imgconv.images.image import Image


class Place(NamedTuple):
    """A part of a frame: where it begins, its rows and columns."""

    top: int
    left: int
    rows: int
    columns: int

    def of(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return that part of some pixels, as a view."""
        return pixels[self.top : self.top + self.rows, self.left : self.left + self.columns]


class Frames:
    """The pixels of the frames of an animation, taken once, one by one.

    Attributes:
        count: how many there are.
        where: the name of the output, fit to be shown in a message.
    """

    def __init__(self, images: Iterable[Image], count: int, where: str) -> None:
        self._images = images
        self.count = count
        self.where = where

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield the pixels, (H, W) or (H, W, C) with C from 2 to 4, of one shape and type.

        Raises:
            WriteError: they are not alike, or there are more or fewer than there should be.
        """
        first: NDArray[Any] | None = None
        found = 0
        for found, image in enumerate(self._images, 1):
            pixels = image.pixels[:, :, 0] if image.pixels.ndim == 3 and image.pixels.shape[2] == 1 else image.pixels
            first = pixels if first is None else first
            if (pixels.shape, pixels.dtype) != (first.shape, first.dtype):
                what = f"frame {found} is {_words(pixels)}, the first one {_words(first)}"
                raise WriteError(f"{self.where}: {what}; the frames of an animation have to be alike")
            if found > self.count:
                break
            yield pixels
        if found != self.count:
            raise WriteError(f"{self.where}: there are {found} frames or more, and durations for {self.count}")

    def failure(self, title: str, reason: object = "") -> WriteError:
        """Return the error to be raised where an encoder fails."""
        told = f" ({' '.join(str(reason).split())[:200]})" if str(reason) else ""
        return WriteError(f"{self.where}: the animation cannot be written as {title}{told}")


def changed(pixels: NDArray[Any], before: NDArray[Any] | None) -> Place:
    """Return the smallest part that holds every pixel that is not as before: of a frame like the one before one pixel."""
    if before is None:
        return Place(0, 0, *pixels.shape[:2])
    return enclosing(pixels != before if pixels.ndim == 2 else (pixels != before).any(axis=2))


def enclosing(marked: NDArray[np.bool_]) -> Place:
    """Return the smallest part that holds every pixel that is marked, the first pixel where none is."""
    down, across = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    if not len(down):
        return Place(0, 0, 1, 1)
    top, left = int(down[0]), int(across[0])
    return Place(top, left, int(down[-1]) + 1 - top, int(across[-1]) + 1 - left)


def _words(pixels: NDArray[Any]) -> str:
    return f"{' x '.join(map(str, pixels.shape))} {pixels.dtype}"
