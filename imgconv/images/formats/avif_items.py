"""The items of an AVIF that is no sequence: the picture, and the metadata that describe it (ISO/IEC 23008-12)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.iso_boxes import Box
from imgconv.images.metadata import Metadata, exif_in

_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", b"urn:mpeg:hevc:2015:auxid:1\0")
_XMP = b"application/rdf+xml"
_UNSPECIFIED = b"\2\2"  # primaries and transfer characteristics of colour code points

# EXIF orientations by quarter turns counterclockwise, then: not mirrored, top for bottom (0), left for right (1).
_ORIENTATIONS = ((1, 4, 2), (8, 5, 7), (3, 2, 4), (6, 7, 5))


class Samples(NamedTuple):
    """Size, bits per sample and number of colour channels of a picture, and whether it has alpha."""

    rows: int
    columns: int
    bits: int
    colours: int
    has_alpha: bool


class Items:
    """The items of a file, each with its properties.

    Raises:
        HeaderError: there are none, or they cannot be read.
    """

    def __init__(self, file: FileBytes) -> None:
        self._meta = Box.whole(file).first(b"meta")
        self._boxes = list(self._meta.first(b"iprp", b"ipco").inner())
        self._associations = self._property_numbers()
        self._references = list(self._all_references())
        box = self._meta.first(b"pitm")
        self._picture: int = box.numbers(">I" if box.numbers(">B")[0] else ">H", 4)[0]

    def samples(self) -> Samples:
        """Return what the properties of the picture say of its samples.

        Raises:
            HeaderError: they are missing or damaged.
        """
        size, coding = self._property(self._picture, b"ispe"), self._property(self._picture, b"av1C")
        for kind, source, targets in self._references:
            if coding is None and kind == b"dimg" and source == self._picture and targets:
                coding = self._property(targets[0], b"av1C")  # a grid is coded as its tiles are
        if size is None or coding is None:
            raise HeaderError
        alpha = any(
            kind == b"auxl" and self._picture in targets and self._is_alpha(source)
            for kind, source, targets in self._references
        )
        columns, rows = size.numbers(">II", 4)
        return Samples(rows, columns, *coding_of(coding), alpha)

    def metadata(self) -> Metadata:
        """Return the metadata of the picture, with the orientation of `irot` and `imir` (ISO/IEC 23000-22, 7.3)."""
        properties = self._properties(self._picture)
        metadata = _colours(properties)
        with contextlib.suppress(HeaderError):
            for kind, item in self._described().items():
                content = self._content(item)
                if kind == b"Exif":
                    begin = 4 + int.from_bytes(content[:4], "big")  # where the TIFF structure begins, perhaps after a name
                    metadata = replace(metadata, exif=exif_in(content[begin:]) or exif_in(content[4:]))
                else:
                    metadata = replace(metadata, xmp=content.rstrip(b"\0"))
        turns, mirrors = (
            [box.numbers(">B")[0] for box in properties if box.name == name and box.end > box.start]
            for name in (b"irot", b"imir")
        )
        return metadata.oriented(_ORIENTATIONS[turns[0] & 3 if turns else 0][1 + (mirrors[0] & 1) if mirrors else 0])

    def _properties(self, item: int) -> list[Box]:
        """Return the properties of an item, in their order."""
        return [self._boxes[n - 1] for n in self._associations.get(item, ()) if 0 < n <= len(self._boxes)]

    def _property(self, item: int, name: bytes) -> Box | None:
        return next((box for box in self._properties(item) if box.name == name), None)

    def _is_alpha(self, item: int) -> bool:
        box = self._property(item, b"auxC")
        return box is not None and bytes(box.content(4)[:64]).startswith(_ALPHA)

    def _property_numbers(self) -> dict[int, list[int]]:
        """Return the numbers of the properties of each item, counted from 1."""
        found: dict[int, list[int]] = {}
        for box in self._meta.named(b"iprp", b"ipma"):
            fields = box.fields()
            version, flags = fields.number(1), fields.number(3)
            wide = flags & 1
            for _ in range(fields.number(4)):
                item = fields.number(4 if version else 2)
                numbers = (fields.number(1 + wide) for _ in range(fields.number(1)))
                found.setdefault(item, [n & (0x7FFF if wide else 0x7F) for n in numbers])
        return found

    def _all_references(self) -> Iterator[tuple[bytes, int, list[int]]]:
        """Yield the references between items: their meaning, the item that refers, and those that it refers to."""
        for table in self._meta.named(b"iref"):
            width = 4 if table.numbers(">B")[0] else 2
            for box in table.inner():
                fields = box.fields()
                yield box.name, fields.number(width), [fields.number(width) for _ in range(fields.number(2))]

    def _described(self) -> dict[bytes, int]:
        """Return the items, `Exif` and `mime`, that describe the picture; any of them where no reference says so."""
        describing = {source for kind, source, targets in self._references if kind == b"cdsc" and self._picture in targets}
        found: dict[bytes, int] = {}
        table = self._meta.first(b"iinf")
        for box in table.inner(8 if table.numbers(">B")[0] else 6):
            fields = box.fields()
            version, _ = fields.number(1), fields.number(3)
            if box.name == b"infe" and version >= 2:
                item, _, kind = fields.number(4 if version > 2 else 2), fields.number(2), fields.text(4)
                texts = fields.rest().split(b"\0")  # a name, then the media type
                if (kind == b"Exif" or (kind == b"mime" and _XMP in texts[1:2])) and (item in describing or not describing):
                    found.setdefault(kind, item)
        return found

    def _content(self, wanted: int) -> bytes:
        """Return the bytes of an item (ISO/IEC 14496-12, 8.11.3), nothing where they are not in the file."""
        fields = self._meta.first(b"iloc").fields()
        version, _ = fields.number(1), fields.number(3)
        offset_size, length_size = divmod(fields.number(1), 16)
        base_size, index_size = divmod(fields.number(1), 16)
        width = 4 if version > 1 else 2
        for _ in range(fields.number(width)):
            item = fields.number(width)
            method = fields.number(2) & 15 if version else 0
            fields.number(2)  # of the file that holds it, which is this one
            base = fields.number(base_size)
            extents = []
            for _ in range(fields.number(2)):
                fields.number(index_size if version else 0)
                extents.append((base + fields.number(offset_size), fields.number(length_size)))
            if item == wanted:
                return self._joined(method, extents)
        return b""

    def _joined(self, method: int, extents: list[tuple[int, int]]) -> bytes:
        """Return extents of the file (method 0) or of the box `idat` (method 1), one after another."""
        if method > 1:
            return b""
        box = self._meta.first(b"idat") if method else Box.whole(self._meta.file)
        room = box.end - box.start
        sized = [(start, size or room - start) for start, size in extents]  # a size of 0 is for all that follows
        if any(start + size > room for start, size in sized) or sum(size for _, size in sized) > room:
            return b""
        return b"".join(box.file.block(box.start + start, size) for start, size in sized)


def coding_of(box: Box) -> tuple[int, int]:
    """Return bits per sample and number of colour channels of a configuration record (AV1 in ISOBMFF, 2.3.3)."""
    (flags,) = box.numbers(">2xB")
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8, 1 if flags & 0x10 else 3


def _colours(properties: list[Box]) -> Metadata:
    """Return the colour profile, or else the code points of the pixels that a decoder returns: RGB in full range."""
    from imgconv.images.colour import profiles

    icc = cicp = b""
    for box in properties:
        content = box.content() if box.name == b"colr" else b""
        if content[:4] in (b"prof", b"rICC"):
            icc = icc or bytes(content[4:])
        elif content[:4] == b"nclx" and len(content) >= 11:
            cicp = cicp or bytes([content[5], content[7], 0, 1])  # two bytes each; all values in use are below 256
    if icc or cicp == profiles.SRGB_CODE_POINTS or cicp[:2] == _UNSPECIFIED:
        cicp = b""
    return Metadata(icc=icc, cicp=cicp)
