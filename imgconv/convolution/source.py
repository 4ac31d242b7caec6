"""The pixels that a strip of the output needs, in the form in which a method wants them, and the buffers that hold them."""

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
    """Named buffers that a thread keeps from one strip to the next: fresh memory costs more than the sums put there."""

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


class Plane(NamedTuple):
    """What is filtered in one go: all channels of an image, or one of them as two axes.

    Attributes:
        at: index of it in the image and in the result; `...` for all channels.
        border: what stands outside.
    """

    at: Any
    border: Border


def planes_of(image: NDArray[Any], border: Border, *, apart: bool) -> list[Plane]:
    """Return the whole image as one plane, or its channels taken apart."""
    if not apart or image.ndim == 2:
        return [Plane(..., border)]
    values = border.value if len(border.value) > 1 else border.value * image.shape[2]
    return [Plane((..., c), Border(border.rows, border.columns, (value,))) for c, value in enumerate(values)]


class Source:
    """The image as a strip sees it: its rows, those beyond the edges included.

    Attributes:
        image: shape (H, W) or (H, W, C).
        border: what stands outside.
        rows: first and one past the last row that the strip needs.
        columns: first and one past the last column that it needs.
        output_shape: of its outputs, (R, W') or (R, W', C).
        workspace: buffers of the thread.
    """

    def __init__(self, job: Job, image: NDArray[Any], border: Border, start: int, stop: int, workspace: Workspace) -> None:
        self.image, self.border, self.workspace = image, border, workspace
        self.rows, self.columns = job.rows.window(start, stop), job.columns.window()
        self.output_shape = (stop - start, job.columns.outputs, *image.shape[2:])
        self._window: NDArray[Any] | None = None

    def window(self, dtype: DTypeLike, columns: tuple[int, int] | None = None, name: str = "window") -> NDArray[Any]:
        """Return the rows and columns needed, or some columns of them, shape (rows, columns[, C]).

        It is a view where that is possible; else it stands in the buffer of that name. What is next to each other along the
        last axis is so in memory.
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
        """Return the rows needed in the image's own columns, shape (rows, W[, C]), side by side in memory; a view if it can."""
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
        """Write what stands beside the sums down the columns, which the border continues as it does the image.

        Args:
            sums: shape (R, columns) with the sums over the image's own columns from `left` on; the others are overwritten.
            left: columns on the left side.
            beside: shape (R, 1): the sums over a column outside, where the border is a constant.
        """
        width = self.image.shape[1]
        for start, stop in ((0, left), (left + width, sums.shape[1])):
            if stop <= start:
                continue
            indices = source_indices(width, start - left, stop - left, self.border.columns)
            if indices[0] == OUTSIDE:
                sums[:, start:stop] = beside
            elif abs(int(indices[-1]) - int(indices[0])) == len(indices) - 1:  # columns in a row, or in reverse
                first, last = left + int(indices.min()), left + int(indices.max())
                part = sums[:, first : last + 1]
                sums[:, start:stop] = part if indices[0] <= indices[-1] else part[:, ::-1]
            else:
                sums[:, start:stop] = sums[:, left + indices]
