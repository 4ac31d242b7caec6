"""The method `summed_area`: integers that wrap around, areas of one weight, and floats compared with exact sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage, signal

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.errors import UsageError

SUMMED_AREA = METHODS["summed_area"]


def job(shape, of, kernel, **options):
    return make_plan(shape, of, kernel, engine="numpy", **options).job


def summed_area(image, kernel, **options):
    return correlate(image, kernel, engine="numpy", method="summed_area", **options)


# Integers that overflow in intermediate results


@pytest.mark.parametrize(
    ("of", "shape", "sums"),
    [
        ("uint8", (8, 16), "int16"),  # 255 * 128 is 32640
        ("uint8", (3, 43), "int32"),  # 255 * 129 is 32895
        ("int8", (5, 51), "int16"),  # 128 * 255 is 32640
        ("int8", (16, 16), "int32"),  # 128 * 256 is 32768
        ("uint16", (151, 217), "int32"),  # 65535 * 32767 is below 2**31
        ("uint16", (99, 331), "float64"),  # 65535 * 32769 is just beyond
        ("int16", (3, 7), "int32"),
        ("int32", (1, 1), "float64"),  # 2**31 is one too many for int32
    ],
)
@pytest.mark.parametrize("content", ["largest", "least", "both"])
def test_sums_at_the_limits_of_an_integer_type_are_exact(content, of, shape, sums):
    limits, size = np.iinfo(of), (300, 400)
    image = np.full(size, limits.min if content == "least" else limits.max, of)
    if content == "both":
        image[np.indices(size).sum(0) % 3 == 0] = limits.min
    kernel = np.ones(shape)
    assert SUMMED_AREA.dtype(job(size, of, kernel)) == sums
    assert SUMMED_AREA.error(job(size, of, kernel)) == 0
    wide = np.pad(image.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))  # in 64 bits, where nothing overflows
    rows, columns = shape
    expected = wide[rows:, columns:] - wide[:-rows, columns:] - wide[rows:, :-columns] + wide[:-rows, :-columns]
    if content == "largest" and (sums == "int16" or of == "uint16"):
        assert wide.max() > np.iinfo(sums if sums == "int16" else "int32").max  # the integral image itself does not fit
    got = summed_area(image, kernel, mode="valid", dtype="float64")
    assert np.array_equal(got, expected)


def frame():
    kernel = np.ones((11, 14), np.int64)
    kernel[3:-3, 2:-5] = 0
    return kernel


def haar():
    return np.kron([[1, -1], [-1, 1]], np.ones((6, 5), np.int64))


def steps():
    kernel = np.ones((13, 15), np.int64)
    kernel[2:9, 3:11] = 5
    kernel[4:6, 7:8] = -3
    return kernel


def edge():
    return np.repeat([[-2, 0, 3]], 9, axis=0).repeat(4, axis=1)


def noise():
    return np.random.default_rng(1).integers(-9, 10, (5, 4))


@pytest.mark.parametrize("of", ["uint8", "int16", "uint16", "int32"])
@pytest.mark.parametrize("kernel", [frame, haar, steps, edge, noise])
def test_sums_over_areas_of_one_weight_each_are_exact(kernel, of):
    limits, weights = np.iinfo(of), kernel()
    image = np.random.default_rng(2).integers(limits.min, limits.max, (70, 61), of, endpoint=True)
    expected = ndimage.correlate(image.astype(np.int64), weights, mode="reflect")
    assert np.array_equal(summed_area(image, weights, border="reflect", dtype="float64"), expected)
    if of == "int32":
        return  # every tap of a dilated kernel is an area of its own: too many for exact sums over such pixels
    inner = signal.correlate2d(image.astype(np.int64), np.kron(weights, [[1, 0], [0, 0]])[:-1, :-1], mode="valid")
    got = summed_area(image, weights, mode="valid", dilation=2, stride=(3, 2), dtype="float64")
    assert np.array_equal(got, inner[::3, ::2])


def test_the_work_of_a_box_does_not_depend_on_its_size():
    works = [SUMMED_AREA.work(job((4000, 4000), "uint8", np.ones((n, n)))).multiply_adds for n in (3, 9, 11)]
    assert len(set(works)) == 1
    assert SUMMED_AREA.work(job((4000, 4000), "uint8", frame())).multiply_adds > works[0]


def test_whole_weights_too_large_for_integers_are_exact_up_to_the_bound_and_rejected_beyond_it():
    def weights(n):
        return np.array([[n, -n + 1, 7], [3, n - 5, 5], [1, n - 99, -n]])

    image = np.where(np.indices((300, 400)).sum(0) % 5, 65535, 65000).astype(np.uint16)
    low, high = 1, 2**30
    while high - low > 1:
        middle = (low + high) // 2
        supported = SUMMED_AREA.supports(job(image.shape, "uint16", weights(middle))) is None
        low, high = (middle, high) if supported else (low, middle)
    assert low > 1000
    expected = ndimage.correlate(image.astype(np.float64), weights(low), mode="mirror")  # below 2**53: exact
    assert np.array_equal(summed_area(image, weights(low), dtype="float64"), expected)
    with pytest.raises(UsageError, match=r"method summed_area cannot do this: its error bound is \S+ levels of the sum"):
        summed_area(image, weights(high))


# Floating point


def exact_at(image, kernel, at):
    rows, columns = kernel.shape
    window = image[at[0] : at[0] + rows, at[1] : at[1] + columns]
    return math.fsum((kernel * window.astype(np.float64)).ravel())


@pytest.mark.parametrize("of", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("scale", [1.0, 0.5])  # products with these are exact, and so is fsum
def test_errors_of_floats_are_within_the_bound(scale, of):
    rng = np.random.default_rng(3)
    image = (rng.normal(size=(500, 600)) + 3).astype(of) if of != "uint8" else rng.integers(0, 256, (500, 600), np.uint8)
    kernel = scale * np.pad(np.ones((20, 17)), 4, constant_values=2.0 + (of == "uint8") * 0.5**20)
    options = {"mode": "valid", "tolerance": 1e-5, "dtype": "float32" if of == "float32" else "float64"}
    planned = job(image.shape, of, kernel, **options)
    assert SUMMED_AREA.supports(planned) is None
    largest, got = float(np.abs(image).max()), summed_area(image, kernel, **options)
    places = [(int(rng.integers(473)), int(rng.integers(576))) for _ in range(150)] + [(472, 575), (0, 0), (472, 0)]
    off = max(abs(float(got[at]) - exact_at(image, kernel, at)) for at in places) / largest
    assert off <= SUMMED_AREA.error(planned)
    assert off <= 2e-7 * kernel.sum() * (1 if of == "float32" else 1e-3)


@pytest.mark.parametrize("bad", [np.nan, -np.inf, 2e38], ids=str)
def test_a_bad_pixel_affects_only_windows_that_contain_it(bad):
    image = np.random.default_rng(4).uniform(1, 2, (120, 90)).astype(np.float32)
    kernel = np.ones((6, 9))
    clean = summed_area(image, kernel, mode="valid")
    image[60, 50] = bad
    got = summed_area(image, kernel, mode="valid")
    touched = np.zeros(got.shape, bool)
    touched[55:61, 42:51] = True
    assert np.allclose(got[~touched], clean[~touched], rtol=1e-6, atol=0)
    assert np.allclose(got[touched], np.float32(bad), rtol=1e-6, atol=0, equal_nan=True)


def test_sums_are_correct_if_only_the_integral_image_overflows():
    image = np.full((100, 90), 1e305)
    image[::2] /= 4
    kernel = np.full((9, 7), 1 / 63)
    got = summed_area(image, kernel, tolerance=1e-6)
    assert np.allclose(got, ndimage.correlate(image, kernel, mode="mirror"), rtol=1e-6, atol=0)
