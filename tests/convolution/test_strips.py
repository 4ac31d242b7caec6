"""Strips of rows: every row in one of them, and no seam to be seen in the result."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.convolution.strips import run_strips

IN_STRIPS = [name for name, method in METHODS.items() if not method.finishes]
NUMPY = [name for name in IN_STRIPS if METHODS[name].engine == "numpy"]


def with_rows(monkeypatch, method, rows, own=METHODS["fourier"].rows):
    """Have strips of so many rows, or of as many as a tile gives."""
    monkeypatch.setattr(type(METHODS[method]), "rows", lambda self, job: min(rows, own(job)) if method == "fourier" else rows)


SIZES = {"dft": (56, 41, 2), "definition": (21, 17, 2)}
SEAMS = [
    {"border": "reflect101"},
    {"border": "wrap", "mode": "full"},
    {"border": "renormalize"},
    {"border": "renormalize", "mode": "full", "dilation": (2, 1)},
    {"border": "constant", "border_value": [3, 200], "mode": "full"},
    {"border": "constant,wrap", "border_value": [-7, 99], "stride": (2, 3)},
    {"border": "wrap,constant", "border_value": 5, "anchor": (0, 3), "dilation": (3, 2)},
    {"border": "renormalize,constant", "border_value": [1, 2], "anchor": (3, 0)},
    {"border": "constant,renormalize", "border_value": [9, 8], "mode": "full"},
    {"border": "replicate,reflect", "mode": "full", "stride": (3, 1), "dilation": (1, 4)},
    {"mode": "valid", "stride": (5, 2)},
    {"mode": "valid", "dilation": (4, 3), "delta": 0.5},
    {"border": "reflect", "dtype": "float32", "delta": -3},
]


@pytest.mark.parametrize("options", SEAMS, ids=str)
@pytest.mark.parametrize("method", IN_STRIPS)
def test_the_seams_of_strips_do_not_show(monkeypatch, method, options):
    shape = (13, 11) if method == "dft" else (4, 5)
    kernel = np.random.default_rng(2).integers(-9, 10, shape)
    if "anchor" in options and method == "dft":
        options = {**options, "anchor": (12, 3)}
    image = np.random.default_rng(3).integers(0, 256, SIZES.get(method, (37, 20, 2)), np.uint8)
    options = {"engine": METHODS[method].engine, "method": method, "dtype": "int32", "jobs": 1, **options}
    with_rows(monkeypatch, method, 1000)
    in_one = correlate(image, kernel, **options)
    for rows in (1, 3, 17):
        with_rows(monkeypatch, method, rows)
        assert np.array_equal(correlate(image, kernel, **options), in_one, equal_nan=True), rows


def test_every_row_is_worked_on_once():
    for outputs, rows, jobs in [(1, 1, 4), (10, 3, 2), (10, 100, 2), (64, 1, 7), (33, 11, 3)]:
        done = []
        assert run_strips(lambda a, b, _: done.append((a, b)) or b - a, outputs, rows, jobs=jobs, blas=False) == outputs  # noqa: B023
        assert sorted(done) == [(at, min(at + rows, outputs)) for at in range(0, outputs, rows)]


def test_the_strips_do_not_depend_on_the_threads():
    for method in NUMPY:
        rows = {
            METHODS[method].rows(make_plan((999, 888), "uint8", np.ones((5, 5)), engine="numpy", jobs=n).job) for n in (1, 2, 9)
        }
        assert len(rows) == 1
