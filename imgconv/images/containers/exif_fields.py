"""The fields of EXIF that say what a container may also say itself: the resolution, and a text.

They stand in the first directory (TIFF 6.0, section 8). Damaged data read as data that say nothing.
"""

from __future__ import annotations

import struct
from fractions import Fraction

from imgconv.images import directories, tiff
from imgconv.images.containers.texts import text_of, utf_8

_DESCRIPTION, _ACROSS, _DOWN, _UNIT = 270, 282, 283, 296
_INCH, _INCHES = 2, {2: 1.0, 3: 2.54}  # 3 is for centimetres, 1 for no unit at all

_LONGEST_TEXT = 1 << 16

# Containers count in whole dots an inch, a centimetre or a metre. Resolutions nearer than this are rounded from the same one.
_NEAR = 2e-3


def resolution(exif: bytes) -> tuple[float, float] | None:
    """Return dots per inch, down and across, or None where EXIF has none, or none in inches or centimetres."""
    order, fields = _fields(exif)
    units = directories.integers(fields.get(_UNIT), order).tolist()
    factor = _INCHES.get(units[0] if units else _INCH, 0.0)
    across = (directories.reals(fields.get(_ACROSS), order) or [0.0])[0] * factor
    down = (directories.reals(fields.get(_DOWN), order) or [across])[0] * factor
    return (down, across) if 0 < down < float("inf") and 0 < across < float("inf") else None


def agrees(exif: bytes, wanted: tuple[float, float]) -> bool:
    """Return whether EXIF says that resolution, but for rounding."""
    found = resolution(exif)
    return found is not None and all(abs(f - w) <= _NEAR * w for f, w in zip(found, wanted, strict=True))


def description(exif: bytes) -> str:
    """Return the text of EXIF, without blanks around it, or nothing."""
    _, fields = _fields(exif)
    field = fields.get(_DESCRIPTION)
    return text_of(bytes(field.data[:_LONGEST_TEXT])).strip() if field else ""


def with_resolution(exif: bytes, dots_per_inch: tuple[float, float]) -> bytes:
    """Return EXIF with another resolution, down and across; nothing where that cannot be done."""
    try:
        down, across = (Fraction(dots).limit_denominator(10_000) for dots in dots_per_inch)
        values = {
            tag: (tiff.RATIONAL, struct.pack(">II", dots.numerator, dots.denominator))
            for tag, dots in ((_ACROSS, across), (_DOWN, down))
        }
    except (ValueError, OverflowError, struct.error):  # no number, or out of range
        return b""
    return tiff.with_entries(exif or tiff.BARE_EXIF, {**values, _UNIT: (tiff.SHORT, struct.pack(">H", _INCH))})


def with_description(exif: bytes, text: str) -> bytes:
    """Return EXIF with another text; nothing where that cannot be done."""
    return tiff.with_entries(exif or tiff.BARE_EXIF, {_DESCRIPTION: (tiff.ASCII, utf_8(text) + b"\0")})


def _fields(exif: bytes) -> tuple[str, dict[int, directories.Field]]:
    """Return the byte order and the entries of the first directory."""
    view = memoryview(exif)
    layout = tiff.layout_of(view)
    return (layout.order, directories.fields(view, layout, layout.first)) if layout else ("<", {})
