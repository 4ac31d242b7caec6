"""Read and write the directories of TIFF and EXIF.

Offsets and counts in a file are not trusted. Nothing is read beyond the end of the file, a cyclic chain is followed only
once, and the values read from one directory are together no longer than the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.images.file_bytes import FileBytes, HeaderError

#: Tags of entries that point to directories: EXIF and GPS in the first directory, interoperability in that of EXIF.
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965

#: Types of the values that imgconv writes.
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16

# The NumPy type of the numbers of each TIFF type; a rational consists of two numbers.
_DTYPES = dict(
    enumerate(["u1", "u1", "u2", "u4", "u4", "i1", "u1", "i2", "i4", "i4", "f4", "f8", "u4", "", "", "u8", "i8", "u8"], 1)
)
_RATIONALS = (5, 10)
_POINTERS = (13, 18)
_NARROWER = {16: 4, 17: 9}  # types that only BigTIFF has, and their replacements in a classic TIFF
_SIZES = {kind: np.dtype(name).itemsize * (1 + (kind in _RATIONALS)) for kind, name in _DTYPES.items() if name}

_NESTED: Mapping[int, Any] = {EXIF: {INTEROPERABILITY: {}}, GPS: {}}

_MOST_ENTRIES = 4096  # as in libtiff
_MOST_DIRECTORIES = 1 << 20
_AT_ONCE = 256  # bytes of a directory that are read first while following the chain

# Tags and flags that mark directories that are not pages (TIFF 6.0, section 8).
_SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 254, 255
_REDUCED, _MASK, _OLD_REDUCED = 1, 4, 2


class Layout:
    """The binary layout of directories: that of a classic TIFF or of a BigTIFF, in one of two byte orders.

    Attributes:
        order: byte order, `<` or `>`.
        big: whether the file is a BigTIFF.
        first: offset of the first directory.
        count: format of the number of entries at the start of a directory.
        entry: format of tag, type and number of values of an entry. The values or their offset follow.
        offset: format of an offset. Values of at most this size are stored in the entry itself.
        entry_size: size of an entry in bytes.
    """

    def __init__(self, order: str, big: bool, first: int = 0) -> None:
        self.order, self.big, self.first = order, big, first
        self.count = struct.Struct(order + ("Q" if big else "H"))
        self.entry = struct.Struct(order + ("HHQ" if big else "HHI"))
        self.offset = struct.Struct(order + ("Q" if big else "I"))
        self.entry_size = self.entry.size + self.offset.size


class Field(NamedTuple):
    """The type and the values of an entry. A rational has two values; an entry with damaged values has none."""

    kind: int
    values: NDArray[Any]

    @property
    def number(self) -> int:
        """The number of values; a rational counts as one."""
        return len(self.values) // (1 + (self.kind in _RATIONALS))

    def packed(self, order: str) -> bytes:
        """Return the values as bytes in a byte order, `<` or `>`."""
        return self.values.astype(order + _DTYPES[self.kind], copy=False).tobytes()


#: The entries of a directory by tag; nested directories are trees themselves.
Tree: TypeAlias = dict[int, "Field | Tree"]


def new_field(kind: int, values: bytes | Sequence[int]) -> Field:
    """Return an entry with bytes or integers as its values.

    Raises:
        OverflowError: a number is out of range for the type.
    """
    if isinstance(values, bytes):
        return Field(kind, np.frombuffer(values, np.uint8))
    return Field(kind, np.array(values, _DTYPES[kind]))


def layout_of(file: FileBytes) -> Layout | None:
    """Return the layout of a TIFF or of EXIF data; None for other data."""
    start = file.head
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None or len(start) < 8:
        return None
    (version,) = struct.unpack_from(order + "H", start, 2)
    if version == 42:
        return Layout(order, False, struct.unpack_from(order + "I", start, 4)[0])
    if version == 43 and len(start) >= 16:
        return Layout(order, True, struct.unpack_from(order + "Q", start, 8)[0])
    return None


def pages(file: FileBytes, layout: Layout) -> list[int]:
    """Return the offsets of the directories that are pages. Reduced copies and masks are skipped unless there is nothing else.

    If the chain leads to an unreadable directory, its offset is included, so that reading this page raises an error.
    """
    found: list[int] = []
    seen: set[int] = set()
    offset = layout.first
    while offset and offset not in seen and len(seen) < _MOST_DIRECTORIES:
        seen.add(offset)
        is_page, following = _link(file, layout, offset)
        if is_page:
            found.append(offset)
        offset = following
    return found or [layout.first][: len(seen)]


def _link(file: FileBytes, layout: Layout, offset: int) -> tuple[bool, int]:
    """Return whether a directory is a page, and the offset of the next one: 0 at the end, the file size if it is cut off."""
    try:
        head = file.block(offset, min(_AT_ONCE, file.size - offset))
        (count,) = layout.count.unpack_from(head)
    except (HeaderError, struct.error):
        return True, 0
    end = layout.count.size + count * layout.entry_size
    if not 0 < count <= _MOST_ENTRIES or offset + end > file.size:
        return True, 0
    if end + layout.offset.size <= len(head):
        (following,) = layout.offset.unpack_from(head, end)
    elif offset + end + layout.offset.size <= file.size:
        (following,) = layout.offset.unpack(file.block(offset + end, layout.offset.size))
    else:
        following = file.size
    return _is_page(layout, head[layout.count.size : end]), following


def _is_page(layout: Layout, rows: memoryview) -> bool:
    for tag, kind, _, place in _entries(layout, rows):
        if tag > _OLD_SUBFILE_TYPE:  # entries are sorted by tag
            break
        width = min(_SIZES.get(kind, layout.offset.size), layout.offset.size)
        value = int.from_bytes(place[:width], "little" if layout.order == "<" else "big")
        if (tag == _SUBFILE_TYPE and value & (_REDUCED | _MASK)) or (tag == _OLD_SUBFILE_TYPE and value == _OLD_REDUCED):
            return False
    return True


def _entries(layout: Layout, rows: memoryview) -> Iterator[tuple[int, int, int, memoryview]]:
    """Yield tag, type, number of values, and the bytes of the values (or of their offset) of each complete entry."""
    for at in range(0, len(rows) - layout.entry_size + 1, layout.entry_size):
        yield *layout.entry.unpack_from(rows, at), rows[at + layout.entry.size : at + layout.entry_size]


def fields(file: FileBytes, layout: Layout, offset: int, wanted: Callable[[int], bool]) -> dict[int, Field]:
    """Return the selected entries of a directory, by tag. An entry whose values lie beyond the file has no values.

    The result is empty for a directory that has more than 4096 entries or is cut short.

    Args:
        file: a TIFF, or EXIF data.
        layout: the layout of the file.
        offset: position of the directory.
        wanted: returns whether to read the entry of a tag.
    """
    try:
        (count,) = layout.count.unpack(file.block(offset, layout.count.size))
        if count > _MOST_ENTRIES:
            return {}
        rows = file.block(offset + layout.count.size, count * layout.entry_size)
    except HeaderError:
        return {}
    left = file.size
    found: dict[int, Field] = {}
    for tag, kind, number, place in _entries(layout, rows):
        length = _SIZES.get(kind, 0) * number
        if tag in found or not length or not wanted(tag):
            continue
        data = place[:length]
        if length > len(place):
            (where,) = layout.offset.unpack(place)
            is_inside = where + length <= file.size and length <= left
            data = file.block(where, length) if is_inside else place[:0]
            left -= len(data)
        found[tag] = Field(kind, np.frombuffer(data, layout.order + _DTYPES[kind]))
    return found


def integers(field: Field | None) -> list[int]:
    """Return the values of an entry as integers; an empty list if the entry is missing or has no integer type."""
    if field is None or field.kind in _RATIONALS or field.values.dtype.kind == "f":
        return []
    found: list[int] = field.values.tolist()
    return found


def reals(field: Field | None) -> list[float]:
    """Return the values of an entry as floating-point numbers; a rational whose denominator is 0 becomes 0."""
    if field is None:
        return []
    found: list[float] = field.values.astype(np.float64).tolist()
    if field.kind not in _RATIONALS:
        return found
    return [above / below if below else 0.0 for above, below in zip(found[::2], found[1::2], strict=True)]


def tree(
    file: FileBytes, layout: Layout, offset: int, wanted: Callable[[int], bool], nested: Mapping[int, Any] = _NESTED
) -> Tree:
    """Return a directory with its nested directories, in the types of a classic TIFF.

    Args:
        file: a TIFF, or EXIF data.
        layout: the layout of the file.
        offset: position of the directory.
        wanted: returns whether to read the entry of a tag of this directory. Nested directories are read completely.
        nested: the tags that point to directories, each with the nested tags of that directory.
    """
    found: Tree = {}
    for tag, field in fields(file, layout, offset, lambda tag: tag in nested or wanted(tag)).items():
        if tag in nested:
            where = integers(field)
            if len(where) == 1 and (below := tree(file, layout, where[0], lambda tag: True, nested[tag])):
                found[tag] = below
        elif field.number and field.kind not in _POINTERS and (narrow := _narrowed(field)):
            found[tag] = narrow
    return found


def _narrowed(field: Field) -> Field | None:
    """Return a field in a type of classic TIFF; None if the values are out of range for it."""
    kind = _NARROWER.get(field.kind)
    if kind is None:
        return field
    values, limits = field.values, np.iinfo(_DTYPES[kind])
    return Field(kind, values) if limits.min <= values.min() and values.max() <= limits.max else None


def to_bytes(found: Tree, layout: Layout, at: int, following: int = 0) -> bytes:
    """Return a directory as bytes, followed by its values and its nested directories.

    The length does not depend on the numbers in the entries, nor on `at` and `following`.

    Args:
        found: the directory.
        layout: the layout of the file.
        at: position in the file, an even number.
        following: position of the next directory of the chain; 0 for the last one.

    Raises:
        struct.error: an offset exceeds the 4 GB of a classic TIFF.
    """
    rows, values = bytearray(layout.count.pack(len(found))), bytearray()
    end = at + len(rows) + len(found) * layout.entry_size + layout.offset.size
    for tag, value in sorted(found.items(), key=lambda item: item[0]):
        place = layout.offset.pack(end + len(values))
        if isinstance(value, dict):
            kind, number = LONG8 if layout.big else LONG, 1
            values += to_bytes(value, layout, end + len(values))
        else:
            kind, number, data = value.kind, value.number, value.packed(layout.order)
            if len(data) <= layout.offset.size:
                place = data.ljust(layout.offset.size, b"\0")
            else:
                values += data
        rows += layout.entry.pack(tag, kind, number) + place
        values += bytes(len(values) % 2)  # values and directories begin on even bytes
    return bytes(rows + layout.offset.pack(following) + values)


def file_header(layout: Layout) -> bytes:
    """Return the file header of a TIFF."""
    mark = b"II" if layout.order == "<" else b"MM"
    if layout.big:
        return mark + struct.pack(layout.order + "HHHQ", 43, 8, 0, layout.first)
    return mark + struct.pack(layout.order + "HI", 42, layout.first)


def to_exif(found: Tree, order: str) -> bytes:
    """Return a directory as EXIF data, a TIFF without a picture; b"" for an empty directory."""
    layout = Layout(order, False, 8)
    return file_header(layout) + to_bytes(found, layout, layout.first) if found else b""
