"""The metadata of a page, and the entries of a directory that store them.

The first directory of EXIF data and the directory of a page are the same structure. So `Metadata.exif` is the page's directory
without the entries that describe how its pixels are stored, and without the blocks that have a place of their own in
`Metadata`. Private tags, such as those of GeoTIFF, stay in it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from imgconv.images import directories, exif
from imgconv.images.directories import ASCII, BYTE, UNDEFINED, Field, Layout, Tree
from imgconv.images.file_bytes import FileBytes
from imgconv.images.metadata import Metadata

_NO_DATA = 42113  # GDAL's, a text
_XMP, _IPTC, _RESOURCES, _PROFILE = 700, 33723, 34377, 34675
_BLOCKS = frozenset({_XMP, _IPTC, _RESOURCES, _PROFILE})
_RESOLUTION = frozenset({exif.ACROSS, exif.DOWN, exif.UNIT})

#: Tags that describe how pixels are stored, or that are true of the stored pixels only: numbers of TIFF 6.0, of its
#: supplements (raw pictures, layers, JPEG, alpha), of DNG, and those of microscopes, which hold offsets in the file.
OF_PIXELS = frozenset(
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
_IMAGEJ_PAGES = re.compile(rb"ImageJ=[^\n]*\n(?:[^\n]*\n)*?images=(\d{1,9})(?:\n|$)")
_SHAPE = re.compile(rb'(\{"shape": \[.*\}|shape=\([\d, ]*\))\s*', re.DOTALL)

# The record of Photoshop's image resources that holds IPTC (Photoshop file formats, image resource IDs).
_IPTC_RECORD = b"8BIM\x04\x04\0\0"


def metadata_of(file: FileBytes, layout: Layout, offset: int) -> Metadata:
    """Return the metadata of the page at `offset`, without what is damaged."""
    found = directories.fields(file, layout, offset, lambda tag: tag in _BLOCKS or tag in _RESOLUTION)
    block = _exif(file, layout, offset)
    return Metadata(
        exif=block,
        xmp=_data(found, _XMP).rstrip(b"\0"),
        icc=_data(found, _PROFILE),
        iptc=_resources(_data(found, _RESOURCES), _data(found, _IPTC)),
        comment=exif.description(block),
        resolution=exif.resolution_in(found, layout.order),
    )


def entries_of(metadata: Metadata, nodata: float | None) -> Tree:
    """Return the entries that store metadata and the level of missing values, lowest byte first.

    Entries of EXIF data that describe how pixels are stored are left out: they are true of another file.
    """
    found: Tree = {}
    file = FileBytes(memoryview(metadata.exif))
    layout = directories.layout_of(file)
    if layout is not None:
        found = directories.in_order(directories.tree(file, layout, _is_descriptive), layout.order, "<")
    blocks = {
        _XMP: (BYTE, metadata.xmp),
        _RESOURCES: (BYTE, metadata.iptc),
        _PROFILE: (UNDEFINED, metadata.icc),
        _NO_DATA: (ASCII, b"" if nodata is None else f"{nodata:.17g}".encode() + b"\0"),
    }
    return found | {tag: Field(kind, len(block), block) for tag, (kind, block) in blocks.items() if block}


def nodata_of(file: FileBytes, layout: Layout, offset: int) -> float | None:
    """Return the level that marks missing values, as GDAL stores it; None where there is none."""
    found = directories.fields(file, layout, offset, _NO_DATA.__eq__)
    try:
        return float(_data(found, _NO_DATA).rstrip(b"\0").decode("ascii"))
    except ValueError:
        return None


def imagej_pages(file: FileBytes, layout: Layout, offset: int) -> int:
    """Return the number of pages that ImageJ's description claims; 1 without such a description."""
    match = _IMAGEJ_PAGES.match(_data(directories.fields(file, layout, offset, exif.DESCRIPTION.__eq__), exif.DESCRIPTION))
    return int(match[1]) if match else 1


def _is_descriptive(tag: int) -> bool:
    return tag not in OF_PIXELS and tag not in _BLOCKS


def _exif(file: FileBytes, layout: Layout, offset: int) -> bytes:
    found = directories.tree(file, layout, _is_descriptive, offset)
    description = found.get(exif.DESCRIPTION)
    if isinstance(description, Field):
        words = _own_words(description.data)
        found[exif.DESCRIPTION] = Field(ASCII, len(words), words)
        if words == b"\0":
            del found[exif.DESCRIPTION]
    orientation = found.get(exif.ORIENTATION)
    upright = isinstance(orientation, Field) and directories.integers(orientation, layout.order)[:1].tolist() == [1]
    # Entries that every file has are not EXIF that could be missed.
    if found.keys() <= _RESOLUTION | ({exif.ORIENTATION} if upright else set()):
        return b""
    return directories.alone(found, layout.order)


def _own_words(description: bytes) -> bytes:
    """Return a description without what programs store in it about the number of pages and their shape."""
    words = description.rstrip(b"\0 ")
    if words.startswith(_IMAGEJ):
        return _IMAGEJ_COUNTS.sub(b"", words) + b"\0"
    return b"\0" if _SHAPE.fullmatch(words) else description


def _data(found: Mapping[int, Field], tag: int) -> bytes:
    return found[tag].data if tag in found else b""


def _resources(resources: bytes, iptc: bytes) -> bytes:
    """Return image resources; IPTC that stands beside them is added where they have none."""
    if not iptc or _IPTC_RECORD[:6] in resources:
        return resources
    return resources + _IPTC_RECORD + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)
