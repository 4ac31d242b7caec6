"""The boxes of JPEG 2000 (ISO/IEC 15444-1, annex I) and AVIF (ISO/IEC 14496-12).

A box consists of four bytes of size, four bytes of name, and its content, which may consist of boxes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imgconv.images.file_bytes import FileBytes, HeaderError

# Number of bytes before the inner boxes of a box: version, flags, counts and the fields of a visual sample entry.
_BEFORE_BOXES = {b"meta": 4, b"stsd": 8, b"av01": 78}


@dataclass(frozen=True)
class Box:
    """A box of a file.

    Attributes:
        file: the file.
        name: four bytes; empty for the file as a whole.
        start: start of the content.
        end: end of the content, limited to the enclosing box.
    """

    file: FileBytes
    name: bytes
    start: int
    end: int

    @classmethod
    def whole(cls, file: FileBytes) -> Box:
        """Return a file as a box that contains all others."""
        return cls(file, b"", 0, file.size)

    def inner(self) -> Iterator[Box]:
        """Yield the boxes in this one. The last one may be truncated.

        Raises:
            HeaderError: the size of a box is smaller than its head.
        """
        at = self.start + _BEFORE_BOXES.get(self.name, 0)
        while at + 8 <= self.end:
            size, name = self.file.numbers(">I4s", at)
            head = 8
            if size == 1:
                (size,), head = self.file.numbers(">Q", at + 8), 16
            if size == 0:  # extends to the end
                size = self.end - at
            if size < head:
                raise HeaderError
            yield Box(self.file, name, at + head, min(at + size, self.end))
            at += size

    def named(self, *path: bytes) -> Iterator[Box]:
        """Yield the boxes at a path of names below this one."""
        if not path:
            yield self
            return
        for box in self.inner():
            if box.name == path[0]:
                yield from box.named(*path[1:])

    def first(self, *path: bytes) -> Box:
        """Return the first box at a path of names below this one.

        Raises:
            HeaderError: the box does not exist.
        """
        found = next(self.named(*path), None)
        if found is None:
            raise HeaderError
        return found

    def numbers(self, code: str, offset: int = 0) -> tuple[Any, ...]:
        """Return numbers at an offset in the content, unpacked with the `struct` format `code`."""
        return self.file.numbers(code, self.start + offset)
