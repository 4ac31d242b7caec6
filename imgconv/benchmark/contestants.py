"""The timed functions: imgconv with automatic choice, each method of imgconv, OpenCV, and SciPy if installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.benchmark.cells import Cell
from imgconv.convolution.api import correlate
from imgconv.convolution.execution import execute
from imgconv.convolution.methods import METHODS
from imgconv.convolution.plan import Plan
from imgconv.convolution.planner import make_plan
from imgconv.errors import UsageError
from imgconv.opencv import load_cv2
from imgconv.vocabulary import EngineWord

#: The name of OpenCV's function among the contestants.
FILTER2D = "cv2.filter2D"

#: Notes on the interpretation of the times; part of the data.
NOTES = (
    "imgconv and cv2.filter2D filter the picture in its own type, with border reflect101, and return the same type",
    "scipy.* filter float32, also for pictures of 8 or 16 bits, whose type is too small for the sums; the conversion is "
    "not timed. Colour is filtered channel by channel",
    "scipy.signal.* pad the picture with zeros, so their results are compared away from the border only",
    "imgconv (...) is a complete call of imgconv.correlate, including the choice of the method",
)

#: The engines in the order of timing.
BOTH: tuple[EngineWord, ...] = ("opencv", "numpy")


@dataclass(frozen=True, eq=False)
class Contestant:
    """One function that computes the result of a cell.

    Attributes:
        name: name in reports.
        role: `choice` (imgconv with automatic choice of the method), `method`, `opencv` or `scipy`.
        engine: engine of imgconv; "" for other libraries.
        run: function that returns the result, shape (H, W) or (H, W, C).
        expected: predicted seconds, used to omit slow functions; None if the function is always fast.
        zero_border: whether the picture is padded with zeros.
        unable: reason why the function cannot compute this cell; if set, `run` is not called.
    """

    name: str
    role: str
    engine: str
    run: Callable[[], NDArray[Any]]
    expected: float | None = None
    zero_border: bool = False
    unable: str = ""


def plan_cell(cell: Cell, engine: EngineWord, method: str = "auto", jobs: int | None = None) -> Plan:
    """Return the plan of imgconv for a cell."""
    pixels = cell.picture.pixels
    return make_plan(pixels.shape, pixels.dtype, cell.kernel, engine=engine, method=method, jobs=jobs)


def make_contestants(cell: Cell, engines: tuple[EngineWord, ...] = BOTH, jobs: int | None = None) -> tuple[Contestant, ...]:
    """Return all contestants of a cell: for each engine its choice and its methods, then OpenCV and SciPy.

    Args:
        cell: the picture and the kernel.
        engines: engines of imgconv.
        jobs: number of threads of imgconv; None for the number of processors.
    """
    ours = [contestant for engine in engines for contestant in _of_an_engine(cell, engine, jobs)]
    return (*ours, _opencv(cell), *_scipy(cell))


def _of_an_engine(cell: Cell, engine: EngineWord, jobs: int | None) -> Iterator[Contestant]:
    pixels, kernel = cell.picture.pixels, cell.kernel
    whole = partial(correlate, pixels, kernel, engine=engine, jobs=jobs)
    yield Contestant(f"imgconv ({engine})", "choice", engine, whole, plan_cell(cell, engine, jobs=jobs).seconds)
    for method in METHODS.values():
        if method.engine != engine:
            continue
        try:
            plan = plan_cell(cell, engine, method.name, jobs)
        except UsageError as error:
            reason = str(error).partition("cannot do this: ")[2] or str(error)
            yield Contestant(method.name, "method", engine, _nothing, unable=reason)
        else:
            yield Contestant(method.name, "method", engine, partial(_run_plan, plan, pixels), plan.seconds)


def _run_plan(plan: Plan, pixels: NDArray[Any]) -> NDArray[Any]:
    return execute(plan, pixels).values


def _opencv(cell: Cell) -> Contestant:
    cv2 = load_cv2()
    run = partial(cv2.filter2D, cell.picture.pixels, -1, cell.kernel.weights, borderType=cv2.BORDER_REFLECT_101)
    return Contestant(FILTER2D, "opencv", "", run)


def _scipy(cell: Cell) -> Iterator[Contestant]:
    """Yield the four functions of SciPy for correlation, called as shown in their documentation."""
    try:
        ndimage, signal = importlib.import_module("scipy.ndimage"), importlib.import_module("scipy.signal")
    except ImportError:
        return
    dtype = scipy_dtype(cell.picture.pixels.dtype)
    pixels, weights = cell.picture.pixels.astype(dtype), cell.kernel.weights.astype(dtype)
    rotated = weights[::-1, ::-1].copy()
    # Seconds per tap and sample, measured with SciPy 1.17 on a processor of 2023; precise enough to omit runs of minutes.
    direct = pixels.size * cell.size**2 * 1e-9
    transforms = pixels.size * 4e-8

    run = partial(_each_channel, partial(ndimage.correlate, weights=weights, mode="mirror"), pixels)
    yield Contestant("scipy.ndimage.correlate", "scipy", "", run, direct)
    for name, expected in (("convolve2d", 2 * direct), ("oaconvolve", transforms), ("fftconvolve", transforms)):
        run = partial(_each_channel, partial(getattr(signal, name), in2=rotated, mode="same"), pixels)
        yield Contestant(f"scipy.signal.{name}", "scipy", "", run, expected, zero_border=True)


def scipy_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the floating-point type for SciPy, which can hold the pixels and their sums."""
    return np.result_type(dtype, np.float32)


def _each_channel(function: Callable[[NDArray[Any]], NDArray[Any]], pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.ndim == 2:
        return function(pixels)
    return np.stack([function(pixels[:, :, channel]) for channel in range(pixels.shape[2])], axis=2)


def _nothing() -> NDArray[Any]:
    raise AssertionError("a contestant with `unable` set was run")
