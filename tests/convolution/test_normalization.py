"""Division by the weight inside: `renormalize` and `nan="ignore"`, for every method."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from imgconv.errors import KernelError
from tests import definition

RAMP = np.arange(1, 13).reshape(3, 4)
KERNEL = np.array([[1, 2, 0], [3, -1, 5]])


@pytest.mark.parametrize("options", [{"border": "renormalize"}, {"border": "wrap,ignore"}], ids=str)
@pytest.mark.parametrize("kernel", [[[1, -1]], [[0.1, 0.2, -0.3]], [[0, 0]], [[1, 1j], [-1, -1j]]], ids=str)
def test_a_kernel_that_sums_to_0_is_rejected_by_renormalization(results_by_method, kernel, options):
    with pytest.raises(KernelError, match="so `renormalize` cannot divide by them"):
        results_by_method(np.ones((3, 3)), kernel, **options)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_the_interior_is_divided_too(check_all, dtype):
    # The weights sum to 10: results in the interior are a tenth of the sums, rounded once.
    sums = definition.correlate(RAMP, KERNEL, mode="valid")
    expected = definition.fit_exactly(sums, dtype, scale=Fraction(1, 10))
    check_all(expected, RAMP.astype(dtype), KERNEL, border="renormalize", mode="valid")
    check_all(expected, RAMP.astype(dtype), KERNEL, nan="ignore", mode="valid")


def test_a_flat_picture_stays_flat(check_all):
    for dtype, level in [(np.uint8, 200), (np.uint16, 65535), (np.float32, 0.75)]:
        flat = np.full((4, 5), level, dtype)
        check_all(flat, flat, [[0.5, 3, 1.25], [0.25, 1, 7]], border="renormalize")


@pytest.mark.parametrize("scale", [0.001, 1 / 3, 7.0])
def test_a_scale_has_no_effect(check_all, scale):
    expected = definition.fit_exactly(
        definition.correlate(RAMP, KERNEL, border=("renormalize",) * 2), np.int16, normalizes=True
    )
    check_all(expected, RAMP.astype(np.int16), KERNEL * scale, border="renormalize")


# The only weight is in the corner opposite to the anchor: at the end of the image no weight falls inside.
FAR = np.array([[0, 0], [0, 3]])


def test_outputs_without_any_weight_inside_are_nan_in_floats_and_0_in_integers(check_all):
    floats = np.array([[6, 7, 8, np.nan], [10, 11, 12, np.nan], [np.nan] * 4])
    for dtype in (np.float32, np.float64):
        check_all(floats.astype(dtype), RAMP.astype(dtype), FAR, anchor=(0, 0), border="renormalize")
    check_all(np.nan_to_num(floats).astype(np.uint8), RAMP.astype(np.uint8), FAR, anchor=(0, 0), border="renormalize")
    check_all(np.nan_to_num(floats).astype(np.uint8), RAMP, FAR, anchor=(0, 0), border="renormalize", dtype=np.uint8)


def test_outputs_without_any_weight_inside_ignore_delta(check_all):
    expected = np.array([[7, 8, 9, 0], [11, 12, 13, 0], [0, 0, 0, 0]], np.uint8)
    check_all(expected, RAMP.astype(np.uint8), FAR, anchor=(0, 0), border="renormalize", delta=1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_nan_pixel_counts_as_outside(results_by_method, dtype):
    pixels = np.random.default_rng(1).normal(size=(9, 10, 3)).astype(dtype)
    pixels[np.random.default_rng(2).random(pixels.shape) < 0.2] = np.nan  # different in each channel
    kernel = np.array([[1.5, 2, 0.5, 1], [3, 1, 5, 0.25], [0, 0, 2, 1]])
    for border in ("constant", "replicate", "reflect", "reflect101", "wrap", "renormalize"):
        sums = definition.correlate(pixels, kernel, border=(border, border), ignore_nan=True, border_value=0.5)
        expected = definition.as_floats(sums, normalizes=True)
        for name, got in results_by_method(pixels, kernel, border=border, nan="ignore", border_value=0.5).items():
            assert np.isfinite(got).all(), name
            assert np.allclose(got, expected, rtol={2: 1e-3, 4: 1e-5, 8: 1e-13}[got.itemsize], atol=1e-6), (name, border)


DIFFERENCES = [
    [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    [[0.1, 0.2], [-0.6, 0.1], [0.1, 0.1]],
    [[1, 1j], [-1, -1j]],
    [[0.1, 0.25, 0.1], [0.25, -1.3999, 0.25], [0.1, 0.25, 0.1]],  # sums to 0 with three digits
]


@pytest.mark.parametrize("options", [{}, {"mode": "full"}, {"mode": "valid", "stride": (2, 1)}, {"dilation": (1, 2)}], ids=str)
@pytest.mark.parametrize("border", ["constant", "replicate", "reflect", "reflect101", "wrap"])
@pytest.mark.parametrize("kernel", DIFFERENCES, ids=str)
def test_a_difference_kernel_takes_a_nan_for_the_pixel_at_the_anchor(results_by_method, kernel, border, options):
    rng = np.random.default_rng(3)
    pixels = rng.normal(size=(9, 10, 3))
    pixels[rng.random(pixels.shape) < 0.2] = np.nan
    given = {"border": (border, border), "border_value": 0.5, **options}
    impulse = np.zeros(np.shape(kernel))
    impulse[impulse.shape[0] // 2, impulse.shape[1] // 2] = 1
    sums = definition.correlate(pixels, kernel, ignore_nan=True, **given)
    centre = definition.correlate(pixels, impulse, **given).total
    expected = sums.total + centre * (np.sum(kernel) - sums.inside) + 7
    for name, got in results_by_method(pixels, kernel, nan="ignore", delta=7, **given).items():
        assert np.allclose(got, expected, rtol=1e-12, atol=1e-12, equal_nan=True), name


def test_a_difference_kernel_without_nan_gives_the_plain_sum(results_by_method, check_all):
    pixels = np.random.default_rng(4).integers(0, 256, (9, 10)).astype(np.uint8)
    for kernel in ([[0, 1, 0], [1, -4, 1], [0, 1, 0]], [[-1 / 3, 0, 1 / 3]]):
        plain = results_by_method(pixels, kernel, dtype=np.int16)["shifts"]
        check_all(plain, pixels, kernel, dtype=np.int16, nan="ignore")


def test_a_difference_kernel_beside_infinity_and_nan(results_by_method):
    pixels = np.array([[1.0, np.inf, 3, np.nan, 5]])
    for name, got in results_by_method(pixels, [[-1, 0, 1]], border="replicate", nan="ignore").items():
        assert np.array_equal(got, [[np.inf, 2, -np.inf, np.nan, 0]], equal_nan=True), name


def test_a_nan_border_value_counts_as_outside(check_all):
    pixels = np.array([[2.0, 4, 6]])
    check_all(np.array([[3.0, 4, 5]]), pixels, [[1, 1, 1]], border="constant", border_value=np.nan, nan="ignore")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weights", [[0.1, 0.2, -0.3], [0.1, 0.6, -0.7], [0.3, 0.3, -0.6]], ids=str)
def test_remaining_weights_that_cancel_give_nan_despite_rounding(check_all, weights, dtype):
    # The weights of the finite pixels sum to 0 as decimal numbers.
    pixels = np.array([[1, 2, 3, np.nan]], dtype)
    check_all(np.array([[np.nan]], dtype), pixels, [[*weights, 1]], mode="valid", nan="ignore")


def test_renormalize_along_one_axis_keeps_the_border_of_the_other(check_all):
    for pair in [("renormalize", "wrap"), ("constant", "renormalize"), ("reflect", "renormalize")]:
        sums = definition.correlate(RAMP, KERNEL, border=pair, border_value=40)
        expected = definition.fit_exactly(sums, np.uint8, normalizes=True)
        check_all(expected, RAMP.astype(np.uint8), KERNEL, border=pair, border_value=40)


def test_complex_weights_are_divided_by_their_complex_sum(results_by_method):
    kernel = np.array([[1, 2j, 3], [1 - 1j, 0, 0]])
    expected = definition.as_floats(definition.correlate(RAMP, kernel, border=("renormalize",) * 2), normalizes=True)
    for name, got in results_by_method(RAMP.astype(np.float64), kernel, border="renormalize").items():
        assert np.allclose(got, expected, rtol=1e-13, equal_nan=True), name


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_a_complex_pixel_with_a_nan_part_counts_as_outside(check_all, dtype):
    pixels = np.array([[2 + 2j, complex(np.nan, 1), 4, complex(3, np.nan), 6j]], dtype)
    expected = np.array([[2 + 2j, 3 + 1j, 4, 2 + 3j, 6j]], dtype)
    check_all(expected, pixels, [[1, 1, 1]], border="renormalize", nan="ignore")
