"""Benchmark results as text and as data for JSON."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from imgconv.benchmark.agreement import TOLERANCE
from imgconv.benchmark.contestants import FILTER2D, NOTES
from imgconv.benchmark.machine import machine_text
from imgconv.benchmark.measuring import Effort
from imgconv.benchmark.results import (
    GOOD_CHOICE,
    CellResult,
    Choices,
    Comparison,
    as_data,
    compare,
    judge_choices,
    ratio,
)
from imgconv.benchmark.timing import Timing

LEGEND = (
    "*chosen by imgconv   ~ middle half of the runs spread over more than a quarter of the median   ' one run only\n"
    "- not supported   .. left out, as it would take too long   !! failed or returned a wrong result (see below)"
)

_WIDE = 0.25
_CELL = 9


def report_data(results: Sequence[CellResult], machine: dict[str, Any], effort: Effort) -> dict[str, Any]:
    """Return results, machine and summary as plain data, for JSON.

    Args:
        results: results of all cells.
        machine: return value of `describe_machine`.
        effort: time limits used for the measurement.
    """
    return {
        "machine": machine,
        "effort": asdict(effort),
        "notes": [
            *NOTES,
            f"a result is correct if its error is at most {TOLERANCE:g} of the largest pixel; integer results may differ by "
            "half a level more due to rounding",
        ],
        "cells": as_data(results),
        "summary": {
            "compared": [asdict(comparison) for comparison in compare(results)],
            "choices": [asdict(choices) for choices in judge_choices(results)],
        },
    }


def report_text(results: Sequence[CellResult], machine: dict[str, Any]) -> str:
    """Return a table for each picture and kind of kernel, the errors, and a summary."""
    parts = [machine_text(machine), *tables(results), LEGEND]
    errors = [f"{r.cell}, {o.name}: {o.reason}" for r in results for o in r.outcomes if o.status == "error"]
    if errors:
        parts.append("\n".join(["failed or returned a wrong result:", *(f"  {line}" for line in errors)]))
    return "\n\n".join((*parts, "\n".join(summary_lines(results))))


def tables(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield a table for each picture and kind of kernel: milliseconds by contestant and size, then ratios."""
    for _, group in itertools.groupby(results, key=lambda r: (r.cell.picture.name, r.cell.kind)):
        yield "\n".join(_table(list(group)))


def _table(results: list[CellResult]) -> Iterator[str]:
    cell = results[0].cell
    names = [(outcome.name, outcome.role) for outcome in results[0].outcomes]
    # Methods are indented below their engine.
    labels = {name: ("  " if role == "method" else "") + name for name, role in names}
    engines = tuple(results[0].chosen)
    ratios = [*(label for engine in engines for label, _ in _ratios(engine))]
    width = max(map(len, (*labels.values(), *ratios)))
    yield f"{cell.picture.name}, {cell.picture.size}, kernel {cell.kind}: milliseconds, median"
    yield " " * width + "".join(f"{f'{r.cell.size}x{r.cell.size} ':>{_CELL}}" for r in results).rstrip()
    for name, _ in names:
        yield (f"{labels[name]:{width}}" + "".join(_entry(result, name) for result in results)).rstrip()
    for label, value in (pair for engine in engines for pair in _ratios(engine)):
        found = [value(result) for result in results]
        entries = "".join(f"{'-' if v is None else f'{v:.2f}':>{_CELL - 1}} " for v in found)
        yield f"{label:{width}}{entries}".rstrip()


def _ratios(engine: str) -> tuple[tuple[str, Callable[[CellResult], float | None]], ...]:
    """Return label and function of each row of ratios of an engine."""
    return (
        (f"{engine} / {FILTER2D}", lambda r: ratio(r.fastest("choice", engine), r.fastest("opencv"))),
        (f"{engine} / best of SciPy", lambda r: ratio(r.fastest("choice", engine), r.fastest("scipy"))),
        (f"{engine}: chosen / fastest", lambda r: r.choice_ratio(engine)),
    )


def _entry(result: CellResult, name: str) -> str:
    outcome = result[name]
    if outcome.timing is None:
        sign = {"unable": "-", "left out": "..", "error": "!!"}[outcome.status]
        return f"{sign:>{_CELL - 1}} "
    star = "*" if outcome.role == "method" and result.chosen.get(outcome.engine) == name else ""
    return f"{star + _milliseconds(outcome.timing.median):>{_CELL - 1}}{_mark(outcome.timing)}"


def _mark(timing: Timing) -> str:
    if timing.runs == 1:
        return "'"
    return "~" if _spread(timing) > _WIDE else " "


def _spread(timing: Timing) -> float:
    return (timing.high - timing.low) / timing.median


def _milliseconds(seconds: float) -> str:
    """Return milliseconds with three digits, or with all digits before the decimal point."""
    value = seconds * 1e3
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2 if value >= 0.9995 else 3}f}"


def summary_lines(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the lines of the summary, which include cases where imgconv is slower."""
    outcomes = [outcome for result in results for outcome in result.outcomes]
    timings = [o.timing for o in outcomes if o.timing and o.timing.runs > 1]
    if timings:
        spreads = [_spread(timing) for timing in timings]
        yield (
            f"spread of the runs (middle half / median): {statistics.median(spreads):.0%} in the middle, "
            f"{max(spreads):.0%} at most; {len(timings)} times of {min(t.runs for t in timings)} runs or more"
        )
    yield from map(_comparison_line, compare(results))
    yield from map(_choices_line, judge_choices(results))
    left_out = sum(outcome.status == "left out" for outcome in outcomes)
    if left_out:
        yield f"left out, as they would take too long: {left_out} of {len(outcomes)}"


def _comparison_line(found: Comparison) -> str:
    return (
        f"{found.engine} engine / {found.against}, {found.over}: {found.mean:.2f} on average ({found.best:.2f} to "
        f"{found.worst:.2f}, at {found.worst_cell}); slower in {found.slower} of {found.cells}"
    )


def _choices_line(found: Choices) -> str:
    return (
        f"{found.engine} engine: the chosen method is within {GOOD_CHOICE} of the fastest in {found.good:.0%} of "
        f"{found.cells} cells; at worst {found.worst:.2f} times, at {found.worst_cell}"
    )
