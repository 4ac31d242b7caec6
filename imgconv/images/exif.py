"""Fields of EXIF that are read and changed: orientation, resolution and description.

They stand in the first directory (TIFF 6.0, section 8). Damaged data have no fields. What the entries point at stays where it
is when a field is changed: a maker note may hold offsets into the whole block.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction

from imgconv.images.directories import ASCII, RATIONAL, SHORT, Field, fields, integers, layout_of, reals
from imgconv.images.file_bytes import FileBytes
from imgconv.images.metadata import text_of, utf_8

#: Tags of the fields.
DESCRIPTION, ORIENTATION, ACROSS, DOWN, UNIT = 270, 274, 282, 283, 296
_TAGS = frozenset({DESCRIPTION, ORIENTATION, ACROSS, DOWN, UNIT})

_INCH, _INCHES = 2, {2: 1.0, 3: 2.54}  # 3 is for centimetres, 1 for no unit

# EXIF data without an entry, to which fields are added.
_EMPTY = b"MM\0*\0\0\0\x08\0\0\0\0\0\0"

_LONGEST_TEXT = 1 << 16

# Containers store whole dots per inch, centimetre or metre. Resolutions nearer than this are the same one, rounded.
_NEAR = 2e-3


def orientation_of(exif: bytes) -> int:
    """Return the EXIF orientation, 1 to 8; 1, upright, where there is none or it makes no sense."""
    order, found = _fields(exif)
    values = integers(found.get(ORIENTATION), order).tolist()
    return values[0] if values and 1 <= values[0] <= 8 else 1


def with_orientation(exif: bytes, orientation: int) -> bytes:
    """Return EXIF with another orientation; data that are no EXIF are returned as they are."""
    return _with_entries(exif, {ORIENTATION: (SHORT, struct.pack(">H", orientation))}) or exif


def resolution(exif: bytes) -> tuple[float, float] | None:
    """Return dots per inch, down and across; None where EXIF has none, or none in inches or centimetres."""
    order, found = _fields(exif)
    return resolution_in(found, order)


def resolution_in(found: Mapping[int, Field], order: str) -> tuple[float, float] | None:
    """Return dots per inch, down and across, of a directory; None as for `resolution`."""
    units = integers(found.get(UNIT), order).tolist()
    factor = _INCHES.get(units[0] if units else _INCH, 0.0)
    horizontal = reals(found.get(ACROSS), order) or [0.0]
    across, down = horizontal[0] * factor, (reals(found.get(DOWN), order) or horizontal)[0] * factor
    return (down, across) if 0 < down < float("inf") and 0 < across < float("inf") else None


def agrees(exif: bytes, wanted: tuple[float, float]) -> bool:
    """Return whether EXIF has that resolution, except for rounding."""
    found = resolution(exif)
    return found is not None and all(abs(f - w) <= _NEAR * w for f, w in zip(found, wanted, strict=True))


def with_resolution(exif: bytes, dots_per_inch: tuple[float, float]) -> bytes:
    """Return EXIF with another resolution, down and across; nothing where that cannot be done."""
    try:
        down, across = (Fraction(dots).limit_denominator(10_000) for dots in dots_per_inch)
        values = {
            tag: (RATIONAL, struct.pack(">II", dots.numerator, dots.denominator))
            for tag, dots in ((ACROSS, across), (DOWN, down))
        }
    except (ValueError, OverflowError, struct.error):  # not a number, or out of range
        return b""
    if not (across and down):
        return b""
    return _with_entries(exif, {**values, UNIT: (SHORT, struct.pack(">H", _INCH))})


def description(exif: bytes) -> str:
    """Return the description without spaces around it, or nothing."""
    _, found = _fields(exif)
    field = found.get(DESCRIPTION)
    return text_of(field.data[:_LONGEST_TEXT]).strip() if field else ""


def with_description(exif: bytes, text: str) -> bytes:
    """Return EXIF with another description; nothing where that cannot be done."""
    return _with_entries(exif, {DESCRIPTION: (ASCII, utf_8(text) + b"\0")})


def _fields(exif: bytes) -> tuple[str, dict[int, Field]]:
    """Return the byte order, and the fields of the first directory."""
    file = FileBytes(memoryview(exif))
    layout = layout_of(file)
    return (layout.order, fields(file, layout, layout.first, _TAGS.__contains__)) if layout else ("<", {})


def _with_entries(exif: bytes, values: Mapping[int, tuple[int, bytes]]) -> bytes:
    """Return EXIF whose first directory has these entries; nothing where it has no readable directory.

    A single entry that fits is overwritten. Otherwise the directory is written anew at the end.

    Args:
        exif: EXIF data; where there are none, they are created.
        values: type (`ASCII`, `SHORT`, `RATIONAL`) and value by tag, numbers highest byte first.
    """
    exif = exif or _EMPTY
    layout = layout_of(FileBytes(memoryview(exif)))
    if layout is None or layout.big or not 8 <= layout.first <= len(exif) - 2:
        return b""
    order, start = layout.order, layout.first + 2
    end = start + 12 * struct.unpack_from(order + "H", exif, layout.first)[0]
    rows: dict[int, bytes] = {}
    places: dict[int, int] = {}
    for at in range(start, min(end, len(exif) - 11), 12):
        (tag,) = struct.unpack_from(order + "H", exif, at)
        rows.setdefault(tag, exif[at : at + 12])
        places.setdefault(tag, at)
    changed = bytearray(exif)
    for tag, (kind, value) in values.items():
        code, size = {ASCII: (f"{len(value)}s", 1), SHORT: ("H", 2), RATIONAL: ("II", 8)}[kind]
        place = ordered = struct.pack(order + code, *struct.unpack(">" + code, value))
        if len(ordered) > 4:
            changed += bytes(len(changed) % 2)  # values and directories begin on even bytes
            place = struct.pack(order + "I", len(changed))
            changed += ordered
        row = struct.pack(order + "HHI", tag, kind, len(value) // size)
        if len(values) == 1 and len(ordered) <= 4 and rows.get(tag, b"")[:8] == row:
            changed[places[tag] + 8 : places[tag] + 8 + len(ordered)] = ordered
            return bytes(changed)
        rows[tag] = row + place.ljust(4, b"\0")
    changed += bytes(len(changed) % 2)
    struct.pack_into(order + "I", changed, 4, len(changed))
    directory = struct.pack(order + "H", len(rows)) + b"".join(rows[tag] for tag in sorted(rows))
    return bytes(changed) + directory + exif[end : end + 4].ljust(4, b"\0")
