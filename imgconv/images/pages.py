"""The pages or frames of a file, decoded one at a time, and the limits on their size."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError, UsageError
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.image import Coding, Image, channel_roles
from imgconv.images.metadata import Metadata
from imgconv.memory import total_memory

if TYPE_CHECKING:
    from imgconv.images.formats.base import Format

#: Default maximum number of pixels of a picture, or of all frames of an animation together.
MAX_PIXELS = 1 << 30

_ALL = slice(None)
_PART = re.compile(r"([0-9]{1,9})(?:(-)([0-9]{1,9})?)?")  # one part of a page range

_LONGEST_SIDE = (1 << 31) - 1  # libraries store sizes as signed 32-bit integers


class Timing(NamedTuple):
    """The frame durations and the loop count of an animation.

    Attributes:
        durations: the duration of each frame, in milliseconds.
        loop: number of times that the animation is played; 0 for endless repetition.
    """

    durations: tuple[float, ...]
    loop: int = 0

    def of(self, indices: tuple[int, ...]) -> Timing:
        """Return the timing of the frames with these indices."""
        return Timing(tuple(self.durations[i] for i in indices), self.loop)


@dataclass(frozen=True)
class Header:
    """The shape, data type and channels of a picture, as read from the header of a file.

    Attributes:
        shape: shape of `Image.pixels`, (H, W) or (H, W, C), including alpha.
        dtype: data type of the pixels.
        has_alpha: whether the last channel is alpha.
        colours: number of colour channels, 3 or 1; see `Image.colours`.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    has_alpha: bool = False
    colours: int = 1

    @classmethod
    def of(cls, rows: int, columns: int, channels: int, dtype: Any, has_alpha: bool | None = None, colours: int = 0) -> Header:
        """Return the header for a number of channels, with the defaults of `Image` for alpha and colours."""
        shape = (rows, columns) if channels == 1 else (rows, columns, channels)
        return cls(shape, np.dtype(dtype), *channel_roles(channels, has_alpha, colours))

    @classmethod
    def of_image(cls, image: Image) -> Header:
        """Return the header of an image."""
        return cls(image.pixels.shape, image.pixels.dtype, bool(image.has_alpha), image.colours)

    @property
    def channels(self) -> int:
        """Number of channels, including alpha."""
        return self.shape[2] if len(self.shape) == 3 else 1

    @property
    def colour_shape(self) -> tuple[int, ...]:
        """Shape of `Image.colour`, excluding alpha."""
        return (*self.shape[:2], self.shape[2] - 1) if self.has_alpha else self.shape


class Page(ABC):
    """One picture of a file. The header is read on construction, the pixels are decoded on request.

    Attributes:
        header: shape, data type and channels.
        name: name of the file for messages, followed by the page number if the file has several pages.
    """

    def __init__(self, header: Header, name: str, max_pixels: int = MAX_PIXELS) -> None:
        rows, columns = header.shape[:2]
        if not (0 < rows <= _LONGEST_SIDE and 0 < columns <= _LONGEST_SIDE):
            raise ReadError(f"{name}: is damaged: its header gives {rows} x {columns} pixels")
        self.header, self.name = header, name
        self._max_pixels = max_pixels
        self._decoded: Image | None = None

    def require_size(self) -> None:
        """Raise a `ReadError` if the picture exceeds `max_pixels` or the memory of the machine."""
        require_size(self.header.shape, self.header.dtype, self.name, self._max_pixels)

    def image(self) -> Image:
        """Return the whole picture with its metadata.

        Raises:
            ReadError: the picture cannot be decoded or is too large. The message is one line and names the file.
        """
        self.require_size()
        try:
            return self._image()
        except MemoryError as error:
            raise ReadError(f"{self.name}: the image does not fit into memory") from error

    def read(self, rows: slice = _ALL, columns: slice = _ALL) -> NDArray[Any]:
        """Return the pixels in a window of rows and columns, (R, C) or (R, C, channels).

        Formats without random access decode the whole picture on the first call and keep it.

        Raises:
            ReadError: as for `image`.
        """
        if self._decoded is None:
            self._decoded = self.image()
        return self._decoded.pixels[rows, columns]

    @property
    @abstractmethod
    def metadata(self) -> Metadata:
        """The metadata, read without decoding the pixels."""

    @property
    @abstractmethod
    def coding(self) -> Coding:
        """Compression and bit depth of the pixels."""

    @abstractmethod
    def _image(self) -> Image:
        """Return the whole picture. The caller has checked the size."""


class StillPage(Page):
    """The picture of a file with a single picture."""

    def __init__(self, chosen: Format, file: FileBytes, name: str, max_pixels: int) -> None:
        super().__init__(chosen.header(file), name, max_pixels)
        self._format, self._file = chosen, file

    @property
    def metadata(self) -> Metadata:
        """The metadata of the file."""
        return self._format.metadata(self._file)[0]

    @property
    def coding(self) -> Coding:
        """Compression and bit depth of the pixels."""
        return self._format.metadata(self._file)[1]

    def _image(self) -> Image:
        try:
            with quiet("imagecodecs"):
                return self._format.decode(self._file, self.name, self.header)
        except HeaderError as error:
            raise self._format.damaged(self.name, str(error) or "cannot be decoded") from error


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Suppress the log messages of a library on this thread. Its errors are raised; other messages are not actionable."""
    import logging
    import threading

    logger, own = logging.getLogger(name), threading.get_ident()

    def is_other(record: logging.LogRecord) -> bool:
        return record.thread != own

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


class Pages(ABC):
    """The pages of a file.

    Attributes:
        name: name of the file, for messages.
        count: number of pages or frames.
        timing: frame durations and loop count of an animation; None for pages.
    """

    name: str
    count: int = 1
    timing: Timing | None = None

    def open_page(self, index: int) -> Page:
        """Return a page, counted from 0, without decoding it. Frames of an animation are composed to full pictures.

        Raises:
            ReadError: the page does not exist or its header cannot be read. The message is one line and names the file.
        """
        if not 0 <= index < self.count:
            raise ReadError(f"{self.name}: has {self.count} page{'s' * (self.count > 1)}; page {index + 1} does not exist")
        return self._page(index)

    @abstractmethod
    def _page(self, index: int) -> Page:
        """Return a page. The caller has checked the index."""

    def page(self, index: int) -> Image:
        """Decode and return a page, counted from 0.

        Raises:
            ReadError: the page cannot be read. The message is one line and names the file.
        """
        return self.open_page(index).image()


class OnePage(Pages):
    """A file with one picture."""

    def __init__(self, page: Page) -> None:
        self.name, self._only = page.name, page

    def _page(self, index: int) -> Page:
        return self._only


class PageRange(NamedTuple):
    """A selection of the pages of a file.

    Attributes:
        parts: first and last page of each part, counted from 0; None for the last page of the file.
    """

    parts: tuple[tuple[int, int | None], ...]

    def indices(self, count: int, name: str) -> tuple[int, ...]:
        """Return the selected page indices for a file of `count` pages. Raises a `UsageError` if a page does not exist."""
        found: list[int] = []
        for first, last in self.parts:
            stop = count - 1 if last is None else last
            if max(first, stop) >= count:
                has = f"{count} pages, 0 to {count - 1}" if count > 1 else "only page 0"
                raise UsageError(f"{name}: has {has}; `pages` selects page {max(first, stop)}")
            found += range(first, stop + 1)
        return tuple(found)


def parse_page_range(text: str) -> PageRange:
    """Parse a page range such as `0,3-5` or `2-`, counted from 0. Raises a `UsageError` for an invalid range.

    Example:
        >>> parse_page_range("0,3-5").indices(9, "in.tif")
        (0, 3, 4, 5)
    """
    parts: list[tuple[int, int | None]] = []
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first, dash, last = (match[1], match[2], match[3]) if match else ("", "", "")
        if not first or (last and int(last) < int(first)):
            raise UsageError(f"invalid page range {text!r}: expected numbers from 0 and ranges, such as 0,3-5")
        parts.append((int(first), int(last) if last else (None if dash else int(first))))
    return PageRange(tuple(parts))


def require_size(shape: Sequence[int], dtype: np.dtype[Any], name: str, max_pixels: int = MAX_PIXELS, frames: int = 1) -> None:
    """Raise a `ReadError` if a picture exceeds `max_pixels` or the memory of the machine.

    The shape, (H, W) or (H, W, C), is that of one frame. `max_pixels` limits all frames together; memory holds one at a time.
    """
    rows, columns, channels = (*map(int, shape), 1)[:3]
    if frames * rows * columns > max_pixels:
        size = f"{f'{frames} frames of ' * (frames > 1)}{rows} x {columns} pixels ({_megapixels(frames * rows * columns)})"
        limit = f"more than the limit of {_megapixels(max_pixels)}"
        raise ReadError(f"{name}: has {size}, {limit}; raise `max_pixels` to read it")
    room = total_memory()
    if room and rows * columns * channels * dtype.itemsize > room:
        raise ReadError(f"{name}: has {rows} x {columns} pixels, too many for the memory of this machine")


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:.4g} megapixels" if pixels >= 1000 else f"{pixels} pixels"
