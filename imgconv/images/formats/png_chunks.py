"""The chunks of a PNG (third edition, 5.3 and 11.3): the walk over a file, metadata in it, and chunks to be written."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator

from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.metadata import text_of, utf_8

SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Keyword of the text that holds XMP.
XMP = b"XML:com.adobe.xmp"

# The walk over a file ends after this many chunks. A file of 1 GB in chunks of 8 KB has as many.
_MOST_CHUNKS = 1 << 17

# Chunks of metadata: the first one of each kind counts, but all texts.
_SINGLE = (b"eXIf", b"iCCP", b"cICP", b"sRGB", b"gAMA", b"cHRM", b"pHYs")
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")

_LONGEST_KEYWORD, _MOST_TEXT = 79, 1 << 20

# The most bytes that one compressed block, and all blocks of a file together, are inflated to.
_MOST_INFLATED, _MOST_INFLATED_IN_ALL = 1 << 24, 1 << 25

_INCH = 0.0254  # metres
_METRE = 1  # the unit of pHYs

#: The most dots a metre that pHYs holds.
MOST_DOTS = (1 << 31) - 1


def chunks(file: FileBytes, end: bytes = b"IEND") -> Iterator[tuple[bytes, int, int]]:
    """Yield the chunks of a file before the first one called `end`: name, where the content begins, and its length.

    Raises:
        HeaderError: the file ends before.
    """
    at = len(SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        size, kind = struct.unpack(">I4s", file.block(at, 8))
        if kind == end:
            return
        if at + 12 + size > file.size:
            raise HeaderError
        yield kind, at + 8, size
        at += 12 + size
    raise HeaderError


class Blocks:
    """The blocks of metadata of a file. Damaged ones are left out; of several of one kind or keyword the first counts."""

    def __init__(self, file: FileBytes) -> None:
        self._single: dict[bytes, bytes] = {}
        self._texts: dict[bytes, tuple[bytes, bytes, bool]] = {}  # keyword as written, content, whether that is compressed
        self._left = _MOST_INFLATED_IN_ALL
        with contextlib.suppress(HeaderError):  # the file is cut short
            for kind, start, size in chunks(file):
                if kind in _SINGLE or kind in _TEXTS:
                    content = bytes(file.block(start, size))
                    if zlib.crc32(content, zlib.crc32(kind)) != int.from_bytes(file.block(start + size, 4), "big"):
                        continue
                    if kind in _SINGLE:
                        self._single.setdefault(kind, content)
                    else:
                        self._add_text(kind, content)

    def _add_text(self, kind: bytes, content: bytes) -> None:
        keyword, _, rest = content.partition(b"\0")
        compressed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1")
        if kind == b"zTXt":
            rest = rest[1:]
        elif kind == b"iTXt":  # two flags, the language and the translated keyword stand before the text
            rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        self._texts.setdefault(keyword.lower(), (keyword, rest, compressed))

    def single(self, kind: bytes, size: int | None = None) -> bytes:
        """Return the content of a chunk, or nothing; also where it is not of a size that is given."""
        found = self._single.get(kind, b"")
        return found if size in (None, len(found)) else b""

    def text(self, keyword: bytes) -> bytes:
        """Return the text of a keyword, in capitals or not, or nothing."""
        _, content, compressed = self._texts.get(keyword.lower(), (b"", b"", False))
        return self._inflated(content) if compressed else content

    def other_texts(self) -> Iterator[tuple[str, str]]:
        """Yield keyword and text of those beside comment and XMP, up to a limit."""
        room = _MOST_TEXT
        for name, (keyword, _, _) in self._texts.items():
            if name not in (b"comment", XMP.lower()) and 0 < len(keyword) <= _LONGEST_KEYWORD:
                content = self.text(keyword)
                room -= len(content) + len(keyword)
                if room >= 0 and (text := text_of(content)):
                    yield keyword.decode("latin-1"), text

    def profile(self, colours: int) -> bytes:
        """Return the colour profile, or one for gamma and primaries where the file has neither a profile nor code points."""
        _, _, coded = self.single(b"iCCP").partition(b"\0")
        found = self._inflated(coded[1:]) if coded[:1] == b"\0" else b""
        gamma, primaries = self.single(b"gAMA", 4), self.single(b"cHRM", 32)
        if found or self.single(b"cICP") or self.single(b"sRGB") or not (gamma or primaries):
            return found
        from imgconv.images.colour import profiles

        numbers = [n / 100_000 for n in struct.unpack(f">{len(primaries) // 4}I", primaries)]
        return profiles.of_gamma(int.from_bytes(gamma, "big") / 100_000, numbers, colours)

    def resolution(self) -> tuple[float, float] | None:
        """Return dots per inch, down and across."""
        across, down, unit = struct.unpack(">IIB", self.single(b"pHYs", 9) or bytes(9))
        return (down * _INCH, across * _INCH) if unit == _METRE and across and down else None

    def _inflated(self, coded: bytes) -> bytes:
        """Return what zlib has compressed; nothing where it is damaged or too long."""
        stream = zlib.decompressobj()
        try:
            found = stream.decompress(coded, max(1, min(_MOST_INFLATED, self._left)))
        except zlib.error:
            return b""
        self._left -= len(found)
        return found if stream.eof else b""


def density(dots_per_inch: tuple[float, float]) -> bytes:
    """Return the content of a pHYs chunk, or nothing where it cannot hold the numbers."""
    down, across = (dots / _INCH for dots in dots_per_inch)
    if not all(0.5 < dots < MOST_DOTS for dots in (down, across)):
        return b""
    return struct.pack(">IIB", round(across), round(down), _METRE)


def text_chunk(keyword: str, text: str) -> bytes:
    """Return the chunk of a text: in Latin-1, as tEXt prescribes, unless that would be read as another text."""
    coded = utf_8(text)
    plain = text.replace("\0", "").encode("latin-1", "replace")
    if text_of(plain) == text_of(coded):
        return chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + plain)
    return chunk(b"iTXt", keyword.encode("latin-1") + bytes(5) + coded)


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk: length, name, content and checksum."""
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
