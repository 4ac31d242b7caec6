"""The strips or tiles of a page of a TIFF: how the page is cut into them, and where in the file they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.images.directories import Field, integers
from imgconv.images.samples import OF_BYTES, PLAIN, Samples
from imgconv.images.seeking import HeaderError

_STRIPS, _ROWS_PER_STRIP, _STRIP_SIZES = 273, 278, 279
_TILE_COLUMNS, _TILE_ROWS, _TILES, _TILE_SIZES = 322, 323, 324, 325

# What is not compressed is cut anew, into strips of so many bytes: threads share them, and they stay in the cache.
_AT_ONCE = 1 << 20

# A tile may be larger than its picture; no program makes one larger than this, in pixels, around a small picture.
_LARGEST_TILE = 1 << 24


class Segments(NamedTuple):
    """How a page is cut, and where the parts are.

    Attributes:
        tiled: whether they are tiles.
        rows: of one of them; the last strip may have fewer, a tile never has.
        columns: of one of them.
        down: how many make a column.
        across: how many make a row; strips are as wide as the page.
        planes: how many times that.
        unit: columns and rows that are stored together: more than 1 where colour is sampled more coarsely.
        row_bytes: what a row takes, or as many rows as are stored together, when nothing is compressed.
        offsets: where in the file each begins.
        sizes: how many bytes each has there; 0 where nothing is stored.
    """

    tiled: bool
    rows: int
    columns: int
    down: int
    across: int
    planes: int
    unit: tuple[int, int]
    row_bytes: int
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def number(self) -> int:
        """How many there are."""
        return self.down * self.across * self.planes

    @property
    def is_one_block(self) -> bool:
        """Whether they follow each other without a gap."""
        return bool((self.offsets[:-1] + self.sizes[:-1] == self.offsets[1:]).all())

    @property
    def end(self) -> int:
        """Where in the file the last of them ends."""
        return int(self.offsets[-1] + self.sizes[-1])

    @property
    def length(self) -> int:
        """How many bytes all of them take in the file."""
        return int(self.sizes.sum())

    def bytes_of(self, rows: int) -> int:
        """Return how many bytes so many rows take once they are no longer compressed."""
        return -(-rows // self.unit[1]) * self.row_bytes


def segments_of(found: Mapping[int, Field], order: str, page: Samples, length: int, shift: int = 0) -> Segments:
    """Return the strips or tiles of a page.

    Args:
        found: the entries of its directory.
        order: `<` or `>`.
        page: what it is made of.
        length: of the file, in bytes.
        shift: how far behind the places that the directory gives everything lies.

    Raises:
        HeaderError: their table makes no sense, or leads out of the file; with the reason, or without where it is damaged.
    """

    def first(tag: int, otherwise: int) -> int:
        values = integers(found.get(tag), order)
        return int(values[0]) if values.size else otherwise

    tiled = _TILE_COLUMNS in found
    rows, columns = (first(_TILE_ROWS, 0), first(_TILE_COLUMNS, 0)) if tiled else (first(_ROWS_PER_STRIP, 0), page.columns)
    if not tiled and not 0 < rows <= page.rows:
        rows = page.rows
    if rows <= 0 or columns <= 0 or rows * columns > max(page.rows * page.columns, _LARGEST_TILE):
        raise HeaderError(f"is damaged: its tiles claim {rows} x {columns} pixels")
    unit = page.subsampling if page.compression in OF_BYTES else (1, 1)
    if rows % unit[1] and rows < page.rows:
        raise HeaderError("is damaged: its strips are cut where several rows are stored together")
    bits = -(-columns // unit[0]) * (unit[0] * unit[1] + 2) * 8 if unit != (1, 1) else columns * page.together * page.bits
    kinds = [_TILES, _STRIPS] if tiled else [_STRIPS]  # some keep tiles where strips belong
    offsets = next((integers(found[tag], order) for tag in kinds if tag in found), np.zeros(0, np.int64)) + shift
    kinds = [_TILE_SIZES, _STRIP_SIZES] if tiled else [_STRIP_SIZES]
    sizes = next((integers(found[tag], order) for tag in kinds if tag in found), np.zeros(0, np.int64))
    down, across = -(-page.rows // rows), -(-page.columns // columns)
    cut = Segments(tiled, rows, columns, down, across, page.planes, unit, -(-bits // 8), offsets, sizes)
    if offsets.size < cut.number:
        raise HeaderError(f"is damaged: its table has {offsets.size} of {cut.number} strips or tiles")
    return _checked(cut._replace(offsets=offsets[: cut.number]), page, length)


def _checked(cut: Segments, page: Samples, length: int) -> Segments:
    """Return the segments with the bytes that each has for sure, or refuse them."""
    offsets, sizes = cut.offsets, cut.sizes
    if page.compression == PLAIN:
        needed = np.full(cut.number, cut.bytes_of(cut.rows))
        if not cut.tiled:
            needed[cut.down - 1 :: cut.down] = cut.bytes_of(page.rows - (cut.down - 1) * cut.rows)
        if sizes.size == 0 or (cut.number == 1 and offsets[0]):
            sizes = needed  # some writers leave out the size of the only strip, or do not know it
    elif sizes.size == 0 and cut.number == 1:
        sizes = length - offsets
    if sizes.size < cut.number:
        raise HeaderError(f"is damaged: its table has the sizes of {sizes.size} of {cut.number} strips or tiles")
    sizes = sizes[: cut.number]
    left_out = (offsets == 0) & (sizes == 0)
    if page.compression == PLAIN:
        if (sizes < needed)[~left_out].any():
            raise HeaderError("is damaged: its strips or tiles are too short")
        sizes = np.where(left_out, 0, needed)
    if (offsets < 0).any() or ((sizes <= 0) & ~left_out).any():
        raise HeaderError("is damaged: a strip or tile begins or ends nowhere")
    if (offsets > length).any() or (sizes > length - offsets).any():
        raise HeaderError(f"is damaged or cut short: its pixels lie beyond its {length} bytes")
    return cut._replace(sizes=sizes)


def cut_anew(cut: Segments, page: Samples) -> Segments:
    """Return strips of a useful size where those that there are follow each other, uncompressed; otherwise the same."""
    if page.compression != PLAIN or cut.tiled or cut.unit != (1, 1) or not cut.sizes.all() or not cut.is_one_block:
        return cut
    rows = min(page.rows, max(1, _AT_ONCE // cut.row_bytes))
    down = -(-page.rows // rows)
    sizes = np.full((cut.planes, down), cut.bytes_of(rows))
    sizes[:, -1] = cut.bytes_of(page.rows - (down - 1) * rows)
    flat = sizes.reshape(-1)
    return cut._replace(rows=rows, down=down, offsets=cut.offsets[0] + np.cumsum(flat) - flat, sizes=flat)
