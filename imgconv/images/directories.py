"""The directories of TIFF and EXIF: walked and read in a file, and laid out in another one.

Offsets and counts are claims of the file. Nothing is read beyond its end, chains are walked once around, and the values of
one directory are read only while all of them together are no longer than the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.images.file_bytes import FileBytes, HeaderError

#: Tags of the directories that an entry may point at: EXIF and GPS in the first one, interoperability in that of EXIF.
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965

#: Types of values that are written here.
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16

# The NumPy type of the numbers of each type; a rational number is two.
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


class Layout(NamedTuple):
    """Byte order of a TIFF (`<` or `>`), whether it is a BigTIFF, and the offset of its first directory."""

    order: str
    big: bool
    first: int

    @property
    def count_code(self) -> str:
        """The `struct` code of the number of entries that a directory begins with."""
        return self.order + ("Q" if self.big else "H")

    @property
    def entry_code(self) -> str:
        """The `struct` code of tag, type and number of values of an entry."""
        return self.order + ("HHQ" if self.big else "HHI")

    @property
    def offset_code(self) -> str:
        """The `struct` code of an offset; the value of an entry has as many bytes."""
        return self.order + ("Q" if self.big else "I")

    @property
    def entry_size(self) -> int:
        """Bytes of an entry."""
        return 20 if self.big else 12


class Field(NamedTuple):
    """Type and number of the values of an entry, and the values as bytes, in the byte order of the file."""

    kind: int
    number: int
    data: bytes


#: A directory: its entries by tag, some of them directories.
Tree: TypeAlias = dict[int, "Field | Tree"]


def layout_of(file: FileBytes) -> Layout | None:
    """Return the layout of a TIFF or of EXIF data; None where it is neither."""
    head = file.head
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return None
    (version,) = struct.unpack_from(order + "H", head, 2)
    if version == 42:
        return Layout(order, False, struct.unpack_from(order + "I", head, 4)[0])
    if version == 43 and len(head) >= 16:
        return Layout(order, True, struct.unpack_from(order + "Q", head, 8)[0])
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
        (count,) = struct.unpack_from(layout.count_code, head)
    except (HeaderError, struct.error):
        return True, 0
    end = struct.calcsize(layout.count_code) + count * layout.entry_size
    if not 0 < count <= _MOST_ENTRIES or offset + end > file.size:
        return True, 0
    room = struct.calcsize(layout.offset_code)
    if end + room <= len(head):
        (following,) = struct.unpack_from(layout.offset_code, head, end)
    elif offset + end + room <= file.size:
        (following,) = struct.unpack(layout.offset_code, file.block(offset + end, room))
    else:
        following = file.size
    return _is_page(layout, head, end), following


def _is_page(layout: Layout, head: memoryview, end: int) -> bool:
    # Entries are sorted by tag, and these are the lowest ones.
    for at in range(struct.calcsize(layout.count_code), min(end, len(head) - layout.entry_size), layout.entry_size):
        tag, kind, _ = struct.unpack_from(layout.entry_code, head, at)
        if tag > _OLD_SUBFILE_TYPE:
            break
        code = {BYTE: "B", SHORT: "H", LONG8: "Q" if layout.big else "I"}.get(kind, "I")
        (value,) = struct.unpack_from(layout.order + code, head, at + struct.calcsize(layout.entry_code))
        if (tag == _SUBFILE_TYPE and value & (_REDUCED | _MASK)) or (tag == _OLD_SUBFILE_TYPE and value == _OLD_REDUCED):
            return False
    return True


def fields(file: FileBytes, layout: Layout, offset: int, wanted: Callable[[int], bool]) -> dict[int, Field]:
    """Return the entries of a directory that are wanted, by tag. One whose values lie beyond the file has 0 values.

    A directory of more than 4096 entries, or one that is cut short, has none.

    Args:
        file: a TIFF, or EXIF data.
        layout: of the file.
        offset: position of the directory.
        wanted: whether to read the values of a tag.
    """
    try:
        (count,) = struct.unpack(layout.count_code, file.block(offset, struct.calcsize(layout.count_code)))
        if count > _MOST_ENTRIES:
            return {}
        rows = file.block(offset + struct.calcsize(layout.count_code), count * layout.entry_size)
    except HeaderError:
        return {}
    inside, left = struct.calcsize(layout.offset_code), file.size
    found: dict[int, Field] = {}
    for at in range(0, len(rows), layout.entry_size):
        tag, kind, number = struct.unpack_from(layout.entry_code, rows, at)
        length, place = _SIZES.get(kind, 0) * number, at + layout.entry_size - inside
        if tag in found or not length or not wanted(tag):
            continue
        if length <= inside:
            found[tag] = Field(kind, number, bytes(rows[place : place + length]))
            continue
        (where,) = struct.unpack_from(layout.offset_code, rows, place)
        if where + length > file.size or length > left:
            found[tag] = Field(kind, 0, b"")
        else:
            left -= length
            found[tag] = Field(kind, number, bytes(file.block(where, length)))
    return found


def numbers(kind: int, order: str, *values: int) -> Field:
    """Return whole numbers as an entry."""
    return Field(kind, len(values), np.array(values, order + _DTYPES[kind]).tobytes())


def integers(field: Field | None, order: str) -> NDArray[np.int64]:
    """Return the values of an entry as whole numbers; none where there is no entry, or another type of number."""
    if field is None or field.kind in _RATIONALS or _DTYPES[field.kind][0] == "f":
        return np.zeros(0, np.int64)
    return np.frombuffer(field.data, order + _DTYPES[field.kind]).astype(np.int64)


def reals(field: Field | None, order: str) -> list[float]:
    """Return the values of an entry as floating-point numbers; a fraction whose denominator is 0 becomes 0."""
    if field is None:
        return []
    found: list[float] = np.frombuffer(field.data, order + _DTYPES[field.kind]).astype(np.float64).tolist()
    if field.kind not in _RATIONALS:
        return found
    return [above / below if below else 0.0 for above, below in zip(found[::2], found[1::2], strict=True)]


def tree(file: FileBytes, layout: Layout, wanted: Callable[[int], bool], offset: int | None = None) -> Tree:
    """Return a directory with those that it points at, in the types of a classic TIFF.

    Args:
        file: a TIFF, or EXIF data.
        layout: of the file.
        wanted: whether to take the entry of a tag of this directory; all entries of nested directories are taken.
        offset: position of the directory, by default that of the first one.
    """
    return _tree(file, layout, layout.first if offset is None else offset, wanted, _NESTED)


def _tree(file: FileBytes, layout: Layout, offset: int, wanted: Callable[[int], bool], nested: Mapping[int, Any]) -> Tree:
    found: Tree = {}
    for tag, field in fields(file, layout, offset, lambda tag: tag in nested or wanted(tag)).items():
        if tag in nested:
            where = integers(field, layout.order)
            below = _tree(file, layout, int(where[0]), lambda tag: True, nested[tag]) if where.size == 1 else {}
            if below:
                found[tag] = below
        elif field.data and field.kind not in _POINTERS and (narrow := _narrowed(field, layout.order)):
            found[tag] = narrow
    return found


def _narrowed(field: Field, order: str) -> Field | None:
    """Return a field in a type that a classic TIFF has; None where that cannot hold the values."""
    kind = _NARROWER.get(field.kind)
    if kind is None:
        return field
    values, limits = np.frombuffer(field.data, order + _DTYPES[field.kind]), np.iinfo(_DTYPES[kind])
    if values.min() < limits.min or values.max() > limits.max:
        return None
    return Field(kind, field.number, values.astype(order + _DTYPES[kind]).tobytes())


def in_order(found: Tree, before: str, after: str) -> Tree:
    """Return a directory with its values in the byte order `after`, `<` or `>`; they were in the order `before`."""
    if before == after:
        return found
    return {
        tag: in_order(value, before, after)
        if isinstance(value, dict)
        else value._replace(data=np.frombuffer(value.data, _DTYPES[value.kind]).byteswap().tobytes())
        for tag, value in found.items()
    }


def laid_out(found: Tree, order: str, at: int, *, big: bool = False, following: int = 0) -> bytes:
    """Return a directory as bytes, followed by its values and the directories that it points at.

    The length does not depend on the numbers in it, nor on `at` and `following`.

    Args:
        found: the directory, its values in the byte order of the file.
        order: `<` or `>`.
        at: position in the file, an even number.
        big: whether the file is a BigTIFF.
        following: position of the next directory of the chain; 0 for the last one.

    Raises:
        struct.error: an offset is beyond the 4 GB of a classic TIFF.
    """
    layout = Layout(order, big, 0)
    room = struct.calcsize(layout.offset_code)
    rows, values = bytearray(struct.pack(layout.count_code, len(found))), bytearray()
    end = at + len(rows) + len(found) * layout.entry_size + room
    for tag, value in sorted(found.items(), key=lambda item: item[0]):
        where = struct.pack(layout.offset_code, end + len(values))
        if isinstance(value, dict):
            rows += struct.pack(layout.entry_code, tag, LONG8 if big else LONG, 1) + where
            values += laid_out(value, order, end + len(values), big=big)
        elif len(value.data) <= room:
            rows += struct.pack(layout.entry_code, tag, value.kind, value.number) + value.data.ljust(room, b"\0")
        else:
            rows += struct.pack(layout.entry_code, tag, value.kind, value.number) + where
            values += value.data
        values += bytes(len(values) % 2)  # values and directories begin on even bytes
    return bytes(rows + struct.pack(layout.offset_code, following) + values)


def head(order: str, first: int, *, big: bool = False) -> bytes:
    """Return the beginning of a TIFF whose first directory is at `first`."""
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HHHQ", 43, 8, 0, first) if big else mark + struct.pack(order + "HI", 42, first)


def alone(found: Tree, order: str) -> bytes:
    """Return a directory as EXIF data: a TIFF without a picture; nothing for an empty directory."""
    return head(order, 8) + laid_out(found, order, 8) if found else b""
