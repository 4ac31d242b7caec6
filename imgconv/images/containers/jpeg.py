"""Metadata in and out of a JPEG: the segments before its entropy-coded data (ITU-T T.81, annex B).

JFIF and EXIF name their segments in their own standards; profiles are cut as ICC.1:2022, B.4, says.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imgconv.images.atomic import Piece
from imgconv.images.coding import Coding
from imgconv.images.containers import extended_xmp
from imgconv.images.containers.container import Fitted, LeftOut, exif_in, fitting, with_exif_read
from imgconv.images.containers.jpeg_tables import quality_of
from imgconv.images.containers.texts import text_of, utf_8
from imgconv.images.metadata import Metadata

_EXIF, _ICC, _IPTC, _JFIF = b"Exif\0\0", b"ICC_PROFILE\0", b"Photoshop 3.0\0", b"JFIF\0"

# Markers. A frame header is any of C0 to CF but these three.
_APP0, _APP1, _APP2, _APP13, _COMMENT, _TABLES = 0xE0, 0xE1, 0xE2, 0xED, 0xFE, 0xDB
_NO_FRAME, _WITHOUT_LENGTH, _ENDS = {0xC4, 0xC8, 0xCC}, {0x00, 0x01, *range(0xD0, 0xD8)}, {0xD8, 0xD9, 0xDA}

_LONGEST = 65_533  # bytes that a segment holds
_MOST_PROFILE = 255 * (_LONGEST - len(_ICC) - 2)  # its parts are counted in one byte
_MOST_STEPS = 1 << 16

_INCH, _CENTIMETRE = 1, 2
_MOST_DOTS = 65_535

# Sampling factors of the first component, in those of the others.
_SUBSAMPLINGS = {(1, 1): "444", (1, 2): "440", (2, 1): "422", (2, 2): "420", (4, 1): "411"}

Segment = tuple[int, memoryview]


def read(view: memoryview) -> tuple[Metadata, Coding]:
    """Return what a JPEG says, and how it was coded; nothing behind its first scan is looked at."""
    segments = list(_segments(view))
    own = [bytes(content) for marker, content in segments if marker == _APP1]
    comments = (text_of(bytes(content)) for marker, content in segments if marker == _COMMENT)
    metadata = Metadata(
        exif=next(filter(None, (exif_in(block) for block in own if block.startswith(_EXIF))), b""),
        xmp=extended_xmp.joined(own),
        icc=_profile(content[len(_ICC) :] for content in _called(segments, _APP2, _ICC)),
        iptc=b"".join(content[len(_IPTC) :] for content in _called(segments, _APP13, _IPTC)),
        comment=next(filter(None, comments), ""),
        resolution=_density(segments),
    )
    return with_exif_read(metadata), _coding(segments)


def fitted(metadata: Metadata, colours: int = 3) -> Fitted:
    """Return what goes into a JPEG. Of an EXIF that is too long its orientation does."""
    kept, left_out = fitting(metadata, {"exif", "xmp", "icc", "iptc", "comment", "resolution"}, "JPEG", colours)
    lost = list(left_out)
    if len(kept.exif) > _LONGEST - len(_EXIF):
        why = f"it has {len(kept.exif)} bytes, a JPEG holds {_LONGEST - len(_EXIF)}; only its orientation goes along"
        lost.append(LeftOut("exif", why))
        kept = replace(kept, exif=Metadata().oriented(kept.orientation).exif)
    if len(kept.icc) > _MOST_PROFILE:
        lost.append(LeftOut("icc", f"it has {len(kept.icc)} bytes, a JPEG holds {_MOST_PROFILE} of it"))
        kept = replace(kept, icc=b"")
    if len(utf_8(kept.comment)) > _LONGEST:
        lost.append(LeftOut("comment", f"it has {len(utf_8(kept.comment))} bytes, a JPEG holds {_LONGEST} of it"))
        kept = replace(kept, comment="")
    if kept.resolution and _dots(kept.resolution) is None:
        lost.append(LeftOut("resolution", f"a JPEG holds whole numbers from 1 to {_MOST_DOTS}"))
        kept = replace(kept, resolution=None)
    return Fitted(kept, tuple(lost))


def written(encoded: memoryview, metadata: Metadata) -> list[Piece]:
    """Return an encoder's JPEG with metadata put in, before all but its JFIF segment; that takes the resolution."""
    head, rest = bytes(encoded[:2]), 2
    marker, content = next(_segments(encoded), (0, memoryview(b"")))
    if marker == _APP0 and content[: len(_JFIF)] == _JFIF and len(content) >= 14:
        rest += 4 + len(content)
        head = _with_density(bytes(encoded[:rest]), metadata.resolution)
    pieces: list[Piece] = [head]
    if metadata.exif:
        pieces.append(_segment(_APP1, _EXIF, metadata.exif))
    pieces += [_segment(_APP1, part) for part in extended_xmp.parts(metadata.xmp)]
    cut = _cut(metadata.icc, _LONGEST - len(_ICC) - 2)
    pieces += [_segment(_APP2, _ICC, bytes([number, len(cut)]), part) for number, part in enumerate(cut, 1)]
    pieces += [_segment(_APP13, _IPTC, part) for part in _cut(metadata.iptc, _LONGEST - len(_IPTC))]
    if metadata.comment:
        pieces.append(_segment(_COMMENT, utf_8(metadata.comment)))
    return [*pieces, encoded[rest:]]


def _segments(view: memoryview) -> Iterator[Segment]:
    """Yield the marker and the content of each whole segment before the first scan."""
    at = 2
    for _ in range(_MOST_STEPS):
        if at + 4 > len(view):
            return
        marker = view[at + 1]
        if view[at] != 0xFF or marker == 0xFF:  # libjpeg steps over what is no marker, and over those that only fill
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            size = view[at + 2] << 8 | view[at + 3]
            end = at + 2 + size
            if marker in _ENDS or size < 2 or end > len(view):
                return
            yield marker, view[at + 4 : end]
            at = end


def _called(segments: list[Segment], marker: int, name: bytes) -> Iterator[bytes]:
    return (bytes(content) for found, content in segments if found == marker and content[: len(name)] == name)


def _is_frame(marker: int) -> bool:
    return 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME


def _profile(parts: Iterator[bytes]) -> bytes:
    """Return the profile whose parts, each behind its number and their count, came in some order, or nothing."""
    numbered: dict[int, bytes] = {}
    count = 0
    for part in parts:
        if len(part) > 2:
            count = count or part[1]
            numbered.setdefault(part[0], part[2:])
    if not count or numbered.keys() != set(range(1, count + 1)):
        return b""
    return b"".join(numbered[number] for number in range(1, count + 1))


def _density(segments: list[Segment]) -> tuple[float, float] | None:
    """Return what JFIF says of dots per inch, down and across; 1 is for inches, 2 for centimetres, 0 for squareness only."""
    for content in _called(segments, _APP0, _JFIF):
        if len(content) >= 12:
            unit, across, down = struct.unpack_from(">BHH", content, 7)
            factor = {_INCH: 1.0, _CENTIMETRE: 2.54}.get(unit)
            return (down * factor, across * factor) if factor and down and across else None
    return None


def _coding(segments: list[Segment]) -> Coding:
    frame = next((bytes(content) for marker, content in segments if _is_frame(marker)), b"")
    components = frame[6 : 6 + 3 * frame[5]] if len(frame) > 5 else b""
    if not components or len(components) < 3 * frame[5]:
        return Coding()
    tables: dict[int, NDArray[np.int64]] = {}
    for marker, content in segments:
        tables |= _quantisation(content) if marker == _TABLES else {}
    sampling = [divmod(factors, 16) for factors in components[1::3]]
    return Coding(quality=quality_of(tables, list(components[2::3])), subsampling=_subsampling(sampling))


def _quantisation(content: memoryview) -> dict[int, NDArray[np.int64]]:
    found, at = {}, 0
    while at < len(content):
        wide, number = divmod(content[at], 16)
        size = 128 if wide else 64
        if at + 1 + size > len(content):
            break
        found[number] = np.frombuffer(content, ">u2" if wide else np.uint8, 64, at + 1).astype(np.int64)
        at += 1 + size
    return found


def _subsampling(factors: list[tuple[int, int]]) -> str | None:
    if len(factors) != 3 or factors[1] != factors[2] or 0 in factors[1]:
        return None
    (columns, rows), (others_columns, others_rows), _ = factors
    if columns % others_columns or rows % others_rows:
        return None
    return _SUBSAMPLINGS.get((columns // others_columns, rows // others_rows))


def _dots(dots_per_inch: tuple[float, float]) -> tuple[int, int, int] | None:
    """Return the unit, and dots across and down, as whole numbers in the unit that they suit better; None where in none."""
    found = None
    least = float("inf")
    for unit, inches in ((_INCH, 1.0), (_CENTIMETRE, 2.54)):
        exact = [dots / inches for dots in dots_per_inch]
        if not all(0.5 < dots < _MOST_DOTS + 0.5 for dots in exact):
            continue
        down, across = (round(dots) for dots in exact)
        error = max(abs(down / exact[0] - 1), abs(across / exact[1] - 1))
        if error < least - 1e-9:
            found, least = (unit, across, down), error
    return found


def _with_density(head: bytes, dots_per_inch: tuple[float, float] | None) -> bytes:
    dots = _dots(dots_per_inch) if dots_per_inch else None
    return head[:13] + struct.pack(">BHH", *dots) + head[18:] if dots else head


def _segment(marker: int, *parts: bytes) -> bytes:
    return b"".join((struct.pack(">BBH", 0xFF, marker, 2 + sum(map(len, parts))), *parts))


def _cut(block: bytes, size: int) -> list[bytes]:
    return [block[at : at + size] for at in range(0, len(block), size)]
