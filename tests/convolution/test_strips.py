"""Strips of rows: every row is in exactly one strip, and results have no seams."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.api import correlate
from imgconv.convolution.execution import run_strips
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from tests.cases import each
from tests.convolution.conftest import KERNEL_FOR, kernel_for, rejection

IN_STRIPS = [name for name, method in METHODS.items() if method.threads]
NUMPY = [name for name in IN_STRIPS if METHODS[name].engine == "numpy"]
OWN_ROWS = {name: METHODS[name].rows for name in IN_STRIPS}


def with_rows(monkeypatch, method, rows):
    """Set the height of the strips of a method, limited to the height of a tile for methods with tiles."""
    in_tiles = method in ("fourier", "dft")
    monkeypatch.setattr(type(METHODS[method]), "rows", lambda self, job: min(rows, OWN_ROWS[method](job)) if in_tiles else rows)


SIZES = {"definition": (21, 20, 2)}
SEAMS = [
    {"border": "reflect101"},
    {"border": "wrap", "mode": "full"},
    {"border": "renormalize"},
    {"border": "renormalize", "mode": "full", "dilation": (2, 1)},
    {"border": "constant", "border_value": [3, 200], "mode": "full"},
    {"border": "constant,wrap", "border_value": [-7, 99], "stride": (2, 3)},
    {"border": "wrap,constant", "border_value": 5, "anchor": (0, 3), "dilation": (3, 2)},
    {"border": "renormalize,constant", "border_value": [1, 2], "anchor": (4, 0)},
    {"border": "constant,renormalize", "border_value": [9, 8], "mode": "full"},
    {"border": "replicate,reflect", "mode": "full", "stride": (3, 1), "dilation": (1, 4)},
    {"mode": "valid", "stride": (5, 2)},
    {"mode": "valid", "dilation": (4, 3), "delta": 0.5},
    {"border": "reflect", "dtype": "float32", "delta": -3},
]


@each("options", SEAMS)
@pytest.mark.parametrize("method", IN_STRIPS)
def test_strips_leave_no_seams(monkeypatch, method, options):
    kernel = kernel_for(method, (5, 7))
    image = np.random.default_rng(3).integers(0, 256, SIZES.get(method, (37, 20, 2)), np.uint8)
    if not METHODS[method].finishes:
        options = {"dtype": "int32", **options}
    if method in KERNEL_FOR and (reason := rejection(method, image, kernel, **options)):
        pytest.skip(reason)
    options = {"engine": METHODS[method].engine, "method": method, "jobs": 1, **options}
    with_rows(monkeypatch, method, 1000)
    in_one = correlate(image, kernel, **options)
    for rows in (1, 3, 17):
        with_rows(monkeypatch, method, rows)
        assert np.array_equal(correlate(image, kernel, **options), in_one, equal_nan=True), rows


def test_every_row_is_computed_once():
    for outputs, rows, jobs in [(1, 1, 4), (10, 3, 2), (10, 100, 2), (64, 1, 7), (33, 11, 3)]:
        done = []
        assert run_strips(lambda a, b, _: done.append((a, b)) or b - a, outputs, rows, jobs=jobs, blas=False) == outputs  # noqa: B023
        assert sorted(done) == [(at, min(at + rows, outputs)) for at in range(0, outputs, rows)]


@pytest.mark.parametrize("method", IN_STRIPS)
def test_strips_do_not_depend_on_the_number_of_threads(method):
    kernel, engine = kernel_for(method, (5, 5)), METHODS[method].engine
    rows = {METHODS[method].rows(make_plan((999, 888), "uint8", kernel, engine=engine, jobs=n).job) for n in (1, 2, 9)}
    assert len(rows) == 1


@each("method", IN_STRIPS)
@each("stride", [1, 3])
def test_a_strip_has_at_least_one_row_for_images_of_any_size(method, stride):
    for shape in ((1, 1), (3_000_000, 1), (50, 3_000_000, 4)):
        job = make_plan(shape, "uint8", kernel_for(method, (5, 5)), engine=METHODS[method].engine, stride=stride).job
        rows, strips = METHODS[method].rows(job), METHODS[method].strips(job)
        assert rows >= 1
        assert (strips - 1) * rows < job.rows.outputs <= strips * rows


def test_methods_that_opencv_threads_by_itself_have_one_strip():
    alone = [name for name in METHODS if name not in IN_STRIPS]
    assert alone == ["filter2d"]
    job = make_plan((5000, 4000, 3), "uint8", np.ones((5, 5))).job
    assert METHODS["filter2d"].strips(job) == 1
