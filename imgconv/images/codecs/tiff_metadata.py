"""What a TIFF says beside its pixels, as `Metadata`, and the other way round.

The first directory of EXIF data and the directory of a page of a TIFF are the same thing. So `Metadata.exif` is the page's
directory without what describes the layout of its pixels, and without the blocks that have a place of their own in `Metadata`;
what no standard knows goes along too, as GeoTIFF's tags do.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from fractions import Fraction

from imgconv.images import directories, tiff
from imgconv.images.containers import exif_fields
from imgconv.images.directories import ASCII, BYTE, RATIONAL, SHORT, UNDEFINED, Field, Tree
from imgconv.images.metadata import Metadata

_DESCRIPTION, _ORIENTATION, _ACROSS, _DOWN, _UNIT = 270, 274, 282, 283, 296
_NO_DATA = 42113  # GDAL's, as text
_XMP, _IPTC, _RESOURCES, _PROFILE = 700, 33723, 34377, 34675
_INCH, _CENTIMETRE = 2, 3
_RESOLUTION = {_ACROSS, _DOWN, _UNIT}

#: What says how pixels are stored, or is true only of the pixels that were there: numbers of TIFF 6.0, of its supplements
#: (raw pictures, layers, JPEG, alpha), of DNG, and those of microscopes, which hold offsets in the file.
_OF_PIXELS = frozenset(
    {
        *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291),
        *(292, 293, 297, 301, 317, 320, 321, 322, 323, 324, 325, 326, 327, 328, 330, 332, 333, 334, 336, 337, 338, 339),
        *(340, 341, 342, 347, 351, 400, 401, 402, 403, 404, 405, 433, 434, 435, *range(512, 522), 529, 530, 531, 532, 559),
        *(32995, 32996, 32997, 32998, 33421, 33422, *range(33628, 33632), 33560, 34412, 37398, 37399, 37724, 50674, 50784),
        *range(50706, 50838),
        *range(50879, 51200),
        *range(65420, 65460),
    }
)  # fmt: skip
_IN_PLACES_OF_THEIR_OWN = frozenset({_XMP, _IPTC, _RESOURCES, _PROFILE})

# ImageJ counts the pages in its description, and takes the number from there even where the file has fewer; tifffile gives
# their shape. Neither is a description of the picture.
_IMAGEJ = b"ImageJ="
_IMAGEJ_COUNTS = re.compile(rb"(?m)^(images|channels|slices|frames|hyperstack|mode)=[^\n]*\n?")
_SHAPE = re.compile(rb'(\{"shape": \[.*\}|shape=\([\d, ]*\))\s*', re.DOTALL)

# The record of Photoshop's image resources that holds IPTC (Photoshop file formats, image resource IDs).
_IPTC_RECORD = b"8BIM\x04\x04\0\0"


def metadata_of(view: memoryview, layout: tiff.Layout, offset: int) -> Metadata:
    """Return what the directory at `offset` says beside the pixels. What is damaged is left out."""
    found = directories.fields(view, layout, offset)
    exif = _exif(view, layout, offset)
    return Metadata(
        exif=exif,
        comment=exif_fields.description(exif),
        xmp=_block(found, _XMP).rstrip(b"\0"),
        icc=_block(found, _PROFILE),
        iptc=_resources(_block(found, _RESOURCES), _block(found, _IPTC)),
        resolution=_dots_per_inch(found, layout.order),
    )


def entries_of(metadata: Metadata) -> Tree:
    """Return the entries of a page's directory that say what the metadata say, lowest byte first.

    What EXIF data say of the layout of pixels is left out: it was true of another file.
    """
    found = _descriptive(metadata.exif)
    blocks = {_XMP: (BYTE, metadata.xmp), _RESOURCES: (BYTE, metadata.iptc), _PROFILE: (UNDEFINED, metadata.icc)}
    found |= {tag: Field(kind, len(block), block) for tag, (kind, block) in blocks.items() if block}
    if metadata.comment and _DESCRIPTION not in found:
        words = metadata.comment.encode("utf-8", "replace").replace(b"\0", b" ") + b"\0"
        found[_DESCRIPTION] = Field(ASCII, len(words), words)
    if metadata.resolution and not _agrees(found, metadata.resolution):
        found |= _resolution(metadata.resolution)
    return found


def no_data_of(found: Mapping[int, Field]) -> float | None:
    """Return the level that GDAL has marked as no value, None where there is none."""
    try:
        return float(_block(found, _NO_DATA).rstrip(b"\0").decode("ascii"))
    except ValueError:
        return None


def no_data_entry(level: float | None) -> Tree:
    """Return the entry that marks a level as no value, the way GDAL does; none for None."""
    if level is None:
        return {}
    words = f"{level:.17g}".encode() + b"\0"
    return {_NO_DATA: Field(ASCII, len(words), words)}


def is_of_pixels(tag: int) -> bool:
    """Return whether an entry says how the pixels are stored."""
    return tag in _OF_PIXELS


def description_of(found: Mapping[int, Field]) -> bytes:
    """Return the description of a page as it stands there."""
    return _block(found, _DESCRIPTION)


def _is_descriptive(tag: int) -> bool:
    return tag not in _OF_PIXELS and tag not in _IN_PLACES_OF_THEIR_OWN


def _exif(view: memoryview, layout: tiff.Layout, offset: int) -> bytes:
    found = _without_layout(directories.tree(view, layout, offset, _is_descriptive))
    orientation = found.get(_ORIENTATION)
    upright = isinstance(orientation, Field) and directories.integers(orientation, layout.order)[:1].tolist() == [1]
    # A file that says nothing but what every file says has no EXIF that somebody could miss.
    if found.keys() <= _RESOLUTION | ({_ORIENTATION} if upright else set()):
        return b""
    return directories.alone(found, layout.order)


def _descriptive(exif: bytes) -> Tree:
    view = memoryview(exif)
    layout = tiff.layout_of(view)
    if layout is None:
        return {}
    found = directories.tree(view, layout, layout.first, _is_descriptive)
    return directories.in_order(found, layout.order, "<")


def _without_layout(found: Tree) -> Tree:
    """Return a directory with a description that says nothing of how many pages there are, and of which shape."""
    description = found.get(_DESCRIPTION)
    if not isinstance(description, Field):
        return found
    words = bytes(description.data).rstrip(b"\0 ")
    if words.startswith(_IMAGEJ):
        words = _IMAGEJ_COUNTS.sub(b"", words)
    elif _SHAPE.fullmatch(words):
        words = b""
    else:
        return found
    rest = {tag: value for tag, value in found.items() if tag != _DESCRIPTION}
    return {**rest, _DESCRIPTION: Field(ASCII, len(words) + 1, words + b"\0")} if words else rest


def _block(found: Mapping[int, Field], tag: int) -> bytes:
    return bytes(found[tag].data) if tag in found else b""


def _resources(resources: bytes, iptc: bytes) -> bytes:
    """Return image resources, with IPTC that stands beside them in a record of its own where they have none."""
    if not iptc or _IPTC_RECORD[:6] in resources:
        return resources
    return resources + _IPTC_RECORD + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)


def _dots_per_inch(found: Mapping[int, Field], order: str) -> tuple[float, float] | None:
    across, down = (directories.reals(found.get(tag), order)[:1] for tag in (_ACROSS, _DOWN))
    unit = directories.integers(found.get(_UNIT), order)[:1].tolist()
    factor = {_INCH: 1.0, _CENTIMETRE: 2.54}.get(unit[0] if unit else _INCH)
    if not factor or not across or not down or across[0] <= 0 or down[0] <= 0:
        return None
    return down[0] * factor, across[0] * factor


def _agrees(found: Tree, wanted: tuple[float, float]) -> bool:
    """Return whether entries say that resolution already, in whatever unit."""
    said = _dots_per_inch({tag: field for tag, field in found.items() if isinstance(field, Field)}, "<")
    return said is not None and all(abs(s - w) <= 1e-6 * w for s, w in zip(said, wanted, strict=True))


def _resolution(wanted: tuple[float, float]) -> Tree:
    if not all(math.isfinite(dots) for dots in wanted):
        return {}
    down, across = (Fraction(dots).limit_denominator(1 << 16) for dots in wanted)
    if not all(0 < dots.numerator < 1 << 32 for dots in (down, across)):
        return {}
    return {
        _ACROSS: Field(RATIONAL, 1, struct.pack("<II", across.numerator, across.denominator)),
        _DOWN: Field(RATIONAL, 1, struct.pack("<II", down.numerator, down.denominator)),
        _UNIT: Field(SHORT, 1, struct.pack("<H", _INCH)),
    }
