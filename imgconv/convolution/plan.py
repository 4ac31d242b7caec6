"""What is to be computed (`Job`) and how (`Plan`): frozen data, printed by `plan` and carried out by `execution`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import Border
from imgconv.convolution.arithmetic import Arithmetic
from imgconv.convolution.geometry import Axis
from imgconv.convolution.options import Options
from imgconv.kernels.kernel import Kernel


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
    def samples(self) -> int:
        """Number of values to compute."""
        return self.rows.outputs * self.columns.outputs * self.channels


@dataclass(frozen=True)
class Method:
    """One way to compute a convolution; one file of `methods` each.

    Attributes:
        name: what `method=` takes.
        engine: `opencv` or `numpy`.
        about: one line for people.
        supports: returns why the method cannot do a job, or None where it can.
        cost: returns the predicted time in seconds.
        run: returns the sums, in the job's arithmetic, or the result where `finishes` is set.
        finishes: whether `run` scales, rounds and saturates by itself.
    """

    name: str
    engine: str
    about: str
    supports: Callable[[Job], str | None]
    cost: Callable[[Job], float]
    run: Callable[[NDArray[Any], Job], NDArray[Any]]
    finishes: bool = False


@dataclass(frozen=True)
class Candidate:
    """What the planner found of one method.

    Attributes:
        method: its name.
        seconds: the predicted time; None where it was not considered.
        reason: why it was not chosen; empty for the one that was.
    """

    method: str
    seconds: float | None
    reason: str


@dataclass(frozen=True, eq=False)
class Plan:
    """The method chosen for a job, what it should cost, and why none of the others.

    Attributes:
        job: what is to be computed.
        method: name of the method chosen.
        seconds: its predicted time.
        candidates: every method of the registry, the chosen one included.
    """

    job: Job
    method: str
    seconds: float
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
            "sums": job.arithmetic.dtype.name,
            "image": {"shape": list(job.shape), "dtype": job.dtype.name},
            "output": {"shape": list(job.output_shape), "dtype": job.output.name},
            "border": str(job.border),
            "candidates": [vars(candidate) for candidate in self.candidates],
        }
