"""What was measured, and the ratios that follow from it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from imgconv.benchmark.cells import Cell
from imgconv.benchmark.timing import Timing

#: A choice is counted as good where no method of its engine is faster than this many times.
GOOD_CHOICE = 1.25
#: Largest sides of the kernels that are summed up together: cv2.filter2D goes over to its own DFT above 11.
BRACKETS = ((5, "up to 5x5"), (11, "7x7 to 11x11"), (511, "above 11x11"))


@dataclass(frozen=True)
class Outcome:
    """What came of a contestant in a cell.

    Attributes:
        name: of the contestant.
        role: `choice`, `method`, `opencv` or `scipy`.
        engine: of imgconv; "" for the others.
        status: `timed`; `unable`: cannot do this; `left out`: would have taken too long; `error`: failed, or gave a wrong
            result.
        reason: why it was not timed; "" where it was.
        timing: the seconds; None where it was not timed.
        expected: the seconds predicted; None where nothing was.
    """

    name: str
    role: str
    engine: str
    status: str
    reason: str = ""
    timing: Timing | None = None
    expected: float | None = None


@dataclass(frozen=True)
class CellResult:
    """What was measured in a cell.

    Attributes:
        cell: the picture and the kernel.
        chosen: for each engine of imgconv the method that the planner chooses.
        outcomes: of every contestant.
    """

    cell: Cell
    chosen: dict[str, str]
    outcomes: tuple[Outcome, ...]

    def __getitem__(self, name: str) -> Outcome:
        return next(outcome for outcome in self.outcomes if outcome.name == name)

    def fastest(self, role: str, engine: str = "") -> Outcome | None:
        """Return the fastest of those timed in a role; None where none was."""
        timed = [(o.timing.median, n) for n, o in enumerate(self.outcomes) if (o.role, o.engine) == (role, engine) and o.timing]
        return self.outcomes[min(timed)[1]] if timed else None

    def choice_ratio(self, engine: str) -> float | None:
        """Return how many times as long the chosen method takes as the fastest one of its engine."""
        return ratio(self[self.chosen[engine]], self.fastest("method", engine))


def ratio(one: Outcome | None, other: Outcome | None) -> float | None:
    """Return how many times as long the one takes as the other; None where either was not timed."""
    if one is None or other is None or one.timing is None or other.timing is None:
        return None
    return one.timing.median / other.timing.median


@dataclass(frozen=True)
class Comparison:
    """How imgconv, choosing by itself, compares with another library, over several cells.

    Attributes:
        engine: of imgconv.
        against: the other library.
        over: which cells.
        cells: how many of them both were timed in.
        mean: geometric mean of imgconv's time over the other's; below 1 imgconv is the faster one.
        best: the least of the ratios.
        worst: the greatest.
        worst_cell: where that was.
        slower: in how many cells imgconv takes longer.
    """

    engine: str
    against: str
    over: str
    cells: int
    mean: float
    best: float
    worst: float
    worst_cell: str
    slower: int


@dataclass(frozen=True)
class Choices:
    """How good an engine's choices were.

    Attributes:
        engine: of imgconv.
        cells: in how many the chosen method was timed.
        good: share of them in which it takes at most `GOOD_CHOICE` times as long as the fastest.
        worst: the greatest ratio to the fastest.
        worst_cell: where that was.
    """

    engine: str
    cells: int
    good: float
    worst: float
    worst_cell: str


def compare(results: Sequence[CellResult]) -> tuple[Comparison, ...]:
    """Return how each engine stands against the best of SciPy, and against cv2.filter2D for small and large kernels."""
    found = []
    for engine in engines_of(results):
        found.append(_comparison(engine, "the best of SciPy", "all cells", results, "scipy"))
        least = 0
        for most, words in BRACKETS:
            some = [result for result in results if least < result.cell.size <= most]
            found.append(_comparison(engine, "cv2.filter2D", words, some, "opencv"))
            least = most
    return tuple(filter(None, found))


def _comparison(engine: str, against: str, over: str, results: Iterable[CellResult], role: str) -> Comparison | None:
    found = [(ratio(result.fastest("choice", engine), result.fastest(role)), str(result.cell)) for result in results]
    ratios = [(value, cell) for value, cell in found if value is not None]
    if not ratios:
        return None
    values = [value for value, _ in ratios]
    worst, cell = max(ratios)
    mean = statistics.geometric_mean(values)
    slower = sum(value > 1 for value in values)
    return Comparison(engine, against, over, len(ratios), mean, min(values), worst, cell, slower)


def judge_choices(results: Sequence[CellResult]) -> tuple[Choices, ...]:
    """Return how good the choices of each engine were."""
    found = []
    for engine in engines_of(results):
        ratios = [(value, str(r.cell)) for r in results if (value := r.choice_ratio(engine)) is not None]
        if ratios:
            good = sum(value <= GOOD_CHOICE for value, _ in ratios) / len(ratios)
            found.append(Choices(engine, len(ratios), good, *max(ratios)))
    return tuple(found)


def engines_of(results: Sequence[CellResult]) -> tuple[str, ...]:
    """Return the engines of imgconv that were measured."""
    return tuple(results[0].chosen) if results else ()


def as_data(results: Sequence[CellResult]) -> list[dict[str, Any]]:
    """Return every cell as plain data, for JSON."""
    return [
        {
            "picture": {"name": picture.name, "shape": list(picture.pixels.shape), "dtype": picture.pixels.dtype.name},
            "kernel": {"kind": result.cell.kind, "size": result.cell.size},
            "chosen": dict(result.chosen),
            "chosen_to_fastest": {engine: result.choice_ratio(engine) for engine in result.chosen},
            "contestants": [_outcome_data(outcome, result) for outcome in result.outcomes],
        }
        for result in results
        for picture in [result.cell.picture]
    ]


def _outcome_data(outcome: Outcome, result: CellResult) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "role": outcome.role,
        "engine": outcome.engine or None,
        "status": outcome.status,
        "reason": outcome.reason or None,
        "seconds": outcome.timing and asdict(outcome.timing),
        "expected": outcome.expected,
        "to_filter2d": ratio(outcome, result.fastest("opencv")),
        "to_best_of_scipy": ratio(outcome, result.fastest("scipy")),
    }
