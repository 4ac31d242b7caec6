"""Selection and timing of contestants, and the time limits of a quick run."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest

from imgconv.benchmark import measuring
from imgconv.benchmark.cells import Cell
from imgconv.benchmark.contestants import Contestant
from imgconv.benchmark.measuring import FULL, QUICK, Effort, allot, measure_cell, measure_cells
from imgconv.benchmark.results import CellResult
from imgconv.benchmark.timing import time_in_turn
from tests.benchmark.conftest import LEAST, small_picture

MINUTE = 60.0


def cost(effort: Effort, seconds: float) -> float:
    """Return the most time that a contestant takes: per round a warm-up run, the measured time and one run beyond it."""
    return effort.rounds * (seconds + effort.seconds / effort.rounds + seconds)


@pytest.mark.parametrize("rest", [0.0, 0.05, 0.5, 2.0, 20.0])
@pytest.mark.parametrize("fastest", [1e-5, 1e-3, 0.02, 0.5])
def test_allotted_contestants_fit_into_the_remaining_time(rest, fastest):
    runs = {f"c{n}": fastest * 1.7**n for n in range(19)}
    allotted = allot(runs, QUICK, rest)
    assert sum(cost(QUICK, runs[name]) for name in allotted) <= rest + 1e-9
    assert allotted == {f"c{n}" for n in range(len(allotted))}  # the fastest
    assert all(runs[name] <= QUICK.longest for name in allotted)


def test_without_a_limit_all_but_the_slow_are_timed():
    assert allot({"a": 0.1, "b": FULL.longest * 0.9, "c": FULL.longest * 1.1}, FULL, math.inf) == {"a", "b"}


def test_a_quick_run_is_planned_for_less_than_a_minute():
    assert QUICK.total is not None
    # The last cell may exceed its share by one check: the slowest contestant admitted, at twice its expected time.
    assert QUICK.total + 2 * QUICK.most_expected < 0.8 * MINUTE


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that only a test advances."""

    class Clock:
        now = 0.0

        def perf_counter(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(measuring, "time", clock)
    return clock


def test_the_shares_of_a_quick_run_add_up_to_its_total(clock, monkeypatch):
    shares = []

    def fake_measure_cell(cell, effort, *, share, engines, jobs):
        shares.append(share)
        clock.now += share * (0.5 if len(shares) % 2 else 1.0)
        return CellResult(cell, {}, ())

    monkeypatch.setattr(measuring, "measure_cell", fake_measure_cell)
    monkeypatch.setattr(measuring, "_start_libraries", lambda engines, jobs: None)
    cells = [Cell(small_picture(), "box", size) for size in (3, 5, 7, 9)]
    messages = []
    assert [r.cell for r in measure_cells(cells, QUICK, progress=messages.append)] == cells
    assert shares[0] == pytest.approx(QUICK.total / 4)
    assert shares[-1] == max(shares)  # the time that one cell leaves goes to the others
    assert clock.now == pytest.approx(QUICK.total)
    assert messages[0] == "1 of 4: small uint8, box 3x3"


def test_with_little_time_the_choice_and_the_references_are_timed_first(cell, clock, monkeypatch):
    ran = Counter()

    def fake_contestants(cell, engines, jobs):
        def contestant(name, role, expected):
            def run():
                ran[name] += 1
                clock.now += 1.0
                return cell.picture.pixels

            return Contestant(name, role, "numpy" if role in ("choice", "method") else "", run, expected)

        expected = {"helix": 0.2, "shifts": 0.1, "definition": 99.0}
        methods = [contestant(name, "method", seconds) for name, seconds in expected.items()]
        return (*methods, contestant("choice", "choice", 0.1), contestant("cv2", "opencv", None))

    monkeypatch.setattr(measuring, "make_contestants", fake_contestants)
    monkeypatch.setattr(measuring, "disagreement", lambda *_, **__: "")
    result = measure_cell(cell, QUICK, share=4.0, engines=("numpy",))
    found = {o.name: (o.status, o.reason, o.timing and o.timing.runs) for o in result.outcomes}
    once = ("timed", "", 1)
    chosen = result.chosen["numpy"]
    others = {"helix", "shifts"} - {chosen}
    assert found["choice"] == found["cv2"] == once
    assert found["definition"] == ("left out", "expected to take 99 s", None)
    assert all(found[name] == ("left out", "no time left", None) for name in others)
    # The choice was slower than expected, and is run again while there is time.
    assert ran == {"choice": 2, "cv2": 1, **({chosen: 1} if chosen in found else {})}


def test_a_run_slower_than_expected_is_repeated(cell, clock, monkeypatch):
    passing = iter([90.0, 4.0, 3.0])

    def run():
        clock.now += next(passing)
        return cell.picture.pixels

    slow_once = Contestant("cv2", "opencv", "", run)
    always_slow = Contestant("slow", "scipy", "", run, expected=3.0)
    monkeypatch.setattr(measuring, "make_contestants", lambda *_: (slow_once, always_slow))
    monkeypatch.setattr(measuring, "disagreement", lambda *_, **__: "")
    result = measure_cell(cell, FULL)
    assert [outcome.timing.median for outcome in result.outcomes] == pytest.approx([4.0, 3.0])


def test_functions_alternate_in_every_round():
    order = []
    timings = time_in_turn([lambda: order.append("a"), lambda: order.append("b")], seconds=0.0, rounds=3)
    assert [name for name, _ in itertools.groupby(order)] == ["a", "b"] * 3
    assert Counter(order) == {"a": 6, "b": 6}  # each round: a warm-up run and a measured run
    assert [timing.runs for timing in timings] == [3, 3]
    assert all(timing.low <= timing.median <= timing.high for timing in timings)


def test_no_further_round_starts_after_the_deadline():
    [timing] = time_in_turn([lambda: None], seconds=0.0, rounds=3, until=0.0)
    assert timing.runs == 1


def test_a_single_run_has_no_spread():
    [timing] = time_in_turn([lambda: None], seconds=0.0, rounds=1)
    assert timing.low == timing.median == timing.high
    assert timing.runs == 1


def test_with_one_engine_the_other_is_left_out(cell):
    result = measure_cell(cell, LEAST, engines=("numpy",), jobs=1)
    assert set(result.chosen) == {"numpy"}
    assert {outcome.engine for outcome in result.outcomes} == {"numpy", ""}
    assert result[result.chosen["numpy"]].status == "timed"
