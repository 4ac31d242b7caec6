"""Headers of formats that are a tree of boxes: JPEG 2000 (and its bare codestream) and AVIF.

A box is four bytes of size, four of a name, the content (ISO/IEC 14496-12, and 15444-1, annex I). What else an AVIF says
beside its pixels is found in `containers.avif`, by way of the items here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from imgconv.images.seeking import LONGEST, FileBytes, HeaderError, Pixels

_INKS = b"\1\0\0\0\0\0\x0c"  # a `colr` box: by number, of CMYK (ISO/IEC 15444-2, table M.25)
_CODESTREAM = b"\xff\x4f\xff\x51"  # its start, and the marker of the size
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", b"urn:mpeg:hevc:2015:auxid:1\0")
_ENTRY = 78  # bytes of a visual sample entry before its boxes


class Box(NamedTuple):
    """A box: its name, and where its content begins and ends in the file."""

    name: bytes
    start: int
    end: int


class Coded(NamedTuple):
    """How the samples of a picture are coded."""

    bits: int
    channels: int


def between(file: FileBytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes that stand between two positions of a file, the last one perhaps cut.

    Raises:
        HeaderError: a box claims less than its own head.
    """
    while start + 8 <= end:
        size, name = file.numbers(">I4s", start)
        header = 8
        if size == 1:
            (size,), header = file.numbers(">Q", start + 8), 16
        if size == 0:  # to the end
            size = end - start
        if size < header:
            raise HeaderError
        yield Box(name, start + header, min(start + size, end))
        start += size


def named(file: FileBytes, box: Box, *path: bytes) -> Iterator[Box]:
    """Yield the boxes at the end of a path of names, from a box down."""
    if not path:
        yield box
        return
    for inner in between(file, box.start, box.end):
        if inner.name == path[0]:
            # `meta` has a version and flags before its boxes, and the table of sample descriptions a count too.
            skipped = {b"meta": 4, b"stsd": 8, b"av01": _ENTRY}.get(inner.name, 0) if path[1:] else 0
            yield from named(file, inner._replace(start=inner.start + skipped), *path[1:])


def first(file: FileBytes, box: Box, *path: bytes) -> Box:
    """Return the first box at the end of a path of names.

    Raises:
        HeaderError: there is none.
    """
    found = next(named(file, box, *path), None)
    if found is None:
        raise HeaderError
    return found


def jpeg_2000_pixels(file: FileBytes) -> Pixels:
    """Return what a JPEG 2000, in its boxes or bare, says of its pixels."""
    bare = file.head.startswith(_CODESTREAM)
    whole = Box(b"", 0, file.size)
    at = 0 if bare else first(file, whole, b"jp2c").start
    start, right, bottom, left, top, components = file.numbers(">4s4xIIII16xH", at)
    if start != _CODESTREAM:
        raise HeaderError
    if not 1 <= components <= 4:
        raise HeaderError(f"a JPEG 2000 of {components} components cannot be read; save it as PNG")
    depths = file.read(at + 42, 3 * components)[::3]
    table = None if bare else next(named(file, whole, b"jp2h", b"pclr"), None)
    if table is not None:  # of colours: their number, of how many channels, and the bits of each
        (components,) = file.numbers(">2xB", table.start)
        depths = file.read(table.start + 3, components)
    elif components == 4 and any(file.read(box.start, 7) == _INKS for box in named(file, whole, b"jp2h", b"colr")):
        components = 3
    bits, signed = max(depth & 0x7F for depth in depths) + 1, any(depth & 0x80 for depth in depths)
    if bits > 16 or (signed and bits not in (8, 16)):
        raise HeaderError("a JPEG 2000 of this depth cannot be read; save it in 8 or 16 bits")
    dtype = f"{'' if signed else 'u'}int{8 if bits <= 8 else 16}"
    return Pixels(bottom - top, right - left, components, dtype)


def avif_pixels(file: FileBytes) -> Pixels:
    """Return what the primary item of an AVIF, or the first picture of a sequence, says of its pixels."""
    rows, columns, coded, alpha = avif_picture(file)
    return Pixels(rows, columns, coded.channels + alpha, "uint8" if coded.bits == 8 else "uint16")


def avif_picture(file: FileBytes) -> tuple[int, int, Coded, bool]:
    """Return rows, columns, coding of the picture that is read of an AVIF, and whether it has alpha."""
    whole = Box(b"", 0, file.size)
    tracks = list(named(file, whole, b"moov", b"trak")) if file.head[8:12] == b"avis" else []
    return _track(file, tracks) if tracks else Items(file, first(file, whole, b"meta")).picture()


def _coded(file: FileBytes, box: Box) -> Coded:
    """Return bits and colour channels of a configuration record (AV1 in ISOBMFF, 2.3.3)."""
    flags = file.read(box.start, 3)[2]
    return Coded((12 if flags & 0x20 else 10) if flags & 0x40 else 8, 1 if flags & 0x10 else 3)


def _track(file: FileBytes, tracks: list[Box]) -> tuple[int, int, Coded, bool]:
    """Return rows, columns, coding and whether there is alpha: a track that says which one it belongs to is alpha."""
    pictures = [track for track in tracks if not any(named(file, track, b"tref", b"auxl"))]
    if not pictures:
        raise HeaderError
    head = first(file, pictures[0], b"tkhd")
    columns, rows = file.numbers(">II", head.end - 8)  # the last of its fields, as 16.16
    coding = first(file, pictures[0], b"mdia", b"minf", b"stbl", b"stsd", b"av01", b"av1C")
    return rows >> 16, columns >> 16, _coded(file, coding), len(pictures) < len(tracks)


class Items:
    """The items of a file that is no sequence, each with its properties (ISO/IEC 23008-12)."""

    def __init__(self, file: FileBytes, meta: Box):
        self._file = file
        self._meta = meta._replace(start=meta.start + 4)
        properties = first(file, self._meta, b"iprp", b"ipco")
        self._properties = list(between(file, properties.start, properties.end))
        self._of_items = self._associations()

    @property
    def primary(self) -> int:
        """The number of the item that the picture is."""
        box = first(self._file, self._meta, b"pitm")
        (item,) = self._file.numbers(">I" if self._file.read(box.start, 1)[0] else ">H", box.start + 4)
        return int(item)

    def picture(self) -> tuple[int, int, Coded, bool]:
        """Return rows, columns, coding of the primary item, and whether it has alpha."""
        item = self.primary
        size = self._property(item, b"ispe")
        references = self.references()
        tiles = [to[0] for name, of, to in references if name == b"dimg" and of == item and to]
        # A grid has no coding of its own: that of its first tile is that of all.
        coding = self._property(item, b"av1C") or (self._property(tiles[0], b"av1C") if tiles else None)
        if size is None or coding is None:
            raise HeaderError
        alpha = any(name == b"auxl" and item in to and self._is_alpha(of) for name, of, to in references)
        columns, rows = self._file.numbers(">II", size.start + 4)
        return rows, columns, _coded(self._file, coding), alpha

    def properties(self, item: int) -> list[Box]:
        """Return the properties of an item, in their order."""
        return [self._properties[n - 1] for n in self._of_items.get(item, ()) if 0 < n <= len(self._properties)]

    def _property(self, item: int, name: bytes) -> Box | None:
        return next((box for box in self.properties(item) if box.name == name), None)

    def _is_alpha(self, item: int) -> bool:
        box = self._property(item, b"auxC")
        return box is not None and self.content(box)[4:].startswith(_ALPHA)

    def content(self, box: Box) -> bytes:
        """Return what is in a box, or its first 64 KB."""
        return self._file.read(box.start, min(box.end - box.start, LONGEST))

    def _associations(self) -> dict[int, list[int]]:
        """Return the numbers of the properties of each item, counted from 1."""
        found: dict[int, list[int]] = {}
        for box in named(self._file, self._meta, b"iprp", b"ipma"):
            content = Fields(self.content(box))
            version, flags = content.number(1), content.number(3)
            for _ in range(content.number(4)):
                item = content.number(4 if version else 2)
                wide = flags & 1
                numbers = (content.number(1 + wide) for _ in range(content.number(1)))
                found.setdefault(item, [n & (0x7FFF if wide else 0x7F) for n in numbers])
        return found

    def references(self) -> list[tuple[bytes, int, list[int]]]:
        """Return the references between items: what they mean, from which one, to which ones."""
        found = []
        for table in named(self._file, self._meta, b"iref"):
            width = 4 if self._file.read(table.start, 1)[0] else 2
            for box in between(self._file, table.start + 4, table.end):
                content = Fields(self.content(box))
                of = content.number(width)
                found.append((box.name, of, [content.number(width) for _ in range(content.number(2))]))
        return found


class Fields:
    """Numbers that stand one after another."""

    def __init__(self, content: bytes):
        self._content = content
        self._at = 0

    def number(self, size: int) -> int:
        """Return the next number, of that many bytes."""
        self._at += size
        if self._at > len(self._content):
            raise HeaderError
        return int.from_bytes(self._content[self._at - size : self._at], "big")
