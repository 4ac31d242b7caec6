"""Read and write image files, by name or through standard input and output."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError, UsageError
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats import registry
from imgconv.images.image import Coding, Image
from imgconv.images.names import displayed, is_standard_stream, reason
from imgconv.images.output import Output
from imgconv.images.pages import MAX_PIXELS, Header, PageRange, Pages, Timing
from imgconv.opencv import load_cv2

#: A file by its name, its bytes, or an object with `read`, which is open for reading bytes.
Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


def read_image(source: Source, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read an image file: the pixels as stored, in the depth of the file, with alpha and metadata.

    Args:
        source: name of the file, or "-" for standard input; or the content of the file as bytes, or a file object that is open
            for reading bytes, which is read to its end.
        max_pixels: maximum number of pixels; a larger image is rejected before it is decoded.

    Returns:
        The image, or the first of several pages or frames. `Image.pages` is the number of pages.

    Raises:
        ReadError: the file cannot be read. The message is one line and names the file.
        UsageError: the environment variable IMGCONV_JOBS is not a number of threads.
    """
    return open_image(source, max_pixels=max_pixels).page(0)


def open_image(source: Source, *, max_pixels: int = MAX_PIXELS) -> Pages:
    """Open an image file for reading its pages or frames one at a time.

    Args:
        source: as for `read_image`.
        max_pixels: as for `read_image`. For an animation, the limit applies to all frames together.

    Raises:
        ReadError: the file cannot be read. The message is one line and names the file.
        UsageError: the environment variable IMGCONV_JOBS is not a number of threads.
    """
    pages = _opened(source, max_pixels)
    pages.open_page(0).require_size()
    return pages


def read_header(source: str | os.PathLike[str]) -> Header:
    """Return shape, data type and channels of an image (of its first page) of any size, without decoding it.

    Pipes and "-" are read completely. Raises the errors of `read_image`. A valid header does not imply undamaged pixels.
    """
    return _opened(source, sys.maxsize).open_page(0).header


def decode(data: bytes | memoryview, name: str = "image", max_pixels: int = MAX_PIXELS) -> Image:
    """Return the first picture of a file in memory; see `read_image`."""
    return _pages(FileBytes(memoryview(data).cast("B")), name, max_pixels).page(0)


#: Returns a context manager for reading and decoding an input; see `read_limits.Guard`.
ReadContext: TypeAlias = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Input:
    """An image file, and the pages to read from it.

    Attributes:
        path: name of the file, or "-" for standard input.
        pages: the pages or frames to read; None for all of them.
        max_pixels: maximum number of pixels; a larger picture is rejected.
        auto_orient: whether to apply the EXIF orientation to the pixels.
    """

    path: str
    pages: PageRange | None = None
    max_pixels: int = MAX_PIXELS
    auto_orient: bool = False

    @property
    def name(self) -> str:
        """The name of the file in messages."""
        return _name(self.path)

    def open(self) -> OpenInput:
        """Open the file and read the first of the selected pages.

        Raises:
            ReadError: the file cannot be read.
            UsageError: a selected page does not exist.
        """
        pages = open_image(self.path, max_pixels=self.max_pixels)
        indices = tuple(range(pages.count)) if self.pages is None else self.pages.indices(pages.count, self.name)
        return OpenInput(self, pages, indices, self.page(pages, indices[0]))

    def page(self, pages: Pages, index: int) -> Image:
        """Return a page, oriented upright if `auto_orient` is set."""
        image = pages.page(index)
        return image.upright() if self.auto_orient else image


class OpenInput(NamedTuple):
    """An open file, the indices of the selected pages, and the first of these pages."""

    source: Input
    pages: Pages
    indices: tuple[int, ...]
    first: Image

    @property
    def timing(self) -> Timing | None:
        """The durations of the selected frames of an animation; None for pages."""
        return None if self.pages.timing is None else self.pages.timing.of(self.indices)

    def images(self, reading: ReadContext) -> Iterator[Image]:
        """Yield the selected pages, each read in its own context."""
        yield self.first
        for index in self.indices[1:]:
            with reading():
                image = self.source.page(self.pages, index)
            yield image


class ReadingAhead:
    """An input that is opened on a separate thread while the caller prepares the filter.

    `imgconv apply sharpen` on 12 megapixels takes 7 % less time for a JPEG and 3 % less for a PNG; for a PPM and for small
    pictures there is no gain (21 alternating runs with and without it, two processors, November 2026).
    """

    def __init__(self, source: Input) -> None:
        load_cv2()  # imported here, because imports on two threads would wait for each other
        self.path = source.path
        self._source = source
        self._opened: Future[OpenInput] = Future()
        # A daemon thread, so that after an error of the caller the process does not wait for a pipe.
        threading.Thread(target=self._open, name="imgconv-reading", daemon=True).start()

    def _open(self) -> None:
        try:
            self._opened.set_result(self._source.open())
        except BaseException as error:  # raised again by `open`
            self._opened.set_exception(error)

    def open(self) -> OpenInput:
        """Return the result of `Input.open`, or raise its error."""
        return self._opened.result()


def write_image(
    target: str | os.PathLike[str],
    image: Image | NDArray[Any],
    *,
    overwrite: bool = True,
    format: str = "",  # noqa: A002 - as in Pillow and imageio
    coding: Coding | None = None,
    within: str = "",
) -> tuple[str, ...]:
    """Write an image to a file atomically: either the complete file appears or none.

    The file extension selects the format, which must support the depth, the colour and the alpha channel of the image.
    An image that was read from a JPEG is written at the same quality. Otherwise JPEG and AVIF are written at quality
    95, WebP and JPEG 2000 without loss, unless `coding` requests something else.

    Args:
        target: name of the file, or "-" for standard output.
        image: the image, or an array of pixels in the order blue, green, red. Metadata are written if the format stores them.
        overwrite: whether to replace an existing file.
        format: name or extension of the format; overrides the extension of the file. By default, standard output and names
            without an extension, such as `/dev/stdout`, use the format that the image was read from, or PNG.
        coding: how to store the pixels.
        within: a folder; writing outside of it, through symbolic links as well, is an error. "" for no limit.

    Returns:
        Notes, one line each: what the format could not store, and whether the orientation was applied to the pixels
        because the format cannot store it.

    Raises:
        WriteError: the file cannot be written. The message is one line and names the file. No partial file is left and
            no existing file is changed.
    """
    image = image if isinstance(image, Image) else Image(np.asarray(image))
    return Output(target, overwrite, format, coding or Coding(), within).write((image,), 1, None, image.format).notes


def write_pages(
    target: str | os.PathLike[str],
    images: Iterable[Image],
    count: int,
    timing: Timing | None,
    *,
    overwrite: bool = True,
    format: str = "",  # noqa: A002
    coding: Coding | None = None,
    within: str = "",
    source_format: str = "",
) -> tuple[str, ...]:
    """Write pages, or the frames of an animation, to one file atomically.

    Args:
        target: as for `write_image`, like `overwrite`, `format`, `coding` and `within`.
        images: the pages, at least one; consumed one at a time.
        count: number of pages.
        timing: the durations of the frames; None for pages.
        source_format: name of the format that the pages were read from.

    Returns:
        Notes, as for `write_image`.

    Raises:
        WriteError: as for `write_image`, or the format cannot store several pages.
    """
    return Output(target, overwrite, format, coding or Coding(), within).write(images, count, timing, source_format).notes


def _name(source: str | os.PathLike[str]) -> str:
    return "standard input" if is_standard_stream(source) else displayed(source)


def _opened(source: Source, max_pixels: int) -> Pages:
    if isinstance(source, str | os.PathLike):
        name = _name(source)
        return _pages(_file_bytes(source, name), name, max_pixels)
    return _pages(FileBytes(_content(source)), "image", max_pixels)


def _content(source: bytes | bytearray | memoryview | BinaryIO) -> memoryview:
    """Return the bytes of a buffer or of an open file."""
    try:
        return memoryview(source.read() if hasattr(source, "read") else source).cast("B")
    except TypeError:
        found = type(source).__name__
        raise UsageError(f"a file is given by its name, its bytes, or a file object opened for bytes, found {found}") from None
    except (OSError, ValueError) as error:  # closed, or not open for reading
        raise ReadError(f"image: the file object cannot be read: {error}") from error


def _pages(file: FileBytes, name: str, max_pixels: int) -> Pages:
    if not file.size:
        raise ReadError(f"{name}: the file is empty")
    found = registry.recognized(file.head) or registry.write_only_format(name)
    if found is None:
        raise ReadError(f"{name}: is not an image in a supported format")
    try:
        return found.open(file, name, max_pixels)
    except HeaderError as error:
        raise ReadError(f"{name}: {error}" if str(error) else str(found.damaged(name, "its header cannot be read"))) from None
    except MemoryError as error:
        raise ReadError(f"{name}: the image does not fit into memory") from error


def _file_bytes(source: str | os.PathLike[str], name: str) -> FileBytes:
    try:
        if is_standard_stream(source):
            return FileBytes(_standard_input())
        descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return FileBytes(descriptor)
        with open(descriptor, "rb", buffering=0) as stream:  # a fifo, or a device
            return FileBytes(memoryview(stream.readall()))
    except OSError as error:
        if isinstance(error, ReadError):
            raise
        if "://" in str(source):
            raise ReadError(f"{name}: URLs are not supported; download the file first") from None
        raise ReadError(f"{name}: {reason(error)}") from error
    except ValueError as error:  # a NUL in the name
        raise ReadError(f"{name}: is not a valid file name") from error
    except MemoryError as error:
        raise ReadError(f"{name}: the file does not fit into memory") from error


def _standard_input() -> memoryview:
    stream: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.closed:
        raise ReadError("standard input: is closed or is not a binary stream")
    if sys.stdin.isatty():
        raise ReadError("standard input: is a terminal; name a file or pipe one in")
    return memoryview(stream.read())
