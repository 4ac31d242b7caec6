"""Edges: signs, directions and full white, tested with ramps and steps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from imgconv.convolution.api import correlate
from imgconv.errors import KernelError, UsageError
from imgconv.filters.base import ResultOptions
from imgconv.filters.edges import edge_filter, find_edges
from imgconv.kernels.catalog import builtin_catalog, load_catalog
from tests.cases import each

CATALOG = builtin_catalog()
PAIRS = [name for name in CATALOG.operators if CATALOG.operator(name).x is not None]
COMPASSES = [name for name in CATALOG.operators if CATALOG.operator(name).directions]
STRAIGHT = [name for name in PAIRS if name != "roberts"]
DOWN, ACROSS = np.mgrid[:12, :12].astype(np.float64)


def inside(image):
    """Return the image without the pixels that the border affects."""
    return image[2:-2, 2:-2]


def step(axis, dtype=np.float32, white=255):
    """Return an image that is black before the middle of an axis and white after it."""
    return (np.where((DOWN if axis == 0 else ACROSS) < 6, 0, white)).astype(dtype)


def test_the_catalog_has_pairs_and_compass_operators():
    assert {"sobel", "scharr", "prewitt", "roberts"} <= set(PAIRS)
    assert "kirsch" in COMPASSES


# Signs


@pytest.mark.parametrize("operator", STRAIGHT)
def test_x_is_positive_if_brighter_to_the_right_and_y_if_brighter_downwards(operator):
    for output, brighter, level in (("x", ACROSS, DOWN), ("y", DOWN, ACROSS)):
        assert (inside(find_edges(brighter, operator, output)) > 0).all()
        assert (inside(find_edges(-brighter, operator, output)) < 0).all()
        assert (inside(find_edges(level, operator, output)) == 0).all()


def test_roberts_responds_to_the_two_diagonals():
    for output, brighter, level in (("x", DOWN + ACROSS, DOWN - ACROSS), ("y", DOWN - ACROSS, DOWN + ACROSS)):
        assert (inside(find_edges(brighter, "roberts", output)) > 0).all()
        assert (inside(find_edges(level, "roberts", output)) == 0).all()


@pytest.mark.parametrize("operator", CATALOG.operators)
def test_a_flat_picture_has_no_edges(operator):
    for dtype in (np.uint8, np.uint16, np.float32):
        assert not find_edges(np.full((7, 8, 3), 200, dtype), operator).any()


# A full step


@each("operator", CATALOG.operators)
@each("axis", [0, 1])
@each("dtype, white", [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1), (np.float64, 1)])
def test_a_full_step_gives_full_white(operator, axis, dtype, white):
    for picture in (step(axis, dtype, white), step(axis, dtype, white)[::-1, ::-1]):
        edges = find_edges(picture, operator)
        if operator == "roberts" and edges.dtype.kind == "f":  # both diagonals cross a straight step
            assert edges.max() == pytest.approx(math.sqrt(2) * white)
        else:
            assert edges.max() == pytest.approx(white, rel=1e-6)


@pytest.mark.parametrize("operator", PAIRS)
@pytest.mark.parametrize("output", ["x", "y"])
def test_a_full_step_along_an_axis_gives_full_white_with_its_sign(operator, output):
    axis = 1 if output == "x" else 0
    response = find_edges(step(axis), operator, output)
    assert response.max() == pytest.approx(255)
    assert response.min() == 0
    assert find_edges(-step(axis), operator, output).min() == pytest.approx(-255)


# The magnitude


@each("operator", PAIRS)
@each("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_the_magnitude_is_the_hypotenuse_of_x_and_y(operator, dtype):
    image = np.random.default_rng(1).integers(0, 60, (14, 15, 3)).astype(dtype)
    x, y = (find_edges(image, operator, output, dtype=np.float64) for output in ("x", "y"))
    assert np.allclose(find_edges(image, operator, dtype=np.float64), np.hypot(x, y), rtol=1e-6)
    if np.dtype(dtype).kind in "iu":
        rounded = find_edges(image, operator)
        assert rounded.dtype == dtype
        assert np.abs(rounded - np.hypot(x, y)).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("level", [1e30, 1e-30])
def test_the_magnitude_neither_overflows_nor_underflows(level):
    image = (step(1, white=1) * level).astype(np.float32)
    assert find_edges(image, "sobel").max() == pytest.approx(level)


@pytest.mark.parametrize("operator", COMPASSES)
def test_a_compass_operator_gives_its_strongest_direction(operator):
    image = np.random.default_rng(2).integers(0, 256, (14, 15)).astype(np.float64)
    chosen = CATALOG.operator(operator)
    strongest = np.max([correlate(image, kernel) for kernel in chosen.directions], axis=0)
    assert np.allclose(find_edges(image, operator), strongest * float(chosen.scale))


# The direction


@each("degrees", range(0, 360, 15))
@pytest.mark.parametrize("operator", PAIRS)
def test_the_direction_is_that_of_the_steepest_rise(operator, degrees):
    ramp = np.cos(np.radians(degrees)) * ACROSS + np.sin(np.radians(degrees)) * DOWN
    rotated = -45 if operator == "roberts" else 0  # its axes are the diagonals
    off = inside(find_edges(ramp, operator, "direction")) - degrees - rotated
    assert np.abs((off + 180) % 360 - 180).max() < 1e-9


#: Down, across: steps of 45 degrees, from the right towards the bottom.
EIGHT_DIRECTIONS = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]


@pytest.mark.parametrize("operator", COMPASSES)
@each("eighth", range(8))
def test_the_direction_of_a_compass_operator(operator, eighth):
    ramp = EIGHT_DIRECTIONS[eighth][0] * DOWN + EIGHT_DIRECTIONS[eighth][1] * ACROSS
    assert (inside(find_edges(ramp, operator, "direction")) == eighth * 45).all()
    scaled = find_edges((ramp * 5 + 128).astype(np.uint8), operator, "direction")
    assert (inside(scaled) == eighth * 32).all()


@pytest.mark.parametrize(("dtype", "quarter"), [(np.uint8, 64), (np.uint16, 16384), (np.int16, 8192), (np.int8, 32)])
def test_a_full_turn_is_the_full_range_of_an_integer_type(dtype, quarter):
    for turn, ramp in enumerate([ACROSS, DOWN, -ACROSS, -DOWN]):
        image = (ramp + 20).astype(dtype)
        assert (inside(find_edges(image, "sobel", "direction")) == turn * quarter).all()


def test_a_direction_stays_below_the_full_turn():
    just_above = ACROSS - 1e-20 * DOWN
    for dtype in (np.float32, np.float64):
        degrees = inside(find_edges(just_above.astype(dtype), "sobel", "direction"))
        assert ((degrees >= 0) & (degrees < 360)).all()
    # 359.9 degrees are nearer to step 256, which equals step 0, than to step 255.
    almost = ACROSS * 1000 - DOWN
    assert (inside(edge_filter("sobel", "direction").render(almost, ResultOptions(dtype=np.dtype(np.uint8))).values) == 0).all()


@pytest.mark.parametrize("asked", [{"scale": 2}, {"delta": 1}, {"range_policy": "abs"}], ids=str)
def test_range_scale_and_delta_are_rejected_for_a_direction(asked):
    with pytest.raises(UsageError, match="not apply to output direction, which is an angle"):
        find_edges(ACROSS, "sobel", "direction", **asked)


# Signs in integer types


@pytest.mark.parametrize(("dtype", "grey"), [(np.uint8, 128), (np.uint16, 32768)])
@pytest.mark.parametrize("output", ["x", "y"])
def test_zero_is_middle_grey_in_unsigned_types(dtype, grey, output):
    ramp = (ACROSS if output == "x" else DOWN) * 3
    brighter = (ramp + 50).astype(dtype)
    assert (inside(find_edges(brighter, "sobel", output)) == grey + 6).all()
    assert (inside(find_edges(brighter[::-1, ::-1], "sobel", output)) == grey - 6).all()
    assert (inside(find_edges(brighter[::-1, ::-1], "sobel", output, range_policy="clip")) == 0).all()
    assert (inside(find_edges(brighter[::-1, ::-1], "sobel", output, range_policy="abs")) == 6).all()


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.float32])
def test_signed_types_keep_the_sign(dtype):
    assert (inside(find_edges((-3 * ACROSS).astype(dtype), "sobel", "x")) == -6).all()
    assert (inside(find_edges((3 * ACROSS + 50).astype(np.uint8)[:, ::-1], "sobel", "x", dtype=dtype)) == -6).all()


def test_the_default_range_policy_depends_on_the_output_and_its_type():
    for output, dtype, expected in [("x", "u1", "offset"), ("y", "u2", "offset"), ("x", "i2", "clip"), ("x", "f4", "clip")]:
        assert edge_filter("sobel", output).range_for(np.dtype(dtype)) == expected
    assert (
        edge_filter("sobel").range_for(np.dtype("u1")) == edge_filter("sobel", "direction").range_for(np.dtype("u1")) == "clip"
    )


# Scale, options and errors


def test_scale_and_delta_are_applied_after_the_scale_of_the_operator():
    doubled = find_edges(step(1, white=100), "sobel", scale=2, delta=5)
    assert np.allclose(doubled, find_edges(step(1, white=100), "sobel") * 2 + 5)


@pytest.mark.parametrize("operator", CATALOG.operators)
@pytest.mark.parametrize(
    "options", [{"mode": "valid"}, {"mode": "full", "stride": 2}, {"engine": "numpy", "border": "wrap"}], ids=str
)
def test_options_of_the_convolution_are_supported(operator, options):
    image = np.random.default_rng(3).random((9, 10))
    found = CATALOG.operator(operator)
    responses = [correlate(image, kernel, **options) for kernel in found.directions or (found.x, found.y)]
    expected = np.max(responses, axis=0) if found.directions else np.hypot(*responses)
    assert np.allclose(find_edges(image, operator, **options), expected * float(found.scale))


@pytest.mark.parametrize("operator", COMPASSES)
@pytest.mark.parametrize("output", ["x", "y"])
def test_a_compass_operator_has_no_x_and_y(operator, output):
    with pytest.raises(UsageError, match=f"operator {operator} has one kernel per direction and no output {output}"):
        find_edges(ACROSS, operator, output)


def test_kernels_that_differ_in_size_need_mode_same(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("operators:\n  odd:\n    about: a pair\n    x: '[-1 1]'\n    y: '[-1; 0; 1]'\n    scale: 1\n")
    chosen = edge_filter("odd", catalog=load_catalog(mine))
    assert chosen.halo == (1, 1)
    assert chosen(step(1)).max() == 255
    with pytest.raises(UsageError, match="operator odd: the kernels differ in size; choose mode same"):
        find_edges(step(1), chosen.operator, mode="valid")


def test_unknown_names_are_rejected_with_a_suggestion():
    with pytest.raises(KernelError, match=r"'sobol' \(did you mean sobel"):
        find_edges(ACROSS, "sobol")
    with pytest.raises(UsageError, match=r"unknown output 'directon' \(did you mean direction\?\)"):
        find_edges(ACROSS, "sobel", "directon")
