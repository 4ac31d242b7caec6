"""What is to be computed (`Job`, along each `Axis`) and how (`Plan`): frozen data that `execution` carries out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import Border
from imgconv.convolution.arithmetic import Arithmetic
from imgconv.convolution.options import Options
from imgconv.errors import UsageError
from imgconv.kernels.kernel import Kernel


@dataclass(frozen=True)
class Axis:
    """One axis of a convolution.

    The output number n is the sum over the taps t of `weight[t] * image[first + n * stride + t * dilation]`.

    Attributes:
        length: pixels of the image along the axis.
        outputs: values computed.
        first: coordinate under the first tap of the first output; negative where that lies outside of the image.
        taps: weights along the axis.
        stride: pixels from one output to the next.
        dilation: pixels from one tap to the next.
    """

    length: int
    outputs: int
    first: int
    taps: int
    stride: int
    dilation: int

    @property
    def reach(self) -> int:
        """Pixels from the first tap to the last, both included."""
        return (self.taps - 1) * self.dilation + 1

    def span(self, outputs: int) -> int:
        """Return how many pixels lie under the taps of so many outputs."""
        return (outputs - 1) * self.stride + self.reach

    def outputs_in(self, pixels: int) -> int:
        """Return how many outputs have all their taps on so many pixels."""
        return (pixels - self.reach) // self.stride + 1

    def window(self, start: int = 0, stop: int | None = None) -> tuple[int, int]:
        """Return the first and one past the last coordinate that the outputs start … stop - 1 need."""
        stop = self.outputs if stop is None else stop
        return self.first + start * self.stride, self.first + (stop - 1) * self.stride + self.reach

    def outputs_of(self, tap: int, count: int) -> slice:
        """Return which coordinates of a window, counted from its first, stand under `tap` for `count` outputs."""
        start = tap * self.dilation
        return slice(start, start + (count - 1) * self.stride + 1, self.stride)


def make_axis(length: int, taps: int, anchor: int, mode: str, stride: int, dilation: int) -> Axis:
    """Return the axis for an image of `length` pixels and a kernel of `taps` weights anchored at `anchor`.

    Raises:
        UsageError: `valid`, and a kernel that is larger than the image.
    """
    reach, centre = (taps - 1) * dilation + 1, anchor * dilation
    # The coordinates of the first and of the last pixel that the anchor stands on.
    first, last = {
        "same": (0, length - 1),
        "valid": (centre, length - 1 - (reach - 1 - centre)),
        "full": (centre - (reach - 1), length - 1 + centre),
    }[mode]
    if last < first:
        raise UsageError(
            f"mode valid leaves nothing: the kernel reaches over {reach} pixels, the image has {length}; choose mode same"
        )
    # A stride that passes over the last output is any such stride; a single tap has no neighbours.
    stride, dilation = min(stride, last - first + 1), dilation if taps > 1 else 1
    return Axis(length, (last - first) // stride + 1, first - centre, taps, stride, dilation)


@dataclass(frozen=True, eq=False)
class Job:
    """A convolution with every choice made but that of the method.

    Attributes:
        kernel: as it lies on the image: rotated already where a convolution was asked for, not yet dilated.
        shape: of the image, (H, W) or (H, W, C).
        dtype: of the image.
        output: type of the result.
        rows: geometry down the image.
        columns: geometry across the image.
        arithmetic: in which numbers the sums run.
        options: as they were asked for.
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
        """What stands outside of the image."""
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
        """The weights with the zeros that a dilation puts between them, shape (rows.reach, columns.reach)."""
        weights = self.arithmetic.weights
        spread = np.zeros((self.rows.reach, self.columns.reach), weights.dtype)
        spread[:: self.rows.dilation, :: self.columns.dilation] = weights
        return spread

    @property
    def parts(self) -> tuple[Job, ...]:
        """The job itself, or one for the real and one for the imaginary weights: sums are linear in them."""
        weights = self.arithmetic.weights
        if weights.dtype.kind != "c":
            return (self,)
        return tuple(replace(self, arithmetic=replace(self.arithmetic, weights=w)) for w in (weights.real, weights.imag))

    @property
    def samples(self) -> int:
        """Number of values to compute."""
        return self.rows.outputs * self.columns.outputs * self.channels


@dataclass(frozen=True)
class Work:
    """What a method does for a job, counted from the shapes alone.

    Attributes:
        multiply_adds: multiplications that are followed by an addition, zeros that are multiplied all the same included.
        transforms: what is transformed: for Fourier transforms samples times log2 of the tile's size, over all tiles; for the
            integral image its samples.
        bytes: read from and written to buffers, but for those of the multiply-adds.
        calls: of functions of NumPy or OpenCV.
    """

    multiply_adds: float = 0.0
    transforms: float = 0.0
    bytes: float = 0.0
    calls: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(*(float(getattr(self, field.name) + getattr(other, field.name)) for field in fields(self)))


@dataclass(frozen=True)
class Candidate:
    """What the planner found of one method.

    Attributes:
        method: its name.
        seconds: the predicted time; None where it was not considered.
        reason: why it was not chosen; empty for the one that was.
        work: what it would do; None where it was not considered.
        error: a bound on what its sums may be off, relative to the largest pixel; 0 where they are exact, None where it was
            not considered.
    """

    method: str
    seconds: float | None
    reason: str
    work: Work | None = None
    error: float | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """The method chosen for a job, what it should cost, and why none of the others.

    Attributes:
        job: what is to be computed.
        method: name of the method chosen.
        seconds: its predicted time.
        error: a bound on what its sums may be off, relative to the largest pixel; 0 where they are exact.
        candidates: every method of the registry, the chosen one included.
    """

    job: Job
    method: str
    seconds: float
    error: float
    candidates: tuple[Candidate, ...]

    @property
    def engine(self) -> str:
        """Which engine carries the plan out."""
        return self.job.options.engine

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        return self.job.output_shape

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as plain data, for JSON."""
        job = self.job
        return {
            "engine": self.engine,
            "method": self.method,
            "seconds": self.seconds,
            "exact": job.arithmetic.exact,
            "error": self.error,
            "sums": job.arithmetic.dtype.name,
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
    """Return the bytes that every method moves: the image into floating point, the sums and the result."""
    window = job.rows.outputs * job.rows.stride * job.columns.outputs * job.columns.stride * job.channels
    width = job.arithmetic.dtype.itemsize
    return window * (job.dtype.itemsize + width) + job.samples * (2 * width + job.output.itemsize)
