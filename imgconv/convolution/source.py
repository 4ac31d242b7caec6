"""The pixels needed for a strip of the output, in the form that a method needs, and their buffers."""

from __future__ import annotations

import copy
import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.borders import OUTSIDE, Border, extend, source_indices
from imgconv.convolution.plan import Job

_ALIGNMENT = 64  # bytes of a cache line


class Workspace:
    """Named buffers that a thread reuses between strips: allocating memory costs more than computing the sums."""

    def __init__(self) -> None:
        self._buffers: dict[str, NDArray[np.uint8]] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return the named buffer as an uninitialized array."""
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
        """Total size of the buffers in bytes."""
        return sum(buffer.size for buffer in self._buffers.values())

    def clear(self) -> None:
        """Release all buffers."""
        self._buffers.clear()


class Plane(NamedTuple):
    """The part of an image filtered at once: all channels, or one channel as a 2-D array.

    Attributes:
        at: index of the part in the image and in the result; `...` for all channels.
        border: how the part continues beyond the edges.
    """

    at: Any
    border: Border


def planes_of(image: NDArray[Any], border: Border, *, apart: bool) -> list[Plane]:
    """Return the whole image as one plane, or one plane per channel if `apart`."""
    if not apart or image.ndim == 2:
        return [Plane(..., border)]
    values = border.value if len(border.value) > 1 else border.value * image.shape[2]
    return [Plane((..., c), Border(border.rows, border.columns, (value,))) for c, value in enumerate(values)]


class Source:
    """The input of a strip, including rows and columns beyond the edges of the image.

    Attributes:
        image: shape (H, W) or (H, W, C).
        border: how the image continues beyond its edges.
        rows: first and one past the last row that the strip needs.
        columns: first and one past the last column that the strip needs.
        output_shape: shape of the strip of the output, (R, W') or (R, W', C).
        workspace: buffers of the thread.
    """

    def __init__(self, job: Job, image: NDArray[Any], border: Border, start: int, stop: int, workspace: Workspace) -> None:
        self.image, self.border, self.workspace = image, border, workspace
        self.rows, self.columns = job.rows.window(start, stop), job.columns.window()
        self.output_shape = (stop - start, job.columns.outputs, *image.shape[2:])
        self._window: NDArray[Any] | None = None

    def window(self, dtype: DTypeLike, columns: tuple[int, int] | None = None, name: str = "window") -> NDArray[Any]:
        """Return the needed rows and columns, or the given columns, shape (rows, columns[, C]).

        The result is a view if possible, else the buffer `name`. It is contiguous along the last axis.
        """
        if columns is None and self._window is not None and self._window.dtype == dtype:
            return self._window
        make = functools.partial(self.workspace.take, name)
        window = extend(self.image, self.rows, columns or self.columns, self.border, dtype, make)
        if columns is None:
            self._window = window
        return window

    def parts(self) -> tuple[Source, Source]:
        """Return the real and the imaginary parts of complex pixels."""
        values = np.asarray(self.border.value)
        parts = copy.copy(self), copy.copy(self)
        for part, image, value in zip(parts, (self.image.real, self.image.imag), (values.real, values.imag), strict=True):
            part.image, part._window = image, None
            part.border = Border(self.border.rows, self.border.columns, tuple(value.tolist()))
        return parts

    def own_columns(self, dtype: DTypeLike) -> NDArray[Any]:
        """Return the needed rows in the image's own columns, shape (rows, W[, C]), C-contiguous; a view if possible."""
        top, bottom = self.rows
        if top < 0 or bottom > len(self.image):
            return self.window(dtype, (0, self.image.shape[1]), "own")
        rows = self.image[top:bottom]
        if rows.dtype == dtype and rows.flags.c_contiguous:
            return rows
        typed = self.workspace.take("own", rows.shape, dtype)
        np.copyto(typed, rows, casting="unsafe")
        return typed

    def continue_sums(self, sums: NDArray[Any], left: int, beside: NDArray[Any] | float) -> None:
        """Extend column sums beyond the left and right edges of the image, where the border applies as to the pixels.

        Args:
            sums: shape (R, columns), with the sums of the image's own columns from column `left` on; the rest is overwritten.
            left: number of columns to the left of the image.
            beside: shape (R, 1): the sums of a column outside, used where the border has no source column in the image.
        """
        width = self.image.shape[1]
        for start, stop in ((0, left), (left + width, sums.shape[1])):
            if stop <= start:
                continue
            indices = source_indices(width, start - left, stop - left, self.border.columns)
            if indices[0] == OUTSIDE:
                sums[:, start:stop] = beside
            elif abs(int(indices[-1]) - int(indices[0])) == len(indices) - 1:  # consecutive columns, perhaps reversed
                first, last = left + int(indices.min()), left + int(indices.max())
                part = sums[:, first : last + 1]
                sums[:, start:stop] = part if indices[0] <= indices[-1] else part[:, ::-1]
            else:
                sums[:, start:stop] = sums[:, left + indices]
