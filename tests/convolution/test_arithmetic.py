"""Error bounds of sums: which methods they allow, when float32 is sufficient, and when OpenCV may round."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from imgconv.convolution.exactness import narrowest, why_not_exact
from imgconv.convolution.planner import make_plan

NOISE = np.random.default_rng(1).normal(size=(5, 7))
NOISE /= np.abs(NOISE).sum()
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def job(of="uint8", kernel=NOISE, **options):
    return make_plan((40, 50), of, kernel, **options).job


def plain(kernel, unit):
    """Return the error bound of a plain sum: one rounding for each weight, product and addition."""
    return (kernel.size + 2) * unit * np.abs(kernel).sum()


# Allowed errors


@pytest.mark.parametrize(("of", "largest"), [("uint8", 255), ("int8", 128), ("uint16", 65535), ("int16", 32768)])
def test_integers_are_allowed_the_error_of_a_plain_sum_in_float32_up_to_half_a_level(of, largest):
    for factor in 10.0 ** np.arange(-3, 12):
        kernel = NOISE * factor
        arithmetic, narrow = job(of, kernel).arithmetic, plain(kernel, 2.0**-24)
        if narrow * largest <= 0.5:
            assert (arithmetic.dtype, arithmetic.error) == (FLOAT32, pytest.approx(narrow, rel=1e-12))
            assert arithmetic.allowed == arithmetic.error
        else:
            assert (arithmetic.dtype, arithmetic.error) == (FLOAT64, pytest.approx(plain(kernel, 2.0**-53), rel=1e-12))
            assert arithmetic.allowed == pytest.approx(max(0.5 / largest, arithmetic.error), rel=1e-12)


@pytest.mark.parametrize(("of", "unit"), [("float16", 2.0**-24), ("float32", 2.0**-24), ("float64", 2.0**-53)])
def test_floats_are_allowed_the_error_of_a_plain_sum_in_their_own_type(of, unit):
    arithmetic = job(of, 1e9 * NOISE).arithmetic
    assert arithmetic.allowed == arithmetic.error == pytest.approx(plain(1e9 * NOISE, unit), rel=1e-12)


def test_whole_sums_are_allowed_errors_below_half_a_level():
    found = job(kernel=[[1, 2], [3, 5]])
    assert (found.arithmetic.allowed, found.arithmetic.error) == (0, 0)
    assert why_not_exact(found, 0.49999 / 255) is None
    assert "whole numbers need less than 0.5" in why_not_exact(found, 0.50001 / 255)


@pytest.mark.parametrize("of", ["uint8", "uint16", "float32"])
def test_both_sides_of_the_allowed_error(of):
    found = job(of, 1e5 * NOISE)
    for mixes in (False, True):
        assert why_not_exact(found, found.arithmetic.allowed, mixes=mixes) is None
        assert why_not_exact(found, found.arithmetic.allowed * 1.001, mixes=mixes) is not None


def test_errors_that_mix_need_a_tolerance_in_float64():
    found = job("float64")
    assert why_not_exact(found, found.arithmetic.allowed, mixes=False) is None
    assert "a tolerance of that much allows it" in why_not_exact(found, found.arithmetic.allowed, mixes=True)


# The narrower type


@pytest.mark.parametrize(
    ("of", "kernel", "options", "mixes", "factor", "found"),
    [
        ("uint8", NOISE, {}, False, 0.99, FLOAT32),
        ("uint8", NOISE, {}, True, 0.99, FLOAT32),
        ("uint8", NOISE, {}, False, 1.01, FLOAT64),
        ("uint8", 1e9 * NOISE, {}, False, 0.99, FLOAT32),  # within half a level, though a plain sum would not be
        ("float32", NOISE, {}, False, 0.99, FLOAT32),
        ("float32", NOISE, {}, False, 1.01, FLOAT64),
        ("float32", NOISE, {}, True, 0.01, FLOAT64),
        ("float32", NOISE, {"tolerance": 1e-4}, True, 0.99, FLOAT32),
        ("float64", NOISE, {}, False, 0.0, FLOAT64),
        ("float64", NOISE, {"tolerance": 0.1}, True, 0.0, FLOAT64),
        ("complex64", NOISE, {}, True, 0.01, FLOAT64),
    ],
    ids=str,
)
def test_float32_is_chosen_if_it_is_exact_enough(of, kernel, options, mixes, factor, found):
    asked = job(of, kernel, **options)
    allowed = asked.arithmetic.allowed
    assert narrowest(asked, lambda dtype: {FLOAT32: factor * allowed, FLOAT64: 0.0}[dtype], mixes=mixes) == found


def test_float32_is_chosen_for_whole_sums_within_half_a_level():
    found = job("uint16", [[1, 2], [3, 5]])
    for levels, dtype in ((0.49, FLOAT32), (0.51, FLOAT64)):
        assert narrowest(found, lambda _, levels=levels: levels / 65535) == dtype


# Whether OpenCV may round


@pytest.mark.parametrize("representable", [True, False])
@pytest.mark.parametrize("denominator", [1, 2, 3, 4, 6, 7, 9, 16, 25, 49, 255, 256])
def test_rounding_by_opencv_equals_exact_rounding(denominator, representable):
    """Checked by rounding every sum with the claimed error added and subtracted."""
    kernel = np.array([[1, 2, -1]]) / denominator
    arithmetic = job(kernel=kernel).arithmetic
    assert arithmetic.whole
    assert Fraction(arithmetic.numerator / arithmetic.denominator) == Fraction(1 / denominator)
    sums = np.arange(-255, 3 * 255 + 1)
    exact = np.array([round(Fraction(int(n), denominator)) for n in sums])
    for error in (0.0, 1e-6, 1e-4, 1e-3, 1e-2):
        if arithmetic.rounds_alike(error, representable=representable):
            off = 0 if representable and denominator & (denominator - 1) == 0 else error * 255
            for value in (sums / denominator - off, sums / denominator + off):
                assert np.array_equal(np.rint(value), exact)
        else:
            assert denominator % 2 == 0 or error * 255 >= 0.5 / denominator


@pytest.mark.parametrize("denominator", [3, 9, 25, 1001])
def test_both_sides_of_the_nearest_tie(denominator):
    arithmetic = job("uint16", np.array([[1, 2, -1]]) / denominator).arithmetic
    limit = 0.5 / denominator / 65535
    assert arithmetic.rounds_alike(limit * 0.999, representable=False)
    assert not arithmetic.rounds_alike(limit * 1.001, representable=False)


@pytest.mark.parametrize(("total", "delta", "alike"), [(256, 0, True), (257, 0, False), (255, 255, True), (256, 4096, False)])
def test_sums_over_a_power_of_two_must_fit_float32(total, delta, alike):
    kernel = np.array([[total - 1, 1]]) / 16  # 65535 * 256 is 256 below 2**24
    arithmetic = job("uint16", kernel, delta=delta / 16).arithmetic
    assert arithmetic.rounds_alike(1.0, representable=True) == alike


@pytest.mark.parametrize("delta", [0.1, 1 / 3])
def test_a_delta_that_is_no_multiple_of_the_scale_is_not_rounded_by_opencv(delta):
    assert not job(kernel=[[0.25, 0.5]], delta=delta).arithmetic.rounds_alike(0.0, representable=False)
    assert not job(kernel=NOISE).arithmetic.rounds_alike(0.0, representable=True)
