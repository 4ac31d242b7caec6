"""Shared parts of the OpenCV methods: the conditions under which OpenCV meets the contract, and its calls."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.convolution.plan import Job
from imgconv.convolution.source import Source
from imgconv.opencv import load_cv2

#: A filter of OpenCV: `call(pixels, result, anchor, border)`, with the anchor as (column, row) and OpenCV's border constant. It
#: returns an array of the shape of the pixels: `result`, unless that is None.
Call: TypeAlias = Callable[[NDArray[Any], NDArray[Any] | None, tuple[int, int], int], NDArray[Any]]

#: Pixel types that OpenCV's filters support.
PIXELS = ("uint8", "uint16", "int16", "float32", "float64")

# Number of channels that all OpenCV calls support; more are processed in groups.
_CHANNELS = 4
# Bound on values that OpenCV rounds to 32 bits before it saturates them, with a margin.
_WIDEST = 2.0**30
# Every 64-bit x86 has SSE3, with which OpenCV switches to its DFT at larger kernels.
_SSE3 = platform.machine().lower() in ("x86_64", "amd64")


def direct_taps(dtype: np.dtype[Any]) -> int:
    """Return the largest number of weights that `cv2.filter2D` sums one by one for images of `dtype`.

    Larger kernels are computed by a DFT (OpenCV 4 and 5, `dftFilter2D` in modules/imgproc/src/filter.dispatch.cpp: from
    130 weights for 8-bit and float32 images with results of the same type if the processor has SSE3, from 50 otherwise).
    """
    return 129 if _SSE3 and dtype.name in ("uint8", "float32") else 49


def native_border(name: str, values: tuple[Any, ...]) -> int | None:
    """Return OpenCV's constant for a border, or None if it has none; the only border value it supports is 0."""
    cv2 = load_cv2()
    if name == "constant":
        return int(cv2.BORDER_CONSTANT) if not any(values) else None
    names = {"replicate": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT, "reflect101": cv2.BORDER_REFLECT_101}
    return int(names[name]) if name in names else None


def why_not_finished(job: Job) -> str | None:
    """Return why OpenCV cannot compute the final values of a job, whatever the weights; None if it can."""
    if job.dtype.name not in PIXELS or job.output != job.dtype:
        return f"OpenCV supports {', '.join(PIXELS)} with a result of the same type, not {job.dtype.name} to {job.output.name}"
    if job.options.normalizes:
        return "OpenCV cannot divide by the weight inside"
    if job.kernel.is_complex:
        return "OpenCV does not support complex weights"
    # Floating-point values are never out of range, so that `clip` and `error` have no effect.
    if job.options.range_policy not in (("clip", "error") if job.dtype.kind == "f" else ("clip",)):
        return f"range {job.options.range_policy} needs the unrounded values"
    if not holds_border(job, job.dtype):
        return f"{job.dtype.name} cannot hold the border value"
    arithmetic = job.arithmetic
    widest = arithmetic.largest * arithmetic.scale + abs(arithmetic.offset) / arithmetic.denominator
    if job.dtype.kind != "f" and widest >= _WIDEST:
        return "OpenCV rounds to 32 bits before it saturates"
    return None


def computed_values(job: Job, rows: int) -> float:
    """Return the number of values OpenCV computes, including those a stride skips and the rows that strips share."""
    everywhere = job.samples * job.rows.stride * job.columns.stride
    return everywhere * (1 + job.rows.reach / (rows * job.rows.stride))


def holds_border(job: Job, dtype: np.dtype[Any]) -> bool:
    """Whether a type holds the values of a constant border."""
    if dtype.kind == "f" or not job.border.uses_value:
        return True
    limits = np.iinfo(dtype)
    return all(float(np.real(v)).is_integer() and limits.min <= np.real(v) <= limits.max for v in job.border.value)


class Strip:
    """The pixels of a strip in the form that OpenCV filters fastest.

    Rows are extended beyond the edges here. Columns are extended by OpenCV if it supports the border and `windowed` is not
    set, which avoids copying most strips. `dtype` is the type of the pixels passed to OpenCV.
    """

    def __init__(self, source: Source, job: Job, dtype: DTypeLike, *, windowed: bool = False) -> None:
        self._rows, self._columns, self._outputs = job.rows, job.columns, source.output_shape[0]
        self._workspace = source.workspace
        native = native_border(source.border.columns, source.border.value) if job.options.mode == "same" else None
        self._windowed = windowed or native is None
        self._border = load_cv2().BORDER_REPLICATE if native is None else native
        self._pixels = source.window(dtype) if self._windowed else source.own_columns(dtype)

    def filtered(self, call: Call, size: tuple[int, int], dtype: DTypeLike, top: int = 0, left: int = 0) -> NDArray[Any]:
        """Return the result of a filter at the outputs, shape (R, W'[, C]), valid until the next call.

        Args:
            call: the filter.
            size: its rows and columns. The anchor is in the middle if possible: OpenCV then adds pixels of equal weight
                before it multiplies.
            dtype: type of the result.
            top: first row of the filter's weights in the (dilated) kernel.
            left: first column of the filter's weights in the (dilated) kernel; used only if `windowed`.
        """
        result = self._workspace.take("filtered", self._pixels.shape, dtype)
        row, column = size[0] // 2, size[1] // 2 if self._windowed else -self._columns.first
        _by_channels(lambda part, out: call(part, out, (column, row), self._border), self._pixels, result)
        first = left + column if self._windowed else 0
        down = slice(top + row, top + row + (self._outputs - 1) * self._rows.stride + 1, self._rows.stride)
        return result[down, first : first + (self._columns.outputs - 1) * self._columns.stride + 1 : self._columns.stride]


def write_sum(parts: Iterator[NDArray[Any]], sums: NDArray[Any]) -> None:
    """Write the sum of arrays, or 0 if there are none; each array is added before the next one is computed."""
    np.copyto(sums, next(parts, 0))
    for part in parts:
        np.add(sums, part, out=sums)


def _by_channels(
    call: Callable[[NDArray[Any], NDArray[Any] | None], NDArray[Any]], pixels: NDArray[Any], result: NDArray[Any]
) -> None:
    """Filter pixels into `result`, in groups of as many channels as OpenCV supports."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if channels == 1:  # OpenCV drops a third axis of length 1
        call(pixels.reshape(pixels.shape[:2]), result.reshape(result.shape[:2]))
    elif channels <= _CHANNELS:
        call(pixels, result)
    else:
        for first in range(0, channels, _CHANNELS):
            part = np.ascontiguousarray(pixels[..., first : first + _CHANNELS])
            result[..., first : first + _CHANNELS] = call(part, None).reshape(part.shape)
