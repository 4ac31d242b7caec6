"""Writes TIFF: pages in strips, lowest byte first, the directory of each page before its pixels.

Strips that are not compressed are passed on one by one. Compressed ones are kept until all of a page are encoded, because the
directory before them says how long they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ImgconvError, WriteError
from imgconv.images import directories
from imgconv.images.atomic import Piece
from imgconv.images.directories import LONG, LONG8, SHORT, Tree, numbers
from imgconv.images.formats.opencv_codec import swapped
from imgconv.images.formats.picture import Encoder, Picture, recut
from imgconv.images.formats.tiff import samples as meanings
from imgconv.images.formats.tiff.metadata import entries_of
from imgconv.images.pages import Header
from imgconv.opencv import load_cv2
from imgconv.threads import thread_count

# The least that keeps threads and caches busy, in bytes: LZW of 12 megapixels is as fast as with larger strips.
_STRIP = 1 << 19

_CLASSIC_END = (1 << 32) - 1  # of the offsets of a classic TIFF
_ALIGNMENT = 16  # of pixels in the file, for programs that map them into memory

_STRAIGHT_ALPHA, _UNSPECIFIED = 2, 0
_DIFFERENCES, _FLOAT_DIFFERENCES = 2, 3


class _Compression(NamedTuple):
    """A compression: its number, and whether a predictor goes before it."""

    number: int
    predicts: bool


_COMPRESSIONS = {
    "none": _Compression(meanings.PLAIN, False),
    "lzw": _Compression(meanings.LZW, True),
    "deflate": _Compression(meanings.DEFLATE[0], True),
    "zstd": _Compression(meanings.ZSTD[0], True),
    "packbits": _Compression(meanings.PACKBITS, False),
}

# The growth of bytes that cannot be compressed, at worst: LZW writes codes of 9 to 12 bits.
_GROWTH = 1.5


class TiffEncoder(Encoder):
    """Writes the pages of a TIFF.

    Args:
        count: number of pages.
        compression: a word of `Coding.compression`.
        where: name of the output for messages.
    """

    def __init__(self, count: int, compression: str, where: str) -> None:
        self._count, self._compression, self._where = count, _COMPRESSIONS[compression], where
        self._number, self._at, self._big = 0, _ALIGNMENT, False

    def add(self, picture: Picture) -> Iterator[Piece]:
        """Yield the bytes of a page.

        Raises:
            WriteError: it cannot be encoded; or it lies beyond the 4 GB of a classic TIFF, after pages that were so much
                smaller that no BigTIFF seemed to be needed.
        """
        sizes, strips = self._strips(picture)
        entries = _described(picture.header, self._compression) | entries_of(picture.metadata, picture.nodata)
        self._number += 1
        if self._number == 1:
            length = sum(sizes) if self._count == 1 else int(sum(_plain_sizes(picture.header)) * _GROWTH)
            length += len(directories.laid_out(entries | _table(sizes, 0, True), "<", 0, big=True)) + 2 * _ALIGNMENT
            self._big = self._count * length > _CLASSIC_END
            yield directories.head("<", self._at, big=self._big).ljust(self._at, b"\0")
        if 1 < self._count <= 0xFFFF:
            entries |= {254: numbers(LONG, "<", 2), 297: numbers(SHORT, "<", self._number - 1, self._count)}
        at, big = self._at, self._big
        start = _aligned(at + len(directories.laid_out(entries | _table(sizes, 0, big), "<", at, big=big)))
        end = _aligned(start + sum(sizes))
        if end > _CLASSIC_END and not big:
            raise WriteError(f"{self._where}: page {self._number} lies beyond 4 GB, after much smaller ones; write fewer pages")
        following = end if self._number < self._count else 0
        directory = directories.laid_out(entries | _table(sizes, start, big), "<", at, big=big, following=following)
        yield directory.ljust(start - at, b"\0")
        yield from strips
        yield bytes(end - start - sum(sizes))
        self._at = end

    def finish(self) -> Iterable[Piece]:
        """Return nothing: the file is complete.

        Raises:
            WriteError: pages are missing.
        """
        if self._number != self._count:
            raise WriteError(f"{self._where}: {self._number} of {self._count} pages were written")
        return ()

    def _strips(self, picture: Picture) -> tuple[list[int], Iterable[Piece]]:
        """Return the lengths of the strips of a page, and the strips."""
        header = picture.header
        step = _rows_per_strip(header)
        arranged = (_arranged(strip, header) for strip in recut(picture.strips, step))
        if self._compression.number == meanings.PLAIN and header.dtype != bool:
            return _plain_sizes(header), (strip.reshape(-1).view(np.uint8).data for strip in arranged)
        threads = max(1, min(thread_count(), load_cv2().getNumThreads()))
        encoded: list[bytes] = []
        try:
            with ThreadPoolExecutor(threads) as pool:
                while some := list(itertools.islice(arranged, 4 * threads)):
                    encoded += pool.map(self._encoded, some)
        except (ImgconvError, MemoryError):
            raise
        except Exception as error:  # each codec has exceptions of its own
            reason = " ".join(str(error).split())[:200]
            raise WriteError(f"{self._where}: the image cannot be written as TIFF ({reason})") from error
        return [len(strip) for strip in encoded], encoded

    def _encoded(self, strip: NDArray[Any]) -> bytes:
        """Return a strip, (H, W, channels), encoded by the codecs of tifffile."""
        from tifffile import TIFF

        compression, options = self._compression, {}
        data: Any = strip
        if strip.dtype == bool:
            data = np.packbits(strip[:, :, 0], axis=1).tobytes()
        elif compression.predicts:
            data = TIFF.PREDICTORS[_predictor(strip.dtype)](strip, axis=-2)
        elif compression.number == meanings.PACKBITS:
            options = {"axis": -2}  # rows are packed one by one
        if compression.number == meanings.PLAIN:
            return bytes(data)
        return bytes(TIFF.COMPRESSORS[compression.number](data, **options))


def _described(header: Header, compression: _Compression) -> Tree:
    """Return the entries that describe the samples of a page (TIFF 6.0)."""
    rows, columns, channels = *header.shape[:2], header.channels
    bits = 1 if header.dtype == bool else 8 * header.dtype.itemsize
    kind = {"i": meanings.SIGNED, "f": meanings.FLOAT}.get(header.dtype.kind, meanings.UNSIGNED)
    bands = channels - header.colours - header.has_alpha
    found = {
        256: (LONG, columns),
        257: (LONG, rows),
        258: (SHORT, *[bits] * channels),
        259: (SHORT, compression.number),
        262: (SHORT, meanings.RGB if header.colours == 3 else meanings.BLACK_IS_ZERO),
        277: (SHORT, channels),
        278: (LONG, _rows_per_strip(header)),
        284: (SHORT, 1),
        339: (SHORT, *[kind] * channels),
    }
    if bands or header.has_alpha:
        found[338] = (SHORT, *[_UNSPECIFIED] * bands, *[_STRAIGHT_ALPHA] * header.has_alpha)
    if compression.predicts and header.dtype != bool:
        found[317] = (SHORT, _predictor(header.dtype))
    return {tag: numbers(number, "<", *values) for tag, (number, *values) in found.items()}


def _table(sizes: list[int], start: int, big: bool) -> Tree:
    """Return the entries with the places of the strips, the first of which is at `start`."""
    kind, offsets = LONG8 if big else LONG, itertools.accumulate(sizes[:-1], initial=start)
    return {
        273: numbers(kind, "<", *(offset & (-1 if big else _CLASSIC_END) for offset in offsets)),
        279: numbers(kind, "<", *sizes),
    }


def _predictor(dtype: np.dtype[Any]) -> int:
    return _FLOAT_DIFFERENCES if dtype.kind == "f" else _DIFFERENCES


def _row_bytes(header: Header) -> int:
    return header.shape[1] * header.channels * header.dtype.itemsize


def _rows_per_strip(header: Header) -> int:
    return min(header.shape[0], max(1, _STRIP // _row_bytes(header)))


def _plain_sizes(header: Header) -> list[int]:
    rows, step = header.shape[0], _rows_per_strip(header)
    return [min(step, rows - first) * _row_bytes(header) for first in range(0, rows, step)]


def _arranged(strip: NDArray[Any], header: Header) -> NDArray[Any]:
    """Return pixels as they stand in a file, (H, W, C), red first and lowest byte first."""
    strip = strip.astype(header.dtype.newbyteorder("="), copy=False)
    ordered = swapped(strip) if header.colours == 3 else strip
    found = np.ascontiguousarray(ordered, header.dtype.newbyteorder("<"))
    return found if found.ndim == 3 else found[:, :, np.newaxis]


def _aligned(position: int) -> int:
    return -(-position // _ALIGNMENT) * _ALIGNMENT
