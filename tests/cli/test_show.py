"""`imgconv show`."""

from __future__ import annotations

import json

import numpy as np
import pytest

import imgconv
from tests.cases import each


def test_the_whole_text_for_sobel(done):
    assert done("show", "sobel_x").splitlines() == [
        "sobel_x: 3 x 3",
        "  -1  0  1",
        "  -2  0  2",
        "  -1  0  1",
        "",
        "sum:         0 (a flat image becomes 0)",
        "anchor:      row 1, column 1",
        "nonzero:     6 of 9 elements",
        "rank:        1 (separable)",
        "symmetries:  rows, antisymmetric",
        "column:      1 2 1",
        "row:         -1 0 1",
    ]


def test_a_scale_is_printed_as_a_fraction(done):
    text = done("show", "box:size=5")
    assert text.startswith("box:size=5: 5 x 5, times 1/25\n  1 1 1 1 1\n")
    assert "keeps the brightness" in text


def test_a_kernel_of_rank_two_has_no_factors(done):
    text = done("show", "sharpen")
    assert "rank:        2\n" in text
    assert "column:" not in text


def test_a_large_kernel_is_drawn(done, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = done("show", "gaussian:sigma=2")
    rows = [line[2:] for line in text.splitlines()[1:18]]
    assert {len(row) for row in rows} == {34}
    assert rows == rows[::-1]
    assert rows[8][16:18] == "██"
    assert "(██ is 0.0397901)" in text
    assert "each mark is the largest of 3 x 3 weights" in done("show", "gaussian:sigma=9")


def test_negative_weights_are_marked_in_a_drawing(done):
    assert "-█" in done("show", "laplacian_of_gaussian:sigma=3")


def test_numbers_of_a_large_kernel_on_request(done, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = done("show", "gaussian:sigma=2", "--numbers")
    matrix = text.split("\n\n")[0].partition("\n")[2]
    found = np.array(matrix.split(), float).reshape(17, 17)
    assert np.allclose(found, imgconv.parse_kernel("gaussian:sigma=2").weights, atol=5.1e-6)


@each(
    "spec",
    [*sorted(imgconv.load_catalog().kernels), "gaussian:sigma=30", "edges", "crisp", "[1+2j 3]", "box:rows=1,columns=99"],
)
@pytest.mark.parametrize("numbers", [[], ["--numbers"]], ids=["drawn", "numbers"])
def test_no_line_is_wider_than_the_terminal(done, monkeypatch, spec, numbers):
    monkeypatch.setenv("COLUMNS", "72")
    assert max(map(len, done("show", spec, *numbers).splitlines())) <= 72


def test_rounding_errors_are_no_elements(done):
    assert "nonzero:     25 of 81 elements" in done("show", "low_pass")
    assert "nonzero:     17 of 45 elements" in done("show", "motion:angle=30")


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
def test_as_writes_the_notation_of_a_program(done, form):
    text = done("show", "sharpen", "--as", form)
    assert text.count("-1") == (12 if form == "ffmpeg" else 4)  # a matrix for each of three planes
    assert "5" in text


def test_bad_input(fails):
    assert "did you mean gaussian?" in fails(3, "show", "gausian")
    assert "gaussian" in fails(3, "show", "gaussian:sigma=0")
    assert "sigma" in fails(3, "show", "gaussian:sgma=1")
    assert "give one of them" in fails(2, "show", "box", "--json", "--as", "yaml")
    assert "ffmpeg" in fails(3, "show", "gaussian:sigma=1", "--as", "ffmpeg").lower()


@pytest.mark.parametrize(
    ("spec", "kernels"),
    [
        ("edges", ["scharr_x", "scharr_y"]),
        ("edges:operator=sobel,output=y", ["sobel_y"]),
        ("sobel", ["sobel_x", "sobel_y"]),
        ("edges:kirsch", [f"kirsch:direction={d}" for d in ("n", "nw", "w", "sw", "s", "se", "e", "ne")]),
        ("crisp", ["gaussian:sigma=0.6", "sharpen"]),
    ],
)
def test_a_filter_shows_its_kernels(done, fails, spec, kernels):
    text = done("show", spec)
    assert [line.partition(": 3 x 3")[0].partition(": 5 x 5")[0] for line in text.splitlines() if " x " in line] == kernels
    data = json.loads(done("show", spec, "--json"))
    assert [kernel["name"] for kernel in (data if len(kernels) > 1 else [data])] == kernels
    if len(kernels) > 1:
        assert f"{spec} has {len(kernels)} kernels: {kernels[0]}" in fails(2, "show", spec, "--as", "numpy")


def test_a_user_kernel_may_have_the_name_of_a_filter(done, tmp_path):
    (tmp_path / "mine.yaml").write_text("kernels: {edges: {matrix: [[1, 0, -1]]}}")
    assert done("show", "edges", "--kernels", "mine.yaml").startswith("edges: 1 x 3\n")


@pytest.mark.parametrize(
    ("spec", "factor"), [("sobel", "1/4"), ("edges:operator=scharr,output=x", "1/16"), ("edges:kirsch", "1/15")]
)
def test_the_scale_of_an_operator_is_stated(done, spec, factor):
    first = done("show", spec).splitlines()[0]
    assert first.startswith(f"{spec}: results are {factor} of the sums")
