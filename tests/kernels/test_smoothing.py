"""Smoothing kernels, compared with SciPy, OpenCV and geometry."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal

from imgconv.errors import KernelError
from imgconv.kernels.smoothing import binomial, box, disk, gaussian, low_pass, motion


def moments(weights):
    """Return the horizontal variance, the covariance of right and up, and the vertical variance, around the middle."""
    rows, columns = weights.shape
    up = (rows - 1) / 2 - np.arange(rows)[:, None]
    right = np.arange(columns)[None, :] - (columns - 1) / 2
    assert abs((weights * up).sum()) < 1e-12
    assert abs((weights * right).sum()) < 1e-12
    return (weights * right**2).sum(), (weights * right * up).sum(), (weights * up**2).sum()


# box


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [({}, (3, 3)), ({"size": 4}, (4, 4)), ({"rows": 2, "columns": 5}, (2, 5)), ({"size": 3, "columns": 1}, (3, 1))],
)
def test_weights_of_a_box_are_exactly_one_nth(arguments, shape):
    weights = box(**arguments)
    assert weights.shape == shape
    assert (weights == 1 / (shape[0] * shape[1])).all()


# gaussian


@pytest.mark.parametrize("sigma", [0.3, 0.6, 1, 2.4, 7])
def test_gaussian_of_a_sigma_equals_that_of_scipy(sigma):
    weights = gaussian(sigma)
    reach = int(4 * sigma + 0.5)
    impulse = np.zeros((2 * reach + 1, 2 * reach + 1))
    impulse[reach, reach] = 1
    assert weights.shape == impulse.shape
    assert np.allclose(weights, ndimage.gaussian_filter(impulse, sigma, mode="constant"), rtol=1e-13, atol=1e-18)


@pytest.mark.parametrize("size", [1, 3, 5, 9, 31])
def test_gaussian_of_a_size_has_the_sigma_of_opencv(size):
    factor = cv2.getGaussianKernel(size, 0.3 * ((size - 1) * 0.5 - 1) + 0.8)
    assert np.allclose(gaussian(size=size), factor @ factor.T, rtol=1e-12)


def test_gaussian_of_sigma_and_size_equals_that_of_opencv():
    factor = cv2.getGaussianKernel(7, 2.5)
    assert np.allclose(gaussian(2.5, 7), factor @ factor.T, rtol=1e-12)


def test_gaussian_has_a_sigma_for_each_axis():
    weights = gaussian(sigma_rows=0.5, sigma_columns=2)
    assert weights.shape == (5, 17)
    assert np.array_equal(gaussian(2, sigma_rows=0.5), weights)
    assert np.array_equal(gaussian(0.5, sigma_columns=2), weights)
    assert np.linalg.matrix_rank(weights) == 1
    with pytest.raises(KernelError, match="found only one"):
        gaussian(sigma_rows=1)


@pytest.mark.parametrize("angle", [30, -70, 390, 45])
def test_gaussian_is_rotated_counter_clockwise(angle):
    across, middle, up = moments(gaussian(sigma_rows=1, sigma_columns=3, angle=angle))
    radians = math.radians(angle)
    assert across == pytest.approx(9 * math.cos(radians) ** 2 + math.sin(radians) ** 2, rel=5e-3)
    assert up == pytest.approx(9 * math.sin(radians) ** 2 + math.cos(radians) ** 2, rel=5e-3)
    assert middle == pytest.approx(8 * math.sin(radians) * math.cos(radians), rel=5e-3)


def test_gaussian_rotated_by_a_right_angle_swaps_its_axes_exactly():
    assert np.array_equal(gaussian(sigma_rows=1, sigma_columns=3, angle=90), gaussian(sigma_rows=3, sigma_columns=1))
    assert np.array_equal(gaussian(2, angle=33), gaussian(2))


@given(st.floats(0.2, 20), st.floats(0.2, 20), st.floats(-720, 720))
def test_gaussian_sums_to_one_and_is_symmetric_under_rotation(down, across, angle):
    weights = gaussian(sigma_rows=down, sigma_columns=across, angle=angle)
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    assert np.allclose(weights, weights[::-1, ::-1], rtol=1e-9, atol=1e-18)


# binomial


def test_binomial_has_the_weights_of_pascals_triangle():
    assert np.array_equal(binomial(5) * 256, np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]))
    assert np.array_equal(binomial(1), [[1]])


def test_binomial_is_whole_up_to_the_size_limit():
    weights = binomial(29) * 4.0**28
    assert weights.sum() == 4.0**28
    assert weights[14, 14] == math.comb(28, 14) ** 2
    with pytest.raises(KernelError, match=r"size must be at most 29.* use gaussian:sigma=2\.739"):
        binomial(31)


# low_pass


@pytest.mark.parametrize(("cutoff", "size"), [(0.25, 9), (0.1, 21), (0.4, 3)])
def test_low_pass_equals_the_windowed_design_of_scipy(cutoff, size):
    factor = signal.firwin(size, cutoff, window="hamming", fs=1)
    assert np.allclose(low_pass(cutoff, size), np.outer(factor, factor), rtol=1e-12, atol=1e-16)


def test_low_pass_keeps_frequencies_below_the_cutoff_and_removes_those_above():
    factor = low_pass(0.125).sum(axis=0)
    frequencies, gain = signal.freqz(factor, worN=512, fs=1)
    assert factor.size == 17
    assert abs(gain[0]) == pytest.approx(1)
    assert abs(gain[np.searchsorted(frequencies, 0.125)]) == pytest.approx(0.5, abs=0.02)
    assert np.abs(gain[frequencies > 0.25]).max() < 0.01


@pytest.mark.parametrize("cutoff", [0.5, 1])
def test_low_pass_rejects_a_cutoff_of_half_a_cycle_or_more(cutoff):
    with pytest.raises(KernelError, match=r"cutoff must be a number above 0 and below 0\.5"):
        low_pass(cutoff)


# motion


@pytest.mark.parametrize("length", [1, 3, 9])
def test_motion_along_a_row_is_exact(length):
    assert np.array_equal(motion(length), np.full((1, length), 1 / length))
    assert np.array_equal(motion(length, 90), np.full((length, 1), 1 / length))
    assert np.array_equal(motion(length, -180), motion(length))


def test_motion_of_an_even_length_has_half_weights_at_its_ends():
    assert np.array_equal(motion(4), [[0.125, 0.25, 0.25, 0.25, 0.125]])


def test_motion_is_rotated_counter_clockwise():
    weights = motion(9, 45)
    corners = weights[0, -1], weights[0, 0], weights[-1, 0], weights[-1, -1]
    assert corners[0] > 0
    assert corners[2] > 0
    assert corners[1] == corners[3] == 0
    assert np.allclose(motion(9, 30), motion(9, -30)[::-1])
    assert motion(15, 30).shape[1] > motion(15, 30).shape[0]


@given(st.floats(1, 60), st.floats(-400, 400))
def test_motion_is_a_uniform_line_of_its_length(length, angle):
    weights = motion(length, angle)
    across, _, up = moments(weights)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    for edge in (weights[0], weights[-1], weights[:, 0], weights[:, -1]):
        assert edge.any()
    # A uniform line of n pixels has the variance n**2 / 12. Soft ends make it up to a pixel shorter or longer, and the
    # weights along a slanted line vary slightly.
    assert 0.97 * (length - 1) ** 2 / 12 - 0.1 < across + up < (length + 1) ** 2 / 12 + 0.4


# disk


@pytest.mark.parametrize("radius", [0.3, 0.5, 0.9, 1, 2.5, 3, 7.25])
def test_weights_of_a_disk_are_the_covered_areas_of_pixels(radius):
    weights = disk(radius)
    taps, fine = weights.shape[0], 200
    offset = (np.arange(taps * fine) + 0.5) / fine - taps / 2
    inside = (offset[:, None] ** 2 + offset[None, :] ** 2 <= radius**2).astype(float)
    cover = inside.reshape(taps, fine, taps, fine).mean(axis=(1, 3))
    assert taps == 2 * max(0, math.ceil(radius - 0.5)) + 1
    assert np.allclose(weights * math.pi * radius**2, cover, atol=2e-3)


@given(st.floats(0.01, 40))
def test_disk_has_every_symmetry_and_no_rim_of_zeros(radius):
    weights = disk(radius)
    for other in (weights.T, weights[::-1], weights[:, ::-1]):
        assert np.array_equal(weights, other)
    assert weights.sum() == pytest.approx(1)
    assert weights[0].any() or radius < weights.shape[0] / 2 - 1 + 1e-6
    flat = weights[weights > 0.999 * weights.max()]
    assert np.ptp(flat) <= weights.max() * 1e-3
