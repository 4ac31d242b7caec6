"""The constants of the planner: those of the package, those of a user file, and errors in a user file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from imgconv.benchmark.calibration import write_costs
from imgconv.convolution import costs
from imgconv.convolution.api import correlate
from imgconv.convolution.costs import Costs, Rates, costs_of, find_user_file, predict, rates_of, user_file
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.errors import UsageError

NUMPY = [name for name, method in METHODS.items() if method.engine == "numpy"]
NOISE = np.random.default_rng(1).normal(size=(5, 7))


def plan(shape, kernel=((1, 2), (3, 5)), **options):
    return make_plan(shape, "uint8", kernel, engine="numpy", **options)


def in_favour_of(method):
    """Return constants that make one method a thousand times as fast as the others."""
    rates = {m: {"float32": Rates(start=1e-6 if m == method else 1e-3)} for m in NUMPY}
    return Costs(fitted={"machine": "a test"}, threads=2, rates=rates)


@pytest.mark.parametrize("method", NUMPY)
def test_imgconv_costs_names_the_file_of_constants(monkeypatch, tmp_path, method):
    path = tmp_path / "deeper" / "mine.json"
    write_costs(in_favour_of(method), path)
    assert msgspec.json.decode(path.read_bytes(), type=Costs) == in_favour_of(method)
    shape = (321, 100 + NUMPY.index(method))  # used by no other test, because plans are cached
    monkeypatch.setenv("IMGCONV_COSTS", str(path))
    assert user_file() == path
    found = plan(shape)
    assert found.method == method
    assert found.seconds == rates_of(method, "float32").start == 1e-6
    assert {c.seconds for c in found.candidates if c.method in NUMPY and c.method != method} == {1e-3}


def test_fallbacks_for_methods_and_types_missing_from_the_user_file(monkeypatch, tmp_path):
    own = rates_of("shifts", "float32")
    write_costs(Costs(fitted={}, threads=2, rates={"helix": {"int32": Rates(calls=7.0)}, "windows": {}}), tmp_path / "few.json")
    monkeypatch.setenv("IMGCONV_COSTS", str(tmp_path / "few.json"))
    assert rates_of("helix", "int32") == rates_of("helix", "float64") == Rates(calls=7.0)
    assert rates_of("shifts", "float32") == own
    assert rates_of("windows", "float32").multiply_adds > 0


def test_a_changed_file_is_read_again(monkeypatch, tmp_path):
    path = tmp_path / "costs.json"
    monkeypatch.setenv("IMGCONV_COSTS", str(path))
    for seconds in (1.0, 2.0, 3.0):
        write_costs(Costs(fitted={}, threads=1, rates={"helix": {"float32": Rates(start=seconds)}}), path)
        assert rates_of("helix", "float32").start == seconds


def test_a_missing_file_is_ignored(monkeypatch, tmp_path):
    own = rates_of("helix", "float32")
    monkeypatch.setenv("IMGCONV_COSTS", str(tmp_path / "nowhere.json"))
    assert rates_of("helix", "float32") == own


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"rates": {}}',
        '{"fitted": {}, "threads": 1, "rates": {"helix": {"float32": {"starts": 1}}}}',
        "\xff\xfe",
    ],
    ids=["empty", "cut off", "a list", "missing key", "unknown key", "not text"],
)
def test_an_invalid_file_raises_an_error_with_its_name(monkeypatch, tmp_path, text):
    path = tmp_path / "broken.json"
    path.write_bytes(text.encode("latin-1"))
    monkeypatch.setenv("IMGCONV_COSTS", str(path))
    with pytest.raises(UsageError, match=r"broken\.json.*is not a cost file"):
        correlate(np.ones((9, 171)), [[1, 2]], engine="numpy")


@pytest.mark.parametrize("method", NUMPY)
def test_a_prediction_is_the_start_plus_the_work_times_its_rates(monkeypatch, tmp_path, method):
    job = plan((4000, 50), kernel=NOISE, tolerance=1e-3).job
    work, rates = METHODS[method].total(job), Rates(start=5.0, multiply_adds=1e-3, transforms=1e-4, bytes=1e-5, calls=1e-6)
    for threads in (1, 2):
        path = tmp_path / f"{threads}.json"
        write_costs(Costs(fitted={}, threads=threads, rates={method: {"float32": rates}}), path)
        monkeypatch.setenv("IMGCONV_COSTS", str(path))
        share = min(threads, -(-4000 // METHODS[method].rows(job)))
        alone = work.multiply_adds * 1e-3 + work.transforms * 1e-4 + work.bytes * 1e-5 + work.calls * 1e-6
        assert predict(METHODS[method], job, work, costs_of(find_user_file())) == pytest.approx(5 + alone / share, rel=1e-12)


def test_the_constants_of_the_package_cover_every_method_and_state_their_origin():
    own = msgspec.json.decode(Path(costs.__file__).with_name("costs.json").read_bytes(), type=Costs)
    assert set(own.rates) == set(METHODS)
    assert {"command", "date", "machine"} <= set(own.fitted)
    assert own.threads >= 1
    for rates in own.rates.values():
        assert all(rate >= 0 for of in rates.values() for rate in msgspec.structs.astuple(of))
        assert any(sum(msgspec.structs.astuple(of)[1:]) > 0 for of in rates.values())


def test_constants_of_0_are_supported(monkeypatch, tmp_path):
    free = {method: {"float32": Rates()} for method in NUMPY}
    write_costs(Costs(fitted={}, threads=1, rates=free), tmp_path / "free.json")
    monkeypatch.setenv("IMGCONV_COSTS", str(tmp_path / "free.json"))
    found = plan((77, 173))
    assert (found.method, found.seconds) == ("definition", 0)


def test_folders_and_large_files_are_rejected(monkeypatch, tmp_path):
    (tmp_path / "large.json").write_bytes(b" " * (2 << 20))
    for place in (tmp_path, tmp_path / "large.json"):
        monkeypatch.setenv("IMGCONV_COSTS", str(place))
        with pytest.raises(UsageError, match="is not a cost file"):
            plan((31, 41))
