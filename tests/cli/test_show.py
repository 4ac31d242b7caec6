"""`imgconv show`."""

from __future__ import annotations

import json

import numpy as np
import pytest

import imgconv
from tests.cases import each


def test_sobel_in_full(done):
    assert done("show", "sobel_x").splitlines() == [
        "sobel_x: 3 x 3",
        "  -1  0  1",
        "  -2  0  2",
        "  -1  0  1",
        "",
        "sum:         0 (nothing is left of a flat image)",
        "anchor:      row 1, column 1",
        "taps:        6 of 9 are not zero",
        "rank:        1 (separable)",
        "symmetric:   rows, antisymmetric",
        "column:      1 2 1",
        "row:         -1 0 1",
    ]


def test_a_scale_is_shown_as_the_fraction_that_it_is(done):
    text = done("show", "box:size=5")
    assert text.startswith("box:size=5: 5 x 5, times 1/25\n  1 1 1 1 1\n")
    assert "keeps the brightness" in text


def test_rank_two_has_no_factors(done):
    text = done("show", "sharpen")
    assert "rank:        2\n" in text
    assert "column:" not in text


def test_a_large_kernel_shows_its_middle(done):
    text = done("show", "gaussian:sigma=9")
    assert "the middle 25 x 15" in text
    assert max(map(len, text.splitlines())) < 250


@each("name", sorted(imgconv.load_catalog().kernels))
def test_json_of_every_kernel(done, name):
    data = json.loads(done("show", name, "--json"))
    kernel = imgconv.parse_kernel(name)
    assert np.array_equal(data["weights"], kernel.weights)
    assert (data["rank"], data["taps"], tuple(data["anchor"])) == (kernel.rank, kernel.taps, kernel.anchor)
    if data["factors"]:
        scale = eval(data["factors"]["scale"])
        product = np.outer(data["factors"]["column"], data["factors"]["row"]) * scale
        assert np.allclose(product, kernel.weights, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("form", ["yaml", "imagemagick", "vips", "ffmpeg", "numpy"])
def test_as_another_program_reads_it(done, form):
    text = done("show", "sharpen", "--as", form)
    assert text.count("-1") == (12 if form == "ffmpeg" else 4)  # a matrix for each of three planes
    assert "5" in text


def test_bad_input(fails):
    assert "did you mean gaussian?" in fails(3, "show", "gausian")
    assert "gaussian" in fails(3, "show", "gaussian:sigma=0")
    assert "sigma" in fails(3, "show", "gaussian:sgma=1")
    assert "choose one" in fails(2, "show", "box", "--json", "--as", "yaml")
    assert "ffmpeg" in fails(3, "show", "gaussian:sigma=1", "--as", "ffmpeg").lower()


@pytest.mark.parametrize("text", ["edges", "edges:operator=sobel"])
def test_a_filter_is_no_kernel(fails, text):
    assert fails(3, "show", text) == "imgconv: edges is a filter, and a kernel is needed here; see `imgconv list`"


def test_a_kernel_of_the_user_may_be_called_like_a_filter(done, tmp_path):
    (tmp_path / "mine.yaml").write_text("kernels: {edges: {matrix: [[1, 0, -1]]}}")
    assert done("show", "edges", "--kernels", "mine.yaml").startswith("edges: 1 x 3\n")
