"""Frozen descriptions of a convolution: `Job` and its `Axis` objects define it, `Plan` holds the chosen method."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imgconv.borders import Border
from imgconv.convolution.arithmetic import Arithmetic
from imgconv.convolution.options import Options
from imgconv.errors import UsageError
from imgconv.kernels.kernel import Kernel


@dataclass(frozen=True)
class Axis:
    """One axis of a convolution.

    Output n is the sum over the taps t of `weight[t] * image[first + n * stride + t * dilation]`.

    Attributes:
        length: number of pixels of the image along the axis.
        outputs: number of outputs.
        first: coordinate of the first tap of the first output; negative if it lies outside the image.
        taps: number of kernel elements along the axis.
        stride: distance between outputs, in pixels.
        dilation: distance between taps, in pixels.
    """

    length: int
    outputs: int
    first: int
    taps: int
    stride: int
    dilation: int

    @property
    def reach(self) -> int:
        """Number of pixels from the first tap to the last, both included."""
        return (self.taps - 1) * self.dilation + 1

    def span(self, outputs: int) -> int:
        """Return the number of pixels that a number of adjacent outputs needs."""
        return (outputs - 1) * self.stride + self.reach

    def outputs_in(self, pixels: int) -> int:
        """Return the number of outputs whose taps all lie within a number of adjacent pixels."""
        return (pixels - self.reach) // self.stride + 1

    def window(self, start: int = 0, stop: int | None = None) -> tuple[int, int]:
        """Return the first and one past the last coordinate needed by the outputs start … stop - 1."""
        stop = self.outputs if stop is None else stop
        return self.first + start * self.stride, self.first + (stop - 1) * self.stride + self.reach

    def outputs_of(self, tap: int, count: int) -> slice:
        """Return the indices into a window of the pixels under `tap` for `count` outputs."""
        start = tap * self.dilation
        return slice(start, start + (count - 1) * self.stride + 1, self.stride)


def make_axis(length: int, taps: int, anchor: int, mode: str, stride: int, dilation: int) -> Axis:
    """Return the axis for an image of `length` pixels and a kernel of `taps` elements with the anchor at `anchor`.

    Raises:
        UsageError: the mode is `valid` and the kernel is larger than the image.
    """
    reach, centre = (taps - 1) * dilation + 1, anchor * dilation
    # Coordinates of the first and the last position of the anchor.
    first, last = {
        "same": (0, length - 1),
        "valid": (centre, length - 1 - (reach - 1 - centre)),
        "full": (centre - (reach - 1), length - 1 + centre),
    }[mode]
    if last < first:
        raise UsageError(
            f"mode valid gives an empty result: the kernel covers {reach} pixels, the image has {length}; choose mode same"
        )
    # Equal jobs get equal axes: longer strides leave one output as well, and a single tap needs no dilation.
    stride, dilation = min(stride, last - first + 1), dilation if taps > 1 else 1
    return Axis(length, (last - first) // stride + 1, first - centre, taps, stride, dilation)


@dataclass(frozen=True, eq=False)
class Job:
    """A fully specified convolution, except for the method.

    Attributes:
        kernel: the kernel of the correlation, before dilation: already rotated for a convolution.
        shape: shape of the image, (H, W) or (H, W, C).
        dtype: type of the image.
        output: type of the result.
        rows: geometry down the rows.
        columns: geometry along the columns.
        arithmetic: number types, weights and error bounds.
        options: options of the caller.
    """

    kernel: Kernel
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    output: np.dtype[Any]
    rows: Axis
    columns: Axis
    arithmetic: Arithmetic
    options: Options

    @property
    def border(self) -> Border:
        """How the image continues beyond its edges."""
        return self.options.border

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.shape[2] if len(self.shape) == 3 else 1

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the result, (H', W') or (H', W', C)."""
        return (self.rows.outputs, self.columns.outputs, *self.shape[2:])

    @property
    def spread_weights(self) -> NDArray[Any]:
        """The weights with the zeros of a dilation between them, shape (rows.reach, columns.reach)."""
        weights = self.arithmetic.weights
        spread = np.zeros((self.rows.reach, self.columns.reach), weights.dtype)
        spread[:: self.rows.dilation, :: self.columns.dilation] = weights
        return spread

    @property
    def parts(self) -> tuple[Job, ...]:
        """The job itself, or, for complex weights, one job for the real and one for the imaginary parts."""
        weights = self.arithmetic.weights
        if weights.dtype.kind != "c":
            return (self,)
        return tuple(replace(self, arithmetic=replace(self.arithmetic, weights=w)) for w in (weights.real, weights.imag))

    @property
    def samples(self) -> int:
        """Number of output values."""
        return self.rows.outputs * self.columns.outputs * self.channels


@dataclass(frozen=True)
class Work:
    """The operations of a method for a job, counted from the shapes alone.

    Attributes:
        multiply_adds: multiplications followed by an addition, including those by zero.
        transforms: samples times log2 of the tile size, summed over all tiles, for Fourier transforms; number of samples for
            the integral image.
        bytes: bytes read from and written to buffers, except by the multiply-adds.
        calls: calls of NumPy or OpenCV functions.
    """

    multiply_adds: float = 0.0
    transforms: float = 0.0
    bytes: float = 0.0
    calls: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(*(float(getattr(self, field.name) + getattr(other, field.name)) for field in fields(self)))


@dataclass(frozen=True)
class Candidate:
    """The planner's assessment of one method.

    Attributes:
        method: name of the method.
        seconds: predicted time; None if the method was rejected.
        reason: why it was not chosen; empty for the chosen one.
        work: its operations; None if the method was rejected.
        error: bound on the error of its sums, relative to the largest pixel; 0 if they are exact, None if the method was
            rejected.
    """

    method: str
    seconds: float | None
    reason: str
    work: Work | None = None
    error: float | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """The method chosen for a job, its predicted cost, and the reasons against the other methods.

    Attributes:
        job: the convolution.
        method: name of the chosen method.
        seconds: predicted time.
        error: bound on the error of the sums, relative to the largest pixel; 0 if they are exact.
        candidates: all methods of the registry, including the chosen one.
    """

    job: Job
    method: str
    seconds: float
    error: float
    candidates: tuple[Candidate, ...]

    @property
    def engine(self) -> str:
        """Name of the engine: `opencv` or `numpy`."""
        return self.job.options.engine

    @property
    def sum_dtype(self) -> np.dtype[Any]:
        """Type in which the method computes the sums."""
        from imgconv.convolution.methods import METHODS

        dtype = METHODS[self.method].dtype(self.job)
        return dtype if dtype.kind == "f" else self.job.arithmetic.dtype  # a method that rounds has the type of the result

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        return self.job.output_shape

    def __call__(self, image: ArrayLike) -> NDArray[Any]:
        """Return the result for an image of the shape and the type of the plan.

        Raises:
            UsageError: the image has another shape or type.
        """
        from imgconv.convolution.execution import execute
        from imgconv.convolution.options import as_pixels

        return execute(self, as_pixels(image)).values

    def __str__(self) -> str:
        """Return the table of `imgconv plan`: the methods of both engines, their costs, and why others are rejected."""
        from imgconv.convolution.plan_text import as_text
        from imgconv.convolution.planner import plan_for

        job, engine = self.job, "numpy" if self.engine == "opencv" else "opencv"
        other = plan_for(job.shape, job.dtype, job.kernel, replace(job.options, engine=engine, method="auto"))
        return as_text([self], others=[other])

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as a dictionary that can be written as JSON."""
        job = self.job
        return {
            "engine": self.engine,
            "method": self.method,
            "seconds": self.seconds,
            "exact": job.arithmetic.exact,
            "error": self.error,
            "sums": self.sum_dtype.name,
            "image": {"shape": list(job.shape), "dtype": job.dtype.name},
            "output": {"shape": list(job.output_shape), "dtype": job.output.name},
            "kernel": {"name": job.kernel.name, "shape": list(job.kernel.shape), "anchor": list(job.kernel.anchor)},
            "border": str(job.border),
            "mode": job.options.mode,
            "stride": list(job.options.stride),
            "dilation": list(job.options.dilation),
            "tolerance": job.options.tolerance,
            "candidates": [asdict(candidate) for candidate in self.candidates],
        }


def moved(job: Job) -> float:
    """Return the bytes that every method moves: conversion of the image to the type of the sums, the sums and the result."""
    window = job.rows.outputs * job.rows.stride * job.columns.outputs * job.columns.stride * job.channels
    width = job.arithmetic.dtype.itemsize
    return window * (job.dtype.itemsize + width) + job.samples * (2 * width + job.output.itemsize)
