"""Comparison with SciPy, OpenCV and scikit-image, on the photographs in scikit-image's package."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import pytest
from scipy import ndimage, signal
from skimage import data, filters

from imgconv.convolution.api import convolve, correlate
from imgconv.filters.edges import find_edges

PHOTOGRAPHS = ("astronaut", "camera", "coffee", "moon", "retina", "coins", "rocket", "page")
SCIPY_MODES = {"constant": "constant", "replicate": "nearest", "reflect": "reflect", "reflect101": "mirror", "wrap": "wrap"}
CV2_BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "reflect101": cv2.BORDER_REFLECT_101,
}
ENGINES = ("opencv", "numpy")
ONE_TO_NINE = np.arange(1, 10).reshape(3, 3)
KERNELS = {
    "3x3": ONE_TO_NINE - 4,
    "2x2": np.array([[1, -2], [3, 5]]),
    "1x4": np.array([[1, 2, -3, 7]]),
    "5x2": np.arange(10).reshape(5, 2) - 3,
    "4x3": np.array([[0, 1, 2], [-1, 0, 3], [5, 0, 0], [1, -8, 1]]),
    "9x7": np.arange(63).reshape(9, 7) % 11 - 4,
}


@functools.cache
def photograph(name):
    """Return a photograph, subsampled over its whole area to keep the tests fast."""
    image = getattr(data, name)()
    image = np.ascontiguousarray(image[::9, ::7] if image.size > 300_000 else image[::4, ::3])
    image.flags.writeable = False
    return image


@pytest.fixture(params=PHOTOGRAPHS)
def photo(request):
    return photograph(request.param)


def by_channel(function, image, *args, **options):
    """Apply a two-dimensional function to each channel."""
    if image.ndim == 2:
        return function(image, *args, **options)
    return np.stack([function(image[..., c], *args, **options) for c in range(image.shape[2])], axis=-1)


# The impulse


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, np.float64])
def test_an_impulse_gives_the_kernel_in_convolve_and_the_rotated_kernel_in_correlate(engine, dtype):
    impulse = np.zeros((5, 5), dtype)
    impulse[2, 2] = 1
    assert np.array_equal(convolve(impulse, ONE_TO_NINE, engine=engine)[1:4, 1:4], ONE_TO_NINE)
    assert np.array_equal(correlate(impulse, ONE_TO_NINE, engine=engine)[1:4, 1:4], ONE_TO_NINE[::-1, ::-1])


# SciPy


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("border", SCIPY_MODES)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", ["correlate", "convolve"])
def test_results_equal_those_of_ndimage(name, kernel, border, engine):
    ours, theirs = {"correlate": (correlate, ndimage.correlate), "convolve": (convolve, ndimage.convolve)}[name]
    image = photograph("coffee").astype(np.int32)
    expected = by_channel(theirs, image, KERNELS[kernel], mode=SCIPY_MODES[border], cval=31)
    assert np.array_equal(ours(image, KERNELS[kernel], border=border, border_value=31, engine=engine), expected)


@pytest.mark.parametrize("engine", ENGINES)
def test_results_on_every_photograph_equal_those_of_ndimage(photo, engine):
    image, weights = photo.astype(np.float64), KERNELS["4x3"] / 7
    expected = by_channel(ndimage.correlate, image, weights, mode="mirror")
    assert np.allclose(correlate(image, weights, engine=engine), expected, rtol=1e-13, atol=1e-10)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("origin", [(-1, 0), (1, -1), (0, 1), (-2, 1)])
def test_an_origin_of_ndimage_equals_an_anchor_off_centre(origin, engine):
    image, weights = photograph("camera").astype(np.int32), np.arange(15).reshape(5, 3) - 6
    anchor = (2 + origin[0], 1 + origin[1])
    assert np.array_equal(
        correlate(image, weights, anchor=anchor, engine=engine), ndimage.correlate(image, weights, mode="mirror", origin=origin)
    )
    assert np.array_equal(
        convolve(image, weights, anchor=anchor, engine=engine),
        ndimage.convolve(image, weights, mode="mirror", origin=origin),
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("boundary", "border"), [("fill", "constant"), ("wrap", "wrap"), ("symm", "reflect")])
@pytest.mark.parametrize("mode", ["full", "valid", "same"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_results_equal_those_of_scipy_signal(kernel, mode, boundary, border, engine):
    weights = KERNELS[kernel]
    if mode == "same" and not all(n % 2 for n in weights.shape):
        weights = np.pad(weights, [(0, 1 - n % 2) for n in weights.shape])  # SciPy centres even sizes differently
    image = photograph("coins").astype(np.int32)
    options = {"border": border, "border_value": 9, "mode": mode, "engine": engine}
    theirs = {"mode": mode, "boundary": boundary, "fillvalue": 9}
    assert np.array_equal(convolve(image, weights, **options), signal.convolve2d(image, weights, **theirs))
    assert np.array_equal(correlate(image, weights, **options), signal.correlate2d(image, weights, **theirs))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_complex_example_of_the_scipy_documentation_gives_equal_results(engine):
    scharr = np.array([[-3 - 3j, 0 - 10j, 3 - 3j], [-10 + 0j, 0 + 0j, 10 + 0j], [-3 + 3j, 0 + 10j, 3 + 3j]])
    image = photograph("camera")
    gradient = convolve(image, scharr, border="symm", mode="same", engine=engine)
    assert gradient.dtype == np.complex64
    assert np.array_equal(gradient, signal.convolve2d(image, scharr, boundary="symm", mode="same"))


# OpenCV


@pytest.mark.parametrize("engine", ENGINES)
def test_results_equal_those_of_filter2d_with_default_arguments(photo, engine):
    kernel = ONE_TO_NINE - 4
    assert np.array_equal(correlate(photo, kernel, engine=engine), cv2.filter2D(photo, -1, kernel.astype(np.float32)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("border", CV2_BORDERS)
@pytest.mark.parametrize("kernel", ["3x3", "2x2", "1x4", "5x2", "4x3"])
def test_results_equal_those_of_filter2d_with_borders_deltas_and_anchors(kernel, border, dtype, engine):
    weights = KERNELS[kernel]
    image = (photograph("rocket") // 2).astype(dtype)
    for row, column, delta in [(0, 0, 0.0), (weights.shape[0] - 1, 0, 20.0), (0, weights.shape[1] - 1, -7.5)]:
        expected = cv2.filter2D(
            image, -1, weights.astype(np.float64), anchor=(column, row), delta=delta, borderType=CV2_BORDERS[border]
        )
        got = correlate(image, weights, border=border, anchor=(row, column), delta=delta, engine=engine)
        assert np.array_equal(got, expected)


# scikit-image

# scikit-image divides the magnitude by the square root of 2, so that it stays below 1; imgconv does not. Its border is SciPy's
# reflect. Without a mask, all pixels are compared.
OPERATORS = ("sobel", "scharr", "prewitt", "roberts")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("operator", OPERATORS)
def test_edges_equal_those_of_scikit_image_times_the_root_of_2(photo, operator, engine):
    image = photo / 255
    expected = by_channel(getattr(filters, operator), image) * np.sqrt(2)
    assert np.allclose(find_edges(image, operator, border="reflect", engine=engine), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("operator", ["sobel", "scharr", "prewitt"])
def test_x_and_y_gradients_equal_those_of_scikit_image(operator):
    image = photograph("moon") / 255
    for output, side in (("x", "v"), ("y", "h")):  # scikit-image names gradients after the lines they detect
        expected = getattr(filters, f"{operator}_{side}")(image)
        assert np.allclose(find_edges(image, operator, output, border="reflect"), expected, rtol=1e-10, atol=1e-12)
