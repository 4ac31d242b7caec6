"""Pictures on their way into a file, and what encodes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgconv.images.atomic import Piece
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header

if TYPE_CHECKING:
    from imgconv.images.formats.base import Format


@dataclass(frozen=True)
class Result:
    """What is to be written to a file, as far as it is known before the pixels are.

    Attributes:
        header: shape, type and channels of the first picture.
        opaque: whether its alpha, if it has one, is known to be full everywhere, so that it may be left out.
        bits: bits per sample that carry information, where they are fewer than those of the type.
        count: number of pages or frames.
        frames: whether they are frames of an animation.
    """

    header: Header
    opaque: bool = False
    bits: int | None = None
    count: int = 1
    frames: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture on its way into a file: its header, its rows from the top down, and the metadata to be written.

    Attributes:
        header: shape, type and the meaning of the channels.
        strips: the pixels in blocks of whole rows, in the order of `Image`.
        metadata: the blocks to be written.
        nodata: the level that marks missing values; None where there is none.
    """

    header: Header
    strips: Iterable[NDArray[Any]]
    metadata: Metadata = field(default_factory=Metadata)
    nodata: float | None = None

    @classmethod
    def of(cls, image: Image) -> Picture:
        """Return an image as a picture of one strip, in the byte order of the machine."""
        pixels = image.pixels.astype(image.pixels.dtype.newbyteorder("="), copy=False)
        return cls(Header.of_image(image.replaced(pixels)), (pixels,), image.metadata, image.nodata)

    def pixels(self) -> NDArray[Any]:
        """Return all pixels as one contiguous array."""
        strips = list(self.strips)
        return np.ascontiguousarray(strips[0] if len(strips) == 1 else np.concatenate(strips))


class Encoder(ABC):
    """Writes the pages of one file, one after the other."""

    @abstractmethod
    def add(self, picture: Picture) -> Iterable[Piece]:
        """Return the bytes that the file continues with once this page is known.

        Raises:
            WriteError: the page cannot be written.
        """

    def finish(self) -> Iterable[Piece]:
        """Return the bytes that the file ends with.

        Raises:
            WriteError: the file cannot be completed.
        """
        return ()


class OnePictureEncoder(Encoder):
    """Writes a file with one picture."""

    def __init__(self, chosen: Format, coding: Coding, where: str) -> None:
        self._format, self._coding, self._where = chosen, coding, where

    def add(self, picture: Picture) -> Iterable[Piece]:
        """Return the file."""
        return self._format.encode(picture, self._coding, self._where)


def recut(strips: Iterable[NDArray[Any]], rows: int) -> Iterator[NDArray[Any]]:
    """Yield blocks of rows anew, `rows` in each but the last, however many the strips have."""
    rest: NDArray[Any] | None = None
    for strip in strips:
        if rest is not None:
            strip = np.concatenate([rest, strip])
        whole = len(strip) // rows * rows
        for start in range(0, whole, rows):
            yield strip[start : start + rows]
        rest = strip[whole:] if whole < len(strip) else None
    if rest is not None:
        yield rest
