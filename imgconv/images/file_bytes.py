"""Random access to the bytes of a file; reads only what is requested."""

from __future__ import annotations

import io
import os
import struct
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

#: Maximum number of bytes that `FileBytes.read` returns at once.
LONGEST = 1 << 16

# Number of bytes that are read when a file is opened. Most headers are shorter.
_HEAD = 4096

# The budget of `read` and `numbers` for one file, in bytes, and the cost of each call in addition to the bytes returned.
# Parsers need no limits of their own, because a malicious file soon exhausts the budget.
_BUDGET, _CALL = 1 << 22, 64


class HeaderError(Exception):
    """A header that cannot be read. The message gives the reason; it is empty if the header is damaged or cut short.

    `imgconv.images.files` turns it into a `ReadError` that names the file.
    """


@contextmanager
def decoder_errors() -> Iterator[None]:
    """Convert the exceptions of any decoding library to `HeaderError`; a `MemoryError` is passed on."""
    try:
        yield
    except (HeaderError, MemoryError):
        raise
    except Exception as error:
        raise HeaderError(f"cannot be read ({' '.join(str(error).split())[:200]})") from error


class FileBytes:
    """Random access to the bytes of an open file or of a buffer.

    Args:
        source: the bytes, or the descriptor of a regular file. The descriptor is closed with this object.

    Attributes:
        size: length of the file in bytes.
        head: the first bytes of the file, at most 4096.
    """

    def __init__(self, source: memoryview | int) -> None:
        self._view = source if isinstance(source, memoryview) else None
        self._descriptor = -1 if isinstance(source, memoryview) else source
        if not isinstance(source, memoryview):
            weakref.finalize(self, os.close, source)
        self._lock = threading.Lock()
        self.size = len(source) if isinstance(source, memoryview) else os.fstat(source).st_size
        self.head = bytes(self.block(0, min(_HEAD, self.size)))
        self._left = _BUDGET

    @property
    def view(self) -> memoryview:
        """The whole file, read on first access."""
        if self._view is None:
            # Unlike a `bytearray`, `np.empty` does not fill the memory with zeros first.
            content = np.empty(self.size, np.uint8)
            self._read_into(content.data, 0)
            self._view = content.data
        return self._view

    def block(self, start: int, count: int) -> memoryview:
        """Return `count` bytes from position `start`, without charging the budget.

        Raises:
            HeaderError: the file is too short.
        """
        if start < 0 or count < 0 or start + count > self.size:
            raise HeaderError
        if self._view is not None:
            return self._view[start : start + count]
        content = np.empty(count, np.uint8).data
        self._read_into(content, start)
        return content

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes of a header, at most 64 KB, from position `start`, and charge the budget.

        Raises:
            HeaderError: the file is too short, `count` is too large, or the budget is exhausted.
        """
        self._left -= count + _CALL
        if start < 0 or not 0 <= count <= LONGEST or start + count > self.size or self._left < 0:
            raise HeaderError
        return self.head[start : start + count] if start + count <= len(self.head) else bytes(self.block(start, count))

    def numbers(self, code: str, start: int) -> tuple[Any, ...]:
        """Return the numbers at position `start`, unpacked with the `struct` format `code`.

        Raises:
            HeaderError: as for `read`.
        """
        return struct.unpack(code, self.read(start, struct.calcsize(code)))

    def text(self) -> bytes:
        """Return the beginning of the file, at most 64 KB, for parsing a header in text form."""
        return self.read(0, min(self.size, LONGEST))

    def _read_into(self, content: memoryview, start: int) -> None:
        with self._lock, io.FileIO(self._descriptor, closefd=False) as file:  # threads share the file position
            file.seek(start)
            while content:
                count = file.readinto(content)
                if not count:
                    raise HeaderError("was truncated while it was being read")
                content = content[count:]
