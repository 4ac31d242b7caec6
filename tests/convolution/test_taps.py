"""Taps in groups: one multiplication for each magnitude where pixels are integers, and the sums of the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from imgconv.convolution.planner import make_plan
from imgconv.convolution.taps import add_groups, steps, tap_groups
from tests import definition

WEIGHTS = arrays.arrays(np.int64, arrays.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.integers(-3, 3))


def groups_of(weights, of, dtype):
    job = make_plan((40, 40), of, weights, engine="numpy").job
    return tap_groups(job, np.asarray(weights, float), np.dtype(dtype))


@given(WEIGHTS)
def test_each_tap_is_in_one_group_and_magnitudes_are_told_apart(weights):
    groups = groups_of(weights, "uint8", "int16")
    found = np.zeros_like(weights)
    for weight, taps in groups:
        for i, j, subtracted in taps:
            assert not found[i, j]
            found[i, j] = -weight if subtracted else weight
    assert np.array_equal(found, weights)
    assert len(groups) == len(set(np.abs(weights[weights != 0]).tolist()))
    assert all(not taps[0][2] for _, taps in groups)  # the first of a group is not subtracted: there is nothing yet


@pytest.mark.parametrize("of", ["float32", "float64", "complex64"])
def test_pixels_in_floating_point_are_multiplied_one_by_one(of):
    groups = groups_of([[2, -2, 0], [2, 2, 5]], of, "float64")
    assert [(float(g.weight), g.taps) for g in groups] == [
        (2, ((0, 0, False),)),
        (-2, ((0, 1, False),)),
        (2, ((1, 0, False),)),
        (2, ((1, 1, False),)),
        (5, ((1, 2, False),)),
    ]


@given(WEIGHTS, st.sampled_from(["uint8", "float64"]))
def test_the_groups_add_up_to_the_sums(weights, of):
    image = np.random.default_rng(1).integers(0, 256, (9, 8))
    dtype = np.dtype(np.int16 if of == "uint8" else np.float64)
    rows, columns = 9 - weights.shape[0] + 1, 8 - weights.shape[1] + 1
    sums, product = np.full((rows, columns), 77, dtype), np.empty((rows, columns), dtype)
    groups = groups_of(weights, of, dtype)
    add_groups(groups, lambda i, j: image[i : i + rows, j : j + columns].astype(dtype), sums, product)
    expected = definition.correlate(image, weights, mode="valid").total
    assert np.array_equal(sums, expected)


def test_a_mean_is_added_up_and_multiplied_once():
    assert steps(groups_of(np.ones((3, 3)), "uint8", "int16")) == 9
    assert steps(groups_of(np.full((3, 3), 2.5) + np.eye(3), "uint8", "float32")) == 6 + 3 + 2
    assert steps(groups_of(np.ones((3, 3)), "float32", "float32")) == 18
