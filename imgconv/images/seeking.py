"""The bytes of a file by their position, of which no more are read than somebody looks at."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO, NamedTuple

#: The longest thing that is read at once, and the longest text that is searched for a header.
LONGEST = 1 << 16

# Of most files this is all that is read.
_HEAD = 4096

# Bytes that may be read of one file, each reading counted for some more: so nothing that steps through a file needs a limit
# of its own, and one that was made to keep us busy does so for a fraction of a second.
_MOST, _READING = 1 << 22, 64


class HeaderError(Exception):
    """A header that cannot be read: why, in a few words, or nothing where it is damaged or cut short.

    `read_header` puts the name of the file before it; nobody else sees it.
    """


class Pixels(NamedTuple):
    """What a header says of the pixels, as `read_image` gives them; `channels` with alpha."""

    rows: int
    columns: int
    channels: int
    dtype: str


class FileBytes:
    """The bytes of a file, open or in memory.

    Attributes:
        size: the length of the file.
        head: how it begins, up to 4096 bytes.
    """

    def __init__(self, file: BinaryIO | memoryview, size: int | None = None):
        self._file = file
        self.size = len(file) if isinstance(file, memoryview) else size or 0
        self.head = self._bytes(0, _HEAD)
        self._left = _MOST

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes from the position `start` on.

        Raises:
            HeaderError: the file ends before, or too much has been read of it.
        """
        end = start + count
        self._left -= count + _READING
        if start < 0 or not 0 <= count <= LONGEST or end > self.size or self._left < 0:
            raise HeaderError
        if end <= len(self.head):
            return self.head[start:end]
        found = self._bytes(start, count)
        if len(found) < count:
            raise HeaderError
        return found

    def _bytes(self, start: int, count: int) -> bytes:
        if isinstance(self._file, memoryview):
            return bytes(self._file[start : start + count])
        self._file.seek(start)
        return self._file.read(count)

    def numbers(self, code: str, start: int) -> tuple[Any, ...]:
        """Return what stands at the position `start`, unpacked as `struct` does.

        Raises:
            HeaderError: as for `read`.
        """
        return struct.unpack(code, self.read(start, struct.calcsize(code)))

    def text(self) -> bytes:
        """Return the beginning of the file, for a header that is a text."""
        return self.read(0, min(self.size, LONGEST))
