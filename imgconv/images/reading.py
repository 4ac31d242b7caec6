"""Reading image files, by name or from standard input."""

from __future__ import annotations

import os
import stat
import sys

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images.decoding import open_pages
from imgconv.images.headers import Header, header_of
from imgconv.images.image import Image
from imgconv.images.limits import MAX_PIXELS
from imgconv.images.names import STANDARD_STREAM, reason, shown
from imgconv.images.pages import Pages
from imgconv.images.seeking import FileBytes


def read_image(source: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read an image file: its pixels as they are stored, in its own depth, with alpha and metadata.

    Args:
        source: the name of the file, or "-" for standard input.
        max_pixels: a picture of more is refused before anybody makes room for it.

    Returns:
        The image; of several pages or frames the first, `pages` says how many there are.

    Raises:
        ReadError: it cannot be read; one line, that names the file.
    """
    return open_image(source, max_pixels=max_pixels).page(0)


def open_image(source: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Pages:
    """Open an image file, to read its pages or frames one at a time.

    Args:
        source: the name of the file, or "-" for standard input.
        max_pixels: as for `read_image`; the frames of an animation may have no more together.

    Raises:
        ReadError: it cannot be read; one line, that names the file.
    """
    name = "standard input" if _is_standard(source) else shown(source)
    return open_pages(_content(source, name), name, max_pixels)


def read_header(source: str | os.PathLike[str]) -> Header:
    """Return shape and type of the pixels of an image file, without reading them.

    Args:
        source: the name of the file. What comes through a pipe, "-" too, has to be read whole, as `read_image` does.

    Returns:
        The header of the image; of several pages or frames that of the first.

    Raises:
        ReadError: it cannot be read; one line, that names the file. A header that is whole may stand before pixels that
            are not: that is for `read_image` to find.
    """
    if _is_standard(source):
        return header_of(FileBytes(_standard_input()), "standard input")
    name = shown(source)
    try:
        with open(source, "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode):
                return header_of(FileBytes(file, status.st_size), name)
            return header_of(FileBytes(memoryview(file.readall())), name)  # a fifo, or a device
    except ReadError:
        raise
    except (OSError, ValueError) as error:
        raise _fault(name, error) from error


def _is_standard(source: str | os.PathLike[str]) -> bool:
    # Only the word itself: a `Path("./-")` is "-" too, and means a file.
    return isinstance(source, str) and source == STANDARD_STREAM


def _content(source: str | os.PathLike[str], name: str) -> memoryview:
    """Return the bytes of a file. OpenCV would read it by name, but not every name on every system."""
    if _is_standard(source):
        return _standard_input()
    try:
        with open(source, "rb", buffering=0) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                # Unlike `bytes`, an array is not filled with zeros before it is read into.
                content: NDArray[np.uint8] = np.fromfile(file, np.uint8)
                return content.data
            return memoryview(file.readall())  # a fifo, or a device
    except (OSError, ValueError) as error:
        raise _fault(name, error) from error
    except MemoryError as error:
        raise ReadError(f"{name}: the file does not fit into memory") from error


def _fault(name: str, error: Exception) -> ReadError:
    if isinstance(error, OSError):
        return ReadError(f"{name}: {reason(error)}")
    return ReadError(f"{name}: is not a name that a file can have")  # there is a NUL in it


def _standard_input() -> memoryview:
    if sys.stdin is None:
        raise ReadError("standard input: is closed")
    if sys.stdin.isatty():
        raise ReadError("standard input: is a terminal; name a file, or send one through a pipe")
    try:
        return memoryview(sys.stdin.buffer.read())
    except (OSError, ValueError) as error:
        raise ReadError(f"standard input: {reason(error) if isinstance(error, OSError) else 'is closed'}") from error
    except MemoryError as error:
        raise ReadError("standard input: does not fit into memory") from error
