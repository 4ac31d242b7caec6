"""Results of measurements, and the ratios computed from them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from imgconv.benchmark.cells import Cell
from imgconv.benchmark.timing import Timing

#: A choice is good if it takes at most this many times as long as the fastest method of its engine.
GOOD_CHOICE = 1.25
#: Groups of kernels in the summary, by largest side: cv2.filter2D switches to its DFT above 11.
BRACKETS = ((5, "up to 5x5"), (11, "7x7 to 11x11"), (511, "above 11x11"))


@dataclass(frozen=True)
class Outcome:
    """Outcome of a contestant in a cell.

    Attributes:
        name: name of the contestant.
        role: `choice`, `method`, `opencv` or `scipy`.
        engine: engine of imgconv; "" for other libraries.
        status: `timed`, `unable` (not supported), `left out` (would take too long) or `error` (failed, or returned a wrong
            result).
        reason: why the contestant was not timed; "" if it was.
        timing: the measured seconds; None if not timed.
        expected: the predicted seconds; None without a prediction.
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
    """Results of one cell.

    Attributes:
        cell: the picture and the kernel.
        chosen: method chosen by the planner for each engine of imgconv.
        outcomes: outcomes of all contestants.
    """

    cell: Cell
    chosen: dict[str, str]
    outcomes: tuple[Outcome, ...]

    def __getitem__(self, name: str) -> Outcome:
        return next(outcome for outcome in self.outcomes if outcome.name == name)

    def fastest(self, role: str, engine: str = "") -> Outcome | None:
        """Return the fastest timed outcome with a role and engine, or None if there is none."""
        timed = [(o.timing.median, n) for n, o in enumerate(self.outcomes) if (o.role, o.engine) == (role, engine) and o.timing]
        return self.outcomes[min(timed)[1]] if timed else None

    def choice_ratio(self, engine: str) -> float | None:
        """Return the time of the chosen method divided by that of the fastest method of its engine."""
        return ratio(self[self.chosen[engine]], self.fastest("method", engine))


def ratio(one: Outcome | None, other: Outcome | None) -> float | None:
    """Return the median time of `one` divided by that of `other`, or None if either was not timed."""
    if one is None or other is None or one.timing is None or other.timing is None:
        return None
    return one.timing.median / other.timing.median


@dataclass(frozen=True)
class Comparison:
    """Comparison of imgconv, with automatic choice of the method, with another library over several cells.

    Attributes:
        engine: engine of imgconv.
        against: the other library.
        over: description of the cells.
        cells: number of cells in which both were timed.
        mean: geometric mean of the ratio of imgconv's time to that of the other library; below 1 imgconv is faster.
        best: the smallest ratio.
        worst: the largest ratio.
        worst_cell: the cell with the largest ratio.
        slower: number of cells in which imgconv is slower.
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
    """Quality of the method choices of an engine.

    Attributes:
        engine: engine of imgconv.
        cells: number of cells in which the chosen method was timed.
        good: share of these cells in which it takes at most `GOOD_CHOICE` times as long as the fastest method.
        worst: the largest ratio to the fastest method.
        worst_cell: the cell with the largest ratio.
    """

    engine: str
    cells: int
    good: float
    worst: float
    worst_cell: str


def compare(results: Sequence[CellResult]) -> tuple[Comparison, ...]:
    """Return comparisons of each engine with the best of SciPy, and with cv2.filter2D by kernel size."""
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
    """Return the quality of the choices of each engine."""
    found = []
    for engine in engines_of(results):
        ratios = [(value, str(r.cell)) for r in results if (value := r.choice_ratio(engine)) is not None]
        if ratios:
            good = sum(value <= GOOD_CHOICE for value, _ in ratios) / len(ratios)
            found.append(Choices(engine, len(ratios), good, *max(ratios)))
    return tuple(found)


def engines_of(results: Sequence[CellResult]) -> tuple[str, ...]:
    """Return the measured engines of imgconv."""
    return tuple(results[0].chosen) if results else ()


def as_data(results: Sequence[CellResult]) -> list[dict[str, Any]]:
    """Return the results of all cells as plain data, for JSON."""
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
