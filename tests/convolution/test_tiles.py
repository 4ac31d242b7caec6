"""Error bounds of products of spectra."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.tiles import likely_error, worst_error


def test_the_bounds_grow_with_the_weights_and_with_the_tile():
    weights = np.random.default_rng(1).normal(size=(5, 7))
    for bound in (worst_error, likely_error):
        assert bound(2 * weights, 4096) == 2 * bound(weights, 4096)
        assert bound(weights, 4096) < bound(weights, 8192)
        assert 0 < bound(weights, 1) <= bound(weights, 2)
    assert worst_error(weights, 4096) < likely_error(weights, 4096)  # float64, although a worst case


PICTURES = {
    "white": lambda n: np.ones((n, n)),
    "checkers": lambda n: (np.indices((n, n)).sum(0) % 2).astype(float),
    "impulse": lambda n: np.eye(1, n * n).reshape(n, n),
    "noise": lambda n: np.random.default_rng(1).uniform(size=(n, n)),
    "halves": lambda n: np.repeat([[1.0, 0.0]], n // 2, axis=1).repeat(n, axis=0),
    "rings": lambda n: 0.5 + 0.5 * np.cos(np.pi / n * np.square(np.indices((n, n)) - n / 2).sum(0)),
}


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("side", [64, 240])
def test_float64_errors_stay_below_worst_error_and_float32_errors_below_likely_error(picture, side):
    """Measured with NumPy in float64 and SciPy in float32, whose rounding errors are those of any FFT."""
    from scipy import fft

    rng, pixels = np.random.default_rng(side), PICTURES[picture](side)
    for weights in (rng.normal(size=(9, 9)), np.ones((15, 11)), (-1.0) ** np.indices((31, 31)).sum(0)):
        kernel = np.zeros((side, side))
        kernel[: weights.shape[0], : weights.shape[1]] = weights
        exact = fft.ifft2(fft.fft2(pixels.astype(np.longdouble)) * np.conj(fft.fft2(kernel.astype(np.longdouble)))).real
        wide = np.fft.ifft2(np.fft.fft2(pixels) * np.conj(np.fft.fft2(kernel))).real
        spectrum = np.conj(np.fft.fft2(kernel)).astype(np.complex64)
        narrow = fft.ifft2(fft.fft2(pixels.astype(np.float32)) * spectrum).real
        for got, bound in ((wide, worst_error), (narrow, likely_error)):
            off = float(np.abs(got - exact).max())
            assert off < bound(weights, side * side), f"{off:.3g} of {bound(weights, side * side):.3g}"
