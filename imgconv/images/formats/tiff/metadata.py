"""The metadata of a page, and the entries of a directory that store them.

The first directory of EXIF data and the directory of a page are the same structure. So `Metadata.exif` is the page's directory
without the entries that describe how its pixels are stored, and without the blocks that have a place of their own in
`Metadata`. Private tags, such as those of GeoTIFF, stay in it.
"""

from __future__ import annotations

import re
import struct

from tifffile import TIFF

from imgconv.images import directories, exif
from imgconv.images.directories import ASCII, BYTE, UNDEFINED, Field, Layout, Tree, new_field
from imgconv.images.file_bytes import FileBytes
from imgconv.images.metadata import Metadata

_XMP, _IPTC, _RESOURCES, _PROFILE, _NO_DATA = (
    TIFF.TAGS[name] for name in ("XMP", "IPTCNAA", "ImageResources", "InterColorProfile", "GDAL_NODATA")
)
_RESOLUTION = frozenset({exif.ACROSS, exif.DOWN, exif.UNIT})

# Tags that describe how pixels are stored, or that are true of the stored pixels only: numbers of TIFF 6.0, of its
# supplements (raw pictures, layers, JPEG, alpha), of DNG, and those of microscopes, which hold offsets in the file.
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

# ImageJ stores the number of pages in its description, and believes it even where the file has fewer; tifffile stores a shape.
_IMAGEJ = b"ImageJ="
_IMAGEJ_COUNTS = re.compile(rb"(?m)^(images|channels|slices|frames|hyperstack|mode)=[^\n]*\n?")
_SHAPE = re.compile(rb'(\{"shape": \[.*\}|shape=\([\d, ]*\))\s*', re.DOTALL)

# The record of Photoshop's image resources that holds IPTC (Photoshop file formats, image resource IDs).
_IPTC_RECORD = b"8BIM\x04\x04\0\0"


def metadata_of(file: FileBytes, layout: Layout, offset: int) -> Metadata:
    """Return the metadata of the page at `offset`, without what is damaged."""
    found = directories.tree(file, layout, offset, lambda tag: tag not in _OF_PIXELS)
    xmp, iptc, resources, profile = (_taken(found, tag) for tag in (_XMP, _IPTC, _RESOURCES, _PROFILE))
    words = _own_words(_taken(found, exif.DESCRIPTION))
    if words.strip(b"\0"):
        found[exif.DESCRIPTION] = new_field(ASCII, words)
    fields = {tag: field for tag, field in found.items() if isinstance(field, Field)}
    usual = set(_RESOLUTION)
    if directories.integers(fields.get(exif.ORIENTATION))[:1] == [1]:
        usual.add(exif.ORIENTATION)
    # Entries that every file has are not EXIF that could be missed.
    block = b"" if found.keys() <= usual else directories.alone(found, layout.order)
    return Metadata(
        exif=block,
        xmp=xmp.rstrip(b"\0"),
        icc=profile,
        iptc=_with_iptc(resources, iptc),
        comment=exif.description(block),
        resolution=exif.resolution_in(fields),
    )


def entries_of(metadata: Metadata, nodata: float | None) -> Tree:
    """Return the entries that store metadata and the level of missing values.

    Entries of EXIF data that describe how pixels are stored are left out: they are true of another file.
    """
    found: Tree = {}
    file = FileBytes(memoryview(metadata.exif))
    layout = directories.layout_of(file)
    if layout is not None:
        found = directories.tree(file, layout, layout.first, lambda tag: tag not in _OF_PIXELS)
    for tag in (_XMP, _IPTC, _RESOURCES, _PROFILE):
        found.pop(tag, None)
    blocks = {
        _XMP: (BYTE, metadata.xmp),
        _RESOURCES: (BYTE, metadata.iptc),
        _PROFILE: (UNDEFINED, metadata.icc),
        _NO_DATA: (ASCII, b"" if nodata is None else f"{nodata:.17g}".encode() + b"\0"),
    }
    return found | {tag: new_field(kind, block) for tag, (kind, block) in blocks.items() if block}


def _taken(found: Tree, tag: int) -> bytes:
    """Return the values of an entry as bytes, and remove it."""
    field = found.pop(tag, None)
    return field.values.tobytes() if isinstance(field, Field) else b""


def _own_words(description: bytes) -> bytes:
    """Return a description without what programs store in it about the number of pages and their shape."""
    words = description.rstrip(b"\0 ")
    if words.startswith(_IMAGEJ):
        return _IMAGEJ_COUNTS.sub(b"", words) + b"\0"
    return b"" if _SHAPE.fullmatch(words) else description


def _with_iptc(resources: bytes, iptc: bytes) -> bytes:
    """Return image resources; IPTC that stands beside them is added where they have none."""
    if not iptc or _IPTC_RECORD[:6] in resources:
        return resources
    return resources + _IPTC_RECORD + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)
