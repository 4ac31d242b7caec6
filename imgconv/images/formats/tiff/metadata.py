"""Conversion between the metadata of a page and the entries of its directory.

The directory of a page has the same structure as the first directory of EXIF data. `Metadata.exif` therefore contains the
page's directory without the entries that describe the storage of pixels and without the blocks that are separate fields of
`Metadata`. Private tags, such as those of GeoTIFF, are kept.
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

# Tags that describe the storage of pixels, or that are valid only for the stored pixels: from TIFF 6.0, its supplements
# (raw pictures, layers, JPEG, alpha) and DNG, and microscope tags that contain offsets into the file.
_STORAGE_TAGS = frozenset(
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

# Counts in ImageJ's description, which ImageJ trusts even if the file has fewer pages, and the shape stored by tifffile.
_IMAGEJ = b"ImageJ="
_IMAGEJ_COUNTS = re.compile(rb"(?m)^(images|channels|slices|frames|hyperstack|mode)=[^\n]*\n?")
_SHAPE = re.compile(rb'(\{"shape": \[.*\}|shape=\([\d, ]*\))\s*', re.DOTALL)

# Head of the IPTC record in Photoshop's image resources (Photoshop file formats, image resource IDs).
_IPTC_RECORD = b"8BIM\x04\x04\0\0"


def metadata_of(file: FileBytes, layout: Layout, offset: int) -> Metadata:
    """Return the metadata of the page whose directory is at `offset`. Damaged entries are ignored."""
    found = directories.tree(file, layout, offset, lambda tag: tag not in _STORAGE_TAGS)
    xmp, iptc, resources, profile = (_popped(found, tag) for tag in (_XMP, _IPTC, _RESOURCES, _PROFILE))
    description = _without_counts(_popped(found, exif.DESCRIPTION))
    if description.strip(b"\0"):
        found[exif.DESCRIPTION] = new_field(ASCII, description)
    fields = {tag: field for tag, field in found.items() if isinstance(field, Field)}
    usual = set(_RESOLUTION)
    if directories.integers(fields.get(exif.ORIENTATION))[:1] == [1]:
        usual.add(exif.ORIENTATION)
    # Entries that nearly all files have do not count as EXIF.
    block = b"" if found.keys() <= usual else directories.to_exif(found, layout.order)
    return Metadata(
        exif=block,
        xmp=xmp.rstrip(b"\0"),
        icc=profile,
        iptc=_with_iptc(resources, iptc),
        comment=exif.description(block),
        resolution=exif.resolution_in(fields),
    )


def entries_of(metadata: Metadata, nodata: float | None) -> Tree:
    """Return the directory entries for metadata and for the value that marks missing values.

    EXIF entries that describe the storage of pixels are dropped, because they belong to another file.
    """
    found: Tree = {}
    file = FileBytes(memoryview(metadata.exif))
    layout = directories.layout_of(file)
    if layout is not None:
        found = directories.tree(file, layout, layout.first, lambda tag: tag not in _STORAGE_TAGS)
    for tag in (_XMP, _IPTC, _RESOURCES, _PROFILE):
        found.pop(tag, None)
    blocks = {
        _XMP: (BYTE, metadata.xmp),
        _RESOURCES: (BYTE, metadata.iptc),
        _PROFILE: (UNDEFINED, metadata.icc),
        _NO_DATA: (ASCII, b"" if nodata is None else f"{nodata:.17g}".encode() + b"\0"),
    }
    return found | {tag: new_field(kind, block) for tag, (kind, block) in blocks.items() if block}


def _popped(found: Tree, tag: int) -> bytes:
    """Remove an entry and return its values as bytes."""
    field = found.pop(tag, None)
    return field.values.tobytes() if isinstance(field, Field) else b""


def _without_counts(description: bytes) -> bytes:
    """Return a description without the page counts of ImageJ and the shape of tifffile."""
    text = description.rstrip(b"\0 ")
    if text.startswith(_IMAGEJ):
        return _IMAGEJ_COUNTS.sub(b"", text) + b"\0"
    return b"" if _SHAPE.fullmatch(text) else description


def _with_iptc(resources: bytes, iptc: bytes) -> bytes:
    """Return image resources, with IPTC from a separate tag added if they contain none."""
    if not iptc or _IPTC_RECORD[:6] in resources:
        return resources
    return resources + _IPTC_RECORD + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)
