"""The header of a TIFF: the entries of its first page that say what its pixels are, read without the rest of the file."""

from __future__ import annotations

import struct

from imgconv.images import samples, tiff
from imgconv.images.directories import Field, integers, size_of
from imgconv.images.seeking import FileBytes, HeaderError, Pixels

_KINDS_OF_PAGES = (tiff.SUBFILE_TYPE, tiff.OLD_SUBFILE_TYPE)
_WANTED = samples.TAGS | {*_KINDS_OF_PAGES}

_MOST_ENTRIES = 4096  # as in libtiff
_ENTRIES_AT_ONCE = 1024
# Of the values of an entry: a palette of 256 colours is the longest that matters.
_MOST_BYTES = 3 * 256 * 2


def tiff_pixels(file: FileBytes) -> Pixels:
    """Return what the first page of a TIFF says of its pixels."""
    layout = tiff.layout_of(memoryview(file.head))
    if layout is None:
        raise HeaderError
    page = samples.described(_first_page(file, layout), layout.order)
    return Pixels(page.rows, page.columns, page.channels, page.dtype.name)


def _first_page(file: FileBytes, layout: tiff.Layout) -> dict[int, Field]:
    """Return the entries of the first directory that is no smaller copy and no mask; of the very first, where all are such."""
    first, following = _directory(file, layout, layout.first)
    found, seen = first, {layout.first}
    while not all(tiff.is_page(tag, _value(found, tag, layout.order)) for tag in _KINDS_OF_PAGES):
        if not 0 < following < file.size or following in seen:
            return first
        seen.add(following)
        try:
            found, following = _directory(file, layout, following)
        except HeaderError:
            return first
    return found


def _value(found: dict[int, Field], tag: int, order: str) -> int:
    values = integers(found.get(tag), order)
    return int(values[0]) if values.size else 0


def _directory(file: FileBytes, layout: tiff.Layout, offset: int) -> tuple[dict[int, Field], int]:
    """Return the entries that matter, by tag, and the offset of the next directory."""
    count_code = layout.order + ("Q" if layout.big else "H")
    (count,) = file.numbers(count_code, offset)
    if not 0 < count <= _MOST_ENTRIES:
        raise HeaderError
    start, size = offset + struct.calcsize(count_code), layout.entry_size
    found: dict[int, Field] = {}
    for first in range(0, count, _ENTRIES_AT_ONCE):
        block = file.read(start + first * size, min(_ENTRIES_AT_ONCE, count - first) * size)
        for at in range(0, len(block), size):
            (tag,) = struct.unpack_from(layout.order + "H", block, at)
            if tag in _WANTED and tag not in found and (field := _field(file, layout, block[at : at + size])):
                found[tag] = field
    end = start + count * size
    ended = end + struct.calcsize(layout.offset_code) > file.size
    return found, 0 if ended else file.numbers(layout.offset_code, end)[0]


def _field(file: FileBytes, layout: tiff.Layout, row: bytes) -> Field | None:
    """Return an entry, as far as it matters; without values where it leads out of the file, None where it is of no kind."""
    kind, count, where = struct.unpack_from(layout.order + ("HQQ" if layout.big else "HII"), row, 2)
    size, room = size_of(kind), struct.calcsize(layout.offset_code)
    if not size * count:
        return None
    if size * count <= room:
        return Field(kind, count, row[-room:][: size * count])
    if where + size * count > file.size:
        return Field(kind, 0, b"")
    most = min(count, _MOST_BYTES // size)
    return Field(kind, most, file.read(where, most * size))
