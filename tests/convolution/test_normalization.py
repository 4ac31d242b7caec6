"""The weight that fell inside: `renormalize` and `nan="ignore"`, for every method."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from imgconv.errors import KernelError
from tests import definition

RAMP = np.arange(1, 13).reshape(3, 4)
KERNEL = np.array([[1, 2, 0], [3, -1, 5]])


@pytest.mark.parametrize("options", [{"border": "renormalize"}, {"border": "wrap,ignore"}, {"nan": "ignore"}], ids=str)
@pytest.mark.parametrize("kernel", [[[1, -1]], [[0.1, 0.2, -0.3]], [[0, 0]], [[1, 1j], [-1, -1j]]], ids=str)
def test_a_kernel_that_sums_to_0_is_refused_where_it_would_be_divided_by(by_every_method, kernel, options):
    with pytest.raises(KernelError, match=r"so `renormalize` .* cannot divide by them"):
        by_every_method(np.ones((3, 3)), kernel, **options)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_the_interior_is_divided_too(hold, dtype):
    # The weights sum to 10: what is inside of the image is a tenth of the sums, rounded once.
    sums = definition.correlate(RAMP, KERNEL, mode="valid")
    expected = definition.fit_exactly(sums, dtype, scale=Fraction(1, 10))
    hold(expected, RAMP.astype(dtype), KERNEL, border="renormalize", mode="valid")
    hold(expected, RAMP.astype(dtype), KERNEL, nan="ignore", mode="valid")


def test_a_flat_picture_stays_flat(hold):
    for dtype, level in [(np.uint8, 200), (np.uint16, 65535), (np.float32, 0.75)]:
        flat = np.full((4, 5), level, dtype)
        hold(flat, flat, [[0.5, 3, 1.25], [0.25, 1, 7]], border="renormalize")


@pytest.mark.parametrize("scale", [0.001, 1 / 3, 7.0])
def test_a_scale_makes_no_difference(hold, scale):
    expected = definition.fit_exactly(
        definition.correlate(RAMP, KERNEL, border=("renormalize",) * 2), np.int16, normalizes=True
    )
    hold(expected, RAMP.astype(np.int16), KERNEL * scale, border="renormalize")


# An anchor in the corner of a kernel whose weights lie in the opposite one: at the end of the image none falls inside.
FAR = np.array([[0, 0], [0, 3]])


def test_where_no_weight_falls_inside_there_is_nan_in_floats_and_0_in_integers(hold):
    floats = np.array([[6, 7, 8, np.nan], [10, 11, 12, np.nan], [np.nan] * 4])
    for dtype in (np.float32, np.float64):
        hold(floats.astype(dtype), RAMP.astype(dtype), FAR, anchor=(0, 0), border="renormalize")
    hold(np.nan_to_num(floats).astype(np.uint8), RAMP.astype(np.uint8), FAR, anchor=(0, 0), border="renormalize")
    hold(np.nan_to_num(floats).astype(np.uint8), RAMP, FAR, anchor=(0, 0), border="renormalize", dtype=np.uint8)


def test_where_no_weight_falls_inside_a_delta_is_lost_too(hold):
    expected = np.array([[7, 8, 9, 0], [11, 12, 13, 0], [0, 0, 0, 0]], np.uint8)
    hold(expected, RAMP.astype(np.uint8), FAR, anchor=(0, 0), border="renormalize", delta=1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_nan_pixel_counts_as_outside(by_every_method, dtype):
    pixels = np.random.default_rng(1).normal(size=(9, 10, 3)).astype(dtype)
    pixels[np.random.default_rng(2).random(pixels.shape) < 0.2] = np.nan  # not the same in each channel
    kernel = np.array([[1.5, 2, 0.5, 1], [3, 1, 5, 0.25], [0, 0, 2, 1]])
    for border in ("constant", "replicate", "reflect", "reflect101", "wrap", "renormalize"):
        sums = definition.correlate(pixels, kernel, border=(border, border), ignore_nan=True, border_value=0.5)
        expected = definition.as_floats(sums, normalizes=True)
        for name, got in by_every_method(pixels, kernel, border=border, nan="ignore", border_value=0.5).items():
            assert np.isfinite(got).all(), name
            assert np.allclose(got, expected, rtol={2: 1e-3, 4: 1e-5, 8: 1e-13}[got.itemsize], atol=1e-6), (name, border)


def test_a_border_value_that_is_nan_counts_as_outside_too(hold):
    pixels = np.array([[2.0, 4, 6]])
    hold(np.array([[3.0, 4, 5]]), pixels, [[1, 1, 1]], border="constant", border_value=np.nan, nan="ignore")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weights", [[0.1, 0.2, -0.3], [0.1, 0.6, -0.7], [0.3, 0.3, -0.6]], ids=str)
def test_weights_that_cancel_are_no_weight_however_they_round(hold, weights, dtype):
    # What is left beside the NaN sums to 0 in the numbers that were written.
    pixels = np.array([[1, 2, 3, np.nan]], dtype)
    hold(np.array([[np.nan]], dtype), pixels, [[*weights, 1]], mode="valid", nan="ignore")


def test_renormalize_along_one_axis_leaves_the_other_border_as_it_is(hold):
    for pair in [("renormalize", "wrap"), ("constant", "renormalize"), ("reflect", "renormalize")]:
        sums = definition.correlate(RAMP, KERNEL, border=pair, border_value=40)
        expected = definition.fit_exactly(sums, np.uint8, normalizes=True)
        hold(expected, RAMP.astype(np.uint8), KERNEL, border=pair, border_value=40)


def test_complex_weights_are_divided_by_their_complex_sum(by_every_method):
    kernel = np.array([[1, 2j, 3], [1 - 1j, 0, 0]])
    expected = definition.as_floats(definition.correlate(RAMP, kernel, border=("renormalize",) * 2), normalizes=True)
    for name, got in by_every_method(RAMP.astype(np.float64), kernel, border="renormalize").items():
        assert np.allclose(got, expected, rtol=1e-13, equal_nan=True), name


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_a_complex_pixel_of_which_a_part_is_nan_counts_as_outside(hold, dtype):
    pixels = np.array([[2 + 2j, complex(np.nan, 1), 4, complex(3, np.nan), 6j]], dtype)
    expected = np.array([[2 + 2j, 3 + 1j, 4, 2 + 3j, 6j]], dtype)
    hold(expected, pixels, [[1, 1, 1]], border="renormalize", nan="ignore")
