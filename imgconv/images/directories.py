"""Whole directories of TIFF and EXIF: every entry as the bytes that it is, with the directories that hang on it.

They are read from one file and laid out anew in another, where everything stands elsewhere. As in `tiff`, offsets and counts
are claims: nothing is read beyond the data, no pointer is followed further than the three directories that EXIF has, and
entries that lie on top of each other are copied only while all of them together are no longer than the data.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.images import tiff

#: The tags of the directories that an entry may point at: EXIF and GPS in the first one, interoperability in that of EXIF.
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965

#: The kinds of values that this writes.
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16

# Of each kind the type of its numbers; a rational number is two.
_TYPES = dict(
    enumerate(["u1", "u1", "u2", "u4", "u4", "i1", "u1", "i2", "i4", "i4", "f4", "f8", "u4", "", "", "u8", "i8", "u8"], 1)
)
_PAIRS = (5, 10)
_POINTERS = (13, 18)
_WIDE = {16: 4, 17: 9}  # only a BigTIFF has them; the kinds that take their place

_MOST_ENTRIES = 4096  # as in libtiff

_HANGING: Mapping[int, Any] = {EXIF: {INTEROPERABILITY: {}}, GPS: {}}


class Field(NamedTuple):
    """The kind and number of an entry's values, and these as bytes in the order of the file."""

    kind: int
    number: int
    data: bytes | memoryview


#: A directory: its entries by tag, some of them directories.
Tree: TypeAlias = dict[int, "Field | Tree"]


def size_of(kind: int) -> int:
    """Return how many bytes a value of a kind takes, 0 where there is no such kind."""
    return np.dtype(_TYPES[kind]).itemsize * (1 + (kind in _PAIRS)) if _TYPES.get(kind) else 0


_SIZES = {kind: size_of(kind) for kind in _TYPES}


def fields(data: memoryview, layout: tiff.Layout, offset: int) -> dict[int, Field]:
    """Return the entries of the directory at `offset`, by tag, as views; one that leads out of the data has no values.

    A directory of more than 4096 entries, or one that is cut short, is none.
    """
    head, size = layout.order + ("Q" if layout.big else "H"), layout.entry_size
    start = offset + struct.calcsize(head)
    if offset < 0 or start > len(data):
        return {}
    (count,) = struct.unpack_from(head, data, offset)
    if count > _MOST_ENTRIES or start + count * size > len(data):
        return {}
    entry, place, room = layout.order + ("HHQ" if layout.big else "HHI"), layout.offset_code, size - (12 if layout.big else 8)
    found: dict[int, Field] = {}
    for position in range(start, start + count * size, size):
        tag, kind, values = struct.unpack_from(entry, data, position)
        length, where = _SIZES.get(kind, 0) * values, position + size - room
        if length > room:
            (where,) = struct.unpack_from(place, data, where)
        if length:
            inside = where + length <= len(data)
            found.setdefault(tag, Field(kind, values, data[where : where + length]) if inside else Field(kind, 0, b""))
    return found


def numbers(kind: int, order: str, *values: int) -> Field:
    """Return whole numbers of a kind as an entry."""
    return Field(kind, len(values), np.array(values, order + _TYPES[kind]).tobytes())


def integers(field: Field | None, order: str) -> NDArray[np.int64]:
    """Return the values of an entry as whole numbers; none where there is no entry, or where they are none."""
    if field is None or field.kind in _PAIRS or _TYPES[field.kind][0] == "f":
        return np.zeros(0, np.int64)
    return np.frombuffer(field.data, order + _TYPES[field.kind]).astype(np.int64)


def reals(field: Field | None, order: str) -> list[float]:
    """Return the values of an entry as numbers; of a fraction whose denominator is 0 that is 0."""
    if field is None:
        return []
    found: list[float] = np.frombuffer(field.data, order + _TYPES[field.kind]).astype(np.float64).tolist()
    if field.kind not in _PAIRS:
        return found
    return [above / below if below else 0.0 for above, below in zip(found[::2], found[1::2], strict=True)]


def text(field: Field | None) -> str:
    """Return the text of an entry up to its end; nothing where there is no entry."""
    return bytes(field.data).split(b"\0")[0].decode("utf-8", "replace") if field else ""


def tree(data: memoryview, layout: tiff.Layout, offset: int, wanted: Callable[[int], bool]) -> Tree:
    """Return a copy of the directory at `offset`, for a classic TIFF.

    Args:
        data: a TIFF, or EXIF data.
        layout: of it.
        offset: where the directory is.
        wanted: whether to take the entry of a tag of that directory; of those that hang on it all are taken.
    """
    room = len(data)

    def copied(offset: int, hanging: Mapping[int, Any], wanted: Callable[[int], bool]) -> Tree:
        nonlocal room
        found: Tree = {}
        for tag, field in fields(data, layout, offset).items():
            if tag in hanging:
                where = integers(field, layout.order)
                below = copied(int(where[0]), hanging[tag], lambda tag: True) if where.size == 1 else {}
                if below:
                    found[tag] = below
            elif wanted(tag) and field.kind not in _POINTERS and 0 < len(field.data) <= room:
                room -= len(field.data)
                narrow = _narrowed(field, layout.order)
                if narrow:
                    found[tag] = narrow
        return found

    return copied(offset, _HANGING, wanted)


def _narrowed(field: Field, order: str) -> Field | None:
    """Return a field with its bytes its own, and of a kind that a classic TIFF has; None where that cannot hold the values."""
    kind = _WIDE.get(field.kind)
    if kind is None:
        return field._replace(data=bytes(field.data))
    values = np.frombuffer(field.data, order + _TYPES[field.kind])
    limits = np.iinfo(_TYPES[kind])
    if values.min() < limits.min or values.max() > limits.max:
        return None
    return Field(kind, field.number, values.astype(order + _TYPES[kind]).tobytes())


def in_order(found: Tree, before: str, after: str) -> Tree:
    """Return a directory with its values in the byte order `after`, `<` or `>`, which were in the order `before`."""
    if before == after:
        return found
    return {
        tag: in_order(value, before, after)
        if isinstance(value, dict)
        else value._replace(data=np.frombuffer(value.data, _TYPES[value.kind]).byteswap().tobytes())
        for tag, value in found.items()
    }


def laid_out(found: Tree, order: str, at: int, *, big: bool = False, following: int = 0) -> bytes:
    """Return a directory as bytes, with its values and the directories that hang on it behind it.

    Its length does not depend on the numbers in it, nor on `at` and `following`.

    Args:
        found: the directory, its values in the byte order of the file.
        order: `<` or `>`.
        at: where in the file it will stand; an even number.
        big: whether the file is a BigTIFF.
        following: where the next directory of the chain will stand; 0 when it is the last one.

    Raises:
        struct.error: an offset is beyond the 4 GB of a classic TIFF.
    """
    entry, place = order + ("HHQ" if big else "HHI"), order + ("Q" if big else "I")
    room = struct.calcsize(place)
    head = struct.pack(order + ("Q" if big else "H"), len(found))
    end = at + len(head) + len(found) * (struct.calcsize(entry) + room) + room
    rows, values = bytearray(head), bytearray()
    for tag in sorted(found):
        value = found[tag]
        where = struct.pack(place, end + len(values))
        if isinstance(value, dict):
            rows += struct.pack(entry, tag, LONG8 if big else LONG, 1) + where
            values += laid_out(value, order, end + len(values), big=big)
        else:
            inside = len(value.data) <= room
            rows += struct.pack(entry, tag, value.kind, value.number) + (
                bytes(value.data).ljust(room, b"\0") if inside else where
            )
            values += b"" if inside else value.data
        values += bytes(len(values) % 2)  # values and directories begin on even bytes
    return bytes(rows + struct.pack(place, following) + values)


def head(order: str, first: int, *, big: bool = False) -> bytes:
    """Return how a TIFF begins whose first directory is at `first`."""
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HHHQ", 43, 8, 0, first) if big else mark + struct.pack(order + "HI", 42, first)


def alone(found: Tree, order: str) -> bytes:
    """Return a directory as a TIFF without a picture, which is what EXIF data are; nothing for an empty one."""
    return head(order, 8) + laid_out(found, order, 8) if found else b""
