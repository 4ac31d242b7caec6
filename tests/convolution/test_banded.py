"""Products with band matrices against SciPy's Toeplitz matrices and `numpy.correlate`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import toeplitz

from imgconv.convolution.api import correlate
from imgconv.convolution.banded import BLOCK, BandMatrices, band_matrix, spread

COUNTS = st.sampled_from([1, 2, 3, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 5])


@pytest.mark.parametrize("outputs", [1, 4, 16])
@pytest.mark.parametrize("taps", [1, 2, 7])
def test_a_band_matrix_is_a_toeplitz_matrix(taps, outputs):
    weights = np.arange(1.0, taps + 1)
    column = np.concatenate([weights, np.zeros(outputs - 1)])
    expected = toeplitz(column, np.concatenate([weights[:1], np.zeros(outputs - 1)]))
    assert np.array_equal(band_matrix(weights, outputs, 1), expected)
    strided = toeplitz(np.append(weights, np.zeros(3 * outputs)), np.append(weights[0], np.zeros(3 * outputs)))
    inputs = (outputs - 1) * 3 + taps
    assert np.array_equal(band_matrix(weights, outputs, 3), strided[:inputs, : 3 * outputs : 3])


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=6), st.integers(1, 5))
def test_taps_are_spread_as_kron_does(taps, dilation):
    taps = np.array(taps, float)
    expected = np.kron(taps, np.eye(1, dilation)[0])[: (taps.size - 1) * dilation + 1]
    assert np.array_equal(spread(taps, dilation), expected)


@given(COUNTS, st.integers(1, 12), st.integers(1, 4), st.integers(1, 5), st.integers(0, 2), st.booleans())
def test_sums_along_both_axes(outputs, taps, stride, lines, spare, apart):
    """Whole numbers, so that the order of a sum does not count; `apart` has gaps between the rows."""
    rng = np.random.default_rng([outputs, taps, stride, lines])
    weights = rng.integers(-9, 10, taps).astype(np.float32)
    inputs = (outputs - 1) * stride + taps
    wide = rng.integers(0, 256, (lines, inputs + spare)).astype(np.float32)
    x = wide[:, :inputs] if apart else np.ascontiguousarray(wide[:, :inputs])
    expected = np.stack([np.correlate(row, weights, "valid")[::stride] for row in x])
    across = np.full((lines, outputs + 3), -1, np.float32)
    BandMatrices(weights, stride).across(x, across[:, 1 : outputs + 1])
    assert np.array_equal(across[:, 1 : outputs + 1], expected)
    assert (across[:, [0, -2, -1]] == -1).all()  # nothing is written beside
    tall = np.ascontiguousarray(wide[:, :inputs].T)
    down = np.full((outputs, lines + 2), -1, np.float32)
    BandMatrices(weights, stride).down(tall, down[:, 1:-1])
    assert np.array_equal(down[:, 1:-1], expected.T)
    assert (down[:, [0, -1]] == -1).all()


@given(COUNTS, st.integers(1, 7), st.integers(1, 4))
def test_channels_side_by_side_take_the_taps_spread(outputs, taps, channels):
    rng = np.random.default_rng([outputs, taps, channels])
    weights, x = rng.integers(-9, 10, taps).astype(float), rng.integers(0, 99, (3, outputs + taps - 1, channels)).astype(float)
    out = np.empty((3, outputs, channels))
    BandMatrices(spread(weights, channels), 1).across(x, out)
    for row, c in np.ndindex(3, channels):
        assert np.array_equal(out[row, :, c], np.correlate(x[row, :, c], weights, "valid"))


@pytest.mark.parametrize("method", ["toeplitz", "separable"])
@pytest.mark.parametrize("view", [np.s_[:, :, :1], np.s_[:, ::2], np.s_[::-1, :, 1:], np.s_[:, ::-1, 2:3]], ids=str)
def test_views_of_images_in_the_type_of_the_sums(view, method):
    image = np.random.default_rng(1).integers(0, 99, (40, 50, 3)).astype(np.float32)[view]
    kernel = np.outer([1, 2, -3], [3, 1, 0, 2])
    options = {"engine": "numpy", "method": method, "mode": "valid"}
    assert np.array_equal(correlate(image, kernel, **options), correlate(image.copy(order="C"), kernel, **options))
