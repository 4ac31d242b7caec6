"""The methods: what each of them is (`Method`), and all of them by name (`METHODS`).

Each is one way to compute the sums of a convolution, in the module of its name. A module is imported when its method is asked
for, so that a plan for one engine imports nothing of the other.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.exactness import narrowing_error, why_not_exact
from imgconv.convolution.plan import Job, Work
from imgconv.convolution.source import Source

#: Every method, in the order in which it is listed, with the engines that may take it, its own first.
ENGINES: Mapping[str, tuple[str, ...]] = {
    "definition": ("numpy",),
    "shifts": ("numpy",),
    "windows": ("numpy",),
    "im2col": ("numpy",),
    "toeplitz": ("numpy", "opencv"),
    "helix": ("numpy",),
    "separable": ("numpy", "opencv"),
    "fourier": ("numpy",),
    "summed_area": ("numpy",),
    "filter2d": ("opencv",),
    "sep_filter2d": ("opencv",),
    "box_filter": ("opencv",),
    "bands": ("opencv",),
    "pairs": ("opencv",),
    "boxes": ("opencv",),
    "dft": ("opencv",),
}

#: Writes a strip: `run(source, out)`.
#:
#: `source`: the pixels that the strip needs, and the buffers of the thread.
#: `out`: shape (R, W'[, C]), in the method's type, the columns (or the channels) next to each other in memory: where the sums
#: go, or the final values of a method that finishes them.
Run: TypeAlias = Callable[[Source, NDArray[Any]], None]


class Method(ABC):
    """One way to compute a convolution, a strip of rows at a time.

    Threads are not its business, nor are scale and rounding, unless it finishes.
    """

    #: What `method=` takes.
    name: ClassVar[str]
    #: One line for listings.
    about: ClassVar[str]
    #: Whether it gives final values, scaled, rounded and saturated, rather than sums.
    finishes: ClassVar[bool] = False
    #: Whether imgconv's threads share the strips, and OpenCV is held to one thread meanwhile. Where false, the whole image is
    #: one strip in the caller's thread, for one call of OpenCV, which starts its own threads: as many as were asked for.
    threads: ClassVar[bool] = True
    #: Whether it calls BLAS, whose own threads are then held back.
    blas: ClassVar[bool] = False
    #: Whether it multiplies zeros: NaN or infinity then shows in sums that it has no weight in, and the strip is done again.
    spreads: ClassVar[bool] = False
    #: Whether the errors of a sum come from pixels far away, too: a strip with a huge pixel is then left to another method.
    mixes: ClassVar[bool] = False
    #: Whether it takes one channel at a time whatever the job.
    single_channel: ClassVar[bool] = False
    #: Bytes of a strip of sums that go well with the caches.
    strip_bytes: ClassVar[int] = 1 << 20
    #: How many times the reach of the kernel a strip has at least, so that the rows shared with the next one do not count.
    least_reaches: ClassVar[int] = 0

    @property
    def engine(self) -> str:
        """The engine it belongs to, `opencv` or `numpy`."""
        return ENGINES[self.name][0]

    @property
    def shared(self) -> bool:
        """Whether the other engine may take it, too, having nothing like it."""
        return len(ENGINES[self.name]) > 1

    def serves(self, engine: str) -> bool:
        """Whether an engine may take it."""
        return engine in ENGINES[self.name]

    def supports(self, job: Job) -> str | None:
        """Return why the method cannot do a job, or cannot do it exactly enough; None where it can."""
        if self.mixes and job.options.normalizes and job.dtype.kind in "fc":
            return "where little weight falls inside, the division would show the errors of pixels far away"
        refusals = (self.refusal(part) or why_not_exact(part, self.error(part), mixes=self.mixes) for part in job.parts)
        return next(filter(None, refusals), None)

    def total(self, job: Job) -> Work:
        """Count what it does for a job, complex pixels and weights in parts."""
        works = [self.work(part) for part in job.parts] * (2 if job.dtype.kind == "c" else 1)
        return sum(works, Work())

    def refusal(self, job: Job) -> str | None:
        """Return why the method cannot do a job whatever its error; None where it can."""
        return None

    def error(self, job: Job) -> float:
        """Return a bound on what the sums may be off, relative to the largest pixel.

        Unless overridden that of a plain sum, or, where errors mix, theirs and that of narrowing sums in float64.
        """
        return self.mixed_error(job) + narrowing_error(job) if self.mixes else job.arithmetic.error

    def mixed_error(self, job: Job) -> float:
        """Return the part of the error that pixels far away have in it, where errors mix."""
        return 0.0

    def dtype(self, job: Job) -> np.dtype[Any]:
        """Return the type of what `run` writes."""
        return job.output if self.finishes else job.arithmetic.dtype

    def planar(self, job: Job) -> bool:
        """Whether it wants one channel at a time, as two axes."""
        return self.single_channel

    def rows(self, job: Job) -> int:
        """Return how many rows of the output make a strip."""
        if not self.threads:
            return job.rows.outputs
        row = job.columns.outputs * (1 if self.planar(job) else job.channels) * self.dtype(job.parts[0]).itemsize
        return max(self.strip_bytes // row, self.least_reaches * job.rows.reach // job.rows.stride, 1)

    def strips(self, job: Job) -> int:
        """Return how many strips there are."""
        return -(-job.rows.outputs // self.rows(job))

    @abstractmethod
    def work(self, job: Job) -> Work:
        """Count what it does for a job, real or one of its parts."""

    @abstractmethod
    def prepare(self, job: Job) -> Run:
        """Return what computes a strip; whatever depends on the kernel alone is done here, once."""


class _Methods(Mapping[str, Method]):
    """Every method by name, imported on first use."""

    def __getitem__(self, name: str) -> Method:
        if name not in ENGINES:
            raise KeyError(name)
        method: Method = importlib.import_module(f"{__name__}.{name}").METHOD
        return method

    def __iter__(self) -> Iterator[str]:
        return iter(ENGINES)

    def __len__(self) -> int:
        return len(ENGINES)


#: Every method by name.
METHODS: Mapping[str, Method] = _Methods()
