"""The report: ratios, tables, data and the machine."""

from __future__ import annotations

import json
import platform

import jsonschema
import numpy as np
import pytest

from imgconv.benchmark.cells import Cell
from imgconv.benchmark.contestants import FILTER2D
from imgconv.benchmark.machine import describe_machine, machine_text
from imgconv.benchmark.report import LEGEND, report_data, report_text, tables
from imgconv.benchmark.results import CellResult, Outcome, compare, judge_choices, ratio
from imgconv.benchmark.timing import Timing
from imgconv.convolution.methods import METHODS
from tests.benchmark.conftest import LEAST, small_picture

#: One worker runs these tests, so that measurements are made once.
pytestmark = pytest.mark.xdist_group("benchmark results")

NUMBER = {"type": "number", "exclusiveMinimum": 0}
MAYBE = {"anyOf": [NUMBER, {"type": "null"}]}
STRING = {"type": "string", "minLength": 1}


def record(**properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


SECONDS = record(median=NUMBER, low=NUMBER, high=NUMBER, runs={"type": "integer", "minimum": 1})
CONTESTANT = record(
    name=STRING,
    role={"enum": ["choice", "method", "opencv", "scipy"]},
    engine={"enum": ["opencv", "numpy", None]},
    status={"enum": ["timed", "unable", "left out", "error"]},
    reason={"type": ["string", "null"]},
    seconds={"anyOf": [SECONDS, {"type": "null"}]},
    expected=MAYBE,
    to_filter2d=MAYBE,
    to_best_of_scipy=MAYBE,
)
CELL = record(
    picture=record(name=STRING, shape={"type": "array"}, dtype=STRING),
    kernel=record(kind={"enum": ["random", "gaussian", "box"]}, size={"type": "integer"}),
    chosen=record(opencv={"enum": list(METHODS)}, numpy={"enum": list(METHODS)}),
    chosen_to_fastest=record(opencv=NUMBER, numpy=NUMBER),
    contestants={"type": "array", "items": CONTESTANT},
)
COMPARISON = record(
    **dict.fromkeys(("engine", "against", "over", "worst_cell"), STRING),
    **dict.fromkeys(("cells", "mean", "best", "worst"), NUMBER),
    slower={"type": "integer", "minimum": 0},
)
CHOICES = record(engine=STRING, cells=NUMBER, good={"type": "number"}, worst=NUMBER, worst_cell=STRING)
BLAS = record(library=STRING, version={}, kernel={}, threads={"type": "integer"}, of=STRING)
MACHINE = record(
    date=STRING,
    processor=STRING,
    cores={"type": "integer"},
    threads={"type": "integer"},
    system=STRING,
    versions=record(**dict.fromkeys(("imgconv", "python", "numpy", "opencv", "scipy"), STRING)),
    blas={"type": "array", "items": BLAS},
    environment={"type": "object"},
)
REPORT = record(
    machine=MACHINE,
    effort={"type": "object"},
    notes={"type": "array", "items": STRING},
    cells={"type": "array", "items": CELL},
    summary=record(compared={"type": "array", "items": COMPARISON}, choices={"type": "array", "items": CHOICES}),
)


def test_the_data_match_the_schema(results):
    data = json.loads(json.dumps(report_data(results, describe_machine("1.2.3"), LEAST), allow_nan=False))
    jsonschema.validate(data, REPORT)
    assert len(data["cells"]) == 12
    assert any("zeros" in note for note in data["notes"])
    for cell in data["cells"]:
        by_name = {contestant["name"]: contestant for contestant in cell["contestants"]}
        assert set(METHODS) < set(by_name)
        assert by_name[FILTER2D]["to_filter2d"] == 1
        assert min(c["to_best_of_scipy"] for c in by_name.values() if c["role"] == "scipy") == 1
        for contestant in by_name.values():
            assert (contestant["seconds"] is None) == (contestant["status"] != "timed") == bool(contestant["reason"])


def test_results_of_real_methods_have_no_errors(results):
    assert [(str(r.cell), o.name, o.reason) for r in results for o in r.outcomes if o.status == "error"] == []


def timed_outcome(name: str, role: str, seconds: float, engine: str = "", runs: int = 5, spread: float = 0.0) -> Outcome:
    timing = Timing(seconds, seconds * (1 - spread), seconds * (1 + spread), runs)
    return Outcome(name, role, engine, "timed", timing=timing)


def example_result(size: int, choice: float, chosen: str = "shifts") -> CellResult:
    """Return a cell in which helix takes 1 ms, shifts 2 ms, filter2D 4 ms and the best of SciPy 5 ms."""
    outcomes = (
        timed_outcome("imgconv (numpy)", "choice", choice, "numpy"),
        timed_outcome("shifts", "method", 0.002, "numpy", runs=1),
        timed_outcome("helix", "method", 0.001, "numpy", spread=0.2),
        Outcome("fourier", "method", "numpy", "unable", "too small"),
        Outcome("windows", "method", "numpy", "left out", "expected to take 9 s"),
        Outcome("im2col", "method", "numpy", "error", "its result is off by up to 7 (allowed: 0.5)"),
        timed_outcome(FILTER2D, "opencv", 0.004),
        timed_outcome("scipy.signal.fftconvolve", "scipy", 0.005),
        timed_outcome("scipy.signal.convolve2d", "scipy", 1.5),
    )
    return CellResult(Cell(small_picture(), "box", size), {"numpy": chosen}, outcomes)


def test_ratios_of_times():
    result = example_result(3, 0.002)
    assert ratio(result["shifts"], result.fastest("opencv")) == pytest.approx(0.5)
    assert ratio(result["fourier"], result["shifts"]) is None
    assert result.fastest("scipy") == result["scipy.signal.fftconvolve"]
    assert result.fastest("method", "opencv") is None
    assert result.choice_ratio("numpy") == pytest.approx(2)


def test_comparisons_are_summarized():
    results = [example_result(3, 0.002, "helix"), example_result(9, 0.008), example_result(31, 0.016)]
    found = {(c.against, c.over): c for c in compare(results)}
    scipy = found["the best of SciPy", "all cells"]
    assert (scipy.cells, scipy.slower) == (3, 2)
    assert scipy.mean == pytest.approx((0.4 * 1.6 * 3.2) ** (1 / 3))
    assert (scipy.best, scipy.worst) == (pytest.approx(0.4), pytest.approx(3.2))
    assert scipy.worst_cell == "small uint8, box 31x31"
    brackets = {over: c.mean for (against, over), c in found.items() if against == "cv2.filter2D"}
    assert brackets == pytest.approx({"up to 5x5": 0.5, "7x7 to 11x11": 2, "above 11x11": 4})
    [choices] = judge_choices(results)
    assert (choices.cells, choices.good, choices.worst) == (3, pytest.approx(1 / 3), pytest.approx(2))
    assert compare([]) == judge_choices([]) == ()


def test_symbols_and_ratios_in_the_table():
    [table] = tables([example_result(3, 0.002), example_result(5, 0.0123)])
    assert table.splitlines()[0] == "small uint8, 30 x 41, kernel box: milliseconds, median"
    assert table.splitlines()[1].split() == ["3x3", "5x5"]
    width = max(len(name) for name in ("numpy: chosen / fastest", "scipy.signal.fftconvolve"))
    rows = {line[:width].strip(): line[width:].split() for line in table.splitlines()[2:]}
    assert rows["imgconv (numpy)"] == ["2.00", "12.3"]
    assert rows["shifts"] == ["*2.00'", "*2.00'"]
    assert rows["helix"] == ["1.00~", "1.00~"]
    assert rows["fourier"] == ["-", "-"]
    assert rows["windows"] == ["..", ".."]
    assert rows["im2col"] == ["!!", "!!"]
    assert rows["scipy.signal.convolve2d"] == ["1500", "1500"]
    assert rows["numpy / cv2.filter2D"] == ["0.50", "3.08"]
    assert rows["numpy: chosen / fastest"] == ["2.00", "2.00"]


def test_the_text_reports_errors_and_losses():
    text = report_text([example_result(3, 0.002), example_result(9, 0.008)], describe_machine("1.2.3"))
    assert LEGEND in text
    assert "small uint8, box 3x3, im2col: its result is off by up to 7 (allowed: 0.5)" in text
    assert "slower in 1 of 2" in text
    assert "within 1.25 of the fastest in 0% of 2 cells; at worst 2.00 times" in text
    assert "left out, as they would take too long: 2 of 18" in text


def test_the_description_of_the_machine(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("IMGCONV_JOBS", "3")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    machine = describe_machine("1.2.3")
    assert machine["versions"]["imgconv"] == "1.2.3"
    assert machine["versions"]["numpy"] == np.__version__
    assert machine["versions"]["python"] == platform.python_version()
    assert machine["threads"] == 3
    assert describe_machine("1.2.3", jobs=1)["threads"] == 1
    assert machine["environment"]["OPENBLAS_CORETYPE"] == "Haswell"
    assert "SECRET_TOKEN" not in machine["environment"]
    assert machine["processor"]
    text = machine_text(machine)
    assert "numpy" in text
    assert "IMGCONV_JOBS=3" in text
    machine["versions"]["scipy"], machine["blas"] = None, []
    assert "scipy" not in machine_text(machine)
    assert "BLAS: unknown" in machine_text(machine)
