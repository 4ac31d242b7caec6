"""Rounding, saturation and range policies of outputs, value by value."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.depth import dtype_of_depth, fit, full_scale, levels_between, limits, sum_dtype
from imgconv.errors import RangeError, UsageError
from tests.cases import each

INTEGERS = [np.dtype(name) for name in ("u1", "i1", "u2", "i2", "u4", "i4")]
FLOATS = (np.float32, np.float64)
NAN, INF = math.nan, math.inf


def converted(value, dtype):
    """Return a value converted to an integer type in exact arithmetic, and whether it was clipped."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if math.isnan(value):
        return 0, True
    whole = value if math.isinf(value) else round(Fraction(value))
    return min(max(whole, low), high), not low <= whole <= high


def check(values, dtype, fitted, change=lambda value: value):
    """Assert that the values and the count of clipped values equal those of exact arithmetic."""
    expected = [converted(change(float(value)), dtype) for value in values.flat]
    assert fitted.values.dtype == dtype
    assert fitted.values.ravel().tolist() == [value for value, _ in expected]
    assert fitted.clipped == sum(clipped for _, clipped in expected)


# clip


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("source", FLOATS)
def test_clip_rounds_half_to_even_and_saturates_and_counts(dtype, source):
    ends = [float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)]
    near = [end + step for end in ends for step in (-1.5, -1, -0.51, -0.5, -0.49, 0, 0.49, 0.5, 0.51, 1, 1.5)]
    values = np.array([*near, 0.5, 1.5, 2.5, -0.5, -1.5, 1e30, -1e30, INF, -INF, NAN, -0.0], source)
    before = values.copy()
    check(values, dtype, fit(values, dtype))
    assert np.array_equal(values, before, equal_nan=True)


@given(st.lists(st.floats(width=32), min_size=1, max_size=20), st.sampled_from(INTEGERS[:4]), st.sampled_from(FLOATS))
def test_clip_of_arbitrary_values_equals_exact_arithmetic(values, dtype, source):
    values = np.array(values, source)
    check(values, dtype, fit(values, dtype))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0, 3), (1,), (300, 700), (3, 100_000), (2, 50_000, 3)])
def test_arrays_of_any_shape_are_converted_completely(shape):
    values = np.arange(math.prod(shape), dtype=np.float64).reshape(shape) % 300
    fitted = fit(values, np.uint8)
    assert np.array_equal(fitted.values, values.clip(max=255))
    assert fitted.clipped == np.count_nonzero(values > 255)


def test_booleans_are_0_and_1():
    fitted = fit(np.array([-2.0, 0.4, 0.5, 0.6, 1, 1.5, 2, NAN]), bool)
    assert fitted.values.dtype == bool
    assert fitted.values.tolist() == [False, False, False, True, True, True, True, False]
    assert fitted.clipped == 4


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_64_bit_integers_saturate_at_limits_that_float64_cannot_represent(dtype):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    fitted = fit(np.array([2.0**64, 2.0**63, 2.0**62, -(2.0**64), 5.0, INF]), dtype)
    assert fitted.values.tolist() == [high, min(2**63, high), 2**62, low, 5, high]
    assert fitted.clipped == (4 if dtype == np.int64 else 3)


# abs, offset


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("source", FLOATS)
def test_abs_is_applied_before_clipping(dtype, source):
    values = np.array([-300.0, -200, -0.5, -1.5, 0, 1.5, 99.5, -99.5, 300, NAN, -INF], source)
    check(values, dtype, fit(values, dtype, "abs"), abs)


@pytest.mark.parametrize("dtype", INTEGERS[:4], ids=str)
@pytest.mark.parametrize("source", FLOATS)
def test_offset_adds_the_middle_of_the_range_and_rounds_once(dtype, source):
    middle = (np.iinfo(dtype).max + 1) // 2 if dtype.kind == "u" else 0
    # The addition must not round a value beside a tie onto the tie.
    values = np.array([-300.0, -128.5, -1.5, -0.5, 0, 0.5, 0.501, 32.501, 98.499, 127, 127.5, 300, NAN, INF], source)
    check(
        values,
        dtype,
        fit(values, dtype, "offset"),
        lambda value: value if not math.isfinite(value) else Fraction(value) + middle,
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_range_policies_of_floating_point_types(dtype):
    values = np.array([-3.0, -0.25, 0, 1, 5, NAN, INF])
    for policy, expected in {
        "clip": values,
        "error": values,
        "abs": np.abs(values),
        "offset": values + 0.5,
    }.items():
        fitted = fit(values, dtype, policy)
        assert fitted.values.dtype == dtype
        assert np.array_equal(fitted.values, expected, equal_nan=True)
        assert fitted.clipped == 0


def test_values_beyond_float16_become_infinite():
    fitted = fit(np.array([1e6, -1e6, 65504.0]), np.float16)
    assert fitted.values.tolist() == [INF, -INF, 65504.0]


# stretch


@pytest.mark.parametrize("dtype", [*INTEGERS, np.dtype("f2"), np.dtype("f4"), np.dtype("f8")], ids=str)
@each("source", FLOATS)
@each("seed", range(5))
def test_stretch_reaches_both_ends_of_the_range_without_clipping(dtype, source, seed):
    values = np.random.default_rng(seed).normal(size=(40, 40)).astype(source) * 10.0 ** (seed - 2)
    low, high = (0, 1) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    fitted = fit(values, dtype, "stretch")
    assert (fitted.values.min(), fitted.values.max()) == (low, high)
    assert fitted.clipped == 0
    in_order = fitted.values.ravel()[np.argsort(values, axis=None)]
    assert (in_order[1:] >= in_order[:-1]).all()
    share = (values.astype(float) - float(values.min())) / (float(values.max()) - float(values.min()))
    wanted = share * (high - low) + low
    step = {"f2": 2.0**-11, "f4": 2.0**-23, "f8": 2.0**-50}.get(dtype.str[1:], 0.51)
    if source == np.float32 and dtype.itemsize >= 4:
        step = max(step, (high - low) * 2.0**-22)  # the precision of the values
    assert np.abs(fitted.values.astype(float) - wanted).max() <= step


def test_stretch_of_a_flat_picture_is_the_low_end_of_the_range():
    assert fit(np.full((2, 2), 7.0), np.uint8, "stretch") == (pytest.approx(0), 0)
    assert fit(np.full((2, 2), -7.0), np.int8, "stretch").values.tolist() == [[-128, -128]] * 2
    assert fit(np.full((2, 2), 7.0), np.float32, "stretch").values.tolist() == [[0, 0]] * 2


def test_stretch_ignores_values_that_are_not_finite():
    fitted = fit(np.array([1.0, INF, NAN, 3.0, 2.0, -INF]), np.uint8, "stretch")
    assert fitted.values.tolist() == [0, 255, 0, 255, 128, 0]
    assert fitted.clipped == 3
    flat = np.array([NAN, 7.0, 7.0])
    assert fit(flat, np.uint8, "stretch").clipped == 1
    assert np.array_equal(fit(flat, np.float32, "stretch").values, [NAN, 0, 0], equal_nan=True)


# error


def test_error_reports_the_number_and_the_extremes_of_values_out_of_range():
    with pytest.raises(
        RangeError, match=r"2 of 4 values are outside the range 0 to 255 \(from -5 to 300\); choose another range"
    ):
        fit(np.array([-5.0, 0, 255.4, 300]), np.uint8, "error")
    assert fit(np.array([-0.4, 255.4]), np.uint8, "error").values.tolist() == [0, 255]


def test_error_counts_nan_as_out_of_range():
    with pytest.raises(RangeError, match="1 of 2 values"):
        fit(np.array([NAN, 3.0]), np.uint8, "error")
    with pytest.raises(RangeError, match="2 of 2 values"):
        fit(np.array([NAN, NAN]), np.uint8, "error")


# Complex results


def test_complex_results_stay_complex():
    values = np.array([1 + 2j, 3 - 1j])
    assert fit(values, np.complex64).values.dtype == np.complex64
    assert fit(values, np.complex128) == (pytest.approx(values), 0)
    assert np.array_equal(fit(np.array([1.5, 2]), np.complex64).values, np.array([1.5, 2], np.complex64))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_abs_converts_a_complex_result_to_its_magnitude_and_other_policies_reject_it(dtype):
    assert fit(np.array([3 + 4j, -300j]), dtype, "abs").values.tolist() == [5, 255 if dtype == np.uint8 else 300]
    for policy in ("clip", "offset", "stretch", "error"):
        with pytest.raises(UsageError, match="complex result"):
            fit(np.array([1j]), dtype, policy)


# Types


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (["u1"], "f4"),
        (["?"], "f4"),
        (["i2"], "f4"),
        (["u2", "u1"], "f4"),
        (["f2"], "f4"),
        (["f4", "u2"], "f4"),
        (["c8"], "f4"),
        (["u4"], "f8"),
        (["i4", "u1"], "f8"),
        (["i8"], "f8"),
        (["f8"], "f8"),
        (["u1", "f8"], "f8"),
        (["c16"], "f8"),
        (["c8", "f8"], "f8"),
    ],
    ids=str,
)
def test_the_type_of_sums(dtypes, expected):
    assert sum_dtype(*dtypes) == expected


def test_limits_full_scale_and_levels():
    assert limits("u2") == (0, 65535)
    assert limits("i1") == (-128, 127)
    assert limits("?") == (0, 1)
    assert limits("f4") == (-INF, INF)
    assert [full_scale(d) for d in ("u1", "i2", "f4", "f8", "?")] == [255, 32767, 1, 1, 1]
    assert levels_between("u1", "u2") == 257
    assert levels_between("u2", "u1") == Fraction(1, 257)
    assert levels_between("u1", "f4") == Fraction(1, 255)
    assert [dtype_of_depth(d) for d in ("8", "16", "32f")] == ["u1", "u2", "f4"]
