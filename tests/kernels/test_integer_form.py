"""Weights as integers times one scale: found for intended integers and fractions, and for no other weights."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from imgconv.kernels.integer_form import find_integer_form
from imgconv.kernels.kernel import Kernel
from tests.cases import each

integers = arrays.arrays(
    np.int64, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6), elements=st.integers(-60, 60)
)


@given(integers, st.fractions(min_value=Fraction(1, 9999), max_value=1000, max_denominator=9999))
def test_integers_times_a_fraction_are_recovered(table, scale):
    form = find_integer_form(table * scale.numerator / scale.denominator)
    divisor = int(np.gcd.reduce(table, axis=None)) or 1
    assert np.array_equal(form.integers, table // divisor)
    assert form.scale == (scale * divisor if table.any() else 1)
    assert form.absolute_sum == np.abs(table // divisor).sum()


@pytest.mark.parametrize(
    ("written", "whole", "scale"),
    [
        ([[0.1, 0.2, 0.7]], [[1, 2, 7]], Fraction(1, 10)),
        ([[0.1, -0.25]], [[2, -5]], Fraction(1, 20)),
        ([[1.5, 2.5]], [[3, 5]], Fraction(1, 2)),
        ([[1 / 3, 1 / 6]], [[2, 1]], Fraction(1, 6)),
        ([[100, 50]], [[2, 1]], Fraction(50)),
        ([[-7]], [[-1]], Fraction(7)),
        ([[0.0, 0.0]], [[0, 0]], Fraction(1)),
        ([[0.001, 1]], [[1, 1000]], Fraction(1, 1000)),
    ],
    ids=str,
)
def test_short_decimals_and_fractions_are_recovered(written, whole, scale):
    form = find_integer_form(np.array(written, float))
    assert form.integers.tolist() == whole
    assert form.scale == scale
    assert isinstance(form.scale, Fraction)


@each("divisor", [*range(1, 200), 255, 256, 4095, 4096, 65535, 65536])
def test_a_mean_is_ones_times_a_fraction_however_it_was_computed(divisor):
    for weights in (np.ones((3, 5)) / divisor, np.ones((3, 5)) * (1 / divisor), np.full((3, 5), float(Fraction(1, divisor)))):
        form = find_integer_form(weights)
        assert (form.integers == 1).all()
        assert form.scale == Fraction(1, divisor)


@pytest.mark.parametrize("scale", [0.1234567, math.pi, 1e-9, 1 / math.e])
def test_a_scale_that_is_not_a_short_fraction_is_kept(scale):
    assert float(find_integer_form(np.full((2, 3), scale)).scale) == scale
    form = find_integer_form(np.array([[1.0, 2, -3]]) * scale)
    assert form.integers.tolist() == [[1, 2, -3]]
    assert abs(form.scale - scale) <= 2.0**-52 * scale  # three times the scale is rounded in the input


@pytest.mark.parametrize("whole", [[[4099, 4111]], [[4099, -5003], [6007, 7001]], [[99_991, 99_989]]], ids=str)
def test_large_whole_numbers_are_kept_with_scale_1(whole):
    form = find_integer_form(np.array(whole, float))
    assert form.integers.tolist() == whole
    assert form.scale == 1


@pytest.mark.parametrize(
    "weights",
    [
        [[1, math.sqrt(2)]],
        [[1, math.pi, math.e]],
        [[1, 1 + 1e-9]],
        [[1e-300, 1e300]],
        [[5e-324, 1]],
        [[1, 2.0**41]],
        np.random.default_rng(1).normal(size=(3, 3)),
        np.exp(-(np.linspace(-2, 2, 5)[None] ** 2)),
    ],
    ids=lambda v: str(v)[:25],
)
def test_other_weights_have_no_integer_form(weights):
    assert find_integer_form(np.array(weights, float)) is None


def test_the_integer_form_equals_the_weights_up_to_rounding():
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(300):
        weights = np.round(rng.normal(size=(2, 3)), rng.integers(1, 4))
        form = find_integer_form(weights)
        if form is not None:
            found += 1
            exact = np.array([[Fraction(int(n)) * Fraction(form.scale) for n in row] for row in form.integers])
            assert np.allclose(exact.astype(float), weights, rtol=2e-15, atol=0)
    assert found > 150


def test_the_integers_have_no_common_divisor():
    assert find_integer_form(np.array([[6.0, -9, 15]])).integers.tolist() == [[2, -3, 5]]


@pytest.mark.parametrize("last", [2.0**1023, 2.0**1023 - 2.0**970, 2.0**1022], ids=["alike", "nearly", "half"])
def test_an_integer_form_is_found_if_the_sum_exceeds_the_range_of_floats(last):
    weights = np.array([[2.0**1023, last]])
    form = find_integer_form(weights)
    assert form.integers.tolist() == ([[2, 1]] if last == 2.0**1022 else [[1, 1]])
    assert Kernel(weights).sum == (1.5 * 2.0**1023 if last == 2.0**1022 else np.inf)
