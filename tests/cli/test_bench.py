"""`imgconv bench`."""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import pytest

from imgconv.benchmark import calibration, cells, measuring
from imgconv.benchmark.cells import Picture
from imgconv.convolution.costs import Costs, Rates, rates_of


@pytest.fixture(autouse=True)
def _little_to_do(monkeypatch, tmp_path):
    """Use tiny images, few runs, and no user constants."""
    least = measuring.Effort(seconds=0.0, rounds=1)
    monkeypatch.setattr(measuring, "FULL", least)
    monkeypatch.setattr(measuring, "QUICK", least)
    pixels = np.random.default_rng(0).integers(0, 255, (20, 25), np.uint8)
    monkeypatch.setattr(cells, "make_pictures", lambda quick: iter([Picture(f"quick {quick}", pixels)]))
    monkeypatch.setenv("IMGCONV_COSTS", str(tmp_path / "below" / "costs.json"))
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        monkeypatch.delenv(name, raising=False)


def test_tables_on_stdout(done):
    text = done("bench", "--sizes", "3,5")
    assert text.count("quick False, 20 x 25, kernel") == 3
    for word in ("shifts", "filter2d", "cv2.filter2D", "scipy.signal.oaconvolve", "numpy / best of SciPy", "BLAS: "):
        assert word in text
    assert "\r" not in text


def test_json_alone_on_stdout(done):
    data = json.loads(done("bench", "--sizes", "5", "--json", "--engine", "numpy", "--jobs", "1", "--quick"))
    assert [cell["kernel"]["size"] for cell in data["cells"]] == [5, 5, 5]
    assert data["cells"][0]["picture"]["name"] == "quick True"
    assert data["machine"]["threads"] == 1
    assert set(data["cells"][0]["chosen"]) == {"numpy"}


def test_sizes_default_to_those_of_quick(done, monkeypatch):
    monkeypatch.setattr(cells, "SIZES", (3, 7))
    monkeypatch.setattr(cells, "QUICK_SIZES", (5,))
    for arguments, sizes in (([], {3, 7}), (["--quick"], {5})):
        data = json.loads(done("bench", "--json", "--engine", "opencv", *arguments))
        assert {cell["kernel"]["size"] for cell in data["cells"]} == sizes


def test_json_and_plot_of_an_image(done, photo, tmp_path):
    options = ("--sizes", "3", "--plot", "times.png", "--engine", "opencv")
    assert "photo.png uint8, 100 x 130, kernel gaussian" in done("bench", "photo.png", *options)
    data = json.loads(done("bench", "photo.png", "--json", *options))
    assert data["cells"][0]["picture"] == {"name": "photo.png uint8", "shape": [100, 130, 3], "dtype": "uint8"}
    assert min(cv2.imread(str(tmp_path / "times.png")).shape[:2]) > 500


def test_alpha_is_ignored(done, tmp_path):
    cv2.imwrite(str(tmp_path / "alpha.png"), np.random.default_rng(0).integers(0, 255, (20, 20, 4), np.uint8))
    data = json.loads(done("bench", "alpha.png", "--sizes", "3", "--json", "--engine", "opencv"))
    assert data["cells"][0]["picture"]["shape"] == [20, 20, 3]


def test_errors_come_before_measuring(fails, monkeypatch):
    monkeypatch.setattr(measuring, "measure_cells", None)
    assert "odd numbers" in fails(2, "bench", "--sizes", "3,4")
    assert "3,5,9" in fails(2, "bench", "--sizes", "3,x")
    assert "engine" in fails(2, "bench", "--engine", "scipy")
    assert ".png or .svg" in fails(2, "bench", "--plot", "times.pdf")
    assert "does not exist" in fails(5, "bench", "--plot", "nowhere/times.png")
    assert "no such file" in fails(4, "bench", "none.png")


def test_without_matplotlib(fails, done, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "pip install 'imgconv[plot]'" in fails(1, "bench", "--plot", "times.png")
    assert done("bench", "--sizes", "3", "--engine", "opencv")


@pytest.mark.parametrize("name", ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"])
def test_slow_blas_settings_are_noted(run, monkeypatch, name):
    monkeypatch.setenv(name, "Prescott")
    result = run("bench", "--sizes", "3", "--engine", "opencv")
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert name in result.err
    assert f"{name}=Prescott" in result.out


@pytest.fixture
def fitted(monkeypatch):
    """Replace the measurement, and record its calls."""
    calls = []

    def calibrate(*, quick, progress):
        progress("timing shifts")
        calls.append(quick)
        assert rates_of("shifts", "float32").calls != 0.125  # nothing is planned with what is about to be replaced
        return Costs({"date": "today"}, 2, {"shifts": {"float32": Rates(calls=0.125)}})

    monkeypatch.setattr(calibration, "calibrate", calibrate)
    return calls


def test_calibrate_writes_the_constants_and_prints_the_file(done, fitted, tmp_path):
    path = tmp_path / "below" / "costs.json"
    assert str(path) in done("bench", "--calibrate")
    assert rates_of("shifts", "float32").calls == 0.125
    path.unlink()
    done("bench", "--calibrate", "--quick")
    assert fitted == [False, True]


def test_calibrate_keeps_a_file_that_is_not_a_cost_file(fails, fitted, tmp_path, monkeypatch):
    path = tmp_path / "photo.png"
    path.write_text("{")
    monkeypatch.setenv("IMGCONV_COSTS", str(path))
    assert "delete it, then calibrate again" in fails(2, "bench", "--calibrate")
    assert path.read_text() == "{"


def test_calibrate_accepts_only_quick(fails, fitted):
    for arguments in ("in.png", "--sizes 3", "--json", "--plot a.png", "--engine numpy", "--jobs 1"):
        assert "no other option but --quick" in fails(2, "bench", "--calibrate", *arguments.split())
    assert fitted == []


def test_an_unwritable_cost_file_is_an_error(fails, fitted, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("IMGCONV_COSTS", str(tmp_path / "file" / "costs.json"))
    assert "set IMGCONV_COSTS to another file" in fails(5, "bench", "--calibrate")
