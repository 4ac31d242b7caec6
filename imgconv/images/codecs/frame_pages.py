"""What the readers of animations share: what every frame says, how large they may be together, how they fail."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.errors import ReadError
from imgconv.images import containers
from imgconv.images.formats import FORMATS
from imgconv.images.image import Image
from imgconv.images.limits import MAX_PIXELS, require_size
from imgconv.images.pages import Pages


class FramePages(Pages):
    """The frames of an animation of one format, each of them with the metadata of the file."""

    def __init__(self, view: memoryview, kind: str, name: str, max_pixels: int = MAX_PIXELS) -> None:
        self._kind, self._name, self._max_pixels = kind, name, max_pixels
        self._metadata, self._coding = containers.read(view, kind)

    def page(self, index: int) -> Image:
        """Return a frame.

        Raises:
            ReadError: it cannot be decoded, or there is not enough memory.
        """
        try:
            return self._frame(index)
        except MemoryError as error:
            raise ReadError(f"{self._name}: the image does not fit into memory") from error

    @abstractmethod
    def _frame(self, index: int) -> Image:
        """Return a frame."""

    def _image(self, pixels: NDArray[Any], notes: tuple[str, ...] = ()) -> Image:
        return Image(pixels, self._metadata, self._kind, self.count, self._coding, notes=notes)

    def _require_room(self, rows: int, columns: int, dtype: DTypeLike = np.uint8, decoded: int = 0) -> None:
        """Make sure that the frames have no more pixels than are allowed, and that the machine can hold one of them.

        Args:
            rows: of each frame, composed.
            columns: the same.
            dtype: the type of the pixels.
            decoded: the pixels that have to be decoded for all of them, where these may be more than they have.

        Raises:
            ReadError: they have more; the message says how many, and how to allow them.
        """
        require_size((rows, columns, 4), np.dtype(dtype), self._name, self._max_pixels)
        total = max(self.count * rows * columns, decoded)
        if total > self._max_pixels:
            found = f"claims {self.count} frames of {rows} x {columns} pixels, {total / 1e6:.4g} megapixels together"
            limit = f"at most {self._max_pixels / 1e6:.4g} are read: --max-pixels allows more"
            raise ReadError(f"{self._name}: {found}; {limit}")

    def _damaged(self, fault: str = "its frames cannot be read") -> ReadError:
        """Return the error for a file whose frames cannot be found."""
        title = FORMATS[self._kind].title
        return ReadError(f"{self._name}: is damaged or cut short: it begins like {title}, but {fault}")

    def _undecodable(self, index: int) -> ReadError:
        """Return the error for a frame that cannot be decoded."""
        return ReadError(f"{self._name}: is damaged or cut short: frame {index + 1} cannot be decoded")


class ComposedPages(FramePages):
    """Frames that are drawn on one canvas, each over what the ones before it have left."""

    _done = -1

    def _advance(self, index: int) -> None:
        """Draw up to a frame; going back begins with the first one again."""
        if index < self._done:
            self._begin()
        while self._done < index:
            if self._done >= 0:
                self._dispose(self._done)
            self._draw(self._done + 1)
            self._done += 1

    def _begin(self) -> None:
        """Clear the canvas: no frame has been drawn."""
        self._done = -1

    @abstractmethod
    def _dispose(self, index: int) -> None:
        """Take away of a frame what is not to be seen in the next one."""

    @abstractmethod
    def _draw(self, index: int) -> None:
        """Draw a frame over what is there."""
