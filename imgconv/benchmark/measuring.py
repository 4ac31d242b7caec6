"""Measurement of cells: the result of each contestant is checked first, then all contestants are timed in turn."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgconv.benchmark.agreement import disagreement, exact_result
from imgconv.benchmark.cells import Cell, Picture
from imgconv.benchmark.contestants import BOTH, Contestant, make_contestants, plan_cell
from imgconv.benchmark.results import CellResult, Outcome
from imgconv.benchmark.timing import Timing, time_in_turn
from imgconv.opencv import opencv_threads
from imgconv.vocabulary import EngineWord


@dataclass(frozen=True)
class Effort:
    """Time limits of a benchmark.

    Attributes:
        seconds: timing per contestant and cell, in seconds.
        rounds: number of rounds; each contestant is timed once per round.
        most_expected: contestants with a longer predicted time in seconds are omitted.
        longest: contestants whose first run takes more seconds are not timed in rounds; the time of that run is reported. If
            a shorter time was predicted, the faster of two runs is reported.
        total: seconds for all cells, with the remainder shared equally; None for no limit.
    """

    seconds: float = 0.3
    rounds: int = 3
    most_expected: float = 5.0
    longest: float = 1.0
    total: float | None = None


FULL = Effort()
#: The rest of a minute is left for starting, reading and drawing.
QUICK = Effort(seconds=0.05, most_expected=0.4, longest=0.15, total=45.0)

# Part of a cell's share of the total spent on checking results. Methods not checked by then are omitted, except the chosen
# ones.
_CHECKING = 0.4


def measure_cells(
    cells: Sequence[Cell],
    effort: Effort = FULL,
    *,
    engines: tuple[EngineWord, ...] = BOTH,
    jobs: int | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> list[CellResult]:
    """Measure all cells.

    Args:
        cells: the cells.
        effort: time limits.
        engines: engines of imgconv.
        jobs: number of threads of imgconv and OpenCV; None for the number of processors.
        progress: called with a line on the next cell.
    """
    results = []
    with opencv_threads(jobs):
        _start_libraries(engines, jobs)
        end = time.perf_counter() + (math.inf if effort.total is None else effort.total)
        for number, cell in enumerate(cells):
            progress(f"{number + 1} of {len(cells)}: {cell}")
            share = (end - time.perf_counter()) / (len(cells) - number)
            results.append(measure_cell(cell, effort, share=share, engines=engines, jobs=jobs))
    return results


def measure_cell(
    cell: Cell,
    effort: Effort = FULL,
    *,
    share: float = math.inf,
    engines: tuple[EngineWord, ...] = BOTH,
    jobs: int | None = None,
) -> CellResult:
    """Measure one cell within about `share` seconds."""
    start = time.perf_counter()
    chosen: dict[str, str] = {engine: plan_cell(cell, engine, jobs=jobs).method for engine in engines}
    contestants = make_contestants(cell, engines, jobs)
    first = _check(cell, contestants, set(chosen.values()), effort, start + share * _CHECKING)
    end = start + share
    runs = {name: found for name, found in first.items() if isinstance(found, float)}
    allotted = allot(runs, effort, end - time.perf_counter())
    again = {contestant.name: contestant.run for contestant in contestants if contestant.name in allotted}
    timed = time_in_turn(list(again.values()), seconds=effort.seconds, rounds=effort.rounds, until=end)
    timings = dict(zip(again, timed, strict=True))
    outcomes = []
    for contestant in contestants:
        found = first[contestant.name]
        if isinstance(found, float):
            timing = timings.get(contestant.name, Timing(found, found, found, 1))
            found = _outcome(contestant, "timed", timing=timing)
        outcomes.append(found)
    return CellResult(cell, chosen, tuple(outcomes))


def allot(runs: dict[str, float], effort: Effort, rest: float) -> set[str]:
    """Return the contestants to time in rounds: as many as the time allows, starting with the fastest.

    Args:
        runs: seconds of one run of each contestant.
        effort: time limits.
        rest: remaining seconds for all contestants.
    """
    again = set()
    for name, seconds in sorted(runs.items(), key=lambda item: item[1]):
        # A round consists of an unmeasured run, the share of `seconds`, and a last run that exceeds it.
        cost = 2 * effort.rounds * seconds + effort.seconds
        if seconds > effort.longest or cost > rest:
            break
        again.add(name)
        rest -= cost
    return again


def _check(
    cell: Cell, contestants: Sequence[Contestant], chosen: set[str], effort: Effort, end: float
) -> dict[str, float | Outcome]:
    """Return for each contestant the seconds of its first run, or its outcome if it is not timed."""
    exact = exact_result(cell)
    found: dict[str, float | Outcome] = {}
    first = [c for c in contestants if c.role != "method" or c.name in chosen]
    others = sorted((c for c in contestants if c not in first), key=lambda c: c.expected or 0.0)
    for contestant in (*first, *others):
        expected = contestant.expected or 0.0
        if contestant.unable:
            found[contestant.name] = _outcome(contestant, "unable", contestant.unable)
        elif expected > effort.most_expected and contestant.role != "choice" and contestant.name not in chosen:
            found[contestant.name] = _outcome(contestant, "left out", f"expected to take {expected:.2g} s")
        elif time.perf_counter() > end and contestant not in first:
            found[contestant.name] = _outcome(contestant, "left out", "no time left")
        else:
            run = _first_run(contestant, cell, exact)
            if time.perf_counter() < end and isinstance(run, float) and expected < effort.longest < run:
                # The run was unexpectedly slow, perhaps because of other load on the machine.
                second = _first_run(contestant, cell, exact)
                run = min(run, second) if isinstance(second, float) else second
            found[contestant.name] = run
    return found


def _first_run(contestant: Contestant, cell: Cell, exact: NDArray[np.float64]) -> float | Outcome:
    """Run a contestant and return the seconds, or an outcome with status `error` if it fails or its result is wrong."""
    start = time.perf_counter()
    try:
        result = contestant.run()
    except Exception as error:  # a failing library must not stop the measurement of others
        return _outcome(contestant, "error", " ".join(f"{type(error).__name__}: {error}".split()))
    seconds = time.perf_counter() - start
    trouble = disagreement(result, exact, cell, inside_only=contestant.zero_border)
    return _outcome(contestant, "error", trouble) if trouble else seconds


def _start_libraries(engines: tuple[EngineWord, ...], jobs: int | None) -> None:
    """Import every library and start its threads, so that this does not count in the time of the first cell."""
    cell = Cell(Picture("", np.zeros((32, 32), np.float32)), "box", 3)
    for contestant in make_contestants(cell, engines, jobs):
        if not contestant.unable:
            with contextlib.suppress(Exception):  # reported when it is measured
                contestant.run()


def _outcome(contestant: Contestant, status: str, reason: str = "", timing: Timing | None = None) -> Outcome:
    return Outcome(contestant.name, contestant.role, contestant.engine, status, reason, timing, contestant.expected)
