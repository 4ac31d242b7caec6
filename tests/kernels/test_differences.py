"""Kernels that compute differences, compared with OpenCV, SciPy and scikit-image, and by their purpose."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import filters

from imgconv.errors import KernelError
from imgconv.kernels.catalog import builtin_catalog
from imgconv.kernels.differences import (
    DIRECTIONS,
    difference_of_gaussians,
    emboss,
    high_pass,
    kirsch,
    laplacian,
    laplacian_of_gaussian,
    sobel_x,
    sobel_y,
    unsharp,
)
from imgconv.kernels.smoothing import box, gaussian


def test_laplacian_equals_that_of_opencv():
    impulse = np.zeros((3, 3))
    impulse[1, 1] = 1
    assert np.array_equal(laplacian(), cv2.Laplacian(impulse, cv2.CV_64F, ksize=1, borderType=cv2.BORDER_CONSTANT))
    assert np.array_equal(laplacian(8), builtin_catalog().kernel("laplacian8").weights)
    with pytest.raises(KernelError, match="neighbours must be one of 4, 8, found 6"):
        laplacian(6)


@pytest.mark.parametrize("sigma", [1.0, 1.4, 3.0])
def test_laplacian_of_gaussian_is_close_to_that_of_scipy(sigma):
    weights = laplacian_of_gaussian(sigma)
    impulse = np.zeros(weights.shape)
    impulse[weights.shape[0] // 2, weights.shape[1] // 2] = 1
    assert np.allclose(weights, ndimage.gaussian_laplace(impulse, sigma, mode="constant"), atol=0.03 / sigma**4)
    assert weights.min() == weights[weights.shape[0] // 2, weights.shape[1] // 2] < 0


def test_laplacian_of_gaussian_equals_the_published_formula():
    up = np.arange(-3, 4)[:, None]
    right = up.T
    bell = np.exp(-(up**2 + right**2) / (2 * 1.4**2))
    expected = (up**2 + right**2 - 2 * 1.4**2) / 1.4**4 * bell / bell.sum()
    assert np.allclose(laplacian_of_gaussian(1.4, 7), expected - expected.mean(), rtol=1e-10)


def test_difference_of_gaussians_equals_that_of_scikit_image():
    generator = np.random.default_rng(4)
    image = generator.random((40, 50))
    weights = difference_of_gaussians(1.2, 1.7)
    ours = ndimage.correlate(image, weights, mode="nearest")
    theirs = filters.difference_of_gaussians(image, 1.2, 1.2 * 1.7, mode="nearest")
    assert np.allclose(ours, theirs, atol=1e-4)
    assert weights.max() == weights[weights.shape[0] // 2, weights.shape[1] // 2] > 0


def test_difference_of_gaussians_with_ratio_1_6_is_close_to_a_laplacian_of_gaussian():
    blob = -difference_of_gaussians(2.0, 1.6, 21)
    # The sigma at which both have the same zeros.
    sigma = 2.0 * math.sqrt(2 * math.log(1.6) / (1 - 1 / 1.6**2))
    assert np.corrcoef(blob.ravel(), laplacian_of_gaussian(sigma, 21).ravel())[0, 1] > 0.99


@given(st.floats(0.05, 30), st.floats(1.001, 5))
def test_sums_are_exact_in_any_order(sigma, ratio):
    generator = np.random.default_rng(0)
    for weights, total in (
        (laplacian_of_gaussian(sigma), 0),
        (difference_of_gaussians(sigma, ratio), 0),
        (unsharp(sigma, ratio), 1),
    ):
        assert weights.sum() == total
        assert math.fsum(weights.ravel()) == total
        assert generator.permutation(weights.ravel()).sum() == total


def test_unsharp_adds_what_a_blur_removes():
    generator = np.random.default_rng(4)
    image = generator.random((30, 40))
    blurred = ndimage.correlate(image, gaussian(1.5))
    expected = image + 0.7 * (image - blurred)
    assert np.allclose(ndimage.correlate(image, unsharp(1.5, 0.7)), expected, atol=1e-12)


@pytest.mark.parametrize("size", [3, 5, 11])
def test_high_pass_is_the_identity_minus_a_box(size):
    rest = -box(size)
    rest[size // 2, size // 2] += 1
    assert np.allclose(high_pass(size), rest, rtol=1e-15)
    assert np.array_equal(np.rint(high_pass(size) * size**2) / size**2, high_pass(size))


@pytest.mark.parametrize("size", [3, 5, 7, 29])
def test_sobel_equals_that_of_opencv_at_every_size(size):
    across, down = cv2.getDerivKernels(1, 0, size, ktype=cv2.CV_64F)
    assert np.array_equal(sobel_x(size), np.outer(down, across))
    assert np.array_equal(sobel_y(size), np.outer(across, down))
    with pytest.raises(KernelError, match="size must be at most 29"):
        sobel_x(31)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_sobel_rejects_even_sizes_and_sizes_below_three(size):
    with pytest.raises(KernelError, match="size must be"):
        sobel_y(size)


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("sobel_x", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
        ("sobel_y", [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
        ("scharr_x", [[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]]),
        ("scharr_y", [[-3, -10, -3], [0, 0, 0], [3, 10, 3]]),
        ("prewitt_x", [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]),
        ("prewitt_y", [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]),
        ("roberts_x", [[-1, 0], [0, 1]]),
        ("roberts_y", [[0, -1], [1, 0]]),
        ("kirsch", [[5, 5, 5], [-3, 0, -3], [-3, -3, -3]]),
        ("emboss", [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
        ("laplacian", [[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        ("sharpen", [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    ],
)
def test_weights_equal_the_published_ones(name, weights):
    assert builtin_catalog().kernel(name).weights.tolist() == weights


def test_scharr_equals_that_of_opencv():
    image = np.random.default_rng(4).random((20, 30))
    for name, order in (("scharr_x", (1, 0)), ("scharr_y", (0, 1))):
        ours = cv2.filter2D(image, cv2.CV_64F, builtin_catalog().kernel(name).weights)
        assert np.allclose(ours, cv2.Scharr(image, cv2.CV_64F, *order), atol=1e-12)


def test_roberts_equals_that_of_scikit_image():
    image = np.random.default_rng(4).random((20, 30))
    pair = [builtin_catalog().kernel(name) for name in ("roberts_x", "roberts_y")]
    inner = (slice(1, -1), slice(1, -1))
    for kernel, theirs in zip(pair, (filters.roberts_pos_diag, filters.roberts_neg_diag), strict=True):
        # SciPy's origin of -1 corresponds to an anchor at the top left.
        ours = ndimage.correlate(image, kernel.weights, mode="nearest", origin=-1)
        assert kernel.anchor == (0, 0)
        assert np.allclose(ours[inner], theirs(image)[inner], atol=1e-12)


def test_kirsch_responds_most_in_the_direction_of_the_bright_side():
    offsets = dict(zip(DIRECTIONS, [(-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1)], strict=True))
    for name, (down, right) in offsets.items():
        weights = kirsch(name)
        rows, columns = np.mgrid[-1:2, -1:2]
        bright = (rows * down + columns * right > 0).astype(float)
        answers = {other: (kirsch(other) * bright).sum() for other in DIRECTIONS}
        assert max(answers, key=lambda key: answers[key]) == name
        assert answers[name] == 15
        assert sorted(weights.ravel()) == [-3] * 5 + [0] + [5] * 3
        assert weights.sum() == 0
    assert np.array_equal(kirsch("NW"), [[5, 5, -3], [5, 0, -3], [-3, -3, -3]])


def test_emboss_brightens_the_side_facing_the_light():
    plateau = np.zeros((9, 9))
    plateau[3:6, 3:6] = 1
    for light, (bright, dark) in {"nw": ((3, 3), (5, 5)), "e": ((4, 5), (4, 3)), "s": ((5, 4), (3, 4))}.items():
        relief = ndimage.correlate(plateau, emboss(light))
        assert relief[bright] > 1 > relief[dark]
        assert emboss(light).sum() == 1


@pytest.mark.parametrize(("function", "parameter"), [(kirsch, "direction"), (emboss, "light")])
def test_an_unknown_direction_is_rejected_with_the_list_of_directions(function, parameter):
    with pytest.raises(KernelError, match=f"{parameter} must be one of n, nw, w, sw, s, se, e, ne, found 'north'"):
        function("north")
