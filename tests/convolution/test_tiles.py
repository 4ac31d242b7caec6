"""Tiles for products of spectra: sides that transform fast, outputs that are all given once, and bounds on the errors."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.convolution.geometry import Axis, make_axis
from imgconv.convolution.tiles import best_side, likely_error, outputs_of, sides_for, tiles_along, worst_error


def is_fast(n):
    """Whether a number is a power of two times 1, 3, 5, 9 or 15: no prime beyond 5, and few of them."""
    return n // (n & -n) in (1, 3, 5, 9, 15)


@st.composite
def axes(draw):
    length, taps = draw(st.integers(1, 4000)), draw(st.integers(1, 70))
    anchor, stride, dilation = draw(st.integers(0, taps - 1)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    mode = draw(st.sampled_from(["same", "full"]))
    return make_axis(length, taps, anchor, mode, stride, dilation)


@given(axes(), st.sampled_from([16, 64, 128]), st.sampled_from([0, 256, 512]))
def test_every_side_is_fast_and_gives_an_output(axis, shortest, longest):
    sides = sides_for(axis, shortest, longest)
    assert sides == sorted(set(sides))
    assert all(is_fast(side) and side >= axis.reach for side in sides)
    assert all(outputs_of(axis, side) >= 1 for side in sides)
    needed = (axis.outputs - 1) * axis.stride + axis.reach
    assert all(side <= needed for side in sides[:-1])  # one that holds all is enough
    if longest:
        assert best_side(axis, longest, shortest) in sides


@given(axes(), st.integers(0, 3))
def test_the_tiles_give_every_output_once_and_hold_what_it_needs(axis, which):
    sides = sides_for(axis, 64)
    side = sides[min(which, len(sides) - 1)]
    step, count = outputs_of(axis, side), tiles_along(axis, side)
    starts = range(0, axis.outputs, step)
    assert len(starts) == count
    assert count * step >= axis.outputs > (count - 1) * step
    # The last output of a tile reaches no further than its end, and one more would.
    assert (step - 1) * axis.stride + axis.reach <= side < step * axis.stride + axis.reach


def test_the_side_that_is_chosen_is_the_cheapest_one():
    for outputs, reach, stride in itertools.product((1, 100, 1013, 5000), (1, 9, 63), (1, 4)):
        axis = Axis(outputs * stride, outputs, 0, reach, stride, 1)

        def cost(side, axis=axis):
            return tiles_along(axis, side) * side * (math.log2(side) + 8)

        best = best_side(axis, 512, 64)
        assert all(cost(best) <= cost(side) for side in sides_for(axis, 64, 512))


def test_the_bounds_grow_with_the_weights_and_with_the_tile():
    weights = np.random.default_rng(1).normal(size=(5, 7))
    for bound in (worst_error, likely_error):
        assert bound(2 * weights, 4096) == 2 * bound(weights, 4096)
        assert bound(weights, 4096) < bound(weights, 8192)
        assert 0 < bound(weights, 1) <= bound(weights, 2)
    assert worst_error(weights, 4096) < likely_error(weights, 4096)  # float64, though nothing is left to chance


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
def test_numpy_stays_below_the_worst_and_a_float32_transform_below_the_likely_error(picture, side):
    """In the transforms of others: NumPy's in float64, SciPy's in float32, whose roundings are those of any FFT."""
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
