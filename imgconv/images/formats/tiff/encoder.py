"""The TIFF encoder. Pages are written in strips, little-endian, with the directory of each page before its pixels.

Uncompressed strips are passed on one by one. Compressed strips are kept until all strips of a page are encoded, because the
directory before them contains their lengths.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, PREDICTOR, SAMPLEFORMAT, TIFF

from imgconv.errors import ImgconvError, WriteError
from imgconv.images import directories
from imgconv.images.atomic import Piece
from imgconv.images.directories import LONG, LONG8, SHORT, Layout, Tree, new_field
from imgconv.images.formats.opencv_codec import swapped
from imgconv.images.formats.picture import Encoder, Picture, recut
from imgconv.images.formats.tiff.metadata import entries_of
from imgconv.images.formats.tiff.samples import WORDS
from imgconv.images.pages import Header
from imgconv.opencv import codec_threads
from imgconv.threads import thread_count

# Strip size in bytes. Larger strips do not make LZW of 12 megapixels faster.
_STRIP = 1 << 19

_CLASSIC_END = (1 << 32) - 1  # maximum offset in a classic TIFF
_ALIGNMENT = 16  # alignment of pixels in the file, for programs that map the file into memory

# Maximum growth of incompressible data: LZW writes codes of 9 to 12 bits.
_GROWTH = 1.5

_NUMBERS = {word: number for number, word in reversed(WORDS.items())}
_PREDICTED = (COMPRESSION.LZW, COMPRESSION.ADOBE_DEFLATE, COMPRESSION.ZSTD)
_FORMATS = {"i": SAMPLEFORMAT.INT, "f": SAMPLEFORMAT.IEEEFP}
_PAGE_OF_SEVERAL = 2


class TiffEncoder(Encoder):
    """An encoder for the pages of a TIFF.

    Args:
        count: number of pages.
        compression: a word of `Coding.compression`.
        where: name of the output for messages.
    """

    def __init__(self, count: int, compression: str, where: str) -> None:
        self._count, self._compression, self._where = count, _NUMBERS[compression], where
        self._number, self._at, self._layout = 0, _ALIGNMENT, Layout("<", False, _ALIGNMENT)

    def add(self, picture: Picture) -> Iterator[Piece]:
        """Yield the bytes of a page. The size of the first page selects classic TIFF or BigTIFF.

        Raises:
            WriteError: the page cannot be encoded, or it exceeds the 4 GB of a classic TIFF.
        """
        sizes, strips = self._strips(picture)
        entries = _sample_entries(picture.header, self._compression) | entries_of(picture.metadata, picture.nodata)
        self._number += 1
        if 1 < self._count <= 0xFFFF:
            entries[TIFF.TAGS["NewSubfileType"]] = new_field(LONG, [_PAGE_OF_SEVERAL])
            entries[TIFF.TAGS["PageNumber"]] = new_field(SHORT, [self._number - 1, self._count])
        if self._number == 1:
            pixels = sum(sizes) if self._count == 1 else int(sum(_plain_sizes(picture.header)) * _GROWTH)
            big = Layout("<", True, _ALIGNMENT)
            if self._count * (_directory_size(entries, sizes, big) + pixels + 2 * _ALIGNMENT) > _CLASSIC_END:
                self._layout = big
            yield directories.file_header(self._layout).ljust(_ALIGNMENT, b"\0")
        start = _aligned(self._at + _directory_size(entries, sizes, self._layout))
        end = _aligned(start + sum(sizes))
        if end > _CLASSIC_END and not self._layout.big:
            reason = "exceeds the 4 GB of a classic TIFF, selected by the size of page 1"
            raise WriteError(f"{self._where}: page {self._number} {reason}; write fewer pages")
        following = end if self._number < self._count else 0
        table = _strip_table(sizes, start, self._layout)
        yield directories.to_bytes(entries | table, self._layout, self._at, following).ljust(start - self._at, b"\0")
        yield from strips
        yield bytes(end - start - sum(sizes))
        self._at = end

    def finish(self) -> Iterable[Piece]:
        """Return nothing: the file is complete.

        Raises:
            WriteError: pages are missing.
        """
        if self._number != self._count:
            raise WriteError(f"{self._where}: only {self._number} of {self._count} pages were written")
        return ()

    def _strips(self, picture: Picture) -> tuple[list[int], Iterable[Piece]]:
        """Return the lengths of the strips of a page, and the strips."""
        header = picture.header
        arranged = (_arranged(strip, header) for strip in recut(picture.strips, _rows_per_strip(header)))
        if self._compression == COMPRESSION.NONE and header.dtype != bool:
            return _plain_sizes(header), (strip.reshape(-1).view(np.uint8).data for strip in arranged)
        threads = codec_threads(thread_count())
        encoded: list[bytes] = []
        try:
            with ThreadPoolExecutor(threads) as pool:
                while some := list(itertools.islice(arranged, 4 * threads)):
                    encoded += pool.map(self._encoded, some)
        except (ImgconvError, MemoryError):
            raise
        except Exception as error:  # each codec has its own exceptions
            reason = " ".join(str(error).split())[:200]
            raise WriteError(f"{self._where}: the image cannot be written as TIFF ({reason})") from error
        return [len(strip) for strip in encoded], encoded

    def _encoded(self, strip: NDArray[Any]) -> bytes:
        """Return a strip, (H, W, channels), encoded with the codecs of tifffile."""
        data: Any = strip
        if strip.dtype == bool:
            data = np.packbits(strip[:, :, 0], axis=1)
        elif self._compression in _PREDICTED:
            data = TIFF.PREDICTORS[_predictor(strip.dtype)](strip, axis=-2)
        if self._compression == COMPRESSION.NONE:
            return bytes(data)
        if self._compression == COMPRESSION.PACKBITS:  # compresses each row separately
            return bytes(TIFF.COMPRESSORS[self._compression](data, axis=-1 if strip.dtype == bool else -2))
        return bytes(TIFF.COMPRESSORS[self._compression](data))


def _sample_entries(header: Header, compression: int) -> Tree:
    """Return the entries that describe the samples of a page (TIFF 6.0)."""
    rows, columns, channels = *header.shape[:2], header.channels
    extra = [EXTRASAMPLE.UNSPECIFIED] * (channels - header.colours - header.has_alpha)
    extra += [EXTRASAMPLE.UNASSALPHA] * header.has_alpha
    found = {
        "ImageWidth": new_field(LONG, [columns]),
        "ImageLength": new_field(LONG, [rows]),
        "BitsPerSample": new_field(SHORT, [1 if header.dtype == bool else 8 * header.dtype.itemsize] * channels),
        "Compression": new_field(SHORT, [compression]),
        "PhotometricInterpretation": new_field(SHORT, [PHOTOMETRIC.RGB if header.colours == 3 else PHOTOMETRIC.MINISBLACK]),
        "SamplesPerPixel": new_field(SHORT, [channels]),
        "RowsPerStrip": new_field(LONG, [_rows_per_strip(header)]),
        "PlanarConfiguration": new_field(SHORT, [1]),
        "SampleFormat": new_field(SHORT, [_FORMATS.get(header.dtype.kind, SAMPLEFORMAT.UINT)] * channels),
    }
    if extra:
        found["ExtraSamples"] = new_field(SHORT, extra)
    if compression in _PREDICTED and header.dtype != bool:
        found["Predictor"] = new_field(SHORT, [_predictor(header.dtype)])
    return {TIFF.TAGS[name]: value for name, value in found.items()}


def _strip_table(sizes: list[int], start: int, layout: Layout) -> Tree:
    """Return the entries with offsets and lengths of the strips. The first strip is at `start`."""
    kind = LONG8 if layout.big else LONG
    offsets = list(itertools.accumulate(sizes[:-1], initial=start))
    return {TIFF.TAGS["StripOffsets"]: new_field(kind, offsets), TIFF.TAGS["StripByteCounts"]: new_field(kind, sizes)}


def _directory_size(entries: Tree, sizes: list[int], layout: Layout) -> int:
    return len(directories.to_bytes(entries | _strip_table([0] * len(sizes), 0, layout), layout, 0))


def _predictor(dtype: np.dtype[Any]) -> int:
    return PREDICTOR.FLOATINGPOINT if dtype.kind == "f" else PREDICTOR.HORIZONTAL


def _row_bytes(header: Header) -> int:
    return header.shape[1] * header.channels * header.dtype.itemsize


def _rows_per_strip(header: Header) -> int:
    return min(header.shape[0], max(1, _STRIP // _row_bytes(header)))


def _plain_sizes(header: Header) -> list[int]:
    rows, step = header.shape[0], _rows_per_strip(header)
    return [min(step, rows - first) * _row_bytes(header) for first in range(0, rows, step)]


def _arranged(strip: NDArray[Any], header: Header) -> NDArray[Any]:
    """Return pixels as stored in a file: (H, W, C), red first, little-endian."""
    strip = strip.astype(header.dtype.newbyteorder("="), copy=False)
    ordered = swapped(strip) if header.colours == 3 else strip
    found = np.ascontiguousarray(ordered, header.dtype.newbyteorder("<"))
    return found if found.ndim == 3 else found[:, :, np.newaxis]


def _aligned(position: int) -> int:
    return -(-position // _ALIGNMENT) * _ALIGNMENT
