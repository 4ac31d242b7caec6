"""What the methods of the OpenCV engine share: when OpenCV does as the contract says, and how it is asked."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.convolution.plan import Job
from imgconv.convolution.source import Source
from imgconv.opencv import load_cv2

#: A filter of OpenCV: `call(pixels, result, anchor, border)`, the anchor (column, row), the border OpenCV's constant. It
#: returns the result, which has the shape of the pixels and stands in `result` where that is given.
Call: TypeAlias = Callable[[NDArray[Any], NDArray[Any] | None, tuple[int, int], int], NDArray[Any]]

#: The types of pixels that OpenCV's filters take.
PIXELS = ("uint8", "uint16", "int16", "float32", "float64")

# OpenCV takes this many channels in one call with safety; more are worked on in groups.
_CHANNELS = 4
# Values that OpenCV rounds to 32 bits, with room to spare, before it saturates them.
_WIDEST = 2.0**30
# Every 64-bit x86 has SSE3, on which OpenCV waits longer before it turns to its DFT.
_SSE3 = platform.machine().lower() in ("x86_64", "amd64")


def direct_taps(dtype: np.dtype[Any]) -> int:
    """Return the largest number of weights that `cv2.filter2D` sums one by one for images of `dtype`.

    From the next one up it computes by a DFT (OpenCV 4 and 5, `dftFilter2D` in modules/imgproc/src/filter.dispatch.cpp:
    130 weights for 8-bit and float32 images with results of the same type where the processor has SSE3, 50 otherwise).
    """
    return 129 if _SSE3 and dtype.name in ("uint8", "float32") else 49


def native_border(name: str, values: tuple[Any, ...]) -> int | None:
    """Return OpenCV's constant for a border, or None where it has none: of constants it supports only 0."""
    cv2 = load_cv2()
    if name == "constant":
        return int(cv2.BORDER_CONSTANT) if not any(values) else None
    names = {"replicate": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT, "reflect101": cv2.BORDER_REFLECT_101}
    return int(names[name]) if name in names else None


def why_not_finished(job: Job) -> str | None:
    """Return why OpenCV cannot give the final values of a job, whatever the weights; None where it can."""
    if job.dtype.name not in PIXELS or job.output != job.dtype:
        return f"OpenCV takes {', '.join(PIXELS)} and returns the type it was given, not {job.dtype.name} to {job.output.name}"
    if job.options.normalizes:
        return "OpenCV cannot divide by the weight inside"
    if job.kernel.is_complex:
        return "OpenCV has no complex weights"
    # Floating point has no range to leave: to clip, or to refuse what does not fit, is to do nothing.
    if job.options.range_policy not in (("clip", "error") if job.dtype.kind == "f" else ("clip",)):
        return f"range {job.options.range_policy} needs the values before they are rounded"
    if not holds_border(job, job.dtype):
        return f"{job.dtype.name} cannot hold the border value"
    arithmetic = job.arithmetic
    widest = arithmetic.largest * arithmetic.scale + abs(arithmetic.offset) / arithmetic.denominator
    if job.dtype.kind != "f" and widest >= _WIDEST:
        return "OpenCV rounds to 32 bits before it saturates"
    return None


def places(job: Job, rows: int) -> float:
    """Return how many values OpenCV computes: those that a stride passes over, too, and the rows that strips share, twice."""
    everywhere = job.samples * job.rows.stride * job.columns.stride
    return everywhere * (1 + job.rows.reach / (rows * job.rows.stride))


def holds_border(job: Job, dtype: np.dtype[Any]) -> bool:
    """Whether a type holds the values of a constant border."""
    if dtype.kind == "f" or not job.border.uses_value:
        return True
    limits = np.iinfo(dtype)
    return all(float(np.real(v)).is_integer() and limits.min <= np.real(v) <= limits.max for v in job.border.value)


class Strip:
    """The pixels of a strip in the form in which OpenCV filters them fastest.

    Rows are continued here. Columns are left to OpenCV where it supports the border, so that most strips are no copies, unless
    `windowed` is set. `dtype` is that of the pixels passed to OpenCV.
    """

    def __init__(self, source: Source, job: Job, dtype: DTypeLike, *, windowed: bool = False) -> None:
        self._rows, self._columns, self._outputs = job.rows, job.columns, source.output_shape[0]
        self._workspace = source.workspace
        known = native_border(source.border.columns, source.border.value) if job.options.mode == "same" else None
        self._windowed = windowed or known is None
        self._border = load_cv2().BORDER_REPLICATE if known is None else known
        self._pixels = source.window(dtype) if self._windowed else source.own_columns(dtype)

    def filtered(self, call: Call, size: tuple[int, int], dtype: DTypeLike, top: int = 0, left: int = 0) -> NDArray[Any]:
        """Return what a filter makes of the places of the outputs, shape (R, W'[, C]), until the next call.

        Args:
            call: the filter.
            size: its rows and columns. Its anchor is in the middle wherever that is possible: OpenCV then adds up what has the
                same weight before it multiplies.
            dtype: of the result.
            top: row of the (dilated) kernel in which the filter's weights begin.
            left: column of the (dilated) kernel in which they begin; only where the pixels are windowed.
        """
        result = self._workspace.take("filtered", self._pixels.shape, dtype)
        row, column = size[0] // 2, size[1] // 2 if self._windowed else -self._columns.first
        _by_channels(lambda part, out: call(part, out, (column, row), self._border), self._pixels, result)
        first = left + column if self._windowed else 0
        down = slice(top + row, top + row + (self._outputs - 1) * self._rows.stride + 1, self._rows.stride)
        return result[down, first : first + (self._columns.outputs - 1) * self._columns.stride + 1 : self._columns.stride]


def write_sum(parts: Iterator[NDArray[Any]], sums: NDArray[Any]) -> None:
    """Write the sum of arrays, each of which is used before the next one is computed; 0 where there are none."""
    np.copyto(sums, next(parts, 0))
    for part in parts:
        np.add(sums, part, out=sums)


def _by_channels(
    call: Callable[[NDArray[Any], NDArray[Any] | None], NDArray[Any]], pixels: NDArray[Any], result: NDArray[Any]
) -> None:
    """Filter pixels into `result`, no more channels at a time than OpenCV takes."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if channels == 1:  # OpenCV drops a third axis of length 1
        call(pixels.reshape(pixels.shape[:2]), result.reshape(result.shape[:2]))
    elif channels <= _CHANNELS:
        call(pixels, result)
    else:
        for first in range(0, channels, _CHANNELS):
            part = np.ascontiguousarray(pixels[..., first : first + _CHANNELS])
            result[..., first : first + _CHANNELS] = call(part, None).reshape(part.shape)
