"""Writing TIFF: one page or several, in strips, lowest byte first, each page's directory before its pixels.

tifffile makes a page, in strips that it compresses in threads. Its directory is then laid out anew, with the metadata, at the
place that it has in the file; so the file can be handed on piece by piece, and no more than a page of it is in memory. Pixels
that are not compressed are not even that: tifffile leaves room for them, and they go there strip by strip.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.strips import thread_count
from imgconv.errors import ImgconvError, WriteError
from imgconv.images import directories, tiff
from imgconv.images.atomic import Piece
from imgconv.images.codecs.tiff_metadata import entries_of, is_of_pixels, no_data_entry
from imgconv.images.codecs.tiff_pixels import put
from imgconv.images.coding import Coding
from imgconv.images.directories import LONG, LONG8, SHORT, Field, Tree, numbers
from imgconv.images.image import Image
from imgconv.opencv import load_cv2

_TYPE, _OFFSETS, _SIZES, _PAGE_NUMBER = 254, 273, 279, 297
_ONE_OF_SEVERAL = 2
_STRAIGHT_ALPHA = 2
_DIFFERENCES, _FLOAT_DIFFERENCES = 2, 3
_DTYPES = frozenset({"bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64"})

# The least that keeps threads and caches busy: LZW of 12 megapixels is as fast as with larger strips.
_STRIP = 1 << 19

_CLASSIC_END = (1 << 32) - 1  # of the offsets of a classic TIFF
_ALIGNMENT = 16  # of pixels in the file, for those who map it into memory


class _Compression(NamedTuple):
    """A compression: tifffile's name for it, whether differences go before it, and how much it may add at worst."""

    name: str | None
    predicts: bool
    growth: float


_COMPRESSIONS = {
    "none": _Compression(None, False, 1.0),
    "lzw": _Compression("lzw", True, 1.5),  # a code of 9 to 12 bits for each byte
    "deflate": _Compression("adobe_deflate", True, 1.01),
    "zstd": _Compression("zstd", True, 1.01),
    "packbits": _Compression("packbits", False, 1.01),
}


def encode_tiff(images: Iterable[Image], count: int, coding: Coding, where: str) -> Iterator[Piece]:
    """Yield a TIFF, piece by piece.

    Args:
        images: its pages; the next one is asked for when the one before has been handed on. They are of any type that an
            image has, or of bool, which takes one bit. Each page gets the metadata of its image.
        count: how many there are.
        coding: its `compression`, LZW where it says none. Where its `bits` is 1, grey pixels of 8 bits that are 0 and 255
            alone take one bit.
        where: what a message begins with: the name of the output, fit to be shown.

    Raises:
        WriteError: the pixels cannot be held, or a page lies beyond the 4 GB of a classic TIFF, after pages so much smaller
            that there seemed to be no need for a BigTIFF.
    """
    compression = _COMPRESSIONS[coding.compression or "lzw"]
    at, big, number = _ALIGNMENT, False, 0
    for number, image in enumerate(images, 1):
        page = _made(image, coding.bits == 1, compression, where)
        if number == 1:
            big = _is_big(page, count, compression.growth)
            yield directories.head("<", at, big=big).ljust(at, b"\0")
        entries = page.entries | _numbering(number, count)
        start = _aligned(at + len(directories.laid_out(entries | _table(page, 0, big), "<", at, big=big)))
        stop = start + int(page.sizes.sum())
        end = _aligned(stop)
        if end > _CLASSIC_END and not big:
            raise WriteError(f"{where}: page {number} lies beyond 4 GB, after much smaller ones; write fewer pages")
        following = end if number < count else 0
        directory = directories.laid_out(entries | _table(page, start, big), "<", at, big=big, following=following)
        yield directory.ljust(start - at, b"\0")
        yield from page.strips
        yield bytes(end - stop)
        at = end
    if number != count:
        raise WriteError(f"{where}: {number} of {count} pages were made")


class _Page(NamedTuple):
    """A page to be written.

    Attributes:
        entries: of its directory, all but where the strips are.
        sizes: how many bytes each strip has in the file.
        strips: the strips, or what pieces there are of them.
        most: how many bytes they have before they are compressed.
    """

    entries: Tree
    sizes: NDArray[np.int64]
    strips: Iterable[Piece]
    most: int


class _Sink(io.RawIOBase):
    """Takes what is written by its position, without copying it."""

    def __init__(self) -> None:
        self.pieces: dict[int, bytes] = {}
        self._at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position; there is an end only behind everything."""
        self._at = offset + (self._at if whence == io.SEEK_CUR else 0)
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def write(self, data: Any) -> int:
        """Take bytes; they replace those that were taken at the same position."""
        self.pieces[self._at] = data if isinstance(data, bytes) else bytes(data)
        self._at += len(self.pieces[self._at])
        return self._at


def _made(image: Image, bilevel: bool, compression: _Compression, where: str) -> _Page:
    """Return a page as tifffile makes it, with the metadata of its image."""
    pixels = image.pixels if image.pixels.ndim == 3 else image.pixels[:, :, np.newaxis]
    if pixels.dtype.name not in _DTYPES:
        raise WriteError(f"{where}: TIFF cannot hold {pixels.dtype} pixels; choose another depth (--depth 8, 16 or 32f)")
    if bilevel and pixels.dtype == np.uint8 and pixels.shape[2] == 1 and bool(((pixels == 0) | (pixels == 255)).all()):
        pixels = pixels != 0
    if pixels.dtype == np.bool_ and pixels.shape[2] > 1:
        raise WriteError(f"{where}: TIFF holds one bit a pixel for grey alone; choose --depth 8")
    sink = _Sink()
    try:
        _write(sink, pixels, compression)
    except (ImgconvError, MemoryError):
        raise
    except Exception as error:  # each codec has errors of its own
        raise WriteError(f"{where}: the image cannot be written as TIFF ({' '.join(str(error).split())[:200]})") from error
    # The first 16 bytes are those of a BigTIFF; the directory, with its values, is one piece behind them.
    data = memoryview(bytes(_ALIGNMENT) + sink.pieces[_ALIGNMENT])
    made = directories.tree(data, tiff.Layout("<", True, _ALIGNMENT), _ALIGNMENT, is_of_pixels)
    offsets, sizes = (directories.integers(_field(made, tag), "<") for tag in (_OFFSETS, _SIZES))
    plain = compression.name is None and pixels.dtype != np.bool_
    strips = _plain_strips(pixels) if plain else (sink.pieces[offset] for offset in offsets.tolist())
    return _Page(made | entries_of(image.metadata) | no_data_entry(image.nodata), sizes, strips, pixels.nbytes)


def _field(found: Tree, tag: int) -> Field | None:
    value = found.get(tag)
    return value if isinstance(value, Field) else None


def _write(sink: Any, pixels: NDArray[Any], compression: _Compression) -> None:
    """Write a page of these pixels, without metadata; where they are not compressed, with room for them."""
    import tifffile

    logger = logging.getLogger("tifffile")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    channels = pixels.shape[2]
    predictor = _FLOAT_DIFFERENCES if pixels.dtype.kind == "f" else _DIFFERENCES
    threads = max(1, min(thread_count(), load_cv2().getNumThreads()))
    plain = compression.name is None and pixels.dtype != np.bool_
    with tifffile.TiffWriter(sink, bigtiff=True, byteorder="<", shaped=False) as writer:
        writer.write(
            None if plain else _in_order(pixels),
            shape=pixels.shape if channels > 1 else pixels.shape[:2],
            dtype=pixels.dtype.newbyteorder("<"),
            photometric="rgb" if channels > 2 else "minisblack",
            planarconfig="contig" if channels > 1 else None,
            extrasamples=[_STRAIGHT_ALPHA] if channels in (2, 4) else None,
            rowsperstrip=_rows_of_a_strip(pixels),
            compression=compression.name,
            predictor=predictor if compression.predicts and pixels.dtype != np.bool_ else None,
            metadata=None,
            software=False,
            maxworkers=threads,
        )


def _rows_of_a_strip(pixels: NDArray[Any]) -> int:
    return min(len(pixels), max(1, _STRIP // (pixels.nbytes // len(pixels))))


def _in_order(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return pixels (H, W, C) as they stand in a file, red first and lowest byte first, (H, W) or (H, W, C)."""
    if pixels.shape[2] > 2:
        native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        pixels = np.empty(native.shape, native.dtype)
        put(native, pixels)
    pixels = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    return pixels if pixels.shape[2] > 1 else pixels[:, :, 0]


def _plain_strips(pixels: NDArray[Any]) -> Iterator[Piece]:
    rows = _rows_of_a_strip(pixels)
    for row in range(0, len(pixels), rows):
        yield _in_order(pixels[row : row + rows]).reshape(-1).view(np.uint8).data


def _is_big(first: _Page, count: int, growth: float) -> bool:
    """Return whether the file may need the offsets of a BigTIFF, if all pages are like the first."""
    table = 16 * len(first.sizes) + 64 * _ALIGNMENT
    metadata = len(directories.laid_out(first.entries, "<", 0, big=True)) + table
    pixels = int(first.sizes.sum()) if count == 1 else int(first.most * growth)
    return count * (pixels + metadata) > _CLASSIC_END


def _aligned(position: int) -> int:
    return -(-position // _ALIGNMENT) * _ALIGNMENT


def _numbering(number: int, count: int) -> Tree:
    if not 1 < count <= 0xFFFF:
        return {}
    return {_TYPE: numbers(LONG, "<", _ONE_OF_SEVERAL), _PAGE_NUMBER: numbers(SHORT, "<", number - 1, count)}


def _table(page: _Page, start: int, big: bool) -> Tree:
    """Return where the strips are, the first of them at `start`."""
    offsets = (start + np.cumsum(page.sizes) - page.sizes) & (-1 if big else _CLASSIC_END)
    kind = LONG8 if big else LONG
    return {tag: numbers(kind, "<", *values.tolist()) for tag, values in ((_OFFSETS, offsets), (_SIZES, page.sizes))}
