"""The chunks of an animated PNG (PNG, third edition, 11.3.6): where its frames are, when they are shown, what follows them.

Nothing is decoded here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from imgconv.images.atomic import Piece

SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: What becomes of the place of a frame: it is cleared, or what was there is put back; and how it is drawn there.
CLEARED, PUT_BACK = 1, 2
OVER = 1

# What all frames share with the file beside its header.
_SHARED = (b"PLTE", b"tRNS")


class ApngError(ValueError):
    """The chunks make no sense, or end too early."""


@dataclass
class ApngFrame:
    """A frame: where it is drawn, and how, what becomes of its place then, milliseconds, and the chunks of its pixels."""

    top: int
    left: int
    rows: int
    columns: int
    over: bool
    disposal: int
    duration: float
    data: list[memoryview] = field(default_factory=list)

    def alone(self, header: memoryview, shared: list[Piece]) -> Iterator[Piece]:
        """Yield the frame as a PNG of its own."""
        yield SIGNATURE
        yield from chunk(b"IHDR", struct.pack(">II", self.columns, self.rows) + bytes(header[8:]))
        yield from shared
        for content in self.data:
            yield from chunk(b"IDAT", content)
        yield from chunk(b"IEND", b"")


@dataclass
class ApngFile:
    """An animated PNG.

    Attributes:
        header: the content of IHDR.
        shared: the chunks that every frame needs.
        frames: in their order.
        loop: how often they are played; 0 for ever.
        extra: whether there is a picture that is not part of the animation, for programs that do not know such files.
    """

    header: memoryview
    shared: list[Piece]
    frames: list[ApngFrame]
    loop: int = 0
    extra: bool = False

    @property
    def columns(self) -> int:
        """Columns of the whole picture."""
        return int.from_bytes(self.header[:4], "big")

    @property
    def rows(self) -> int:
        """Rows of the whole picture."""
        return int.from_bytes(self.header[4:8], "big")

    @property
    def bits(self) -> int:
        """Bits of a sample."""
        return self.header[8]


def parsed(view: memoryview) -> ApngFile:
    """Return what the chunks of an animated PNG say.

    Raises:
        ApngError: they make no sense, or the file ends before they do.
    """
    chunks = contents(view)
    kind, header = next(chunks, (b"", memoryview(b"")))
    if kind != b"IHDR" or len(header) != 13:
        raise ApngError("has no header")
    found = ApngFile(header, [], [])
    claimed = -1
    expected = 0  # of the numbers that put the chunks of an animation in order
    for kind, content in chunks:
        if kind in _SHARED:
            found.shared += chunk(kind, content)
        elif kind == b"acTL" and len(content) == 8:
            claimed, found.loop = struct.unpack(">II", content)
        elif kind == b"IDAT" and found.frames:
            found.frames[-1].data.append(content)
        elif kind == b"IDAT":
            found.extra = True
        elif kind in (b"fcTL", b"fdAT") and len(content) >= 4:
            if int.from_bytes(content[:4], "big") != expected:
                raise ApngError("has frames out of order")
            expected += 1
            if kind == b"fcTL":
                found.frames.append(_frame(content, found))
            elif found.frames:
                found.frames[-1].data.append(content[4:])
    if claimed != len(found.frames):
        raise ApngError(f"has {len(found.frames)} of {max(0, claimed)} frames")
    if not all(frame.data for frame in found.frames):
        raise ApngError("has a frame without pixels")
    return found


def _frame(content: memoryview, file: ApngFile) -> ApngFrame:
    if len(content) != 26:
        raise ApngError("has a frame without a place")
    columns, rows, left, top, delay, unit, disposal, blend = struct.unpack(">IIIIHHBB", content[4:])
    if not (columns and rows and left + columns <= file.columns and top + rows <= file.rows):
        raise ApngError("has a frame that lies outside of the picture")
    return ApngFrame(top, left, rows, columns, blend == OVER, disposal, 1000 * delay / (unit or 100))


def contents(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the chunks of a PNG up to its end, name and content; those that say nothing of pixels only where they are whole.

    Raises:
        ApngError: one is damaged, or the file ends before.
    """
    at = len(SIGNATURE)
    while True:
        if at + 12 > len(view):
            raise ApngError("ends too early")
        size, kind = struct.unpack_from(">I4s", view, at)
        if at + 12 + size > len(view):
            raise ApngError("ends too early")
        content = view[at + 8 : at + 8 + size]
        if zlib.crc32(content, zlib.crc32(kind)) != int.from_bytes(view[at + 8 + size : at + 12 + size], "big"):
            if kind[:1].isupper() or kind in (b"acTL", b"fcTL", b"fdAT", b"tRNS"):
                raise ApngError("has a checksum that is wrong")
        elif kind == b"IEND":
            return
        else:
            yield kind, content
        at += 12 + size


def chunk(kind: bytes, content: Piece) -> list[Piece]:
    """Return a chunk in pieces: its length and its name, what is in it, its checksum."""
    return [struct.pack(">I4s", len(content), kind), content, struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))]
