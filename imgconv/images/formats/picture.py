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


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture on its way into a file: what it is, and its rows from the top down.

    Attributes:
        header: shape, type and the meaning of the channels.
        strips: the pixels in blocks of whole rows, in the order of `Image`.
        opaque: whether alpha is known to be full everywhere.
        metadata: the blocks to be written.
        nodata: the level that marks missing values; None where there is none.
        coding: how the pixels were stored in the input.
        format: name of the format of the input, or "".
    """

    header: Header
    strips: Iterable[NDArray[Any]]
    opaque: bool = False
    metadata: Metadata = field(default_factory=Metadata)
    nodata: float | None = None
    coding: Coding = field(default_factory=Coding)
    format: str = ""

    @classmethod
    def of(cls, image: Image) -> Picture:
        """Return an image as a picture of one strip, in the byte order of the machine."""
        pixels = image.pixels.astype(image.pixels.dtype.newbyteorder("="), copy=False)
        header = Header(pixels.shape, pixels.dtype, bool(image.has_alpha), image.colours)
        opaque = image.is_opaque if image.has_alpha else False
        return cls(header, (pixels,), opaque, image.metadata, image.nodata, image.coding, image.format)

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
