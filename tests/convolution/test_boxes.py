"""The method `boxes`: kernels of few rectangles, exact whole sums however large the parts, floats compared with SciPy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.kernels.catalog import parse_kernel
from tests import definition
from tests.convolution.conftest import noise_with_white

BOXES = METHODS["boxes"]


def painted(shape, *parts):
    """Return weights of 0 with rectangles of other weights painted over one another."""
    weights = np.zeros(shape, int)
    for rows, columns, weight in parts:
        weights[slice(*rows), slice(*columns)] = weight
    return weights


KERNELS = {
    "box": np.ones((6, 5), int),
    "box with margins": painted((7, 9), ((1, 4), (3, 9), -2)),
    "frame": painted((7, 9), ((0, 7), (0, 9), 1), ((2, 5), (1, 8), 0)),
    "high pass": painted((5, 5), ((0, 5), (0, 5), -1), ((2, 3), (2, 3), 24)),
    "boxes minus boxes": painted((9, 8), ((0, 9), (0, 8), 3), ((1, 7), (2, 8), -2), ((3, 6), (3, 5), 5)),
    "edge of Haar": painted((6, 8), ((0, 6), (0, 4), 1), ((0, 6), (4, 8), -1)),
    "line of Haar": painted((6, 9), ((0, 6), (0, 9), -1), ((0, 6), (3, 6), 2)),
    "zeros": np.zeros((3, 3), int),
}
OPTIONS = [
    {},
    {"border": "constant", "border_value": [7, 300]},
    {"border": "wrap,constant", "border_value": -5, "mode": "full"},
    {"border": "replicate", "anchor": (0, 2)},
    {"border": "reflect,wrap", "stride": (2, 3), "anchor": (1, 0)},
    {"mode": "valid", "stride": (3, 1)},
]


def noise(dtype, shape=(31, 29, 2)):
    return noise_with_white(dtype, shape)


def boxes(image, kernel, **options):
    return correlate(image, kernel, method="boxes", **options)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", KERNELS)
def test_whole_sums_are_exact(name, options):
    down, _, across = options.get("border", "reflect101").partition(",")
    for dtype in ("uint8", "int8", "uint16", "int16", "int32", "uint32"):
        pixels, kernel = noise(dtype), KERNELS[name]
        sums = definition.correlate(pixels, kernel, **{**options, "border": (down, across or down)})
        assert np.array_equal(boxes(pixels, kernel, dtype="float64", **options), sums.total), dtype


@given(st.lists(st.tuples(*[st.integers(0, 8)] * 4, st.integers(-9, 9)), max_size=3), st.tuples(*[st.integers(9, 12)] * 2))
def test_rectangles_painted_over_one_another_give_exact_sums(parts, shape):
    kernel = painted(shape, *(((a, a + b), (c, c + d), weight) for a, b, c, d, weight in parts))
    pixels = noise("uint8")
    if BOXES.supports(make_plan(pixels.shape, "uint8", kernel).job) is None:
        assert np.array_equal(boxes(pixels, kernel, dtype="float64"), definition.correlate(pixels, kernel).total)


@pytest.mark.parametrize("divisor", [6, 49, 1000])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("name", ["high pass", "frame", "boxes minus boxes"])
def test_scaled_sums_are_rounded_once(name, dtype, divisor):
    pixels, kernel = noise(dtype), KERNELS[name]
    expected = definition.fit_exactly(definition.correlate(pixels, kernel), dtype, scale=Fraction(1, divisor))
    assert np.array_equal(boxes(pixels, kernel / divisor), expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("low", [0, 60000])
def test_a_box_of_63_by_63_is_exact(dtype, low):
    low = low if dtype == "uint16" else 200 if low else 0
    pixels = np.random.default_rng(3).integers(low, np.iinfo(dtype).max, (130, 140), np.dtype(dtype), endpoint=True)
    table = np.pad(np.pad(pixels.astype(np.int64), 31, "reflect").cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = table[63:, 63:] - table[:-63, 63:] - table[63:, :-63] + table[:-63, :-63]
    assert np.array_equal(boxes(pixels, np.ones((63, 63)) / 3969), (2 * sums + 3969) // (2 * 3969))
    assert np.array_equal(boxes(pixels, np.ones((63, 63)), dtype="float64"), sums)


@pytest.mark.parametrize(("dtype", "size", "thickness"), [("uint16", 255, 2), ("uint16", 261, 1), ("int32", 151, 2)], ids=str)
def test_whole_sums_are_exact_if_the_sums_of_single_boxes_exceed_32_bits(dtype, size, thickness):
    """A wide frame is the difference of two large boxes: 65535 * 261 * 261 exceeds 2**32."""
    pixels = np.full((40, 50), np.iinfo(dtype).max, dtype)
    pixels[17:23, 21] -= np.arange(6).astype(dtype)
    kernel = painted((size, size), ((0, size), (0, size), 1), ((thickness, -thickness),) * 2 + (0,))
    around = np.pad(pixels.astype(np.int64), size // 2, "reflect")
    table = np.pad(around.cumsum(0).cumsum(1), ((1, 0), (1, 0)))

    def summed(n, at):
        high = table[at + n : at + n + 40, at + n : at + n + 50] - table[at : at + 40, at + n : at + n + 50]
        return high - table[at + n : at + n + 40, at : at + 50] + table[at : at + 40, at : at + 50]

    expected = summed(size, 0) - summed(size - 2 * thickness, thickness)
    got = boxes(pixels, kernel, dtype="float64")
    assert np.array_equal(got, expected)
    total = int(kernel.sum())
    assert np.array_equal(boxes(pixels, kernel / total), np.rint(expected / total).astype(dtype))


@pytest.mark.parametrize("name", ["box", "frame", "boxes minus boxes"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_errors_of_real_weights_are_within_the_reported_bound(name, dtype):
    pixels, kernel = noise(dtype)[..., 0], KERNELS[name] * 0.1234567
    options = {"dtype": "float64" if dtype == "float64" else "float32", "tolerance": 1e-9 if dtype == "float64" else 0}
    exact = ndimage.correlate(pixels.astype(float), kernel, mode="mirror")
    error = BOXES.error(make_plan(pixels.shape, dtype, kernel, **options).job)
    off = np.abs(boxes(pixels, kernel, **options) - exact).max()
    assert off <= error * np.abs(pixels.astype(float)).max() + 2.0**-24 * np.abs(exact).max() * (dtype != "float64")


@pytest.mark.parametrize("spec", ["box:size=15", "high_pass"])
def test_kernels_of_the_catalog_are_supported(spec):
    assert BOXES.supports(make_plan((300, 400), "uint8", parse_kernel(spec)).job) is None


@pytest.mark.parametrize(
    ("of", "kernel", "options", "words"),
    [
        ("uint8", [[1, 2, 3], [4, 5, 6]], {}, "not a sum of at most 4 rectangles"),
        ("float32", np.random.default_rng(1).normal(size=(4, 4)), {}, "not a sum of at most 4 rectangles"),
        (
            "uint8",
            painted((9, 2), *(((2 * n, 2 * n + 1), (0, 2), n + 1) for n in range(5))),
            {},
            "not a sum of at most 4 rectangles",
        ),
        ("uint8", np.ones((3, 3)), {"dilation": (1, 2)}, "dilated"),
        ("float64", np.ones((3, 3)), {}, "error bound"),
        ("float32", np.ones((3, 3)), {"border": "renormalize"}, "errors of distant pixels"),
        ("float32", np.ones((3, 3)), {"nan": "ignore"}, "errors of distant pixels"),
    ],
    ids=str,
)
def test_unsupported_jobs_are_rejected(of, kernel, options, words):
    assert words in BOXES.supports(make_plan((40, 50), of, kernel, **options).job)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32"])
@pytest.mark.parametrize("border", ["renormalize", "constant,renormalize"])
def test_whole_sums_are_divided_by_the_weight_inside(dtype, border):
    pixels, kernel = noise(dtype), KERNELS["boxes minus boxes"]
    down, _, across = border.partition(",")
    sums = definition.correlate(pixels, kernel, border=(down, across or down), border_value=3)
    expected = definition.fit_exactly(sums, dtype, normalizes=True)
    assert np.array_equal(boxes(pixels, kernel, border=border, border_value=3), expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38], ids=str)
def test_a_bad_pixel_affects_no_output_beyond_the_kernel(bad):
    pixels, kernel = noise("float32", (200, 90)), KERNELS["frame"] / 5
    clean, touched = boxes(pixels, kernel), np.zeros(pixels.shape, int)
    touched[50, 40] = 1
    pixels[50, 40] = bad
    got, reached = boxes(pixels, kernel), definition.correlate(touched, kernel != 0).total > 0
    assert np.allclose(got[~reached], clean[~reached], rtol=1e-4, atol=1e-5)
    if bad != 3e38:
        assert np.array_equal(got[reached], np.full(reached.sum(), bad, np.float32), equal_nan=True)
