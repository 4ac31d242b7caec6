"""The strips and tiles of a page, decoded by tifffile: those that a window touches, in threads."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.tiff import embedded
from imgconv.images.formats.tiff import samples as meanings
from imgconv.images.formats.tiff.samples import Samples
from imgconv.images.pages import quiet
from imgconv.opencv import load_cv2
from imgconv.threads import thread_count

#: Receives decoded samples, (H, W, samples) or (H, W, 1) of a plane, with the plane and their position in the window.
Take: TypeAlias = Callable[[NDArray[Any], int, int, int], None]

# Bytes of samples that are decoded or filled in at a time, as far as the file leaves a choice.
_AT_ONCE = 1 << 20

# The most pixels of a tile around a smaller page.
_LARGEST_TILE = 1 << 24

# What tifffile may read of one directory beyond the length of the file, and what each access costs beside its bytes.
_BUDGET, _ACCESS = 1 << 20, 64


class _Stream(io.RawIOBase):
    """A file as tifffile reads it, up to a budget: directories can make it read the same values again and again."""

    def __init__(self, file: FileBytes) -> None:
        self._file, self._at, self._left = file, 0, 0

    def renew(self) -> None:
        """Allow another directory to be read."""
        self._left = _BUDGET + self._file.size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence])
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer at the end of the file."""
        rest = max(0, self._file.size - self._at)
        count = rest if size < 0 else min(size, rest)
        self._left -= count + _ACCESS
        if self._left < 0:
            raise HeaderError("is damaged: the values of its directory overlap")
        found = bytes(self._file.block(self._at, count)) if count else b""
        self._at += count
        return found


class Directories:
    """The directories of a file as tifffile reads them."""

    def __init__(self, file: FileBytes) -> None:
        self._stream: Any = _Stream(file)
        self._opened: Any = None
        self._lock = threading.Lock()

    def page(self, offset: int) -> Any:
        """Return the `tifffile.TiffPage` of the directory at `offset`."""
        import tifffile

        with self._lock, quiet("tifffile"):
            self._stream.renew()
            if self._opened is None:
                # Of these, tifffile reads all directories at once.
                self._opened = tifffile.TiffFile(self._stream, is_lsm=False, is_scanimage=False, is_ndpi=False)
            self._opened.filehandle.seek(offset)
            return tifffile.TiffPage(self._opened, index=0)


class Segments:
    """The strips or tiles of a page.

    Args:
        file: the file.
        page: what its directory says of the samples.
        decoder: the same directory as a `tifffile.TiffPage`.

    Raises:
        HeaderError: they are stored in a way that is not supported, or not as the page claims.
    """

    def __init__(self, file: FileBytes, page: Samples, decoder: Any) -> None:
        self._file, self._page, self._decoder = file, page, decoder
        self._together = 1 if page.separate else page.samples
        self._planes = page.samples if page.separate else 1
        if decoder.shaped != (self._planes, 1, page.rows, page.columns, self._together):
            raise HeaderError("is a volume, which cannot be read; save its planes as pages")
        if (decoder.dtype.itemsize, decoder.dtype.kind == "f") != (page.stored.itemsize, page.kind == meanings.FLOAT):
            raise HeaderError("is damaged: its samples have two types")
        self._require_predictor()
        if decoder.is_tiled:
            self._height, self._width = decoder.tilelength, decoder.tilewidth
        else:
            self._height, self._width = decoder.rowsperstrip, page.columns
        if not 0 < self._height * self._width <= max(page.rows * page.columns, _LARGEST_TILE):
            raise HeaderError(f"is damaged: its tiles claim {self._height} x {self._width} pixels")
        with quiet("tifffile"):
            self._decode = decoder.decode

    @property
    def plain_place(self) -> tuple[int, int]:
        """Position and length of the samples in the file; a length of 0 unless they are stored in one piece, not compressed."""
        page, decoder = self._page, self._decoder
        if not decoder.is_contiguous or decoder.fillorder != 1 or page.bits != 8 * page.stored.itemsize:
            return 0, 0
        start = int(decoder.dataoffsets[0])
        return start, page.rows * page.columns * page.samples * page.stored.itemsize if start else 0

    def read(self, rows: range, columns: range, take: Take, order: str, shift: int = 0) -> None:
        """Pass the samples of a window on, piece by piece, from several threads.

        Args:
            rows: rows of the window.
            columns: its columns.
            take: receives the pieces, in the byte order of the machine.
            order: byte order of the file.
            shift: distance of the samples behind the place that the directory names, where there is a `plain_place`.
        """
        start, length = self.plain_place
        if length:
            self._read_plain(rows, columns, take, order, start + shift)
            return
        pieces = self._touched(rows, columns)

        def decode(some: list[int]) -> None:
            with np.errstate(all="ignore"):
                for index in some:
                    self._read_segment(index, rows, columns, take)

        threads = min(thread_count(), load_cv2().getNumThreads(), self._decoder.maxworkers, len(pieces))
        if threads < 2:
            for some in pieces:
                decode(some)
            return
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(decode, pieces):
                pass

    def _read_plain(self, rows: range, columns: range, take: Take, order: str, start: int) -> None:
        page, dtype = self._page, np.dtype(order + self._page.stored.str[1:])
        row_bytes = page.columns * self._together * dtype.itemsize
        step = max(1, _AT_ONCE // row_bytes)
        for plane in range(self._planes):
            for row in range(rows.start, rows.stop, step):
                count = min(step, rows.stop - row)
                data = self._file.block(start + (plane * page.rows + row) * row_bytes, count * row_bytes)
                samples = np.frombuffer(data, dtype).reshape(count, page.columns, -1)
                take(samples[:, columns.start : columns.stop].astype(page.stored, copy=False), plane, row - rows.start, 0)

    def _touched(self, rows: range, columns: range) -> list[list[int]]:
        """Return the indices of the segments that a window touches, in groups that are decoded in one go."""
        height, width = self._height, self._width
        down, across = -(-self._page.rows // height), -(-self._page.columns // width)
        number = down * across * self._planes
        if len(self._decoder.dataoffsets) < number or len(self._decoder.databytecounts) < number:
            claimed = min(len(self._decoder.dataoffsets), len(self._decoder.databytecounts))
            raise HeaderError(f"is damaged: its table has {claimed} of {number} strips or tiles")
        indices = [
            (plane * down + row) * across + column
            for plane in range(self._planes)
            for row in range(rows.start // height, -(-rows.stop // height))
            for column in range(columns.start // width, -(-columns.stop // width))
        ]
        group = max(1, _AT_ONCE // (height * width * self._together * self._page.stored.itemsize))
        return [indices[first : first + group] for first in range(0, len(indices), group)]

    def _read_segment(self, index: int, rows: range, columns: range, take: Take) -> None:
        page, decoder = self._page, self._decoder
        offset, size, data = decoder.dataoffsets[index], decoder.databytecounts[index], None
        if (offset == 0) != (size == 0):
            raise HeaderError("is damaged: a strip or tile begins or ends nowhere")
        if size:
            data = self._file.block(offset, size)
            if page.compression in meanings.OF_PICTURES:
                embedded.require_size(data, page.compression, self._height, self._width)
        segment, (plane, _, row, column, _), shape = self._decode(
            data, index, jpegtables=decoder.jpegtables, jpegheader=decoder.jpegheader
        )
        top, left = max(row, rows.start), max(column, columns.start)
        bottom, right = min(row + shape[1], rows.stop), min(column + shape[2], columns.stop)
        if segment is not None:
            samples = segment[0, top - row : bottom - row, left - column : right - column].astype(page.stored, copy=False)
            take(samples, plane, top - rows.start, left - columns.start)
            return
        # A file without pixels may claim many: they are filled in without an array of that size.
        some = max(1, _AT_ONCE // ((right - left) * self._together * page.stored.itemsize))
        empty = np.full((min(some, bottom - top), right - left, self._together), decoder.nodata, page.stored)
        for first in range(top, bottom, some):
            take(empty[: bottom - first], plane, first - rows.start, left - columns.start)

    def _require_predictor(self) -> None:
        page, decoder = self._page, self._decoder
        if page.compression not in meanings.OF_BYTES or page.compression == meanings.PLAIN:
            decoder.predictor = 1  # it has no meaning there, but tifffile would follow it
        known = (1, 2, 3) if page.kind == meanings.FLOAT else (1, 2)
        if decoder.predictor not in known or (decoder.predictor != 1 and page.bits not in (8, 16, 32, 64)):
            what = f"{page.bits}-bit pixels behind predictor {int(decoder.predictor)}"
            raise HeaderError(f"has {what}, which is not supported; save it without")
