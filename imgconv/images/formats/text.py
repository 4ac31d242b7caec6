"""Values as text: one line for each row of the picture, for spreadsheets and `numpy.loadtxt`. Only written, never read.

Types of at most 16 bits are looked up in a table of the texts of all their values. A 12-megapixel picture of uint8 takes
0.15 s, file access included (`numpy.savetxt` with `fmt="%d"`: 2.4 s; 2026-11-28, two cores, NumPy 2.4).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.base import Format
from imgconv.images.formats.picture import Picture, recut
from imgconv.images.image import Coding
from imgconv.images.pages import Header, Pages

# Values written at a time. As Python objects, they take a few megabytes.
_STRIP = 1 << 16

# The table of a 16-bit type takes as long as this number of values without a table.
_TABLE_VALUES = 1 << 16


class _Text(Format):
    """The base class of the text formats.

    Attributes:
        separator: the character between two values of a row.
    """

    dtypes = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")
    colour = False
    readable = False
    similar = "npy"
    separator: ClassVar[str]

    def open(self, file: FileBytes, name: str, max_pixels: int) -> Pages:
        """Raise a `HeaderError`: the values are read only as a kernel."""
        reading = f"imgconv writes {self.title}, but reads it only as a kernel (@{name})"
        raise HeaderError(f"is not an image in a supported format; {reading}")

    def header(self, file: FileBytes) -> Header:
        """Raise a `HeaderError`: a file of values has no header."""
        raise HeaderError

    def encode(self, picture: Picture, coding: Coding, where: str) -> Iterable[Piece]:
        """Yield the lines of the file. The shortest text that is read back as the same value is written for each float."""
        rows, columns = picture.header.shape
        dtype = picture.header.dtype
        uses_table = dtype.itemsize == 1 or (dtype.itemsize == 2 and rows * columns >= _TABLE_VALUES)
        for strip in recut(picture.strips, max(1, _STRIP // columns)):
            if uses_table:
                yield _looked_up(strip, self.separator)
            else:
                yield "".join(self.separator.join(_texts(row)) + "\n" for row in strip).encode("ascii")


class Txt(_Text):
    """Values separated by spaces, as `numpy.savetxt` writes them."""

    name = "txt"
    title = "TXT"
    extensions = (".txt",)
    separator = " "


class Csv(_Text):
    """Values separated by commas."""

    name = "csv"
    title = "CSV"
    extensions = (".csv",)
    separator = ","


def _texts(values: NDArray[Any]) -> Iterable[str]:
    """Return the text of each value of a row."""
    if values.dtype.kind == "f" and values.itemsize < np.dtype(float).itemsize:
        return map(str, values)  # as Python floats, they would have the digits of double precision
    return map(repr, values.tolist())


@functools.cache
def _table(dtype: np.dtype[Any], separator: str) -> NDArray[np.void]:
    """Return the texts of all values of a type, by their bits; NULs fill each from the left, and the separator ends it."""
    is_bilevel = dtype.kind == "b"
    bits = np.arange(2 if is_bilevel else 1 << 8 * dtype.itemsize, dtype=f"u{dtype.itemsize}")
    texts = list(_texts(bits if is_bilevel else bits.view(dtype)))
    longest = max(map(len, texts)) + len(separator)
    width = 1 << (longest - 1).bit_length()  # NumPy copies items of 2, 4, 8 or 16 bytes faster than others
    return np.frombuffer("".join((text + separator).rjust(width, "\0") for text in texts).encode("ascii"), f"V{width}")


def _looked_up(strip: NDArray[Any], separator: str) -> bytes:
    """Return the lines of a strip of a type of at most 16 bits."""
    table = _table(strip.dtype, separator)
    cells = table.take(np.ascontiguousarray(strip).view(f"u{strip.itemsize}"))
    characters = cells.view(np.uint8).reshape(*strip.shape, table.itemsize)
    characters[:, -1, -1] = ord("\n")
    return characters.tobytes().translate(None, b"\0")
