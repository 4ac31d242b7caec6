"""The method `dft`: float32 transforms of difficult pictures, tiles of every shape, and two tiles in one transform."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from tests import definition

DFT = METHODS["dft"]
SHAPE = (190, 233)


def dft(image, kernel, **options):
    return correlate(image, kernel, method="dft", **options)


# Float32 and its error bound. A kernel whose absolute weights sum to 1 has sums as large as the pixels.


def random(shape):
    return np.random.default_rng(shape).normal(size=shape)


def alternating(shape):
    return (-1.0) ** np.indices(shape).sum(0) * np.random.default_rng(shape).uniform(0.9, 1, shape)


def one_huge_tap(shape):
    weights = np.random.default_rng(shape).normal(size=shape) / shape[0]
    weights[1, -2] = 1000
    return weights


def bright(shape):
    return np.random.default_rng(shape).uniform(0.9, 1, shape)


WEIGHTS = (random, alternating, one_huge_tap, bright)
ROWS, COLUMNS = np.indices(SHAPE)
PICTURES = {
    "constant": np.ones(SHAPE),
    "checkerboard": (ROWS + COLUMNS) % 2,
    "impulses": (ROWS % 61 == 30) & (COLUMNS % 53 == 7),
    "dark impulses": (ROWS % 61 != 30) | (COLUMNS % 53 != 7),
    "random": np.random.default_rng(1).uniform(size=SHAPE),
    "random extremes": np.random.default_rng(2).integers(0, 2, SHAPE),
    "half black, half white": COLUMNS > 100,
    "zone plate": 0.5 + 0.5 * np.cos(np.pi / SHAPE[1] * ((ROWS - 95) ** 2 + (COLUMNS - 116) ** 2)),
}


@pytest.mark.parametrize("shape", [(9, 9), (13, 15), (31, 31), pytest.param((63, 63), marks=pytest.mark.long)], ids=str)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_float32_transforms_stay_well_below_their_bound(dtype, weights, shape):
    kernel, top = weights(shape), np.iinfo(dtype).max
    kernel /= np.abs(kernel).sum()
    options = {"dtype": "float32", "tolerance": 1}
    job = make_plan(SHAPE, dtype, kernel, **options).job
    assert DFT.dtype(job) == np.float32
    bound, worst = DFT.error(job) * top, (0.0, "")
    for name, picture in PICTURES.items():
        pixels = np.rint(picture * top).astype(dtype)
        exact = ndimage.correlate(pixels.astype(float), kernel, mode="mirror")
        worst = max(worst, (float(np.abs(dft(pixels, kernel, **options) - exact).max()), name))
    assert worst[0] < bound / 2, f"{worst[1]}: off by {worst[0]:.3g} levels, {bound / worst[0]:.2g} times below the bound"


@pytest.mark.long
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_float32_transforms_of_large_pictures_stay_well_below_their_bound(dtype, weights):
    kernel, top, rng = weights((63, 63)), np.iinfo(dtype).max, np.random.default_rng(1)
    kernel /= np.abs(kernel).sum()
    options = {"dtype": "float32", "tolerance": 1}
    bound = DFT.error(make_plan((700, 900), dtype, kernel, **options).job) * top
    matched = np.where(np.tile(kernel > 0, (12, 15))[:700, :900], top, 0)
    for pixels in (np.full((700, 900), top), rng.integers(0, top, (700, 900)), matched):
        exact = ndimage.correlate(pixels.astype(float), kernel, mode="mirror")
        off = np.abs(dft(pixels.astype(dtype), kernel, **options) - exact).max()
        assert off < bound / 2, f"off by {off:.3g} levels, {bound / off:.2g} times below the bound"


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_errors_in_the_type_of_the_image_are_within_those_of_a_plain_sum(dtype, weights):
    kernel, top = weights((17, 14)), np.iinfo(dtype).max
    kernel /= np.abs(kernel).sum()
    pixels = np.random.default_rng(3).integers(0, top, SHAPE, dtype, endpoint=True)
    job = make_plan(SHAPE, dtype, kernel).job
    assert DFT.supports(job) is None
    exact = ndimage.correlate(pixels.astype(float), kernel, mode="mirror").clip(0, top)
    assert np.abs(dft(pixels, kernel) - exact).max() <= 0.5 + min(job.arithmetic.allowed * top, 0.5)


def test_float32_is_used_while_its_bound_allows_it_and_float64_beyond():
    weights = np.random.default_rng(4).integers(-9, 10, (9, 9))
    types = {}
    for factor in (1, 10, 100, 1000, 10_000):
        whole = weights * factor
        whole[0, 0] += 1
        job = make_plan(SHAPE, "uint8", whole).job
        types[factor] = DFT.dtype(job).name
        assert DFT.error(job) * 255 < 0.5
        pixels = np.random.default_rng(5).integers(0, 256, (70, 80), np.uint8)
        assert np.array_equal(dft(pixels, whole, dtype="float64"), definition.correlate(pixels, whole).total)
    assert (types[1], types[10_000]) == ("float32", "float64")
    assert list(types.values()) == sorted(types.values())


@pytest.mark.parametrize(
    ("of", "tolerance", "name"), [("float32", 0, "float64"), ("float32", 1e-4, "float32"), ("float64", 1e-6, "float64")]
)
def test_floats_are_transformed_in_float32_with_a_tolerance_only(of, tolerance, name):
    assert DFT.dtype(make_plan(SHAPE, of, random((15, 15)), tolerance=tolerance).job) == name


# Tiles


SIZES = [(1, 1), (1, 300), (300, 1), (2, 3), (63, 64), (65, 129), (200, 61), (127, 257), (40, 1100)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_sums_are_exact_in_partial_tiles_and_images_smaller_than_the_kernel(size):
    kernel = np.random.default_rng(size).integers(-9, 10, (11, 8))
    pixels = np.random.default_rng(6).integers(0, 256, (*size, 5), np.uint8)
    sums = definition.correlate(pixels, kernel).total
    for channels in (0, slice(1), slice(2), slice(3), slice(4), slice(5)):
        image = np.ascontiguousarray(pixels[..., channels])
        assert np.array_equal(dft(image, kernel, dtype="int32"), sums[..., channels]), channels


@pytest.mark.parametrize(
    "options",
    [
        {"stride": (2, 3)},
        {"stride": (7, 1), "mode": "full"},
        {"stride": 90},
        {"dilation": (3, 5), "border": ("wrap", "reflect")},
        {"dilation": (2, 1), "stride": (3, 2), "mode": "valid"},
        {"border": ("constant", "constant"), "border_value": [7, 300, -5], "mode": "full"},
        {"border": ("replicate", "wrap"), "anchor": (0, 6), "stride": (1, 4)},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_sums_are_exact_with_strides_dilations_borders_and_anchors(dtype, options):
    kernel = np.random.default_rng(7).integers(-9, 10, (5, 7))
    pixels = np.random.default_rng(8).integers(0, np.iinfo(dtype).max, (141, 190, 3), dtype, endpoint=True)
    stride = options.get("stride", 1)
    plain = {**options, "stride": (stride, stride) if isinstance(stride, int) else stride}
    exact = definition.correlate(pixels, kernel, **plain).total
    assert np.array_equal(dft(pixels, kernel, dtype="float64", **options), exact)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("columns", [200, 640, 1501])
def test_two_tiles_in_one_transform_do_not_leak_into_one_another(side, columns):
    """One half has the extremes of 32 bits, the other small values: whole sums are exact everywhere."""
    kernel = np.zeros((9, 11), int)
    kernel[[0, 3, 8], [2, 10, 0]] = [3, -1, 2]
    pixels = np.random.default_rng(9).integers(-3, 4, (150, columns), np.int32)
    half = slice(0, columns // 2) if side == "left" else slice(columns // 2, columns)
    pixels[:, half] = np.random.default_rng(10).choice([-(2**31), 2**31 - 1], pixels[:, half].shape)
    assert np.array_equal(dft(pixels, kernel, dtype="float64"), definition.correlate(pixels, kernel).total)


@pytest.mark.parametrize("columns", [200, 640])
def test_a_picture_with_a_black_half_stays_within_the_error_bound(columns):
    kernel = random((9, 11)) / 30
    pixels = np.random.default_rng(11).integers(0, 256, (120, columns), np.uint8)
    pixels[:, columns // 2 :] = 0
    got, options = dft(pixels, kernel, dtype="float32"), {"border": "constant", "dtype": "float32"}
    bound = DFT.error(make_plan(pixels.shape, "uint8", kernel, **options).job) * 255
    assert np.abs(got[:, columns // 2 + 11 :]).max() <= bound
    exact = ndimage.correlate(pixels.astype(float), kernel, mode="mirror")
    assert np.abs(got - exact).max() <= bound


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (2, 1200), (1100, 3), (70, 90)], ids=str)
@pytest.mark.parametrize("size", [(40, 50), (300, 400), (300, 400, 3)], ids=str)
def test_kernels_of_any_length_have_tiles(shape, size):
    job = make_plan(size, "uint8", np.ones(shape)).job
    assert DFT.rows(job) >= 1
    assert math.isfinite(DFT.error(job))
    assert math.isfinite(DFT.work(job).transforms)


def test_a_long_kernel_gives_exact_sums():
    pixels = np.random.default_rng(12).integers(0, 256, (30, 40), np.uint8)
    kernel = np.random.default_rng(13).integers(-9, 10, (1, 1201))
    assert np.array_equal(dft(pixels, kernel, dtype="float64"), definition.correlate(pixels, kernel).total)


@pytest.mark.parametrize("channels", [(), (3,), (4,)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_one_thread_and_many_give_the_same_bits(dtype, channels):
    pixels = (np.random.default_rng(14).uniform(size=(500, 333, *channels)) * 255).astype(dtype)
    kernel = random((15, 9))
    job = make_plan(pixels.shape, dtype, kernel).job
    assert DFT.strips(job) > 1
    one = dft(pixels, kernel, jobs=1)
    for jobs in (2, 4):
        assert np.array_equal(dft(pixels, kernel, jobs=jobs), one)


# Floats


def test_dark_pixels_beside_bright_ones_keep_their_relative_precision():
    pixels = np.random.default_rng(15).uniform(0.5, 1, (200, 500)).astype(np.float32)
    pixels[:, 250:] *= 1e-9
    pixels[20, 20] = 1e12
    kernel = np.abs(random((13, 12)))
    got, exact = dft(pixels, kernel), ndimage.correlate(pixels.astype(float), kernel, mode="mirror")
    assert np.abs(got / exact - 1).max() < 1e-5


@pytest.mark.parametrize("tolerance", [0, 1e-4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors_of_floats_are_within_bound_and_tolerance(dtype, tolerance):
    tolerance = tolerance or (1e-9 if dtype == "float64" else 0)
    pixels, kernel = np.random.default_rng(16).normal(size=SHAPE).astype(dtype), random((21, 19))
    exact = ndimage.correlate(pixels.astype(float), kernel, mode="mirror")
    error = DFT.error(make_plan(SHAPE, dtype, kernel, tolerance=tolerance).job)
    off = np.abs(dft(pixels, kernel, tolerance=tolerance) - exact).max()
    assert off <= error * np.abs(pixels).max() + 2.0**-24 * np.abs(exact).max() * (dtype == "float32")
    assert error <= max(tolerance * np.abs(kernel).sum(), (kernel.size + 2) * 2.0**-24 * np.abs(kernel).sum())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38], ids=str)
@pytest.mark.parametrize("tolerance", [0, 1e-4])
def test_a_bad_pixel_affects_no_output_beyond_the_kernel(tolerance, bad):
    pixels, kernel = np.random.default_rng(17).normal(size=(150, 160)).astype(np.float32), np.abs(random((9, 7)))
    clean, reached = dft(pixels, kernel, tolerance=tolerance), np.zeros(pixels.shape, bool)
    pixels[70, 80] = bad
    reached[66:75, 77:84] = True
    got = dft(pixels, kernel, tolerance=tolerance)
    if bad != 3e38:
        assert np.array_equal(np.isfinite(got), ~reached)
        assert np.array_equal(got[reached], np.full(63, bad, np.float32), equal_nan=True)
        assert np.allclose(got[~reached], clean[~reached], rtol=1e-3, atol=1e-2)
    elif not tolerance:
        assert np.allclose(got[~reached], clean[~reached], rtol=1e-5, atol=1e-4)
