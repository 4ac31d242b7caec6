"""Weighted pixels, such as those with alpha, compared with SciPy's sums of weighted values and by their properties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from imgconv.filters import FILTERS
from imgconv.filters.parsing import parse_filter
from tests.cases import each

SCIPY = {"constant": "constant", "replicate": "nearest", "reflect": "reflect", "reflect101": "mirror", "wrap": "wrap"}
KERNELS = {
    "averaging": "[1 2 3; 4 5 6]:scale=1/21",
    "sharpening": "[0 -1 0; -2 9 -1; 0 -3 -1]",
    "brightening": "[1 2; 3 4; 5 6]:scale=1/10",
    "negative": "[-1 -2 -4]:scale=1/7",
}


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(3).uniform(0, 255, (19, 26, 3))


@pytest.fixture(scope="module")
def weight():
    rng = np.random.default_rng(4)
    found = rng.uniform(0.2, 1, (19, 26))
    found[3:7, 5:11] = 0
    return found


def correlated(plane, kernel, border, value=0.0):
    weights = parse_filter(kernel).kernel.weights
    return ndimage.correlate(plane, weights, mode=SCIPY[border], cval=value)


@pytest.mark.parametrize("border", SCIPY)
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_result_is_the_weighted_sum_over_the_weight_times_the_gain(picture, weight, kernel, border) -> None:
    chosen = parse_filter(kernel, border=border, border_value=40)
    mass = correlated(weight, kernel, border, 1.0)
    gain = chosen.kernel.sum
    found = chosen.weighted(picture, weight)
    for c in range(3):
        sums = correlated(picture[:, :, c] * weight, kernel, border, 40.0)
        reliable = np.abs(mass) > 0.05 * abs(gain)  # elsewhere rounding errors are divided by each other
        assert reliable.sum() > 300
        np.testing.assert_allclose(found[reliable, c], sums[reliable] * gain / mass[reliable], rtol=1e-9)
    np.testing.assert_allclose(chosen.coverage(weight), np.clip(mass / gain, 0, 1), atol=1e-12)


@pytest.mark.parametrize("border", SCIPY)
@pytest.mark.parametrize("kernel", ["[1 2 0; 0 -6 1; 1 0 1]", "[-1 0 1; -2 0 2; -1 0 1]", "[1.0001 -2 1]"])
def test_kernels_of_differences_sum_the_weighted_differences_from_the_centre(picture, weight, kernel, border) -> None:
    chosen = parse_filter(kernel, border=border, border_value=40)
    found = chosen.weighted(picture, weight)
    mass = correlated(weight, kernel, border, 1.0)
    for c in range(3):
        sums = correlated(picture[:, :, c] * weight, kernel, border, 40.0)
        np.testing.assert_allclose(found[:, :, c], sums - picture[:, :, c] * mass, atol=1e-9)
    assert np.array_equal(chosen.coverage(weight), weight)


@each("text", [*KERNELS.values(), "laplacian", "gaussian:sigma=2", "crisp", *FILTERS, "edges:output=direction"])
@each("border", ["reflect101", "constant", "renormalize"])
def test_pixels_of_weight_0_do_not_affect_visible_pixels(picture, weight, text, border) -> None:
    if border == "renormalize" and text in ("laplacian", *FILTERS, "edges:output=direction"):
        pytest.skip("renormalize rejects kernels that sum to 0")
    chosen = parse_filter(text, border=border)
    other = np.where(weight[:, :, np.newaxis] == 0, 255 - picture, picture)
    assert not np.array_equal(other, picture)
    visible = chosen.coverage(weight) > 1e-3
    found, same = chosen.weighted(picture, weight), chosen.weighted(other, weight)
    np.testing.assert_allclose(found[visible], same[visible], atol=1e-8)


@each("text", [*KERNELS.values(), "laplacian", "gaussian:sigma=2", "crisp", *FILTERS, "edges:output=x"])
@each("options", [{}, {"mode": "valid"}, {"mode": "full", "stride": (2, 1)}, {"border": "constant"}])
def test_full_weight_everywhere_gives_the_unweighted_response(picture, text, options) -> None:
    chosen = parse_filter(text, delta=3.5, **options) if text in KERNELS.values() else parse_filter(text, **options)
    full = np.ones(picture.shape[:2])
    np.testing.assert_allclose(chosen.weighted(picture, full), chosen.response(picture), atol=1e-9)
    np.testing.assert_allclose(chosen.weighted(picture[:, :, 0], full), chosen.response(picture[:, :, 0].copy()), atol=1e-9)
    np.testing.assert_allclose(chosen.coverage(full), 1, atol=1e-12)


FLAT = {"gaussian:sigma=3": 70, "sharpen": 70, KERNELS["brightening"]: 147, "laplacian": 0, "crisp": 70, "edges": 0}


@pytest.mark.parametrize(("text", "level"), [*FLAT.items(), ("laplacian_of_gaussian:sigma=2", 0)])
def test_a_flat_colour_stays_flat_with_any_weights(weight, text, level) -> None:
    chosen = parse_filter(text)
    found = chosen.weighted(np.full((19, 26), 70.0), weight)
    np.testing.assert_allclose(found[chosen.coverage(weight) > 1e-3], level, atol=1e-6)


def test_renormalize_gives_pixels_outside_a_weight_of_0(picture, weight) -> None:
    chosen = parse_filter("box:size=5", border="renormalize")
    sums = ndimage.correlate(picture[:, :, 0] * weight, np.ones((5, 5)), mode="constant")
    mass = ndimage.correlate(weight, np.ones((5, 5)), mode="constant")
    inside = ndimage.correlate(np.ones(weight.shape), np.ones((5, 5)), mode="constant")
    np.testing.assert_allclose(chosen.weighted(picture[:, :, 0].copy(), weight)[mass > 0], sums[mass > 0] / mass[mass > 0])
    np.testing.assert_allclose(chosen.coverage(weight), mass / inside, atol=1e-12)


def test_a_chain_filters_premultiplied_pictures(picture, weight) -> None:
    first, second = "[1 2 3]:scale=1/6", "[1; 2; 1]:scale=1/4"
    chain = parse_filter("crisp").__class__((parse_filter(first), parse_filter(second)))
    sums, mass = picture[:, :, 1] * weight, weight
    for kernel in (first, second):
        sums, mass = correlated(sums, kernel, "reflect101"), correlated(mass, kernel, "reflect101")
    found = chain.weighted(picture, weight)[:, :, 1]
    np.testing.assert_allclose(found[mass > 1e-3], sums[mass > 1e-3] / mass[mass > 1e-3], rtol=1e-9)
    np.testing.assert_allclose(chain.coverage(weight), mass, atol=1e-12)


def test_the_result_is_0_if_all_weights_are_0(picture) -> None:
    assert not parse_filter("box").weighted(picture, np.zeros((19, 26))).any()
