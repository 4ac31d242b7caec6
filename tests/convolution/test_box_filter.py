"""The method `box_filter`: every possible mean of every supported number of pixels, and floats compared with SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.convolution.options import make_options
from imgconv.convolution.planner import make_plan, plan_for
from imgconv.kernels.kernel import Kernel
from tests import definition

BOX = METHODS["box_filter"]


def mean(shape):
    return np.ones(shape) / (shape[0] * shape[1])


def filtered(image, shape, **options):
    return correlate(image, mean(shape), method="box_filter", **options)


def rejection(of, shape, **options):
    return BOX.supports(make_plan((40, 50), of, mean(shape), **options).job)


def ramp(count, low, high):
    """Return a line whose sums over `count` pixels are all possible ones, in ascending order."""
    return np.repeat(np.arange(low, high + 1), count)


def nearest(sums, count):
    """Return sums / count, rounded; an odd count has no ties."""
    return (2 * sums + count) // (2 * count)


def check_all_sums(count, dtype):
    """Check the means along a row, a column and adjacent columns for every sum of `count` pixels."""
    limits = np.iinfo(dtype)
    line = ramp(count, limits.min, limits.max).astype(dtype)
    sums = np.arange(count * limits.min, count * limits.max + 1)
    expected = nearest(sums, count)
    assert np.array_equal(filtered(line[None], (1, count), mode="valid")[0], expected)
    if count < 1000:
        assert np.array_equal(filtered(line[:, None], (count, 1), mode="valid")[:, 0], expected)
        beside = np.repeat(line[: 1 << 16, None], 33, axis=1)  # so many that OpenCV processes several at once
        assert (filtered(beside, (count, 1), mode="valid") == expected[: len(beside) - count + 1, None]).all()


# Bytes: areas up to 256 are summed in 16 bits by OpenCV, larger ones in 32


@pytest.mark.parametrize("first", range(1, 256, 32))
def test_every_mean_of_up_to_255_bytes_is_exact(first):
    for count in range(first, min(first + 32, 256), 2):
        check_all_sums(count, np.uint8)


@pytest.mark.parametrize("count", [257, 289, 441, 961, 1023, 3969, 8191, 10963])
def test_every_mean_of_more_bytes_is_exact(count):
    check_all_sums(count, np.uint8)


def largest_supported(of):
    """Return the largest odd number of pixels for which a mean is supported."""
    low, high = 1, 2**17 + 1
    while high - low > 2:
        middle = (low + high) // 4 * 2 + 1
        rejected = BOX.supports(make_plan((1, 50), of, mean((1, middle))).job)
        low, high = (low, middle) if rejected else (middle, high)
    return low


@pytest.mark.parametrize(("of", "most"), [("uint8", 10965), ("uint16", 41), ("int16", 85)])
def test_the_largest_supported_mean_has_the_bits_of_the_exact_sum(of, most):
    assert abs(largest_supported(of) - most) <= 2
    check_all_sums(largest_supported(of), np.dtype(of))


@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (5, 3), (7, 9), (15, 17), (5, 51)], ids=str)
def test_every_mean_over_a_rectangle_of_bytes_is_exact(shape):
    """In each block one row is a ramp and the others are flat, at levels so close that no sum is left out."""
    rows, columns = shape
    levels = range(0, 256, 255 // (rows - 1)) if rows > 2 else range(256)
    line = ramp(columns, 0, 255)
    blocks = [np.vstack([line, np.full((rows - 1, line.size), level)]) for level in levels]
    blocks.append(np.full((rows, line.size), 255))
    pixels = np.vstack(blocks).astype(np.uint8)
    sums = np.add.reduceat(pixels.astype(int), range(0, len(pixels), rows), axis=0)
    sums = sliding_window_view(sums, columns, axis=1).sum(-1)
    assert len(np.unique(sums)) > 0.9 * 255 * rows * columns
    got = filtered(pixels, shape, mode="valid", stride=(rows, 1))
    assert np.array_equal(got, nearest(sums, rows * columns))


@pytest.mark.parametrize("shape", [(17, 17), (15, 19), (31, 31), (63, 63), (103, 105)], ids=str)
def test_means_over_large_rectangles_are_exact_for_random_and_extreme_bytes(shape):
    rng = np.random.default_rng(shape)
    noise = rng.integers(0, 256, (140, 150), np.uint8)
    one_less = np.full((140, 150), 255, np.uint8)
    one_less[70, 75] = 0
    pictures = [noise, np.where(noise > 30, 255, 0).astype(np.uint8), np.full_like(noise, 255), one_less, 254 + noise % 2]
    for pixels in pictures:
        around = np.pad(pixels.astype(int), [(n // 2,) * 2 for n in shape], "reflect")
        down = sliding_window_view(around, shape[0], axis=0).sum(-1)
        sums = sliding_window_view(down, shape[1], axis=1).sum(-1)
        assert np.array_equal(filtered(pixels, shape), nearest(sums, shape[0] * shape[1]))


# 16 bits


@pytest.mark.parametrize("count", [3, 9, 15, 25])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_every_mean_of_16_bit_pixels_is_exact(dtype, count):
    check_all_sums(count, dtype)


@pytest.mark.parametrize(("shape", "supported"), [((3, 3), True), ((5, 5), True), ((7, 7), False)], ids=str)
def test_means_over_rectangles_of_16_bit_pixels_are_exact(shape, supported):
    assert (rejection("uint16", shape) is None) == supported
    if supported:
        for level in (0, 60000):
            pixels = np.random.default_rng(level).integers(level, 65536, (70, 80, 3), np.uint16)
            sums = definition.correlate(pixels, np.ones(shape, int))
            assert np.array_equal(filtered(pixels, shape), nearest(sums.total, shape[0] * shape[1]))


# Rejected jobs


@pytest.mark.parametrize(
    ("of", "kernel", "options", "words"),
    [
        ("uint8", mean((2, 3)), {}, "bits of the exact sum"),
        ("uint8", mean((4, 4)), {}, "bits of the exact sum"),
        ("uint8", mean((105, 107)), {}, "bits of the exact sum"),
        ("uint8", np.ones((3, 3)), {}, "do not sum to 1"),
        ("uint8", [[0.3, 0.4, 0.3]], {}, "not all the same"),
        ("float32", -mean((3, 3)), {}, "do not sum to 1"),
        ("uint8", mean((3, 3)), {"delta": 1}, "does not support a delta"),
        ("float32", mean((3, 3)), {"delta": 0.5}, "does not support a delta"),
        ("uint8", mean((3, 3)), {"dilation": 2}, "not all the same"),
        ("uint8", mean((3, 3)), {"border": "renormalize"}, "divide by the weight inside"),
        ("uint8", mean((3, 3)), {"border": "constant", "border_value": -1}, "cannot hold the border value"),
        ("float64", mean((3, 3)), {}, "error bound"),
        ("uint8", mean((3, 3)), {"range_policy": "abs"}, "range abs"),
    ],
    ids=str,
)
def test_unsupported_jobs_are_rejected(of, kernel, options, words):
    job = plan_for((40, 50), np.dtype(of), Kernel(kernel), make_options(**options)).job
    assert words in BOX.supports(job)


# Floats, borders and positions


@pytest.mark.parametrize("shape", [(3, 3), (4, 6), (9, 2), (31, 31), (1, 200)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors_of_floats_are_within_the_reported_bound(dtype, shape):
    pixels = np.random.default_rng(7).normal(size=(300, 220)).astype(dtype)
    options = {"tolerance": 1e-9} if dtype == "float64" else {}
    exact = ndimage.correlate(pixels.astype(np.longdouble).astype(float), mean(shape), mode="mirror")
    error = BOX.error(make_plan(pixels.shape, dtype, mean(shape), **options).job)
    off = np.abs(filtered(pixels, shape, **options) - exact).max()
    assert off <= error * np.abs(pixels).max() + 1e-15 * shape[0] * shape[1], f"{off:.3g} of {error:.3g}"


@pytest.mark.parametrize(
    "options",
    [
        {"border": "constant", "border_value": [9, 200]},
        {"border": "replicate", "anchor": (0, 4)},
        {"border": "reflect", "stride": (3, 2), "anchor": (2, 0)},
        {"border": "wrap", "mode": "full"},
        {"border": "constant,reflect101", "border_value": 255, "mode": "full", "stride": 2},
        {"border": "reflect,constant"},
        {"mode": "valid", "stride": (1, 4)},
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [(30, 27, 2), (2, 3, 2), (1, 40, 2), (33, 1, 2)], ids=str)
def test_means_are_exact_with_borders_anchors_modes_and_strides(size, options):
    if options.get("mode") == "valid" and min(size[0] - 2, size[1] - 4) < 1:
        size = (9, 11, 2)
    pixels = np.random.default_rng(8).integers(0, 256, size)
    down, _, across = options.get("border", "reflect101").partition(",")
    plain = {name: value for name, value in options.items() if name != "border"}
    plain["stride"] = (plain["stride"],) * 2 if isinstance(plain.get("stride"), int) else plain.get("stride", (1, 1))
    sums = definition.correlate(pixels, np.ones((3, 5), int), border=(down, across or down), **plain)
    for dtype in ("uint8", "uint16", "int16"):
        assert np.array_equal(filtered(pixels.astype(dtype), (3, 5), **options), nearest(sums.total, 15)), dtype
    assert np.abs(filtered(pixels.astype(np.float32), (3, 5), **options) - sums.total / 15).max() < 1e-4


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38], ids=str)
def test_a_bad_pixel_affects_no_output_beyond_the_kernel(bad):
    pixels = np.random.default_rng(9).normal(size=(200, 90)).astype(np.float32)
    clean, reached = filtered(pixels, (5, 7)), np.zeros(pixels.shape, bool)
    pixels[50, 40] = bad
    reached[48:53, 37:44] = True
    got = filtered(pixels, (5, 7))
    assert np.allclose(got[~reached], clean[~reached], rtol=1e-5, atol=1e-6)
    if bad != 3e38:
        assert np.array_equal(got[reached], np.full(35, bad, np.float32), equal_nan=True)
