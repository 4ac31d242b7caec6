"""Pictures to be written, and the base class of encoders."""

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
    """The properties of a result that are known before its pixels are computed.

    Attributes:
        header: shape, data type and channels of the first picture.
        opaque: whether the alpha channel is known to be full everywhere, so that it may be dropped.
        bits: number of significant bits per sample if fewer than those of the data type.
        count: number of pages or frames.
        frames: whether the pictures are frames of an animation.
        needs_alpha: whether the result is pointless without its alpha channel.
    """

    header: Header
    opaque: bool = False
    bits: int | None = None
    count: int = 1
    frames: bool = False
    needs_alpha: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to be written: its header, its rows from top to bottom, and its metadata.

    Attributes:
        header: shape, data type and channels.
        strips: the pixels in blocks of whole rows, with the channel order of `Image`.
        metadata: the blocks to be written.
        nodata: the value that marks missing values, or None.
    """

    header: Header
    strips: Iterable[NDArray[Any]]
    metadata: Metadata = field(default_factory=Metadata)
    nodata: float | None = None

    @classmethod
    def of(cls, image: Image) -> Picture:
        """Return an image as a picture with one strip, in native byte order."""
        pixels = image.pixels.astype(image.pixels.dtype.newbyteorder("="), copy=False)
        return cls(Header.of_image(image.replaced(pixels)), (pixels,), image.metadata, image.nodata)

    def pixels(self) -> NDArray[Any]:
        """Return all pixels as one contiguous array."""
        strips = list(self.strips)
        return np.ascontiguousarray(strips[0] if len(strips) == 1 else np.concatenate(strips))


class Encoder(ABC):
    """An encoder for the pages of one file, one page at a time."""

    @abstractmethod
    def add(self, picture: Picture) -> Iterable[Piece]:
        """Add a page, and return the bytes that can be written now.

        Raises:
            WriteError: the page cannot be written.
        """

    def finish(self) -> Iterable[Piece]:
        """Return the remaining bytes of the file.

        Raises:
            WriteError: the file cannot be completed.
        """
        return ()


class OnePictureEncoder(Encoder):
    """An encoder for a file with one picture."""

    def __init__(self, chosen: Format, coding: Coding, where: str) -> None:
        self._format, self._coding, self._where = chosen, coding, where

    def add(self, picture: Picture) -> Iterable[Piece]:
        """Return the bytes of the file."""
        return self._format.encode(picture, self._coding, self._where)


def recut(strips: Iterable[NDArray[Any]], rows: int) -> Iterator[NDArray[Any]]:
    """Regroup strips into blocks of `rows` rows; the last block may have fewer."""
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
