"""Directories, strips and tiles, read by tifffile. Only those that a window overlaps are decoded, in several threads."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import tifffile
from numpy.typing import NDArray

from imgconv.images import directories
from imgconv.images.directories import Layout
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.tiff import embedded
from imgconv.images.formats.tiff.samples import PICTURES, Samples
from imgconv.images.pages import quiet
from imgconv.opencv import codec_threads
from imgconv.threads import thread_count

#: Receives decoded samples, (H, W, samples) or (H, W, 1) of a plane; then plane, row and column in the window.
Take: TypeAlias = Callable[[NDArray[Any], int, int, int], None]

# Bytes of samples that are decoded or passed on at a time, unless strips or tiles are larger.
_AT_ONCE = 1 << 20

# Maximum number of pixels of a tile that is larger than the page.
_LARGEST_TILE = 1 << 24

# Bytes that tifffile may read for one directory in addition to the length of the file, and the extra cost of each access.
_BUDGET, _ACCESS = 1 << 20, 64

# Tags that define the meaning of the samples: those with a single value, and others.
_SINGLE, _REQUIRED = (
    frozenset(map(tifffile.TIFF.TAGS.__getitem__, names))
    for names in (
        (
            *("NewSubfileType", "ImageWidth", "ImageLength", "Compression", "Predictor", "PhotometricInterpretation"),
            *("SamplesPerPixel", "PlanarConfiguration", "InkSet", "FillOrder"),
        ),
        ("BitsPerSample", "SampleFormat", "ExtraSamples", "ColorMap", "SubIFDs", "YCbCrSubSampling"),
    )
)


class _Stream(io.RawIOBase):
    """A file for tifffile, with a budget, because malicious directories can cause the same values to be read repeatedly."""

    def __init__(self, file: FileBytes) -> None:
        self._file, self._at, self.left = file, 0, 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set and return the position."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence])
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer at the end of the file."""
        rest = max(0, self._file.size - self._at)
        count = rest if size < 0 else min(size, rest)
        self.left -= count + _ACCESS
        if self.left < 0:
            raise HeaderError("is damaged: the values of its directory overlap")
        found = bytes(self._file.block(self._at, count)) if count else b""
        self._at += count
        return found


class Directories:
    """The directories of a file, read by tifffile."""

    def __init__(self, file: FileBytes, layout: Layout) -> None:
        self.file, self.layout = file, layout
        self._stream: Any = _Stream(file)
        self._opened: tifffile.TiffFile | None = None
        self._lock = threading.Lock()

    def samples(self, offset: int) -> Samples:
        """Return the samples that the directory at `offset` describes.

        Raises:
            HeaderError: the directory is damaged, or the samples are not supported. Exceptions of tifffile are passed on.
        """
        required = directories.fields(self.file, self.layout, offset, (_SINGLE | _REQUIRED).__contains__)
        if not required or not all(field.number == 1 or (field.number and tag in _REQUIRED) for tag, field in required.items()):
            raise HeaderError
        with self._lock, quiet("tifffile"):
            self._stream.left = _BUDGET + self.file.size
            if self._opened is None:
                self._stream.seek(0)
                # For these formats, tifffile would read all directories at once.
                self._opened = tifffile.TiffFile(self._stream, is_lsm=False, is_scanimage=False, is_ndpi=False)
            self._opened.filehandle.seek(offset)
            page = tifffile.TiffPage(self._opened, index=0)
            if not all(tag in page.tags for tag in required):  # tifffile drops damaged tags
                raise HeaderError
            return Samples(page)  # within the lock, because it may read further values


class Segments:
    """The strips or tiles of a page.

    Args:
        file: the file.
        samples: the samples of the page.

    Raises:
        HeaderError: the strips or tiles are empty or much larger than the page.
    """

    def __init__(self, file: FileBytes, samples: Samples) -> None:
        self._file, self._samples, self._page = file, samples, samples.directory
        page = self._page
        self._rows, self._columns, self._together = page.imagelength, page.imagewidth, samples.count // samples.planes
        self._height, self._width = page.rowsperstrip, page.imagewidth
        if page.is_tiled:
            self._height, self._width = page.tilelength, page.tilewidth
        if not 0 < self._height * self._width <= max(self._rows * self._columns, _LARGEST_TILE):
            raise HeaderError(f"is damaged: its strips or tiles have {self._height} x {self._width} pixels")

    @property
    def plain_place(self) -> tuple[int, int]:
        """Position and length of the samples if they are stored uncompressed and contiguously, else (0, 0)."""
        page = self._page
        if not page.is_contiguous or page.fillorder != 1 or not page.dataoffsets[0]:
            return 0, 0
        return page.dataoffsets[0], self._rows * self._columns * self._samples.count * self._samples.dtype.itemsize

    def read(self, rows: range, columns: range, take: Take, shift: int = 0) -> None:
        """Pass the samples of a window to `take`, piece by piece, from several threads.

        Args:
            rows: rows of the window.
            columns: columns of the window.
            take: receives the pieces, in native byte order.
            shift: offset of the samples from the position in the directory; ignored unless `plain_place` has a length.
        """
        start, length = self.plain_place
        if length:
            self._read_plain(rows, columns, take, start + shift)
            return
        pieces = self._touched(rows, columns)
        with quiet("tifffile"):
            decode = self._page.decode

        def read_some(indices: list[int]) -> None:
            with np.errstate(all="ignore"):
                for index in indices:
                    self._read_segment(decode, index, rows, columns, take)

        threads = min(codec_threads(thread_count()), len(pieces))
        if threads > 1:
            # Under a memory limit, threads may fail to start or run out of memory. Then decode on this thread.
            with contextlib.suppress(RuntimeError, MemoryError), ThreadPoolExecutor(threads) as pool:
                for _ in pool.map(read_some, pieces):
                    pass
                return
        for indices in pieces:
            read_some(indices)

    def _read_plain(self, rows: range, columns: range, take: Take, start: int) -> None:
        dtype = self._samples.dtype.newbyteorder(self._page.parent.byteorder)
        row_bytes = self._columns * self._together * dtype.itemsize
        step = max(1, _AT_ONCE // row_bytes)
        for plane in range(self._samples.planes):
            for row in range(rows.start, rows.stop, step):
                count = min(step, rows.stop - row)
                data = self._file.block(start + (plane * self._rows + row) * row_bytes, count * row_bytes)
                samples = np.frombuffer(data, dtype).reshape(count, self._columns, -1)[:, columns.start : columns.stop]
                take(samples.astype(self._samples.dtype, copy=False), plane, row - rows.start, 0)

    def _touched(self, rows: range, columns: range) -> list[list[int]]:
        """Return the indices of the segments that overlap a window, in groups that are decoded together."""
        height, width, planes = self._height, self._width, self._samples.planes
        down, across = -(-self._rows // height), -(-self._columns // width)
        number, claimed = down * across * planes, min(len(self._page.dataoffsets), len(self._page.databytecounts))
        if claimed < number:
            raise HeaderError(f"is damaged: its table lists {claimed} of {number} strips or tiles")
        indices = [
            (plane * down + row) * across + column
            for plane in range(planes)
            for row in range(rows.start // height, -(-rows.stop // height))
            for column in range(columns.start // width, -(-columns.stop // width))
        ]
        group = max(1, _AT_ONCE // (height * width * self._together * self._samples.dtype.itemsize))
        return [indices[first : first + group] for first in range(0, len(indices), group)]

    def _read_segment(self, decode: Callable[..., Any], index: int, rows: range, columns: range, take: Take) -> None:
        page, dtype = self._page, self._samples.dtype
        offset, size, data = page.dataoffsets[index], page.databytecounts[index], None
        if (offset == 0) != (size == 0):
            raise HeaderError("is damaged: a strip or tile lacks its position or its length")
        if size:
            data = self._file.block(offset, size)
            if page.compression in PICTURES:
                embedded.require_size(data, PICTURES[page.compression], self._height, self._width)
        segment, (plane, _, row, column, _), shape = decode(data, index, jpegtables=page.jpegtables, jpegheader=page.jpegheader)
        top, left = max(row, rows.start), max(column, columns.start)
        bottom, right = min(row + shape[1], rows.stop), min(column + shape[2], columns.stop)
        if segment is None:  # GDAL omits segments in which all values are missing
            samples = np.broadcast_to(np.array(page.nodata, dtype), (bottom - top, right - left, self._together))
        else:
            samples = segment[0, top - row : bottom - row, left - column : right - column].astype(dtype, copy=False)
        # An omitted strip may cover many pixels, so it is passed on in parts to limit memory.
        step = max(1, _AT_ONCE // max(1, samples[:1].nbytes))
        for first in range(0, bottom - top, step):
            take(samples[first : first + step], plane, top + first - rows.start, left - columns.start)
