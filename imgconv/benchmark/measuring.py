"""Measures cell by cell: each contestant's result is checked first, then all of them are timed in turn."""

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
    """How much time measuring may take.

    Attributes:
        seconds: of timing for each contestant in a cell.
        rounds: how often each has its turn.
        most_expected: seconds; what is expected to take longer is left out.
        longest: seconds; what takes longer in the run that is checked has no turns, and that run is its time. If less was
            expected, it is the faster one of two.
        total: seconds for all cells together, each gets an equal share of what is left; None for as many as it takes.
    """

    seconds: float = 0.3
    rounds: int = 3
    most_expected: float = 5.0
    longest: float = 1.0
    total: float | None = None


FULL = Effort()
#: What remains of a minute is for starting, reading and drawing.
QUICK = Effort(seconds=0.05, most_expected=0.4, longest=0.15, total=45.0)

# Of a cell's share of the total, the part in which results are checked: methods that have not had a turn by then, other than
# the one chosen, are left out.
_CHECKING = 0.4


def measure_cells(
    cells: Sequence[Cell],
    effort: Effort = FULL,
    *,
    engines: tuple[EngineWord, ...] = BOTH,
    jobs: int | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> list[CellResult]:
    """Measure every cell.

    Args:
        cells: pictures and kernels.
        effort: how much time that may take.
        engines: of imgconv.
        jobs: threads of imgconv and of OpenCV; None for as many as there are processors.
        progress: called with a line on the cell that comes next.
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
    """Measure one cell, in no more than `share` seconds."""
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
    """Return which contestants are timed in rounds: those for which there is time, the fastest first.

    Args:
        runs: the seconds of a run, by contestant.
        effort: how much time each may take.
        rest: the seconds that there are for all.
    """
    again = set()
    for name, seconds in sorted(runs.items(), key=lambda item: item[1]):
        # In a round: a run that is not measured, the share of the time, and the run that goes beyond it.
        cost = 2 * effort.rounds * seconds + effort.seconds
        if seconds > effort.longest or cost > rest:
            break
        again.add(name)
        rest -= cost
    return again


def _check(
    cell: Cell, contestants: Sequence[Contestant], chosen: set[str], effort: Effort, end: float
) -> dict[str, float | Outcome]:
    """Return for each contestant the seconds of its first run, or what came of it where it cannot be timed."""
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
            found[contestant.name] = _outcome(contestant, "left out", "no time was left for it")
        else:
            run = _first_run(contestant, cell, exact)
            if time.perf_counter() < end and isinstance(run, float) and expected < effort.longest < run:
                # Too slow to be repeated in rounds, but not by its nature: the machine may have had a bad moment.
                second = _first_run(contestant, cell, exact)
                run = min(run, second) if isinstance(second, float) else second
            found[contestant.name] = run
    return found


def _first_run(contestant: Contestant, cell: Cell, exact: NDArray[np.float64]) -> float | Outcome:
    """Run a contestant and return the seconds, or an error where it fails or its result is not the one asked for."""
    start = time.perf_counter()
    try:
        result = contestant.run()
    except Exception as error:  # of whatever library; the others are measured all the same
        return _outcome(contestant, "error", " ".join(f"{type(error).__name__}: {error}".split()))
    seconds = time.perf_counter() - start
    trouble = disagreement(result, exact, cell, inside_only=contestant.zero_border)
    return _outcome(contestant, "error", trouble) if trouble else seconds


def _start_libraries(engines: tuple[EngineWord, ...], jobs: int | None) -> None:
    """Have every library imported and its threads started, which is no part of the first cell's time."""
    cell = Cell(Picture("", np.zeros((32, 32), np.float32)), "box", 3)
    for contestant in make_contestants(cell, engines, jobs):
        if not contestant.unable:
            with contextlib.suppress(Exception):  # reported where it is measured
                contestant.run()


def _outcome(contestant: Contestant, status: str, reason: str = "", timing: Timing | None = None) -> Outcome:
    return Outcome(contestant.name, contestant.role, contestant.engine, status, reason, timing, contestant.expected)
