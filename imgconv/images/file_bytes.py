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

#: The most bytes that `FileBytes.read` returns at once.
LONGEST = 1 << 16

# Bytes at the beginning of a file that are read when it is opened. Most headers end before.
_HEAD = 4096

# The budget of `read` and `numbers` for one file, in bytes, and what each call costs beside the bytes that it returns.
# Walkers over the structure of a file need no limit of their own: a malicious file soon exhausts the budget.
_BUDGET, _CALL = 1 << 22, 64


class HeaderError(Exception):
    """A header that cannot be read. The message gives the reason, or is empty where the header is damaged or cut short.

    `imgconv.images.files` turns it into a `ReadError` that names the file.
    """


@contextmanager
def decoder_errors() -> Iterator[None]:
    """Turn what a decoder raises into a `HeaderError`, except for a lack of memory: each library has exceptions of its own."""
    try:
        yield
    except (HeaderError, MemoryError):
        raise
    except Exception as error:
        raise HeaderError(f"cannot be read ({' '.join(str(error).split())[:200]})") from error


class FileBytes:
    """The bytes of a file that is open or in memory.

    Args:
        source: the bytes, or the descriptor of a regular file, which is closed with this object.

    Attributes:
        size: length of the file in bytes.
        head: its first bytes, 4096 at most.
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
        """The whole file, which is read on first use."""
        if self._view is None:
            # Unlike `bytes`, an array is not filled with zeros before the file is read into it.
            content = np.empty(self.size, np.uint8)
            self._read_into(content.data, 0)
            self._view = content.data
        return self._view

    def block(self, start: int, count: int) -> memoryview:
        """Return `count` bytes from the position `start` on, without counting them against the budget of headers.

        Raises:
            HeaderError: the file ends before.
        """
        if start < 0 or count < 0 or start + count > self.size:
            raise HeaderError
        if self._view is not None:
            return self._view[start : start + count]
        content = np.empty(count, np.uint8).data
        self._read_into(content, start)
        return content

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes of a header, 64 KB at most, from the position `start` on.

        Raises:
            HeaderError: the file ends before, or too much has been read of it.
        """
        self._left -= count + _CALL
        if start < 0 or not 0 <= count <= LONGEST or start + count > self.size or self._left < 0:
            raise HeaderError
        return self.head[start : start + count] if start + count <= len(self.head) else bytes(self.block(start, count))

    def numbers(self, code: str, start: int) -> tuple[Any, ...]:
        """Return the numbers at the position `start`, unpacked as `struct` does.

        Raises:
            HeaderError: as for `read`.
        """
        return struct.unpack(code, self.read(start, struct.calcsize(code)))

    def text(self) -> bytes:
        """Return the beginning of the file, 64 KB at most, for a header that is a text."""
        return self.read(0, min(self.size, LONGEST))

    def _read_into(self, content: memoryview, start: int) -> None:
        with self._lock, io.FileIO(self._descriptor, closefd=False) as file:  # threads share the position in the file
            file.seek(start)
            while content:
                count = file.readinto(content)
                if not count:
                    raise HeaderError("became shorter while it was read")
                content = content[count:]
