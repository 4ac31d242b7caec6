"""Weights as few rectangles: what they sum to, which kernels have them, and from where on there are too many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.convolution.rectangles import MOST, box_error, find_rectangles


def laid(rectangles, shape):
    """Return the weights that rectangles sum to."""
    weights = np.zeros(shape)
    for r in rectangles:
        weights[r.top : r.top + r.height, r.left : r.left + r.width] += r.weight
    return weights


def frame(shape, thickness):
    weights = np.ones(shape)
    weights[thickness:-thickness, thickness:-thickness] = 0
    return weights


def painted(shape, *parts):
    """Return weights of 0 with rectangles of other weights painted over one another."""
    weights = np.zeros(shape)
    for rows, columns, weight in parts:
        weights[slice(*rows), slice(*columns)] = weight
    return weights


KERNELS = {
    "box": (np.ones((5, 8)), 1),
    "box of a third": (np.full((3, 7), 1 / 3), 1),
    "one weight": (np.array([[-4.0]]), 1),
    "a box with margins": (painted((9, 11), ((2, 5), (3, 10), 7)), 1),
    "frame": (frame((9, 12), 2), 2),
    "a hole in a corner": (painted((7, 6), ((0, 7), (0, 6), 3), ((4, 7), (3, 6), -2)), 2),
    "high pass": (painted((5, 5), ((0, 5), (0, 5), -1), ((2, 3), (2, 3), 24)), 2),
    "edge of Haar": (painted((6, 8), ((0, 6), (0, 4), 1), ((0, 6), (4, 8), -1)), 2),
    "line of Haar": (painted((6, 9), ((0, 6), (0, 9), -1), ((0, 6), (3, 6), 2)), 2),
    "steps": (painted((9, 9), ((0, 9), (0, 9), 1), ((1, 8), (1, 8), 2), ((2, 7), (2, 7), 4), ((3, 6), (3, 6), 9)), 4),
    "zeros": (np.zeros((3, 4)), 0),
}


@pytest.mark.parametrize("name", KERNELS)
def test_rectangles_sum_to_the_weights(name):
    weights, count = KERNELS[name]
    found = find_rectangles(weights)
    assert len(found) == count
    assert np.array_equal(laid(found, weights.shape), weights)
    assert all(r.weight and r.height > 0 and r.width > 0 for r in found)


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(-2, 2).map(float)))
def test_whatever_is_found_sums_to_the_weights(weights):
    found = find_rectangles(weights)
    if found is not None:
        assert len(found) <= MOST
        assert np.array_equal(laid(found, weights.shape), weights)


@given(
    st.lists(st.tuples(*[st.integers(0, 8)] * 4, st.floats(-9, 9)), max_size=4),
    st.tuples(st.integers(9, 12), st.integers(9, 12)),
)
def test_real_weights_are_met_but_for_roundings(parts, shape):
    weights = painted(shape, *(((a, a + b), (c, c + d), weight) for a, b, c, d, weight in parts))
    found = find_rectangles(weights)
    if found is not None:
        sizes = sum(abs(r.weight) for r in found)
        assert np.abs(laid(found, shape) - weights).max() <= 4 * np.finfo(float).eps * sizes


@pytest.mark.parametrize(
    "weights",
    [
        np.arange(6.0).reshape(2, 3),
        np.random.default_rng(1).normal(size=(4, 4)),
        np.eye(5),
        painted((9, 2), *(((2 * n, 2 * n + 1), (0, 2), n + 1) for n in range(5))),
    ],
    ids=["ramp", "noise", "diagonal", "stripes"],
)
def test_more_rectangles_than_are_worth_it_are_none(weights):
    assert find_rectangles(weights) is None


@pytest.mark.parametrize("method", ["boxes", "box_filter"])
@pytest.mark.parametrize("stride", [1, 3])
def test_a_strip_is_high_beside_the_kernel_so_that_few_rows_are_summed_twice(method, stride):
    for shape in ((9000, 12, 3), (900, 100_000), (3, 3)):
        job = make_plan(shape, "uint8", np.ones((31, 31)) / 961, stride=stride).job
        assert METHODS[method].rows(job) >= 8 * 31 // stride


def test_the_error_of_a_running_mean_grows_with_the_way_it_has_come():
    job = make_plan((3000, 500), "float32", np.ones((5, 9)) / 45).job
    short, long = box_error(job, 100), box_error(job, 1000)
    assert short == 2 * (104 + 508) * 2.0**-53
    assert long == 2 * (1004 + 508) * 2.0**-53
    assert box_error(job, 10**9) == 2 * (3004 + 508) * 2.0**-53


@pytest.mark.parametrize("stride", [(1, 1), (2, 5)], ids=str)
def test_the_error_of_running_means_in_float64_is_not_seen_to_be_passed(stride):
    """The worst for a running sum: bright pixels come and go, and leave their roundings to dark ones."""
    rng = np.random.default_rng(1)
    pixels = rng.uniform(0.5, 1, (400, 300))
    pixels[:, ::37] *= 1e9
    running = np.cumsum(np.cumsum(np.pad(pixels, ((1, 0), (1, 0))), 0), 1)  # a wholly different, and a worse, running sum
    assert np.isfinite(running).all()
    job = make_plan(pixels.shape, "float64", np.ones((7, 9)) / 63, mode="valid", stride=stride, tolerance=1e-6).job
    import cv2

    got = cv2.boxFilter(pixels, cv2.CV_64F, (9, 7), anchor=(0, 0), normalize=True)[: 394 : stride[0], : 292 : stride[1]]
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (7, 9))[:: stride[0], :: stride[1]].astype(np.longdouble)
    off = np.abs(got - windows.mean(axis=(2, 3))).max()
    assert off <= box_error(job, job.rows.outputs) * pixels.max(), f"{off / pixels.max():.3g} of {box_error(job, 400):.3g}"
