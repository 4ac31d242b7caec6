"""What OpenCV does not tell of an AVIF: how it is turned, colours, metadata, bits, the number of frames.

Metadata are items of their own that describe the picture (ISO/IEC 23008-12, annex A; ISO/IEC 14496-12, 8.11). Turning is no
matter of EXIF here; the properties `irot` and `imir` decide (ISO/IEC 23000-22, 7.3).
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

from imgconv.images.boxes import Box, Fields, Items, avif_picture, between, first, named
from imgconv.images.coding import Coding
from imgconv.images.containers import profiles
from imgconv.images.containers.container import Fitted, exif_in, fitting_with_exif, with_exif_read
from imgconv.images.metadata import Metadata
from imgconv.images.seeking import FileBytes, HeaderError

# EXIF orientations by quarter turns against the clock, then: not mirrored, top for bottom (0), left for right (1).
_ORIENTATIONS = ((1, 4, 2), (8, 5, 7), (3, 2, 4), (6, 7, 5))

_XMP = b"application/rdf+xml"
_UNSPECIFIED = 2  # of code points


def read(view: memoryview) -> tuple[Metadata, Coding]:
    """Return what an AVIF says, and the bits of its samples where they are more than 8."""
    file = FileBytes(view)
    metadata, coding = Metadata(), Coding()
    with contextlib.suppress(HeaderError):
        bits = avif_picture(file)[2].bits
        coding = Coding(bits=bits if bits > 8 else None)
    with contextlib.suppress(HeaderError):
        meta = first(file, Box(b"", 0, file.size), b"meta")
        items = Items(file, meta)
        picture = items.primary
        properties = items.properties(picture)
        metadata = _coloured(view, properties)
        # What is damaged there costs no more than itself: the picture stays the right way up.
        with contextlib.suppress(HeaderError):
            metadata = _described(view, file, meta, items, picture, metadata)
        metadata = metadata.oriented(_orientation(view, properties))
    return with_exif_read(metadata, comment=True), coding


def fitted(metadata: Metadata, colours: int = 3) -> Fitted:
    """Return what goes into an AVIF: the resolution and the comment in EXIF. Only an encoder puts it there."""
    return fitting_with_exif(metadata, "AVIF", colours)


def frames(view: memoryview) -> int:
    """Return the number of frames: the samples of the longest track of a sequence, or 1."""
    file = FileBytes(view)
    counts = [1]
    with contextlib.suppress(HeaderError):
        for track in named(file, Box(b"", 0, file.size), b"moov", b"trak"):
            counts += [
                file.numbers(">I", table.start + 8)[0] for table in named(file, track, b"mdia", b"minf", b"stbl", b"stsz")
            ]
    return int(max(counts))


def _orientation(view: memoryview, properties: list[Box]) -> int:
    """Return how to turn the stored picture upright, as an EXIF orientation from 1 to 8."""
    turns = [view[box.start] & 3 for box in properties if box.name == b"irot" and box.end > box.start]
    mirrors = [view[box.start] & 1 for box in properties if box.name == b"imir" and box.end > box.start]
    return _ORIENTATIONS[turns[0] if turns else 0][1 + mirrors[0] if mirrors else 0]


def _coloured(view: memoryview, properties: list[Box]) -> Metadata:
    """Return the profile, or else the code points: those of the pixels that come out of a decoder, RGB in full range.

    With a profile, code points only say how to get RGB. Those of sRGB say nothing that no code points would not.
    """
    icc = cicp = b""
    for box in properties:
        content = view[box.start : box.end] if box.name == b"colr" else b""
        if content[:4] in (b"prof", b"rICC"):
            icc = icc or bytes(content[4:])
        elif content[:4] == b"nclx" and len(content) >= 11:
            # Two bytes each; those above the first 256 are of nothing.
            cicp = cicp or bytes([content[5], content[7], 0, 1])
    if icc or cicp == profiles.SRGB_CODE_POINTS or cicp[:2] == bytes([_UNSPECIFIED] * 2):
        cicp = b""
    return Metadata(icc=icc, cicp=cicp)


def _described(view: memoryview, file: FileBytes, meta: Box, items: Items, picture: int, metadata: Metadata) -> Metadata:
    """Return metadata with EXIF and XMP that describe the picture, or anything where nothing says what."""
    kinds = _kinds(file, meta)
    if not kinds:
        return metadata
    of_picture = {of for name, of, to in items.references() if name == b"cdsc" and picture in to}
    wanted: dict[bytes, int] = {}
    for item, kind in kinds:
        if item in of_picture or not of_picture:
            wanted.setdefault(kind, item)
    for kind, item in wanted.items():
        content = _content(view, file, meta, item)
        if kind == b"Exif":
            # A number says how far behind it the TIFF structure begins: behind a name, if there is one.
            begin = 4 + int.from_bytes(content[:4], "big")
            metadata = replace(metadata, exif=exif_in(content[begin:]) or exif_in(content[4:]))
        else:
            metadata = replace(metadata, xmp=content.rstrip(b"\0"))
    return metadata


def _kinds(file: FileBytes, meta: Box) -> list[tuple[int, bytes]]:
    """Return the numbers of the items that are EXIF or XMP, and which, `Exif` or `mime`."""
    found = []
    table = first(file, meta._replace(start=meta.start + 4), b"iinf")
    count = 4 if file.read(table.start, 1)[0] else 2
    for box in between(file, table.start + 4 + count, table.end):
        version = file.read(box.start, 1)[0]
        width = 4 if version > 2 else 2
        start = box.start + 4 + width + 2  # behind the number, and that of a protection
        kind = file.read(start, 4) if box.name == b"infe" and version >= 2 else b""
        if kind == b"mime":
            _, _, mime = file.read(start + 4, min(box.end - start - 4, 256)).partition(b"\0")
            kind = kind if mime.split(b"\0")[0] == _XMP else b""
        if kind in (b"Exif", b"mime"):
            found.append((int.from_bytes(file.read(box.start + 4, width), "big"), kind))
    return found


def _content(view: memoryview, file: FileBytes, meta: Box, wanted: int) -> bytes:
    """Return the bytes of an item (ISO/IEC 14496-12, 8.11.3), nothing where they are not in the file."""
    inside = meta._replace(start=meta.start + 4)
    table = first(file, inside, b"iloc")
    fields = Fields(file.read(table.start, min(table.end - table.start, 1 << 16)))
    version, _ = fields.number(1), fields.number(3)
    offset_size, length_size = divmod(fields.number(1), 16)
    base_size, index_size = divmod(fields.number(1), 16)
    width = 4 if version > 1 else 2
    for _ in range(fields.number(width)):
        item = fields.number(width)
        method = fields.number(2) & 15 if version else 0
        fields.number(2)  # of the file that it is in, this one
        base = fields.number(base_size)
        extents = []
        for _ in range(fields.number(2)):
            fields.number(index_size if version else 0)
            extents.append((base + fields.number(offset_size), fields.number(length_size)))
        if item == wanted:
            return _gathered(view, file, inside, method, extents)
    return b""


def _gathered(view: memoryview, file: FileBytes, meta: Box, method: int, extents: list[tuple[int, int]]) -> bytes:
    """Return extents of the file (method 0) or of the box `idat` (method 1), one after another."""
    if method == 1:
        box = first(file, meta, b"idat")
        view = view[box.start : box.end]
    elif method:
        return b""
    if any(start + size > len(view) for start, size in extents) or sum(size for _, size in extents) > len(view):
        return b""
    return b"".join(bytes(view[start : start + size or None]) for start, size in extents)
