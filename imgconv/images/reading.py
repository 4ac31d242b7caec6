"""Reading image files, by name or from standard input."""

from __future__ import annotations

import os
import stat
import sys

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images.decoding import decode
from imgconv.images.image import Image
from imgconv.images.names import STANDARD_STREAM, reason, shown


def read_image(source: str | os.PathLike[str]) -> Image:
    """Read an image file: its pixels as they are stored, in its own depth, with alpha and metadata.

    Args:
        source: the name of the file, or "-" for standard input.

    Returns:
        The image; of several pages or frames the first, `pages` says how many there are.

    Raises:
        ReadError: it cannot be read; one line, that names the file.
    """
    # Only the word itself: a `Path("./-")` is "-" too, and means a file.
    if isinstance(source, str) and source == STANDARD_STREAM:
        return decode(_standard_input(), "standard input")
    name = shown(source)
    return decode(_content(os.fspath(source), name), name)


def _content(path: str, name: str) -> memoryview:
    """Return the bytes of a file. OpenCV would read it by name, but not every name on every system."""
    try:
        with open(path, "rb", buffering=0) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                # Unlike `bytes`, an array is not filled with zeros before it is read into.
                content: NDArray[np.uint8] = np.fromfile(file, np.uint8)
                return content.data
            return memoryview(file.readall())  # a fifo, or a device
    except OSError as error:
        raise ReadError(f"{name}: {reason(error)}") from error
    except ValueError as error:  # a NUL in the name
        raise ReadError(f"{name}: is not a name that a file can have") from error
    except MemoryError as error:
        raise ReadError(f"{name}: the file does not fit into memory") from error


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
