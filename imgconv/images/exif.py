"""Read and change the EXIF fields orientation, resolution and description.

They are stored in the first directory (TIFF 6.0, section 8). Damaged data are treated as empty. Changing a field does not move
other data, because a maker note may contain offsets into the whole block.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from imgconv.images.directories import ASCII, RATIONAL, SHORT, Field, fields, integers, layout_of, new_field, reals
from imgconv.images.file_bytes import FileBytes
from imgconv.images.metadata import text_of, utf_8

#: Tags of the fields.
DESCRIPTION, ORIENTATION, ACROSS, DOWN, UNIT = 270, 274, 282, 283, 296
_TAGS = frozenset({DESCRIPTION, ORIENTATION, ACROSS, DOWN, UNIT})

_INCH, _INCHES = 2, {2: 1.0, 3: 2.54}  # 3 is for centimetres, 1 for no unit

# EXIF data without entries.
_EMPTY = b"MM\0*\0\0\0\x08\0\0\0\0\0\0"

_LONGEST_TEXT = 1 << 16

# Containers round to whole dots per inch, centimetre or metre. Resolutions that differ by a smaller fraction are equal.
_NEAR = 2e-3


def orientation_of(exif: bytes) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) if it is missing or invalid."""
    values = integers(_fields(exif).get(ORIENTATION))
    return values[0] if values and 1 <= values[0] <= 8 else 1


def with_orientation(exif: bytes, orientation: int) -> bytes:
    """Return EXIF with another orientation; invalid EXIF is returned unchanged."""
    return _with_entries(exif, {ORIENTATION: new_field(SHORT, [orientation])}) or exif


def resolution(exif: bytes) -> tuple[float, float] | None:
    """Return the vertical and horizontal dots per inch; None if they are missing, invalid or without a unit."""
    return resolution_in(_fields(exif))


def resolution_in(found: Mapping[int, Field]) -> tuple[float, float] | None:
    """Return the vertical and horizontal dots per inch in a directory; None as for `resolution`."""
    units = integers(found.get(UNIT))
    factor = _INCHES.get(units[0] if units else _INCH, 0.0)
    horizontal = reals(found.get(ACROSS)) or [0.0]
    across, down = horizontal[0] * factor, (reals(found.get(DOWN)) or horizontal)[0] * factor
    return (down, across) if 0 < down < float("inf") and 0 < across < float("inf") else None


def agrees(exif: bytes, wanted: tuple[float, float]) -> bool:
    """Return whether the resolution in EXIF equals another one, except for rounding."""
    found = resolution(exif)
    return found is not None and all(abs(f - w) <= _NEAR * w for f, w in zip(found, wanted, strict=True))


def with_resolution(exif: bytes, dots_per_inch: tuple[float, float]) -> bytes:
    """Return EXIF with another resolution, vertical and horizontal; b"" if it is out of range or EXIF is damaged."""
    try:
        down, across = (Fraction(dots).limit_denominator(10_000) for dots in dots_per_inch)
        values = {
            ACROSS: new_field(RATIONAL, [across.numerator, across.denominator]),
            DOWN: new_field(RATIONAL, [down.numerator, down.denominator]),
            UNIT: new_field(SHORT, [_INCH]),
        }
    except (ValueError, OverflowError):  # not a number, or out of range
        return b""
    return _with_entries(exif, values) if across and down else b""


def description(exif: bytes) -> str:
    """Return the description, stripped of surrounding spaces, or ""."""
    found = _fields(exif).get(DESCRIPTION)
    return text_of(found.values[:_LONGEST_TEXT].tobytes()).strip() if found else ""


def with_description(exif: bytes, text: str) -> bytes:
    """Return EXIF with another description; b"" if EXIF is damaged."""
    return _with_entries(exif, {DESCRIPTION: new_field(ASCII, utf_8(text) + b"\0")})


def _fields(exif: bytes) -> dict[int, Field]:
    """Return the fields of the first directory."""
    file = FileBytes(memoryview(exif))
    layout = layout_of(file)
    return fields(file, layout, layout.first, _TAGS.__contains__) if layout else {}


def _with_entries(exif: bytes, values: Mapping[int, Field]) -> bytes:
    """Return EXIF with entries added to or replaced in its first directory; b"" if that directory cannot be read.

    A single entry that fits is overwritten in place. Otherwise a new copy of the directory is appended.
    """
    exif = exif or _EMPTY
    layout = layout_of(FileBytes(memoryview(exif)))
    if layout is None or layout.big or not 8 <= layout.first <= len(exif) - layout.count.size:
        return b""
    start = layout.first + layout.count.size
    end = start + layout.entry_size * layout.count.unpack_from(exif, layout.first)[0]
    places: dict[int, int] = {}
    for at in range(start, min(end, len(exif) - layout.entry_size + 1), layout.entry_size):
        places.setdefault(layout.entry.unpack_from(exif, at)[0], at)
    rows = {tag: exif[at : at + layout.entry_size] for tag, at in places.items()}
    changed = bytearray(exif)
    for tag, value in values.items():
        row, data = layout.entry.pack(tag, value.kind, value.number), value.packed(layout.order)
        if len(data) <= layout.offset.size and len(values) == 1 and rows.get(tag, b"").startswith(row):
            at = places[tag] + len(row)
            changed[at : at + len(data)] = data
            return bytes(changed)
        place = data.ljust(layout.offset.size, b"\0")
        if len(data) > layout.offset.size:
            changed += bytes(len(changed) % 2)  # values and directories begin on even bytes
            place = layout.offset.pack(len(changed))
            changed += data
        rows[tag] = row + place
    changed += bytes(len(changed) % 2)
    layout.offset.pack_into(changed, 4, len(changed))
    following = exif[end : end + layout.offset.size].ljust(layout.offset.size, b"\0")
    return bytes(changed) + layout.count.pack(len(rows)) + b"".join(rows[tag] for tag in sorted(rows)) + following
