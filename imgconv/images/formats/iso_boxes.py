"""The boxes of JPEG 2000 (ISO/IEC 15444-1, annex I) and AVIF (ISO/IEC 14496-12).

A box has four bytes of size, four of its name, and a content, which may be boxes again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imgconv.images.file_bytes import FileBytes, HeaderError

# Bytes that stand before the boxes inside a box: version, flags, counts and the fields of a visual sample entry.
_BEFORE_BOXES = {b"meta": 4, b"stsd": 8, b"av01": 78}


@dataclass(frozen=True)
class Box:
    """A box of a file.

    Attributes:
        file: the file.
        name: four bytes; empty for the file as a whole.
        start: where the content begins.
        end: where it ends, within the box around it.
    """

    file: FileBytes
    name: bytes
    start: int
    end: int

    @classmethod
    def whole(cls, file: FileBytes) -> Box:
        """Return a file as a box around all others."""
        return cls(file, b"", 0, file.size)

    def inner(self) -> Iterator[Box]:
        """Yield the boxes in this one, the last one perhaps cut.

        Raises:
            HeaderError: a box claims to be shorter than its own head.
        """
        at = self.start + _BEFORE_BOXES.get(self.name, 0)
        while at + 8 <= self.end:
            size, name = self.file.numbers(">I4s", at)
            head = 8
            if size == 1:
                (size,), head = self.file.numbers(">Q", at + 8), 16
            if size == 0:  # to the end
                size = self.end - at
            if size < head:
                raise HeaderError
            yield Box(self.file, name, at + head, min(at + size, self.end))
            at += size

    def named(self, *path: bytes) -> Iterator[Box]:
        """Yield the boxes at the end of a path of names, from this one down."""
        if not path:
            yield self
            return
        for box in self.inner():
            if box.name == path[0]:
                yield from box.named(*path[1:])

    def first(self, *path: bytes) -> Box:
        """Return the first box at the end of a path of names.

        Raises:
            HeaderError: there is none.
        """
        found = next(self.named(*path), None)
        if found is None:
            raise HeaderError
        return found

    def numbers(self, code: str, offset: int = 0) -> tuple[Any, ...]:
        """Return numbers of the content, unpacked as `struct` does."""
        return self.file.numbers(code, self.start + offset)
