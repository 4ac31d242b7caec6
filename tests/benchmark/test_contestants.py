"""The contestants, the agreement of their results, and the report of disagreements."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from imgconv.benchmark import measuring
from imgconv.benchmark.agreement import disagreement, exact_result
from imgconv.benchmark.cells import KINDS, Cell
from imgconv.benchmark.contestants import FILTER2D, make_contestants, scipy_dtype
from imgconv.benchmark.measuring import measure_cell
from imgconv.convolution.methods import METHODS
from tests.benchmark.conftest import LEAST, small_picture

SCIPY = {f"scipy.{name}" for name in ("ndimage.correlate", "signal.convolve2d", "signal.oaconvolve", "signal.fftconvolve")}


def test_contestants_are_all_methods_and_references(cell):
    names = {contestant.name for contestant in make_contestants(cell)}
    assert names == {"imgconv (opencv)", "imgconv (numpy)", *METHODS, FILTER2D, *SCIPY}
    numpy_only = {c.engine for c in make_contestants(cell, ("numpy",))}
    assert numpy_only == {"numpy", ""}


def test_without_scipy_its_contestants_are_left_out(cell, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.signal", None)
    assert not {contestant.name for contestant in make_contestants(cell)} & SCIPY


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(30, 41), (19, 26, 3)])
def test_all_contestants_agree_with_the_exact_result(dtype, kind, shape):
    cell = Cell(small_picture(dtype, shape), kind, 5)
    exact = exact_result(cell)
    able = [contestant for contestant in make_contestants(cell) if not contestant.unable]
    assert {c.role for c in able} == {"choice", "method", "opencv", "scipy"}
    for contestant in able:
        assert disagreement(contestant.run(), exact, cell, inside_only=contestant.zero_border) == "", contestant.name


def test_wrong_results_disagree(cell):
    exact = exact_result(cell)
    right = np.rint(exact).astype(np.uint8)
    assert disagreement(right, exact, cell) == ""
    assert "off by up to" in disagreement(np.roll(right, 1, 0), exact, cell)
    assert "off by up to" in disagreement(np.full(exact.shape, np.nan), exact, cell)
    assert "shape" in disagreement(right[1:], exact, cell)
    rotated = exact_result(Cell(cell.picture, "gaussian", 5))
    assert disagreement(right, rotated, cell)


def test_inside_only_ignores_the_border(cell):
    exact = exact_result(cell)
    result = exact.copy()
    result[:2], result[-2:], result[:, :2], result[:, -2:] = 0, 0, 0, 0
    assert disagreement(result, exact, cell)
    assert disagreement(result, exact, cell, inside_only=True) == ""
    result[2, 2] += 1
    assert disagreement(result, exact, cell, inside_only=True)


def test_saturated_results_agree():
    picture = small_picture("uint8")
    cell = Cell(replace(picture, pixels=np.full_like(picture.pixels, 255)), "random", 5)
    assert disagreement(np.full(picture.pixels.shape, 255, np.uint8), exact_result(cell) * 2, cell) == ""


def test_disagreements_and_failures_are_reported_and_not_timed(cell, monkeypatch):
    def spoiled_contestants(cell, engines, jobs):
        def fail():
            raise MemoryError("no\nroom")

        broken = {FILTER2D: lambda: cell.picture.pixels, "shifts": fail}
        return tuple(replace(c, run=broken.get(c.name, c.run)) for c in make_contestants(cell, engines, jobs))

    monkeypatch.setattr(measuring, "make_contestants", spoiled_contestants)
    result = measure_cell(cell, LEAST)
    wrong, failed = result[FILTER2D], result["shifts"]
    assert (wrong.status, wrong.timing) == ("error", None)
    assert "off by up to" in wrong.reason
    assert (failed.status, failed.reason) == ("error", "MemoryError: no room")
    assert result["helix"].status == "timed"


def test_types_of_the_arrays_passed_to_scipy():
    kinds = {"uint8": "float32", "uint16": "float32", "int32": "float64", "float32": "float32", "float64": "float64"}
    assert {name: scipy_dtype(np.dtype(name)).name for name in kinds} == kinds
