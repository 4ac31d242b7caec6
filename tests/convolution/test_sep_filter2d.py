"""The method `sep_filter2d`: the bits of the contract, from which `cv2.GaussianBlur` deviates, with every option."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from scipy import ndimage, signal

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.kernels.catalog import parse_kernel
from tests import definition
from tests.cases import each

SEPARABLE = METHODS["sep_filter2d"]
PIXELS = np.random.default_rng(1).integers(0, 256, (90, 110, 3), np.uint8)


def noise(dtype, shape=(23, 19, 2)):
    if np.dtype(dtype).kind == "f":
        return (300 * np.random.default_rng(2).normal(size=shape)).astype(dtype)
    limits = np.iinfo(dtype)
    pixels = np.random.default_rng(2).integers(limits.min, limits.max, shape, dtype, endpoint=True)
    pixels[np.random.default_rng(3).random(shape) < 0.2] = limits.max
    return pixels


def separable(image, kernel, **options):
    return correlate(image, kernel, method="sep_filter2d", **options)


def rejection(of, kernel, **options):
    return SEPARABLE.supports(make_plan((40, 50), of, kernel, **options).job)


def mirrored(image, weights):
    """Return the sums in float64, computed by SciPy."""
    return np.stack([ndimage.correlate(plane, weights, mode="mirror") for plane in np.moveaxis(image.astype(float), -1, 0)], -1)


# Gaussians


@pytest.mark.parametrize("sigma", [0.5, 0.8, 1, 1.5, 2.3, 4])
def test_a_gaussian_of_bytes_is_the_exact_sum_rounded_once(sigma):
    kernel = parse_kernel(f"gaussian:sigma={sigma}")
    exact, got = mirrored(PIXELS, kernel.weights), separable(PIXELS, kernel)
    error = SEPARABLE.error(make_plan(PIXELS.shape, "uint8", kernel).job) * 255
    assert error < 0.01
    from_tie = np.abs(exact - np.floor(exact) - 0.5)
    assert np.array_equal(got[from_tie > error], np.rint(exact)[from_tie > error].astype(np.uint8))
    assert np.abs(got - exact).max() <= 0.5 + error


def test_gaussian_blur_of_opencv_deviates_from_the_exact_sum():
    """OpenCV rounds the weights to 256ths for bytes, so `GaussianBlur` is not used as a method."""
    kernel = parse_kernel("gaussian:sigma=2.3")
    exact = mirrored(PIXELS, kernel.weights)
    line = cv2.getGaussianKernel(kernel.shape[1], 2.3)
    assert np.abs(np.outer(line, line) - kernel.weights).max() < 1e-3
    blurred = cv2.GaussianBlur(PIXELS, kernel.shape[::-1], 2.3)
    own = np.rint(mirrored(PIXELS, np.outer(line, line)))
    assert np.count_nonzero(blurred != own) > 0.01 * own.size
    assert np.count_nonzero(separable(PIXELS, kernel) != np.rint(exact)) == 0


@pytest.mark.parametrize("taps", [(3, 3), (5, 5), (1, 3), (3, 7), (4, 4), (2, 5)], ids=str)
def test_ties_of_binomials_are_rounded_to_even(taps):
    lines = [np.array([1])] * 2
    for n, count in enumerate(taps):
        for _ in range(count - 1):
            lines[n] = np.convolve(lines[n], [1, 1])
    whole, scale = np.outer(*lines), Fraction(1, 2 ** (sum(taps) - 2))
    pixels = np.random.default_rng(4).integers(100, 104, (60, 61), np.uint8)  # few levels, so that ties are frequent
    sums = definition.correlate(pixels, whole)
    expected, got = definition.fit_exactly(sums, np.uint8, scale=scale), separable(pixels, whole / whole.sum())
    assert np.array_equal(got, expected)
    ties = 2 * sums.total % (2 * scale.denominator) == scale.denominator
    assert ties.sum() > 10
    assert (got[ties] % 2 == 0).all()
    if taps == (3, 3):  # OpenCV rounds ties up
        blurred = cv2.GaussianBlur(pixels, (3, 3), 0)
        assert np.array_equal(blurred, np.floor(sums.total / 16 + 0.5))
        assert (blurred[ties] != expected[ties]).any()


# Borders, anchors, strides, dilations and deltas


COLUMN, ROW = np.array([1, -2, 3, 1]), np.array([2, 1, -1, 3, 0])
CASES = [
    {},
    {"border": "constant", "border_value": [7, 99]},
    {"border": "replicate", "anchor": (0, 4)},
    {"border": "reflect", "stride": (2, 3)},
    {"border": "wrap", "mode": "full"},
    {"border": "reflect101,wrap", "dilation": (2, 3), "anchor": (3, 0)},
    {"border": "constant,replicate", "border_value": 100, "dilation": (1, 4), "stride": (3, 1)},
    {"border": "reflect,constant", "border_value": 5, "mode": "full", "stride": (2, 2)},
    {"mode": "valid", "dilation": (3, 2)},
    {"delta": -20.5},
    {"delta": 7, "border": "wrap,constant"},
    {"delta": 0.25, "mode": "valid"},
]


def sums_of(image, weights, border="reflect101", delta=0, **options):
    down, _, across = border.partition(",")
    return definition.correlate(image, weights, border=(down, across or down), **options)


@pytest.mark.parametrize("options", CASES, ids=str)
@each("dtype", ["uint8", "uint16", "int16"])
@each("scale", [1, 32])
def test_whole_weights_over_a_power_of_two_have_the_bits_of_the_exact_sum(dtype, scale, options):
    pixels, delta = noise(dtype), Fraction(options.get("delta", 0))
    sums = sums_of(pixels, np.outer(COLUMN, ROW), **options)
    expected = definition.fit_exactly(sums, dtype, scale=Fraction(1, scale), delta=delta)
    assert np.array_equal(separable(pixels, np.outer(COLUMN, ROW) / scale, **options), expected)


@pytest.mark.parametrize("options", CASES, ids=str)
@each("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_errors_of_real_weights_are_within_the_reported_bound(dtype, options):
    pixels, rng = noise(dtype), np.random.default_rng(5)
    kernel = np.outer(rng.normal(size=5), rng.normal(size=4)) / 5
    options = {**options, "anchor": (0, 3)} if "anchor" in options else options
    exact = definition.as_floats(sums_of(pixels, kernel, **options), delta=options.get("delta", 0))
    job = make_plan(pixels.shape, dtype, kernel, **options).job
    bound = SEPARABLE.error(job) * max(np.abs(pixels.astype(float)).max(), 100) + 2.0**-23 * abs(options.get("delta", 0))
    got = separable(pixels, kernel, **options)
    if dtype[0] != "f":
        exact, bound = exact.clip(np.iinfo(dtype).min, np.iinfo(dtype).max), 0.5 + bound
    assert np.abs(got - exact).max() <= bound + 2.0**-24 * np.abs(exact).max() * (dtype == "float32")


@pytest.mark.parametrize(
    ("column", "row"),
    [
        ([1, 2, 1], [1, 1, 1]),
        ([1, 1], [1, 1]),
        ([1, 1, 1], [1, 1, 1]),
        ([0, 1, 0], [0, 0, 1]),
        ([0.25, 0.5, 0.25], [0.5, 0.25, 0.25]),
        ([128, 64, 64], [64, 128, 64]),
        ([-1, 0, 1], [1, 2, 1]),
        ([-1, 0, 1], [-1, 0, 1]),
        ([1, -2, 1], [0, 3, 0]),
    ],
    ids=str,
)
@each("factor", [1, Fraction(1, 2), Fraction(1, 256), Fraction(1, 65536)])
def test_no_kernel_triggers_the_integer_arithmetic_of_opencv(column, row, factor):
    """OpenCV detects smooth, symmetric and whole lines, and then rounds the weights or the sums between the passes."""
    weights = np.outer(column, row)
    fractions = Fraction(1, 16) if weights.dtype == float else Fraction(1)
    whole = np.rint(weights / float(fractions)).astype(int)
    for of in ("uint8", "int16"):
        pixels = noise(of)
        if rejection(of, weights * float(factor)) is None:
            expected = definition.fit_exactly(definition.correlate(pixels, whole), of, scale=fractions * factor)
            assert np.array_equal(separable(pixels, weights * float(factor)), expected)
        else:
            assert np.abs(whole).sum() * 32768 > 2**24


@pytest.mark.parametrize("factor", [1e-12, 1e-30, 1e30])
def test_lines_of_very_different_sizes_neither_underflow_nor_overflow(factor):
    pixels, column, row = noise("float32")[..., 0], signal.windows.gaussian(9, 2), np.array([1.0, 2, 3])
    got = separable(pixels, np.outer(column * factor, row))
    exact = definition.correlate(pixels, np.outer(column, row)).total * factor
    assert np.abs(got - exact).max() <= 1e-6 * np.abs(exact).max()


@each("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (1, 1, 3), (5, 1, 9)])
@pytest.mark.parametrize("border", ["constant", "replicate", "reflect", "reflect101", "wrap"])
def test_an_image_smaller_than_the_kernel_gives_exact_sums(shape, border):
    pixels, weights = noise("uint8", shape), np.outer([1, 2, 0, 3, 1, 4, 1], [1, 0, 2, 1, 1, 3])
    expected = definition.fit_exactly(
        definition.correlate(pixels, weights, border=(border,) * 2), "uint8", scale=Fraction(1, 64)
    )
    assert np.array_equal(separable(pixels, weights / 64, border=border), expected)


# NaN, infinity and rejected jobs


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_and_infinity_affect_no_output_beyond_the_weights(dtype, bad):
    kernel = np.outer([0.5, 0, 0.25, 1], [1, 0.3, 0, 0.2, 0.7])  # with zeros, whose products would be NaN
    pixels = noise(dtype)[..., 0]
    clean = separable(pixels, kernel)
    pixels[11, 9] = bad
    got = separable(pixels, kernel)
    reached = definition.correlate(np.isinf(np.where(np.isnan(pixels), np.inf, pixels)), kernel != 0).total > 0
    assert np.array_equal(~np.isfinite(got), reached)
    assert np.array_equal(got[reached], np.full(reached.sum(), bad), equal_nan=True)
    assert np.allclose(got[~reached], clean[~reached], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("of", "kernel", "options", "words"),
    [
        ("uint8", [[1, 2], [3, 5]], {}, "the kernel has rank 2, not 1"),
        ("float32", np.eye(3), {}, "the kernel has rank 3, not 1"),
        ("uint8", np.zeros((2, 2)), {}, "the kernel has rank 0, not 1"),
        ("uint8", np.ones((2, 3)) / 6, {}, "bits of the exact sum"),
        ("uint16", np.ones((17, 16)), {}, "bits of the exact sum"),
        ("uint8", [[1, 2]], {"border": "renormalize"}, "divide by the weight inside"),
        ("uint8", [[1, 2]], {"dtype": "float32"}, "not uint8 to float32"),
        ("uint8", [[1, 2j]], {}, "complex"),
        ("uint8", [[1, 2]], {"border": "constant", "border_value": 0.5}, "cannot hold the border value"),
        ("int32", [[1, 2]], {}, "not int32 to int32"),
        ("float32", [[0.1, 0.7]], {}, "error bound"),
    ],
    ids=str,
)
def test_unsupported_jobs_are_rejected(of, kernel, options, words):
    assert words in rejection(of, kernel, **options)


def test_whole_sums_are_supported_up_to_the_limit_of_float32():
    assert rejection("uint16", np.outer([1, 1], np.ones(128))) is None  # 65535 * 256 < 2**24
    pixels = np.full((3, 300), 65535, np.uint16)
    kernel = np.outer([1, 1], np.ones(128)) / 256
    assert np.array_equal(separable(pixels, kernel), pixels)
    assert "bits of the exact sum" in rejection("uint16", np.outer([1, 1], np.ones(129)))


@pytest.mark.parametrize("method", ["sep_filter2d", "filter2d"])
@each("delta", [-1e12, -3e9, -300, 300, 3e9, 1e12])
@each("dtype", ["uint8", "uint16", "int16"])
@each("kernel", [np.outer(*np.random.default_rng(3).uniform(size=(2, 4))), [[1, 2], [2, 4]]])
def test_a_delta_beyond_every_integer_saturates_or_is_rejected(method, kernel, dtype, delta):
    pixels, limits = noise("uint8", (5, 66)).astype(dtype) // 16, np.iinfo(dtype)
    job = make_plan(pixels.shape, dtype, kernel, delta=delta).job
    expected = np.clip(definition.correlate(pixels, np.array(kernel)).total + delta, limits.min, limits.max)
    for chosen in (method, "auto"):
        if chosen == "auto" or METHODS[method].supports(job) is None:
            assert np.abs(correlate(pixels, kernel, delta=delta, method=chosen) - expected).max() <= 0.51
