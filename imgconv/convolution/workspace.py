"""Buffers that a thread keeps from one strip to the next: fresh memory costs more than the sums that are put there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_ALIGNMENT = 64  # bytes of a cache line


class Workspace:
    """Named buffers of one thread."""

    def __init__(self) -> None:
        self._buffers: dict[str, NDArray[np.uint8]] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return the buffer of that name as an array; what it holds is left over from its last use."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            raw = np.empty(size + _ALIGNMENT, np.uint8)
            start = -raw.ctypes.data % _ALIGNMENT
            buffer = self._buffers[name] = raw[start : start + size]
        return buffer[:size].view(dtype).reshape(shape)

    @property
    def size(self) -> int:
        """Bytes held."""
        return sum(buffer.size for buffer in self._buffers.values())

    def clear(self) -> None:
        """Let go of every buffer."""
        self._buffers.clear()
