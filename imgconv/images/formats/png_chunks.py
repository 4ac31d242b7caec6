"""The chunks of a PNG (third edition, 5.3 and 11.3): iteration, metadata, and encoding."""

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

# Maximum number of chunks. A file of 1 GB in chunks of 8 KB has this many.
_MOST_CHUNKS = 1 << 17

# Chunks with metadata. Of those in `_SINGLE`, the first one of each kind is used.
_SINGLE = (b"eXIf", b"iCCP", b"cICP", b"sRGB", b"gAMA", b"cHRM", b"pHYs")
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")

_LONGEST_KEYWORD, _MOST_TEXT = 79, 1 << 20

# Maximum decompressed size of one block, and of all blocks of a file together, in bytes.
_MOST_INFLATED, _MOST_INFLATED_IN_ALL = 1 << 24, 1 << 25

_INCH = 0.0254  # metres
_METRE = 1  # the unit of pHYs

#: Maximum dots per metre in pHYs.
MOST_DOTS = (1 << 31) - 1


def chunks(file: FileBytes, end: bytes = b"IEND") -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start of the content and length of each chunk before the first one named `end`.

    Raises:
        HeaderError: the file ends before that chunk, or has too many chunks.
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
    """The metadata blocks of a file. Damaged blocks are ignored; the first block of each kind or keyword is used."""

    def __init__(self, file: FileBytes) -> None:
        self._single: dict[bytes, bytes] = {}
        self._texts: dict[bytes, tuple[bytes, bytes, bool]] = {}  # original keyword, content, whether it is compressed
        self._left = _MOST_INFLATED_IN_ALL
        with contextlib.suppress(HeaderError):  # the file is truncated
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
        elif kind == b"iTXt":  # two flags, the language and the translated keyword precede the text
            rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        self._texts.setdefault(keyword.lower(), (keyword, rest, compressed))

    def single(self, kind: bytes, size: int | None = None) -> bytes:
        """Return the content of a chunk; b"" if it is missing or does not have the given size."""
        found = self._single.get(kind, b"")
        return found if size in (None, len(found)) else b""

    def text(self, keyword: bytes) -> bytes:
        """Return the text of a keyword, ignoring case; b"" if it is missing."""
        _, content, compressed = self._texts.get(keyword.lower(), (b"", b"", False))
        return self._inflated(content) if compressed else content

    def other_texts(self) -> Iterator[tuple[str, str]]:
        """Yield keyword and text of all texts except comment and XMP, up to a total length of 1 MB."""
        room = _MOST_TEXT
        for name, (keyword, _, _) in self._texts.items():
            if name not in (b"comment", XMP.lower()) and 0 < len(keyword) <= _LONGEST_KEYWORD:
                content = self.text(keyword)
                room -= len(content) + len(keyword)
                if room >= 0 and (text := text_of(content)):
                    yield keyword.decode("latin-1"), text

    def profile(self, colours: int) -> bytes:
        """Return the colour profile; without profile, code points and sRGB chunk, one for gamma and primaries."""
        _, _, coded = self.single(b"iCCP").partition(b"\0")
        found = self._inflated(coded[1:]) if coded[:1] == b"\0" else b""
        gamma, primaries = self.single(b"gAMA", 4), self.single(b"cHRM", 32)
        if found or self.single(b"cICP") or self.single(b"sRGB") or not (gamma or primaries):
            return found
        from imgconv.images.colour import profiles

        numbers = [n / 100_000 for n in struct.unpack(f">{len(primaries) // 4}I", primaries)]
        return profiles.of_gamma(int.from_bytes(gamma, "big") / 100_000, numbers, colours)

    def resolution(self) -> tuple[float, float] | None:
        """Return the vertical and horizontal dots per inch, or None."""
        across, down, unit = struct.unpack(">IIB", self.single(b"pHYs", 9) or bytes(9))
        return (down * _INCH, across * _INCH) if unit == _METRE and across and down else None

    def _inflated(self, coded: bytes) -> bytes:
        """Return data decompressed with zlib; b"" if they are damaged or too long."""
        stream = zlib.decompressobj()
        try:
            found = stream.decompress(coded, max(1, min(_MOST_INFLATED, self._left)))
        except zlib.error:
            return b""
        self._left -= len(found)
        return found if stream.eof else b""


def density(dots_per_inch: tuple[float, float]) -> bytes:
    """Return the content of a pHYs chunk; b"" if the numbers are out of range."""
    down, across = (dots / _INCH for dots in dots_per_inch)
    if not all(0.5 < dots < MOST_DOTS for dots in (down, across)):
        return b""
    return struct.pack(">IIB", round(across), round(down), _METRE)


def text_chunk(keyword: str, text: str) -> bytes:
    """Return a text chunk: tEXt in Latin-1 if decoding it gives the same text, else iTXt."""
    coded = utf_8(text)
    plain = text.replace("\0", "").encode("latin-1", "replace")
    if text_of(plain) == text_of(coded):
        return chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + plain)
    return chunk(b"iTXt", keyword.encode("latin-1") + bytes(5) + coded)


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return an encoded chunk: length, name, content and checksum."""
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
