"""PBM, PGM, PPM and PFM (netpbm.sourceforge.net/doc).

Binary files are read in windows and written in strips, without OpenCV, which works row by row and byte by byte. Reading a
12-megapixel PPM of 8 bits, file access included, takes 12 ms (`cv2.imread`: 38 ms); writing it takes 12 ms (`cv2.imwrite`:
28 ms; medians of 15, 2026-11-23, two cores, OpenCV 5.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.base import Format
from imgconv.images.formats.opencv_codec import scaled_from, swapped
from imgconv.images.formats.picture import Picture, recut
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header, OnePage, Pages, StillPage

# Kind, columns, rows and (except for bitmaps) the maximum value, separated by white space and comments. One space follows.
_GAP = rb"(?:\s|#[^\n\r]*[\n\r])+"
_NUMBER = _GAP + rb"(\d{1,10})"
_PNM = re.compile(rb"P([14])" + _NUMBER * 2 + rb"()\s|P([2356])" + _NUMBER * 3 + rb"\s")
_PFM = re.compile(rb"P([Ff])\s+\+?(\d{1,10})\s+\+?(\d{1,10})\s+([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s")

_TEXTS = b"123"

# Bytes read and written at a time; they fit into the second-level cache.
_STRIP = 1 << 20


class _Layout(NamedTuple):
    """The contents of a file header.

    Attributes:
        kind: `1` to `3` for a bitmap, grey and colour as text, `4` to `6` for the same in binary, `f` and `F` for grey and
            colour in floating point.
        greatest: the value of white.
        stored: data type of the samples in the file.
        start: position of the first sample.
    """

    kind: bytes
    columns: int
    rows: int
    greatest: int
    stored: np.dtype[Any]
    start: int

    @property
    def header(self) -> Header:
        """The header of the picture."""
        return Header.of(self.rows, self.columns, 3 if self.kind in b"36F" else 1, self.stored.newbyteorder("="))

    @property
    def row_bytes(self) -> int:
        """Number of bytes of a row. Rows of a bitmap are padded to whole bytes."""
        return -(-self.columns // 8) if self.kind == b"4" else self.columns * self.header.channels * self.stored.itemsize


class _Netpbm(Format):
    """The base class of the Netpbm formats: reading of all of them, writing of integers."""

    def header(self, file: FileBytes) -> Header:
        """Return the header of the picture."""
        return _layout(file).header

    def open(self, file: FileBytes, name: str, max_pixels: int) -> Pages:
        """Return the page of a file. Binary files support reading in windows."""
        page = StillPage if _layout(file).kind in _TEXTS else _WindowPage
        return OnePage(page(self, file, name, max_pixels))

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return empty metadata, and 1 bit per sample for a binary bitmap."""
        return Metadata(), Coding(bits=1 if file.head.startswith(b"P4") else None)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture. Samples are scaled from the maximum value in the header to full range."""
        layout = _layout(file)
        if layout.kind not in _TEXTS:
            return self.image(_window(file, layout, slice(None), slice(None)), header, *self.metadata(file))
        image = super().decode(file, name, header)
        # OpenCV already scales 8-bit samples.
        return image if layout.greatest < 256 else image.replaced(scaled_from(image.pixels, layout.greatest))

    def encode(self, picture: Picture, coding: Coding, where: str) -> Iterable[Piece]:
        """Yield a binary file: PBM, PGM or PPM, depending on the data type and the channels of the picture."""
        header = picture.header
        rows, columns = header.shape[:2]
        kind = 4 if header.dtype == bool else 6 if header.channels == 3 else 5
        yield b"P%d\n%d %d\n" % (kind, columns, rows) + (b"" if kind == 4 else b"%d\n" % np.iinfo(header.dtype).max)
        for strip in recut(picture.strips, max(1, _STRIP // (columns * header.channels * header.dtype.itemsize))):
            if kind == 4:
                yield np.packbits(~strip, axis=1).data  # 1 is black
            else:
                yield np.ascontiguousarray(swapped(strip), header.dtype.newbyteorder(">")).data


class Ppm(_Netpbm):
    """PPM: colour."""

    name = "ppm"
    title = "PPM"
    extensions = (".ppm",)
    dtypes = ("uint8", "uint16")
    grey = False


class Pgm(_Netpbm):
    """PGM: grey."""

    name = "pgm"
    title = "PGM"
    extensions = (".pgm",)
    dtypes = ("uint8", "uint16")
    colour = False


class Pbm(_Netpbm):
    """PBM: black and white."""

    name = "pbm"
    title = "PBM"
    extensions = (".pbm",)
    dtypes = ("bool",)
    colour = False


class Pnm(_Netpbm):
    """PNM: PBM, PGM or PPM. All three are read as PNM, so that an output in the format of its input can become any of them."""

    name = "pnm"
    title = "PNM"
    extensions = (".pnm",)
    signatures = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")
    dtypes = ("bool", "uint8", "uint16")


class Pfm(_Netpbm):
    """PFM: floating point, written by OpenCV. The scale in the header is ignored except for its sign, the byte order."""

    name = "pfm"
    title = "PFM"
    extensions = (".pfm",)
    signatures = (b"PF", b"Pf")
    dtypes = ("float32",)
    encode = Format.encode


class _WindowPage(StillPage):
    """The picture of a binary file, with random access."""

    def read(self, rows: slice = slice(None), columns: slice = slice(None)) -> NDArray[Any]:
        """Return the pixels in a window of rows and columns. Only these rows are read from the file."""
        try:
            return _window(self._file, _layout(self._file), rows, columns)
        except HeaderError as error:
            raise self._format.damaged(self.name, str(error)) from error
        except MemoryError as error:
            raise ReadError(f"{self.name}: the image does not fit into memory") from error


def _layout(file: FileBytes) -> _Layout:
    match = _PNM.match(file.head) or _PFM.match(file.head)
    if match is None:
        raise HeaderError
    kind, columns, rows, last = (group for group in match.groups() if group is not None)
    code = ("<f4" if last.startswith(b"-") else ">f4") if kind in b"fF" else "u1" if int(last or 1) < 256 else ">u2"
    greatest = 1 if kind in b"fF" else int(last or 255)
    if not 0 < greatest < 65_536:
        raise HeaderError
    return _Layout(kind, int(columns), int(rows), greatest, np.dtype(code), match.end())


def _window(file: FileBytes, layout: _Layout, rows: slice, columns: slice) -> NDArray[Any]:
    """Return the pixels in a window of rows and columns of a binary file, at full range.

    Raises:
        HeaderError: the file is too short for its size.
    """
    header, size = layout.header, layout.row_bytes
    if layout.start + layout.rows * size > file.size:
        raise HeaderError("has fewer pixels than its header gives")
    wanted = range(layout.rows)[rows]
    top, bottom = (min(wanted), max(wanted) + 1) if wanted else (0, 0)
    width = len(range(layout.columns)[columns])
    found = np.empty((bottom - top, width, *header.shape[2:]), header.dtype)
    step = max(1, _STRIP // size)
    for first in range(top, bottom, step):
        last = min(first + step, bottom)
        # PFM stores the bottom row first.
        at = layout.rows - last if layout.kind in b"fF" else first
        block = np.frombuffer(file.block(layout.start + at * size, (last - first) * size), layout.stored)
        if layout.kind == b"4":
            strip = np.unpackbits(block.reshape(last - first, -1), axis=1, count=layout.columns) - np.uint8(1)
        else:
            strip = swapped(block.reshape(last - first, *header.shape[1:]).astype(header.dtype, copy=False))
        found[first - top : last - top] = (strip[::-1] if layout.kind in b"fF" else strip)[:, columns]
    return scaled_from(found[:: wanted.step], layout.greatest) if header.dtype.kind == "u" else found[:: wanted.step]
