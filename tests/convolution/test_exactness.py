"""Difficult exact sums: large sums, ties, DFTs, other types, saturation, layouts. Every method must give all bits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.errors import UsageError
from tests import definition

ALTERNATING = np.where(np.indices((7, 9)).sum(0) % 2, -1, 1)
LARGE = np.random.default_rng(1).integers(-900, 900, (5, 7))
WIDE = np.random.default_rng(2).integers(-9, 10, (13, 11))


def noise(dtype, shape=(15, 14)):
    limits = np.iinfo(dtype)
    return np.random.default_rng(shape).integers(limits.min, limits.max, shape, dtype, endpoint=True)


def extremes(dtype):
    """Return the ends of the range as a checkerboard, which maximizes sums under alternating signs."""
    limits = np.iinfo(dtype)
    return np.where(np.indices((15, 16)).sum(0) % 2, limits.min, limits.max).astype(dtype)


# Sums that float32, or OpenCV's DFT, cannot hold


@pytest.mark.parametrize("image", [noise, extremes], ids=["noise", "extremes"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.uint32])
@pytest.mark.parametrize("weights", [ALTERNATING, LARGE, WIDE], ids=["alternating", "large", "wide"])
def test_large_sums_are_exact(check_all, weights, dtype, image):
    pixels = image(dtype)
    sums = definition.correlate(pixels, weights)
    for scale in (Fraction(1), Fraction(1, 6), Fraction(1, 1000)):
        check_all(definition.fit_exactly(sums, dtype, scale=scale), pixels, weights * scale.numerator / scale.denominator)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_64_bit_pixels_are_exact_up_to_2_to_the_53(check_all, dtype):
    pixels = np.random.default_rng(3).integers(0, 2**53 // 36, (6, 7)).astype(dtype)
    weights = np.arange(9).reshape(3, 3)
    check_all(definition.correlate(pixels, weights).total.astype(dtype), pixels, weights)


def test_64_bit_pixels_beyond_2_to_the_53_are_rejected(check_all, results_by_method):
    with pytest.raises(UsageError, match=r"int64 pixels up to 9007199254740993 .* convert the image to float64"):
        results_by_method(np.array([[2**53 + 1]]), [[1]])
    with pytest.raises(UsageError, match="beyond 2"):
        results_by_method(np.array([[-(2**52) - 1]]), [[1, 1]], border="replicate")
    check_all([[2**53]], np.array([[2**53]]), [[1]])


def test_a_border_value_beyond_2_to_the_53_is_rejected_for_64_bit_pixels(results_by_method):
    with pytest.raises(UsageError, match="beyond 2"):
        results_by_method(np.array([[1]]), [[1, 1, 3]], border="constant", border_value=2**53 + 2)


# One below and one at the numbers of weights at which OpenCV switches to a DFT: 130 and 50.
@pytest.mark.parametrize(
    ("dtype", "shape", "method"),
    [
        (np.uint8, (3, 43), "filter2d"),
        (np.uint8, (10, 13), "dft"),
        (np.uint16, (7, 7), "filter2d"),
        (np.uint16, (5, 10), "bands"),
    ],
)
def test_sums_are_exact_around_the_sizes_at_which_opencv_switches_to_its_dft(check_all, dtype, shape, method):
    weights, pixels = np.random.default_rng(4).integers(-2, 3, shape), noise(dtype, (40, 50))
    expected = definition.fit_exactly(definition.correlate(pixels, weights), dtype)
    assert method in check_all(expected, pixels, weights)


@pytest.mark.parametrize(("dtype", "shape"), [(np.uint8, (31, 31)), (np.uint16, (31, 31)), (np.int32, (4, 5))], ids=str)
def test_the_dft_gives_exact_whole_sums(check_all, dtype, shape):
    weights, pixels = np.random.default_rng(5).integers(-9, 10, shape), noise(dtype, (30, 35))
    expected = definition.correlate(pixels, weights).total.astype(np.float64)
    assert "dft" in check_all(expected, pixels, weights, dtype=np.float64)


# Ties


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32])
@pytest.mark.parametrize(
    ("weights", "scale"),
    [
        ([[1, 1, 1], [1, 1, 1]], Fraction(1, 6)),
        ([[1, 1, 1, 1]] * 3, Fraction(1, 12)),
        ([[1, 1]] * 5, Fraction(1, 10)),
        ([[1, 3, 3, 1], [2, 6, 6, 2]], Fraction(1, 24)),
        ([[1, 4, 6, 4, 1]], Fraction(1, 16)),
        ([[1, 2, 7]], Fraction(1, 10)),
        ([[3, -1], [2, 1]], Fraction(1, 2)),
    ],
    ids=["1/6", "1/12", "1/10", "binomial", "binomial/16", "0.1 0.2 0.7", "halves"],
)
def test_ties_are_rounded_to_even(check_all, weights, scale, dtype):
    # Few levels, so that sums fall on a tie often.
    weights, pixels = np.array(weights), (np.random.default_rng(6).integers(40, 54, (18, 19))).astype(dtype)
    sums = definition.correlate(pixels, weights)
    for delta in ("0", "0.5", "0.1", "-0.25", "100.7"):
        ties = [s for s in sums.total.flat if (2 * (int(s) * scale + Fraction(delta))) % 2 == 1]
        if delta == "0" or (delta == "0.1" and scale.denominator == 10):
            assert len(ties) > 5
        expected = definition.fit_exactly(sums, dtype, scale=scale, delta=Fraction(delta))
        check_all(expected, pixels, weights * scale.numerator / scale.denominator, delta=float(delta))


@pytest.mark.parametrize("shape", [(1, 9), (1, 11), (5, 5), (7, 7)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_a_mean_of_an_odd_number_of_pixels_is_rounded_correctly(check_all, dtype, shape):
    # Sums of bright pixels have the fewest digits to spare. None is a tie, but the nearest tie is 1 / 2n away.
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(9).integers(top // 2, top, (90, 91), dtype, endpoint=True)
    sums = definition.correlate(pixels, np.ones(shape, int))
    expected = definition.fit_exactly(sums, dtype, scale=Fraction(1, shape[0] * shape[1]))
    check_all(expected, pixels, np.ones(shape) / (shape[0] * shape[1]))


def test_a_tie_of_a_renormalized_mean_plus_delta_is_rounded_to_even(check_all):
    # A mean over 45 pixels that sum to 63 is 1.4; with 4.1 that is 5.5, a tie, which is rounded to 6.
    pixels = np.array([[1, 2, 1, 2, 1]] * 9, np.uint8)
    expected = np.array([[6]], np.uint8)
    check_all(expected, pixels, np.ones((9, 5)), border="renormalize", mode="valid", delta=4.1)


def test_a_scale_that_is_not_a_short_fraction_is_used_unchanged(check_all):
    pixels, weight = noise(np.uint16), 0.1234567
    sums = definition.correlate(pixels, np.ones((3, 3), int))
    expected = definition.fit_exactly(sums, np.uint16, scale=Fraction(weight))
    check_all(expected, pixels, np.full((3, 3), weight))


# Another type, and saturation


@pytest.mark.parametrize("output", [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
def test_a_requested_integer_type_saturates_at_both_ends(check_all, dtype, output):
    pixels, limits = extremes(dtype), np.iinfo(output)
    expected = definition.fit_exactly(definition.correlate(pixels, ALTERNATING), output)
    check_all(expected, pixels, ALTERNATING, dtype=output)
    if limits.bits < np.iinfo(dtype).bits:
        assert {limits.min, limits.max} <= set(expected.flat)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
@pytest.mark.parametrize("output", [np.float32, np.float64])
def test_a_requested_floating_type_is_not_clipped(check_all, dtype, output):
    pixels = noise(dtype)
    expected = definition.correlate(pixels, ALTERNATING).total
    assert expected.min() < np.iinfo(dtype).min
    assert expected.max() > np.iinfo(dtype).max
    check_all(expected.astype(output), pixels, ALTERNATING, dtype=output)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_converted_to_integers_are_rounded_and_saturated_and_nan_becomes_0(check_all, dtype):
    pixels = np.array([[0.5, 1.5, 2.5, -0.5, 300.0, -300.0, np.nan, np.inf, -np.inf]], dtype)
    check_all(np.array([[0, 2, 2, 0, 255, 0, 0, 255, 0]], np.uint8), pixels, [[1]], dtype=np.uint8)
    check_all(np.array([[0, 2, 2, 0, 127, -128, 0, 127, -128]], np.int8), pixels, [[1]], dtype=np.int8)


@pytest.mark.parametrize("image", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64])
def test_wide_integer_types_saturate_at_limits_that_floats_cannot_represent(check_all, dtype, image):
    limits = np.iinfo(dtype)
    check_all(np.array([[limits.max, limits.min]], dtype), np.array([[1e30, -1e30]], image), [[1]], dtype=dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (9, 7), (7, 7), (5, 6)], ids=str)
def test_extreme_means_plus_half_a_level_do_not_wrap_around(check_all, shape, dtype):
    scale, limits = Fraction(1, shape[0] * shape[1]), np.iinfo(dtype)
    for level in (limits.min, limits.max):
        pixels = np.full((3, 5), level, dtype)
        sums = definition.correlate(pixels, np.ones(shape, int))
        for delta in ("-0.51", "-0.5", "0.25", "0.49", "0.5", "0.51"):
            expected = definition.fit_exactly(sums, dtype, scale=scale, delta=Fraction(delta))
            check_all(expected, pixels, np.ones(shape) / (shape[0] * shape[1]), delta=float(delta))


# Layouts of the array


@pytest.mark.parametrize("dtype", [">u2", ">i2", ">f4", ">f8", "<u2"])
def test_the_byte_order_does_not_matter(results_by_method, dtype):
    pixels, weights = np.arange(42).reshape(6, 7), np.array([[0, 1, 0], [2, -1, 0]])
    expected = definition.correlate(pixels, weights).total.clip(0)  # unsigned results saturate at 0
    found = results_by_method(pixels.astype(dtype), weights)
    assert [name for name, got in found.items() if not np.array_equal(got.clip(0), expected)] == []


@pytest.mark.parametrize(
    "view",
    [lambda a: a[::-1, ::-1], lambda a: a[::2, 1::3], lambda a: a.transpose(1, 0, 2), lambda a: a[..., ::-1]],
    ids=["reversed", "every other", "transposed", "channels reversed"],
)
def test_a_view_gives_the_result_of_a_copy_and_is_not_modified(check_all, view):
    pixels, weights = view(noise(np.uint8, (8, 9, 3))), np.array([[1, -2, 3], [0, 4, 0]])
    before = pixels.copy()
    pixels.flags.writeable = False
    check_all(definition.fit_exactly(definition.correlate(before, weights), np.uint8), pixels, weights)
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("border", ["reflect101", "wrap"])
def test_a_single_channel_keeps_its_axis(check_all, border):
    pixels, weights = noise(np.uint8, (5, 6, 1)), np.array([[1, -2, 3], [0, 4, 0]])
    expected = definition.fit_exactly(definition.correlate(pixels, weights, border=(border, border)), np.uint8)
    assert expected.shape == (5, 6, 1)
    check_all(expected, pixels, weights, border=border)


def test_booleans_are_summed_as_0_and_1_and_saturated(check_all):
    pixels = np.eye(4, dtype=bool)
    expected = definition.correlate(pixels, np.array([[1, 1, -1]])).total > 0
    check_all(expected, pixels, [[1, 1, -1]])


# NaN and infinity


def outputs_touching(shape, kernel, at, anchor):
    """Return which outputs have a nonzero weight on the pixel `at`, by checking each output."""
    taps = [(int(i) - anchor[0], int(j) - anchor[1]) for i, j in np.argwhere(kernel)]
    return np.array([[(at[0] - y, at[1] - x) in taps for x in range(shape[1])] for y in range(shape[0])])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(3, 4), (12, 13)], ids=str)
def test_nan_and_infinity_spread_to_exactly_the_outputs_they_touch(results_by_method, shape, dtype):
    kernel = np.random.default_rng(7).integers(1, 5, shape) * (np.indices(shape).sum(0) % 3 != 1)
    pixels = np.random.default_rng(8).integers(1, 9, (30, 31)).astype(dtype)
    clean = results_by_method(pixels, kernel, border="constant")
    reached = outputs_touching(pixels.shape, kernel, (15, 14), (shape[0] // 2, shape[1] // 2))
    for bad in (np.nan, np.inf, -np.inf):
        pixels[15, 14] = bad
        for name, got in results_by_method(pixels, kernel, border="constant").items():
            assert np.array_equal(~np.isfinite(got), reached), (name, bad)
            assert np.array_equal(got.real[reached], np.full(reached.sum(), bad), equal_nan=True), (name, bad)
            assert np.array_equal(got[~reached], clean[name][~reached]), (name, bad)


def test_complex_weights_on_an_infinite_pixel(check_all):
    pixels = np.array([[1, np.inf, 2, 3]], np.float64)
    expected = np.array([[complex(1, np.inf), complex(np.inf, 4), 2 + 6j, 3 + 4j]])
    check_all(expected, pixels, [[0, 1, 2j]])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32])
def test_nan_and_infinite_border_values_affect_only_outputs_at_the_border(check_all, dtype, bad):
    at_border = bad if dtype == np.float32 else 0 if np.isnan(bad) else np.iinfo(dtype).max
    expected = np.array([[at_border, 6, at_border]]).astype(dtype)
    check_all(expected, np.array([[1, 2, 3]], dtype), [[1, 1, 1]], border="constant,constant", border_value=bad)


@pytest.mark.parametrize("method", ["shifts", "helix", "definition", "bands", "filter2d"])
def test_a_weighted_sum_is_finite_if_only_the_plain_sum_is_infinite(method):
    pixels, engine = np.full((3, 4), 3e38, np.float32), METHODS[method].engine
    got = correlate(pixels, [[0.5, 0.5], [-0.5, 0.5]], method=method, engine=engine)
    assert np.allclose(got, 3e38)
