"""The methods of convolution: their base class (`Method`), and all methods by name (`METHODS`).

Each method computes the sums of a convolution in one way, in the module of its name. Modules are imported on first use, so
that a plan for one engine does not import those of the other.
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

#: Every method, in order of listing, with the engines that may use it, its own first.
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

#: Function that computes a strip: `run(source, out)`.
#:
#: `source`: the pixels that the strip needs, and the buffers of the thread.
#: `out`: array for the sums, or for the final values if the method finishes them: shape (R, W'[, C]), of the method's type,
#: contiguous along the last axis.
Run: TypeAlias = Callable[[Source, NDArray[Any]], None]


class Method(ABC):
    """One way to compute a convolution, a strip of rows at a time.

    Threading is done by `execution`, as are scaling and rounding unless the method `finishes`.
    """

    #: Name for the parameter `method`.
    name: ClassVar[str]
    #: One-line description for listings.
    about: ClassVar[str]
    #: Whether it computes final values, scaled, rounded and saturated, rather than sums.
    finishes: ClassVar[bool] = False
    #: Whether imgconv's threads process the strips, with OpenCV limited to one thread. If false, the whole image is one strip,
    #: filtered in the caller's thread by one call of OpenCV, which uses the requested number of its own threads.
    threads: ClassVar[bool] = True
    #: Whether it calls BLAS, which is then limited to one thread.
    blas: ClassVar[bool] = False
    #: Whether it multiplies zero weights. NaN and infinity then spread to sums where their weight is 0; such strips are redone.
    spreads: ClassVar[bool] = False
    #: Whether distant pixels affect the error of a sum. Strips with a very large pixel are then computed by another method.
    mixes: ClassVar[bool] = False
    #: Whether it always processes one channel at a time.
    single_channel: ClassVar[bool] = False
    #: Size of a strip of sums in bytes, chosen to fit the caches.
    strip_bytes: ClassVar[int] = 1 << 20
    #: Minimum height of a strip, in multiples of the reach of the kernel, which limits the cost of overlapping rows.
    least_reaches: ClassVar[int] = 0

    @property
    def engine(self) -> str:
        """Engine of the method, `opencv` or `numpy`."""
        return ENGINES[self.name][0]

    @property
    def shared(self) -> bool:
        """Whether the other engine may use it as well, for lack of an equivalent."""
        return len(ENGINES[self.name]) > 1

    def serves(self, engine: str) -> bool:
        """Whether an engine may use it."""
        return engine in ENGINES[self.name]

    def supports(self, job: Job) -> str | None:
        """Return why the method cannot do a job, or is not exact enough for it; None if it supports the job."""
        if self.mixes and job.options.normalizes and job.dtype.kind in "fc":
            return "where little weight lies inside, the division would magnify the errors of distant pixels"
        refusals = (self.refusal(part) or why_not_exact(part, self.error(part), mixes=self.mixes) for part in job.parts)
        return next(filter(None, refusals), None)

    def total(self, job: Job) -> Work:
        """Return its operations for a job, including all parts of complex pixels and weights."""
        works = [self.work(part) for part in job.parts] * (2 if job.dtype.kind == "c" else 1)
        return sum(works, Work())

    def refusal(self, job: Job) -> str | None:
        """Return why the method cannot do a job, its error aside; None if it can."""
        return None

    def error(self, job: Job) -> float:
        """Return a bound on the error of the sums, relative to the largest pixel.

        By default this is the bound of a plain sum, or, if errors mix, `mixed_error` plus the error of narrowing float64 sums.
        """
        return self.mixed_error(job) + narrowing_error(job) if self.mixes else job.arithmetic.error

    def mixed_error(self, job: Job) -> float:
        """Return the part of the error bound that is due to distant pixels; 0 unless errors mix."""
        return 0.0

    def dtype(self, job: Job) -> np.dtype[Any]:
        """Return the type of the array that `run` writes."""
        return job.output if self.finishes else job.arithmetic.dtype

    def planar(self, job: Job) -> bool:
        """Whether it needs each channel separately, as a 2-D array."""
        return self.single_channel

    def rows(self, job: Job) -> int:
        """Return the number of output rows in a strip."""
        if not self.threads:
            return job.rows.outputs
        row = job.columns.outputs * (1 if self.planar(job) else job.channels) * self.dtype(job.parts[0]).itemsize
        return max(self.strip_bytes // row, self.least_reaches * job.rows.reach // job.rows.stride, 1)

    def strips(self, job: Job) -> int:
        """Return the number of strips."""
        return -(-job.rows.outputs // self.rows(job))

    @abstractmethod
    def work(self, job: Job) -> Work:
        """Return its operations for a real job, or for one part of a complex job."""

    @abstractmethod
    def prepare(self, job: Job) -> Run:
        """Return the function that computes a strip; work that depends only on the kernel is done here, once."""


class _Methods(Mapping[str, Method]):
    """All methods by name, imported on first use."""

    def __getitem__(self, name: str) -> Method:
        if name not in ENGINES:
            raise KeyError(name)
        method: Method = importlib.import_module(f"{__name__}.{name}").METHOD
        return method

    def __iter__(self) -> Iterator[str]:
        return iter(ENGINES)

    def __len__(self) -> int:
        return len(ENGINES)


#: All methods by name.
METHODS: Mapping[str, Method] = _Methods()
