"""The samples of a page of a TIFF out of its strips or tiles: tifffile decodes them.

tifffile is shown a file of one page, whose directory is written here, with nothing in it but what decoding needs, all of it
checked; the pixels stay where they are. So it interprets nothing that a file says beside, and finds a page at once.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.strips import thread_count
from imgconv.images import directories
from imgconv.images import samples as meanings
from imgconv.images.codecs.tiff_pictures import size_of
from imgconv.images.codecs.tiff_segments import Segments
from imgconv.images.directories import LONG, LONG8, SHORT, Field, Tree, integers
from imgconv.images.samples import Samples
from imgconv.images.seeking import HeaderError
from imgconv.opencv import load_cv2

_FILL_ORDER, _FAX_OPTIONS, _PREDICTOR, _JPEG_TABLES, _NO_DATA = 266, 292, 317, 347, 42113
_COEFFICIENTS, _SUBSAMPLING, _REFERENCE = 529, 530, 532
_LONGEST = {
    _FAX_OPTIONS: 4,
    _FILL_ORDER: 4,
    _JPEG_TABLES: 1 << 16,
    _NO_DATA: 64,
    _COEFFICIENTS: 24,
    _SUBSAMPLING: 4,
    _REFERENCE: 48,
}

# Numbers of compressions that have several.
_USUAL = {
    number: numbers[-1] for numbers in (meanings.DEFLATE[::-1], meanings.ZSTD[::-1], meanings.WEBP[::-1]) for number in numbers
}

_STRAIGHT_ALPHA = 2
_FILLED_AT_ONCE = 1 << 18  # pixels
_ALIGNMENT = 16

#: Takes decoded samples, (H, W, samples) or (H, W, 1) of a plane, and the plane, row and column where they belong.
Take: TypeAlias = Callable[[NDArray[Any], int, int, int], None]


class _Shown(io.RawIOBase):
    """A file of a beginning that is made and a rest that is there, of which nothing is copied."""

    def __init__(self, start: bytes, rest: memoryview) -> None:
        self._start, self._rest, self._at = start, rest, 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._start) + len(self._rest)}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def read(self, size: int = -1) -> Any:
        """Return bytes of the beginning, or a view of the rest."""
        at, before = self._at, len(self._start)
        found: Any = self._start[at : at + size] if at < before else self._rest[at - before : at - before + size]
        self._at += len(found)
        return found


def shown(view: memoryview, found: Mapping[int, Field], order: str, page: Samples, cut: Segments) -> tuple[bytes, memoryview]:
    """Return the beginning of a file of one page, and the rest of it, which is the file that the page is in.

    Args:
        view: the whole file.
        found: the entries of the page's directory.
        order: `<` or `>`, the byte order of the file.
        page: what the page is made of.
        cut: how it is cut.
    """
    if any(not found[tag].number for tag in (*_LONGEST, _PREDICTOR) if tag in found):
        raise HeaderError
    kept = {tag: found[tag] for tag, most in _LONGEST.items() if tag in found and len(found[tag].data) <= most}
    if page.compression in meanings.OF_BYTES - {meanings.PLAIN} and _PREDICTOR in found:
        kept[_PREDICTOR] = found[_PREDICTOR]

    def start(distance: int) -> bytes:
        entries = {**_described(page, order), **_placed(cut, order, distance), **kept}
        return directories.head(order, _ALIGNMENT, big=True) + directories.laid_out(entries, order, _ALIGNMENT, big=True)

    length = -(-len(start(0)) // _ALIGNMENT) * _ALIGNMENT
    return start(length).ljust(length, b"\0"), view


def read_samples(view: memoryview, found: Mapping[int, Field], order: str, page: Samples, cut: Segments, take: Take) -> None:
    """Hand the samples of a page over, strip by strip or tile by tile, from several threads.

    Args:
        view: the whole file.
        found: the entries of the page's directory.
        order: `<` or `>`, the byte order of the file.
        page: what the page is made of.
        cut: how it is cut.
        take: what they are handed to, in the byte order of the machine; of a tile what is in the picture.

    Raises:
        HeaderError: they are stored in a way that cannot be undone, or claim another size than the page.
        Exception: what tifffile and its codecs raise.
    """
    _require_predictor(found, order, page)
    if page.compression in meanings.OF_PICTURES:
        _require_sizes(view, page, cut)

    def take_segment(decoded: tuple[NDArray[Any] | None, tuple[int, ...], tuple[int, ...]]) -> None:
        segment, (plane, _, row, column, _), shape = decoded
        rows, columns = min(shape[1], page.rows - row), min(shape[2], page.columns - column)
        with np.errstate(all="ignore"):
            if segment is not None:
                take(segment[0, :rows, :columns].astype(page.stored, copy=False), plane, row, column)
                return
            some = min(rows, max(1, _FILLED_AT_ONCE // columns))  # a file without pixels may claim many
            samples = np.full((some, columns, page.together), tiff_page.nodata, page.stored)
            for first in range(0, rows, some):
                take(samples[: rows - first], plane, row + first, column)

    with _opened(*shown(view, found, order, page, cut)) as tiff_page:
        threads = min(thread_count(), load_cv2().getNumThreads(), tiff_page.maxworkers)
        # Where some segments are left out, tifffile (2026.3.3) takes the others for neighbours, and reads them from the wrong
        # places, unless it may read only one at a time.
        at_once = None if cut.sizes.all() else 1
        for _ in tiff_page.segments(func=take_segment, maxworkers=max(1, threads), buffersize=at_once):
            pass


@contextmanager
def _opened(start: bytes, rest: memoryview) -> Iterator[Any]:
    """Open the only page of a file with tifffile, which would write what it thinks of a file to standard error."""
    import tifffile

    logger = logging.getLogger("tifffile")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    shown_file: Any = _Shown(start, rest)
    with tifffile.TiffFile(shown_file) as file:
        yield file.pages.first


def _described(page: Samples, order: str) -> Tree:
    extra = page.extra[: page.samples] or (_STRAIGHT_ALPHA,)
    colours = {meanings.RGB: 3, meanings.YCBCR: 3, meanings.CIE_LAB: 3, meanings.ICC_LAB: 3, meanings.INKS: 4}
    more = page.samples - colours.get(page.photometric, 1)
    numbers = {
        256: (LONG, page.columns),
        257: (LONG, page.rows),
        258: (SHORT, *[page.bits] * page.samples),
        259: (SHORT, _USUAL.get(page.compression, page.compression)),
        262: (SHORT, page.photometric),
        277: (SHORT, page.samples),
        284: (SHORT, 1 + page.separate),
        339: (SHORT, *[page.kind] * page.samples),
    }
    if more > 0:
        numbers[338] = (SHORT, *(*extra, *[0] * more)[:more])
    return {tag: directories.numbers(kind, order, *values) for tag, (kind, *values) in numbers.items()}


def _placed(cut: Segments, order: str, distance: int) -> Tree:
    offsets = np.where(cut.sizes == 0, 0, cut.offsets + distance)
    tags = (324, 325) if cut.tiled else (273, 279)
    size = {322: cut.columns, 323: cut.rows} if cut.tiled else {278: cut.rows}
    return {
        **{tag: directories.numbers(LONG, order, value) for tag, value in size.items()},
        **{
            tag: Field(LONG8, len(values), values.astype(order + "u8").tobytes())
            for tag, values in zip(tags, (offsets, cut.sizes), strict=True)
        },
    }


def _require_predictor(found: Mapping[int, Field], order: str, page: Samples) -> None:
    predictor = integers(found.get(_PREDICTOR), order)[:1].tolist()
    if page.compression not in meanings.OF_BYTES - {meanings.PLAIN} or predictor in ([], [1]):
        return
    if predictor not in ([2], [3]) or page.bits not in (8, 16, 32, 64) or (predictor == [3] and page.kind != meanings.FLOAT):
        raise HeaderError(
            f"has {page.bits}-bit pixels behind predictor {predictor[0]}, which cannot be undone; save it without"
        )


def _require_sizes(view: memoryview, page: Samples, cut: Segments) -> None:
    """Make sure that no strip or tile that is a picture of its own is larger than its place."""
    for offset, size in zip(cut.offsets.tolist(), cut.sizes.tolist(), strict=True):
        if size:
            rows, columns = size_of(view[offset : offset + size], page.compression)
            if not (0 < rows <= cut.rows and 0 < columns <= cut.columns):
                raise HeaderError(
                    f"is damaged: a strip or tile claims {rows} x {columns} pixels, not {cut.rows} x {cut.columns}"
                )
