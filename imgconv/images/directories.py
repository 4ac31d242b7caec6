"""The directories of TIFF and EXIF: walked and read in a file, and laid out in another one.

Offsets and counts are claims of the file. Nothing is read beyond its end, chains are walked once around, and the values of
one directory are read only while all of them together are no longer than the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.images.file_bytes import FileBytes, HeaderError

#: Tags of the directories that an entry may point at: EXIF and GPS in the first one, interoperability in that of EXIF.
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965

#: Types of values that are written here.
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16

# The NumPy type of the numbers of each type; a fraction is two.
_DTYPES = dict(
    enumerate(["u1", "u1", "u2", "u4", "u4", "i1", "u1", "i2", "i4", "i4", "f4", "f8", "u4", "", "", "u8", "i8", "u8"], 1)
)
_RATIONALS = (5, 10)
_POINTERS = (13, 18)
_NARROWER = {16: 4, 17: 9}  # types of BigTIFF alone, and those that a classic TIFF has instead
_SIZES = {kind: np.dtype(name).itemsize * (1 + (kind in _RATIONALS)) for kind, name in _DTYPES.items() if name}

_NESTED: Mapping[int, Any] = {EXIF: {INTEROPERABILITY: {}}, GPS: {}}

_MOST_ENTRIES = 4096  # as in libtiff
_MOST_DIRECTORIES = 1 << 20
_AT_ONCE = 256  # bytes of a directory that are read to find the next one

# Which directories are pages: tags and flags of TIFF 6.0, section 8.
_SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 254, 255
_REDUCED, _MASK, _OLD_REDUCED = 1, 4, 2


class Layout:
    """How a TIFF stores its directories.

    Attributes:
        order: byte order, `<` or `>`.
        big: whether it is a BigTIFF.
        first: offset of the first directory.
        count: the number of entries that a directory begins with.
        entry: tag, type and number of values of an entry. The values follow, or their offset.
        offset: an offset; the values in an entry have as many bytes.
        entry_size: bytes of an entry.
    """

    def __init__(self, order: str, big: bool, first: int = 0) -> None:
        self.order, self.big, self.first = order, big, first
        self.count = struct.Struct(order + ("Q" if big else "H"))
        self.entry = struct.Struct(order + ("HHQ" if big else "HHI"))
        self.offset = struct.Struct(order + ("Q" if big else "I"))
        self.entry_size = self.entry.size + self.offset.size


class Field(NamedTuple):
    """Type of the values of an entry, and its values as numbers: two for each fraction, none where they are damaged."""

    kind: int
    values: NDArray[Any]

    @property
    def number(self) -> int:
        """Number of values."""
        return len(self.values) // (1 + (self.kind in _RATIONALS))

    def packed(self, order: str) -> bytes:
        """Return the values as bytes in a byte order, `<` or `>`."""
        return self.values.astype(order + _DTYPES[self.kind], copy=False).tobytes()


#: A directory: its entries by tag, some of them directories.
Tree: TypeAlias = dict[int, "Field | Tree"]


def new_field(kind: int, values: bytes | Sequence[int]) -> Field:
    """Return an entry of bytes or whole numbers.

    Raises:
        OverflowError: the type cannot hold a number.
    """
    if isinstance(values, bytes):
        return Field(kind, np.frombuffer(values, np.uint8))
    return Field(kind, np.array(values, _DTYPES[kind]))


def layout_of(file: FileBytes) -> Layout | None:
    """Return the layout of a TIFF or of EXIF data; None where it is neither."""
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
    """Return the offsets of the directories that are pages, without smaller copies and masks; the first one where all are.

    Where the chain is broken, the place where it leads counts as a page: one that cannot be read.
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
    """Return whether a directory is a page, and the offset of the next one: 0 for none, beyond the file where it is cut off."""
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
        if tag > _OLD_SUBFILE_TYPE:  # entries are sorted by tag, and these are the lowest ones
            break
        width = min(_SIZES.get(kind, layout.offset.size), layout.offset.size)
        value = int.from_bytes(place[:width], "little" if layout.order == "<" else "big")
        if (tag == _SUBFILE_TYPE and value & (_REDUCED | _MASK)) or (tag == _OLD_SUBFILE_TYPE and value == _OLD_REDUCED):
            return False
    return True


def _entries(layout: Layout, rows: memoryview) -> Iterator[tuple[int, int, int, memoryview]]:
    """Yield tag, type, number of values, and the bytes of the values or of their offset of each whole entry."""
    for at in range(0, len(rows) - layout.entry_size + 1, layout.entry_size):
        yield *layout.entry.unpack_from(rows, at), rows[at + layout.entry.size : at + layout.entry_size]


def fields(file: FileBytes, layout: Layout, offset: int, wanted: Callable[[int], bool]) -> dict[int, Field]:
    """Return the entries of a directory that are wanted, by tag. One whose values lie beyond the file has none.

    A directory of more than 4096 entries, or one that is cut short, has none.

    Args:
        file: a TIFF, or EXIF data.
        layout: of the file.
        offset: position of the directory.
        wanted: whether to read the values of a tag.
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
    """Return the values of an entry as whole numbers; none where there is no entry, or another type of number."""
    if field is None or field.kind in _RATIONALS or field.values.dtype.kind == "f":
        return []
    found: list[int] = field.values.tolist()
    return found


def reals(field: Field | None) -> list[float]:
    """Return the values of an entry as floating-point numbers; a fraction whose denominator is 0 becomes 0."""
    if field is None:
        return []
    found: list[float] = field.values.astype(np.float64).tolist()
    if field.kind not in _RATIONALS:
        return found
    return [above / below if below else 0.0 for above, below in zip(found[::2], found[1::2], strict=True)]


def tree(
    file: FileBytes, layout: Layout, offset: int, wanted: Callable[[int], bool], nested: Mapping[int, Any] = _NESTED
) -> Tree:
    """Return a directory with those that it points at, in the types of a classic TIFF.

    Args:
        file: a TIFF, or EXIF data.
        layout: of the file.
        offset: position of the directory.
        wanted: whether to take the entry of a tag of this directory; all entries of nested directories are taken.
        nested: the tags that point at directories, with those that these contain.
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
    """Return a field in a type that a classic TIFF has; None where that cannot hold the values."""
    kind = _NARROWER.get(field.kind)
    if kind is None:
        return field
    values, limits = field.values, np.iinfo(_DTYPES[kind])
    return Field(kind, values) if limits.min <= values.min() and values.max() <= limits.max else None


def laid_out(found: Tree, layout: Layout, at: int, following: int = 0) -> bytes:
    """Return a directory as bytes, followed by its values and the directories that it points at.

    The length does not depend on the numbers in it, nor on `at` and `following`.

    Args:
        found: the directory.
        layout: of the file.
        at: position in the file, an even number.
        following: position of the next directory of the chain; 0 for the last one.

    Raises:
        struct.error: an offset is beyond the 4 GB of a classic TIFF.
    """
    rows, values = bytearray(layout.count.pack(len(found))), bytearray()
    end = at + len(rows) + len(found) * layout.entry_size + layout.offset.size
    for tag, value in sorted(found.items(), key=lambda item: item[0]):
        place = layout.offset.pack(end + len(values))
        if isinstance(value, dict):
            kind, number = LONG8 if layout.big else LONG, 1
            values += laid_out(value, layout, end + len(values))
        else:
            kind, number, data = value.kind, value.number, value.packed(layout.order)
            if len(data) <= layout.offset.size:
                place = data.ljust(layout.offset.size, b"\0")
            else:
                values += data
        rows += layout.entry.pack(tag, kind, number) + place
        values += bytes(len(values) % 2)  # values and directories begin on even bytes
    return bytes(rows + layout.offset.pack(following) + values)


def head(layout: Layout) -> bytes:
    """Return the beginning of a TIFF."""
    mark = b"II" if layout.order == "<" else b"MM"
    if layout.big:
        return mark + struct.pack(layout.order + "HHHQ", 43, 8, 0, layout.first)
    return mark + struct.pack(layout.order + "HI", 42, layout.first)


def alone(found: Tree, order: str) -> bytes:
    """Return a directory as EXIF data: a TIFF without a picture; nothing for an empty directory."""
    layout = Layout(order, False, 8)
    return head(layout) + laid_out(found, layout, layout.first) if found else b""
