"""JPEG. Segments are parsed here; pixels are decoded by OpenCV, Pillow or libjpeg.

Metadata are stored in segments before the first scan (ITU-T T.81, annex B; JFIF; EXIF; XMP part 3; ICC.1:2022, B.4).
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError, decoder_errors
from imgconv.images.formats import opencv_codec
from imgconv.images.formats.base import COMMON_METADATA, QUALITY, Format
from imgconv.images.formats.opencv_codec import scaled, swapped
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Fitted, Metadata, exif_in, fit_metadata, text_of, utf_8, with_exif_read
from imgconv.images.pages import Header

# Markers. Frame headers have any marker from C0 to CF except three.
_APP0, _APP1, _APP2, _APP13, _COMMENT, _TABLES = 0xE0, 0xE1, 0xE2, 0xED, 0xFE, 0xDB
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH, _ENDS = {0x00, 0x01, *range(0xD0, 0xD8)}, {0xD8, 0xD9, 0xDA}

# Identifiers at the start of the content of segments.
_JFIF, _EXIF, _ICC, _IPTC = b"JFIF\0", b"Exif\0\0", b"ICC_PROFILE\0", b"Photoshop 3.0\0"
_XMP, _EXTENDED_XMP = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"

_LONGEST = 65_533  # maximum size of the content of a segment, in bytes
_LONGEST_PART = _LONGEST - len(_ICC) - 2  # of a part of a profile, which starts with its number and the number of parts
_MOST_BYTES = {
    "exif": _LONGEST - len(_EXIF),
    "xmp": _LONGEST - len(_XMP),
    "icc": 255 * _LONGEST_PART,
    "comment": _LONGEST,
}

# Units of JFIF's density with their lengths in inches, and the maximum density.
_UNITS = {1: 1.0, 2: 1 / 2.54}
_MOST_DOTS = 65_535

# Subsampling by the horizontal and vertical ratio of the sampling factors of the first component to those of the others.
_SUBSAMPLINGS: dict[tuple[float, float], str] = {(1, 1): "444", (1, 2): "440", (2, 1): "422", (2, 2): "420", (4, 1): "411"}
_SAMPLING_FACTORS = {"411": 0x411111, "420": 0x221111, "422": 0x211111, "440": 0x121111, "444": 0x111111}

_INKS = 4
_AHEAD = 4096  # number of bytes searched at once for a marker


class _Segment(NamedTuple):
    """A segment before the first scan: its marker, and position and size of its content."""

    file: FileBytes
    marker: int
    start: int
    size: int

    @property
    def content(self) -> bytes:
        """The content without marker and length."""
        return bytes(self.file.block(self.start, self.size))


class Jpeg(Format):
    """JPEG (ITU-T T.81)."""

    name = "jpeg"
    title = "JPEG"
    extensions = (".jpg", ".jpeg", ".jpe", ".jfif")
    signatures = (b"\xff\xd8\xff",)
    places = COMMON_METADATA | {"iptc"}
    quality = True
    lossless = False
    max_side = 65_500

    def header(self, file: FileBytes) -> Header:
        """Return the header of the picture. CMYK becomes RGB."""
        bits, rows, columns, components = frame(file)
        if components not in (1, 3, _INKS) or not 2 <= bits <= 16 or (components == _INKS and bits != 8):
            raise HeaderError(f"a JPEG with {components} components of {bits} bits is not supported; save it as PNG or TIFF")
        return Header.of(rows, columns, min(components, 3), np.uint8 if bits <= 8 else np.uint16)

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return the metadata, and quality, subsampling and bits per sample."""
        from imgconv.images.formats.jpeg_tables import quality_of, tables_of

        segments = list(_segments(file))
        metadata = Metadata(
            exif=next(filter(None, map(exif_in, _contents(segments, _APP1, _EXIF))), b""),
            xmp=next(iter(_contents(segments, _APP1, _XMP)), b"").rstrip(b"\0"),
            icc=_profile(_contents(segments, _APP2, _ICC)),
            iptc=b"".join(_contents(segments, _APP13, _IPTC)),
            comment=next(filter(None, map(text_of, _contents(segments, _COMMENT))), ""),
            resolution=_resolution(_contents(segments, _APP0, _JFIF)),
        )
        # Frame header: bits per sample, size, number of components; identifier, sampling and table of each component.
        found = next((segment.content for segment in segments if segment.marker in _FRAMES), b"")
        components = found[6 : 6 + 3 * found[5]] if len(found) > 5 else b""
        if not components or len(components) < 3 * found[5]:
            return with_exif_read(metadata), Coding()
        quality = quality_of(tables_of(_contents(segments, _TABLES)), list(components[2::3]))
        factors = [divmod(factor, 16) for factor in components[1::3]]
        bits = None if found[0] == 8 else found[0]
        return with_exif_read(metadata), Coding(quality=quality, subsampling=_subsampling(factors), bits=bits)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture. CMYK becomes sRGB by the profile of the file; samples of more than 8 bits are scaled to 16."""
        metadata, coding = self.metadata(file)
        bits, rows, columns, components = frame(file)
        notes: list[str] = []
        if components == _INKS:
            from imgconv.images.colour.mixing import cmyk_to_rgb

            pixels, profile, note = cmyk_to_rgb(_inks(file, (columns, rows)), metadata.icc)
            pixels, metadata = swapped(pixels), replace(metadata, icc=profile)
            notes.append(note)
        elif bits == 8:
            pixels = opencv_codec.decoded(file.view, self, name)
        else:
            pixels = _deep(bytes(file.view), bits, components)
        if _contents(_segments(file), _APP1, _EXTENDED_XMP):
            notes.append("left out the extended part of XMP: only the standard packet is read")
        return self.image(pixels, header, metadata, coding, tuple(notes))

    def fit(self, metadata: Metadata, colours: int) -> Fitted:
        """Return the metadata that fit into segments. EXIF that is too long is reduced to the orientation."""
        kept, lost = fit_metadata(metadata, self.places, self.title, colours)
        for name, most in _MOST_BYTES.items():
            block = getattr(kept, name)
            size = len(utf_8(block) if isinstance(block, str) else block)
            if size > most:
                rest = "; only its orientation is written" if name == "exif" else ""
                lost[name] = f"it has {size} bytes, but JPEG stores at most {most}{rest}"
                changed: Any = {name: Metadata().oriented(kept.orientation).exif if rest else type(block)()}
                kept = replace(kept, **changed)
        if kept.resolution and _density(kept.resolution) is None:
            lost["resolution"] = f"JPEG stores only whole numbers from 1 to {_MOST_DOTS}"
            kept = replace(kept, resolution=None)
        return kept, lost

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return the encoder parameters for quality and subsampling."""
        found = [("IMWRITE_JPEG_QUALITY", QUALITY if coding.quality is None else coding.quality)]
        if coding.subsampling in _SAMPLING_FACTORS:
            found.append(("IMWRITE_JPEG_SAMPLING_FACTOR", _SAMPLING_FACTORS[coding.subsampling]))
        return tuple(found)

    def with_metadata(self, encoded: memoryview, metadata: Metadata) -> list[Piece]:
        """Return an encoded file with the resolution in its JFIF segment and the other metadata after it."""
        head, rest = bytes(encoded[:2]), 2
        first = next(_segments(FileBytes(encoded)), None)
        if first and first.marker == _APP0 and first.size >= 14 and first.content.startswith(_JFIF):
            rest = first.start + first.size
            density = _density(metadata.resolution) if metadata.resolution else None
            head = bytes(encoded[:rest])
            head = head[:13] + struct.pack(">BHH", *density) + head[18:] if density else head
        pieces: list[Piece] = [head]
        pieces += [_segment(_APP1, _EXIF, metadata.exif)] if metadata.exif else []
        pieces += [_segment(_APP1, _XMP, metadata.xmp)] if metadata.xmp else []
        parts = _cut(metadata.icc, _LONGEST_PART)
        pieces += [_segment(_APP2, _ICC, bytes([number, len(parts)]), part) for number, part in enumerate(parts, 1)]
        pieces += [_segment(_APP13, _IPTC, part) for part in _cut(metadata.iptc, _LONGEST - len(_IPTC))]
        pieces += [_segment(_COMMENT, utf_8(metadata.comment))] if metadata.comment else []
        return [*pieces, encoded[rest:]]


def _segments(file: FileBytes) -> Iterator[_Segment]:
    """Yield the segments before the first scan, as libjpeg finds them. Stops where the file is damaged."""
    at = 2
    with contextlib.suppress(HeaderError):
        while True:
            first, marker, size = file.numbers(">BBH", at)
            if first != 0xFF:  # stray bytes
                at += len(file.read(at, min(_AHEAD, file.size - at)).partition(b"\xff")[0])
            elif marker == 0xFF:  # a fill byte
                at += 1
            elif marker in _WITHOUT_LENGTH:
                at += 2
            else:
                size = max(2, size)
                if marker in _ENDS or at + 2 + size > file.size:
                    return
                yield _Segment(file, marker, at + 4, size - 2)
                at += 2 + size


def frame(file: FileBytes) -> tuple[int, int, int, int]:
    """Return bits per sample, rows, columns and number of components from the frame header."""
    for segment in _segments(file):
        if segment.marker in _FRAMES:
            bits, rows, columns, components = file.numbers(">BHHB", segment.start)
            return bits, rows, columns, components
    raise HeaderError


def _contents(segments: Iterable[_Segment], marker: int, name: bytes = b"") -> list[bytes]:
    """Return the contents of the segments with a marker and an identifier (`name`), without the identifier."""
    contents = (segment.content for segment in segments if segment.marker == marker)
    return [content[len(name) :] for content in contents if content.startswith(name)]


def _profile(parts: list[bytes]) -> bytes:
    """Return a profile joined from its parts, which start with their number and their count; b"" if a part is missing."""
    parts = [part for part in parts if len(part) > 2]
    numbered = {part[0]: part[2:] for part in reversed(parts)}
    count = parts[0][1] if parts else 0
    return b"".join(numbered[n] for n in sorted(numbered)) if numbered.keys() == set(range(1, count + 1)) else b""


def _resolution(contents: list[bytes]) -> tuple[float, float] | None:
    """Return the vertical and horizontal dots per inch of JFIF; None if it defines only an aspect ratio."""
    for content in contents:
        if len(content) >= 7:
            unit, across, down = struct.unpack_from(">BHH", content, 2)
            return (down / _UNITS[unit], across / _UNITS[unit]) if unit in _UNITS and down and across else None
    return None


def _density(dots_per_inch: tuple[float, float]) -> tuple[int, int, int] | None:
    """Return the unit with the smaller rounding error, and dots across and down in it; None if out of range in both units."""
    found = []
    for unit, inches in _UNITS.items():
        exact = np.multiply(dots_per_inch, inches)
        if (exact > 0.5).all() and (exact < _MOST_DOTS + 0.5).all():
            down, across = np.rint(exact).astype(int).tolist()
            error = np.abs((down, across) / exact - 1).max()
            found.append((round(float(error), 9), unit, across, down))
    return min(found)[1:] if found else None


def _subsampling(factors: list[tuple[int, int]]) -> str | None:
    if len(factors) != 3 or factors[1] != factors[2] or 0 in factors[1]:
        return None
    (across, down), (other_across, other_down), _ = factors
    return _SUBSAMPLINGS.get((across / other_across, down / other_down))


def _deep(data: bytes, bits: int, components: int) -> NDArray[Any]:
    """Return the pixels of a file with 12 bits per sample, or of a lossless JPEG with 2 to 16."""
    from imagecodecs import jpeg8_decode

    # libjpeg pads truncated files without an error, so check for the end marker.
    if data.rfind(b"\xff\xd9", -(1 << 16)) < 0:
        raise HeaderError
    with decoder_errors():
        pixels = jpeg8_decode(data)
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.shape[2:] not in ((), (components,)):
        raise HeaderError
    return scaled(swapped(pixels), bits)


def _inks(file: FileBytes, size: tuple[int, int]) -> NDArray[Any]:
    """Return cyan, magenta, yellow and black, where 255 is full ink. Pillow inverts the stored values, as is usual for JPEG."""
    from imgconv.images.formats.pillow_codec import opened

    with opened("JpegImagePlugin:JpegImageFile", file.view) as picture:
        if picture.mode != "CMYK" or picture.size != size:
            raise HeaderError
        return np.asarray(picture)


def _segment(marker: int, *parts: bytes) -> bytes:
    return b"".join((struct.pack(">BBH", 0xFF, marker, 2 + sum(map(len, parts))), *parts))


def _cut(block: bytes, size: int) -> list[bytes]:
    return [block[at : at + size] for at in range(0, len(block), size)]
