"""The texts of a PNG by their keywords: plain, compressed, international (PNG, third edition, 11.3.3)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

# Bytes that one block may become when it is inflated, and all of a file together.
_MOST_EACH, _MOST = 1 << 24, 1 << 25


_RAW = b"raw profile type "
_NOT_FOR_PEOPLE = (b"comment", b"xml:com.adobe.xmp")


class Texts:
    """The texts of one file. What is compressed is inflated when it is asked for."""

    def __init__(self) -> None:
        self._coded: dict[bytes, tuple[bool, bytes, bytes]] = {}
        self._left = _MOST

    def add(self, kind: bytes, content: bytes) -> None:
        """Take the content of a tEXt, zTXt or iTXt; of several with the same keyword the first counts."""
        keyword, _, rest = content.partition(b"\0")
        packed = False
        if kind == b"zTXt":
            packed, rest = True, rest[1:]
        elif kind == b"iTXt":
            packed = rest[:1] == b"\1"
            rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # behind the language and the translated keyword
        self._coded.setdefault(keyword.lower(), (packed, rest, keyword))

    def of(self, keyword: bytes) -> bytes:
        """Return the text of a keyword, in capitals or not, or nothing."""
        packed, rest, _ = self._coded.get(keyword.lower(), (False, b"", b""))
        return self.inflated(rest) if packed else rest

    def others(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield keyword and text of those that are for people; a comment, and what programs keep in texts, are not."""
        for keyword, (_, _, written) in self._coded.items():
            if keyword not in _NOT_FOR_PEOPLE and not keyword.startswith(_RAW):
                yield written, self.of(keyword)

    def inflated(self, coded: bytes) -> bytes:
        """Return what zlib has compressed; nothing where it is damaged, or too long for what the file may have in all."""
        most = min(_MOST_EACH, self._left)
        if most <= 0:
            return b""
        stream = zlib.decompressobj()
        try:
            found = stream.decompress(coded, most)
        except zlib.error:
            return b""
        self._left -= len(found)
        return found if stream.eof else b""
