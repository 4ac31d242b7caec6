"""Calibration of the planner's constants to the run times of the methods on this machine.

The time of a method is modelled as a constant plus a rate for each unit of its `Work`, divided among the threads. The rates
are nonnegative and minimize the sum of squared relative errors.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import platform
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.benchmark.timing import time_in_turn
from imgconv.convolution.costs import Costs, Rates, as_bytes, units_of
from imgconv.convolution.execution import execute
from imgconv.convolution.methods import METHODS
from imgconv.convolution.options import make_options
from imgconv.convolution.plan import Plan, Work
from imgconv.convolution.planner import make_job, plan_for
from imgconv.errors import WriteError
from imgconv.images.atomic import destination, write_file
from imgconv.kernels.kernel import Kernel
from imgconv.threads import thread_count

SHAPES = ((48, 64), (256, 320), (1000, 1200), (1500, 2000, 3))
SIZES = (3, 5, 9, 15, 31, 63)
DTYPES = ("uint8", "uint16", "float32", "float64")
# Run time in seconds above which a method is not timed with larger kernels.
_LONGEST = 0.4
_QUICK_LONGEST = 0.1
# Runs slower than this multiple of the fastest method are excluded from the fit, if at least `_LEAST` runs remain.
_MAX_RATIO = 5
_LEAST = 8
_FEATURES = ("start", *(field.name for field in fields(Work)))


@dataclass(frozen=True)
class _Run:
    """One measurement: case, method, type of the sums, units of work per thread, and seconds."""

    case: tuple[Any, ...]
    method: str
    sums: str
    units: tuple[float, ...]
    seconds: float

    def work_ratio(self, units: tuple[float, ...]) -> float:
        """Return the largest ratio of `units` to the units of this run."""
        return max((other / own for own, other in zip(self.units, units, strict=False) if own), default=0.0)


def calibrate(*, quick: bool = False, progress: Callable[[str], None] = lambda line: None) -> Costs:
    """Time all methods for various images and kernels, and return the fitted rates.

    Args:
        quick: whether to use fewer and smaller cases.
        progress: called with a line on the current measurement.
    """
    fastest: dict[tuple[Any, ...], float] = {}
    by_sums: dict[tuple[str, str], list[_Run]] = defaultdict(list)
    for name in METHODS:
        for run in _runs_of(name, quick=quick, progress=progress):
            fastest[run.case] = min(run.seconds, fastest.get(run.case, run.seconds))
            by_sums[run.method, run.sums].append(run)
    rates: dict[str, dict[str, Rates]] = defaultdict(dict)
    for (name, dtype), found in by_sums.items():
        # The fit should be accurate where a method is competitive, not where it is far slower than another.
        near = [run for run in found if run.seconds < _MAX_RATIO * fastest[run.case]]
        kept = near if len(near) >= _LEAST else found
        rates[name][dtype] = fit_rates([run.units for run in kept], [run.seconds for run in kept])
    return Costs(_origin(quick), thread_count(), dict(rates))


def _runs_of(name: str, *, quick: bool, progress: Callable[[str], None]) -> list[_Run]:
    """Time a method for all cases in order of kernel size, until it takes too long."""
    progress(f"timing {name}")
    longest = _QUICK_LONGEST if quick else _LONGEST
    slow: set[tuple[Any, ...]] = set()
    found: list[_Run] = []
    for case, plan, image in _cases(name, quick=quick):
        units, series = _units(plan), case[:-1]
        if series in slow or (found and found[-1].work_ratio(units) * found[-1].seconds > 4 * longest):
            slow.add(series)
            continue
        seconds = time_in_turn([functools.partial(execute, plan, image)], seconds=0.03, rounds=1, most=7)[0].median
        if seconds > longest:
            slow.add(series)
        found.append(_Run(case, name, METHODS[name].dtype(plan.job.parts[0]).name, units, seconds))
    return found


def write_costs(costs: Costs, path: Path) -> None:
    """Write the constants to a file atomically; a missing folder is created.

    Raises:
        WriteError: the file cannot be written.
    """
    check_place(path)
    write_file(str(path), [as_bytes(costs)])


def check_place(path: Path) -> None:
    """Create the folder of a file, and check that the file can be written.

    Raises:
        WriteError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path}: {error.strerror}; set IMGCONV_COSTS to another file") from error
    destination(str(path))


def fit_rates(units: list[tuple[float, ...]], seconds: list[float]) -> Rates:
    """Return nonnegative rates that minimize the sum of squared relative errors.

    Args:
        units: result of `costs.units_of` for each run.
        seconds: time of each run.
    """
    table = np.array(units) / np.array(seconds)[:, None]
    used = [n for n in range(len(_FEATURES)) if table[:, n].any()]
    best, least = np.zeros(len(_FEATURES)), np.inf
    for count in range(1, len(used) + 1):  # an exhaustive search is fast enough for so few features
        for chosen in itertools.combinations(used, count):
            part = table[:, chosen]
            scale = np.abs(part).max(axis=0)
            found = np.linalg.lstsq(part / scale, np.ones(len(part)), rcond=None)[0] / scale
            error = float(((part @ found - 1) ** 2).sum())
            if (found >= 0).all() and error < least:
                best, least = np.zeros(len(_FEATURES)), error
                best[list(chosen)] = found
    return Rates(*(float(f"{rate:.4g}") for rate in best))


def _cases(name: str, *, quick: bool) -> Iterator[tuple[tuple[Any, ...], Plan, NDArray[Any]]]:
    """Yield a key, the plan and the image of each case; cases with the same work are yielded once."""
    method, rng, seen = METHODS[name], np.random.default_rng(0), set()
    for dtype, shape in itertools.product(DTYPES, SHAPES[: 3 if quick else None]):
        image = (rng.random(shape) * (1 if dtype.startswith("f") else 200)).astype(dtype)
        for kind, size in itertools.product(_KINDS, SIZES[:: 2 if quick else 1]):
            options = make_options(engine=method.engine, method=name)
            kernel = Kernel(_KINDS[kind](size))
            if method.supports(make_job(shape, np.dtype(dtype), kernel, options)):
                continue
            plan = plan_for(shape, np.dtype(dtype), kernel, options)
            key = (dtype, method.dtype(plan.job.parts[0]), _units(plan))
            if key not in seen:
                seen.add(key)
                yield (dtype, shape, kind, size), plan, image


def _units(plan: Plan) -> tuple[float, ...]:
    method = METHODS[plan.method]
    return units_of(method, plan.job, method.total(plan.job), thread_count())


def _gaussian(size: int) -> NDArray[np.float64]:
    line = np.exp(-0.5 * ((np.arange(size) - size // 2) / (size / 6)) ** 2)
    return np.asarray(np.outer(line, line) / line.sum() ** 2)


_KINDS: dict[str, Callable[[int], NDArray[Any]]] = {
    "real": lambda size: np.random.default_rng(size).random((size, size)) / size**2,
    "whole": lambda size: np.random.default_rng(size).integers(-3, 4, (size, size)),
    "gaussian": _gaussian,
    "box": lambda size: np.full((size, size), 1 / size**2),
    "cross": lambda size: (np.eye(size) + np.eye(size)[::-1]).round(),
}


def _origin(quick: bool) -> dict[str, str]:
    return {
        "command": "imgconv bench --calibrate" + (" --quick" if quick else ""),
        "date": datetime.date.today().isoformat(),
        "machine": platform.machine(),
        "numpy": np.__version__,
    }
