"""The directories of a TIFF: the file's own, and those of EXIF data, which is a TIFF without the picture.

Everything here is made to be run on files that were made to break it: offsets and counts are taken for what they are,
claims, and no loop is longer than the data or `MOST_DIRECTORIES`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

#: No more directories than this are followed, which takes some seconds; nobody is known to put as many pages into a file.
MOST_DIRECTORIES = 1 << 20

#: Tags, as TIFF 6.0 numbers them.
SUBFILE_TYPE, OLD_SUBFILE_TYPE, ORIENTATION = 254, 255, 274

# Bits of the type of a page: a smaller copy of another one, a mask for another one. The older type is a number.
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2

#: EXIF data without an entry, for a picture that has something to say but no EXIF.
BARE_EXIF = b"MM\0*\0\0\0\x08\0\0\0\0\0\0"

#: Types of entries: a text, 16-bit numbers, fractions.
ASCII, SHORT, RATIONAL = 2, 3, 5
_CODES = {1: "B", SHORT: "H", 4: "I", 16: "Q"}
_MOST_VALUES = 16


class Layout(NamedTuple):
    """How the numbers of a TIFF are laid out: `<` or `>`, and whether it is a BigTIFF; and where its first directory is."""

    order: str
    big: bool
    first: int

    @property
    def entry_size(self) -> int:
        """Bytes that an entry of a directory takes."""
        return 20 if self.big else 12

    @property
    def offset_code(self) -> str:
        """The `struct` code of an offset."""
        return self.order + ("Q" if self.big else "I")


class Entry(NamedTuple):
    """One entry of a directory: its values, and where in the data the first of them stands."""

    kind: int
    values: tuple[int, ...]
    position: int


def layout_of(data: memoryview) -> Layout | None:
    """Return the layout of a TIFF or of EXIF data, or None when it is neither."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None or len(data) < 8:
        return None
    version = _number(data, order + "H", 2)
    if version == 42:
        return Layout(order, False, _number(data, order + "I", 4))
    if version == 43:
        return Layout(order, True, _number(data, order + "Q", 8))
    return None


def directories(data: memoryview, layout: Layout) -> Iterator[int]:
    """Yield the offset of each directory of the chain, one a page; a chain that bites its tail ends there.

    So does one whose directories lie on top of each other: together they are no longer than the data.
    """
    seen: set[int] = set()
    offset, room = layout.first, len(data)
    while 0 < offset < len(data) and offset not in seen and len(seen) < MOST_DIRECTORIES:
        end = _end_of_entries(data, layout, offset)
        room -= min(end, len(data)) - offset
        if room < 0:
            return
        seen.add(offset)
        yield offset
        offset = _number(data, layout.offset_code, end)


def entries(data: memoryview, layout: Layout, offset: int) -> dict[int, Entry]:
    """Return the whole-number entries of the directory at `offset`, by tag; what cannot be read is left out."""
    found: dict[int, Entry] = {}
    start = offset + (8 if layout.big else 2)
    for position in range(start, min(_end_of_entries(data, layout, offset), len(data)), layout.entry_size):
        tag, kind = _number(data, layout.order + "H", position), _number(data, layout.order + "H", position + 2)
        count = _number(data, layout.offset_code, position + 4)
        if kind not in _CODES or not 0 < count <= _MOST_VALUES:
            continue
        code = f"{layout.order}{count}{_CODES[kind]}"
        where = position + (12 if layout.big else 8)
        if struct.calcsize(code) > struct.calcsize(layout.offset_code):
            where = _number(data, layout.offset_code, where)
        if where + struct.calcsize(code) <= len(data):
            found.setdefault(tag, Entry(kind, struct.unpack_from(code, data, where), where))
    return found


def pages(data: memoryview, layout: Layout) -> list[int]:
    """Return the offsets of the directories that are pages: no smaller copies, no masks. The first one, where all are such.

    Where the chain leads out of the data, its end is among them: a page has been cut off that somebody will miss.
    """
    found = list(directories(data, layout))
    kept = [offset for offset in found if _is_page(data, layout, offset)] or found[:1]
    if not found:
        return []
    end = _end_of_entries(data, layout, found[-1])
    is_cut = end + struct.calcsize(layout.offset_code) > len(data)
    following = len(data) if is_cut else _number(data, layout.offset_code, end)
    return [*kept, following] if following >= len(data) else kept


def _is_page(data: memoryview, layout: Layout, offset: int) -> bool:
    # Entries are sorted, and the types are what a directory begins with.
    start = offset + (8 if layout.big else 2)
    for position in range(start, min(_end_of_entries(data, layout, offset), len(data)), layout.entry_size):
        tag = _number(data, layout.order + "H", position)
        if tag > OLD_SUBFILE_TYPE:
            break
        code = _CODES.get(_number(data, layout.order + "H", position + 2), "I")
        if not is_page(tag, _number(data, layout.order + code, position + (12 if layout.big else 8))):
            return False
    return True


def is_page(tag: int, value: int) -> bool:
    """Return whether a directory with such an entry can be a page: whether it is no smaller copy and no mask."""
    return not (tag == SUBFILE_TYPE and value & (_REDUCED | _MASK)) and not (tag == OLD_SUBFILE_TYPE and value == _OLD_REDUCED)


def with_short(data: bytes, tag: int, value: int) -> bytes:
    """Return classic TIFF or EXIF data whose first directory says `value`, a 16-bit number, for `tag`.

    An entry that is there is overwritten. Data that is no TIFF is returned as it came.
    """
    view = memoryview(data)
    layout = layout_of(view)
    if layout is None or layout.big:
        return data
    present = entries(view, layout, layout.first).get(tag)
    if present and present.kind == SHORT:
        changed = bytearray(data)
        struct.pack_into(layout.order + "H", changed, present.position, value)
        return bytes(changed)
    return with_entries(data, {tag: (SHORT, struct.pack(">H", value))}) or data


def with_entries(data: bytes, values: Mapping[int, tuple[int, bytes]]) -> bytes:
    """Return classic TIFF or EXIF data whose first directory has entries that may be new; nothing where there is no place.

    The directory is written anew at the end. All that its entries point at stays where it is: a maker's note, which nobody
    but its maker can read, may hold offsets into the whole.

    Args:
        data: a TIFF, or EXIF data.
        values: kind (`ASCII`, `SHORT`, `RATIONAL`) and value by tag, numbers highest byte first.
    """
    layout = layout_of(memoryview(data))
    if layout is None or layout.big or not 8 <= layout.first <= len(data) - 2:
        return b""
    order, start = layout.order, layout.first + 2
    end = _end_of_entries(memoryview(data), layout, layout.first)
    rows: dict[int, bytes] = {}
    for at in range(start, min(end, len(data) - 11), 12):
        rows.setdefault(struct.unpack_from(order + "H", data, at)[0], data[at : at + 12])
    found = bytearray(data)
    for tag, (kind, value) in values.items():
        code, size = {ASCII: (f"{len(value)}s", 1), SHORT: ("H", 2), RATIONAL: ("II", 8)}[kind]
        place = swapped = struct.pack(order + code, *struct.unpack(">" + code, value))
        if len(swapped) > 4:
            found += bytes(len(found) % 2)  # values and directories begin on even bytes
            place = struct.pack(order + "I", len(found))
            found += swapped
        rows[tag] = struct.pack(order + "HHI", tag, kind, len(value) // size) + place.ljust(4, b"\0")
    found += bytes(len(found) % 2)
    struct.pack_into(order + "I", found, 4, len(found))
    directory = struct.pack(order + "H", len(rows)) + b"".join(rows[tag] for tag in sorted(rows))
    return bytes(found) + directory + data[end : end + 4].ljust(4, b"\0")


def _end_of_entries(data: memoryview, layout: Layout, offset: int) -> int:
    count = _number(data, layout.order + ("Q" if layout.big else "H"), offset)
    return offset + (8 if layout.big else 2) + count * layout.entry_size


def _number(data: memoryview, code: str, offset: int) -> int:
    """Return the number at `offset`, or 0 where the data has ended."""
    if offset < 0 or offset + struct.calcsize(code) > len(data):
        return 0
    (value,) = struct.unpack_from(code, data, offset)
    return int(value)
