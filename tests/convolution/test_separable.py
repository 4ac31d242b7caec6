"""The method `separable`: exact for whole factors, within its bound for others, with fewer pairs for a tolerance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal

from imgconv.convolution.api import correlate
from imgconv.convolution.low_rank import find_pairs
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.errors import UsageError
from imgconv.kernels.catalog import parse_kernel
from tests import definition
from tests.cases import each

SEPARABLE = METHODS["separable"]
BINOMIAL = np.array([1, 8, 28, 56, 70, 56, 28, 8, 1])
WHOLE = {
    "box": np.ones((15, 12)),
    "binomial": np.outer(BINOMIAL, BINOMIAL[:6]),
    "sobel": np.outer([1, 2, 1], [1, 0, -1]),
    "common divisors": np.outer([6, -4, 0, 10], [9, 15, -3]),
    "rows of zeros": np.outer([0, 0, 3, 0, -2, 0], [0, 5, 0, 7]),
    "negative": -np.outer([1, 2, 3], [7, 1, 4, 4]),
    "row": np.array([[3, -1, 0, 8, 2]]),
    "column": np.array([[3], [-1], [0], [8]]),
    "one": np.array([[7]]),
    "delta": np.pad([[1.0]], [(2, 1), (0, 3)]),
}


def plan(shape, of, kernel, **options):
    return make_plan(shape, of, kernel, engine="numpy", **options)


def separable(image, kernel, **options):
    return correlate(image, kernel, engine="numpy", method="separable", **options)


def pixels(shape, dtype):
    rng = np.random.default_rng(shape)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


# Whole factors


@each("dtype", ["uint8", "int16", "uint16", "int32"])
@each("kernel", WHOLE)
def test_whole_factors_give_exact_sums(kernel, dtype):
    image, weights = pixels((43, 38), dtype), WHOLE[kernel].astype(np.int64)
    planned = plan(image.shape, dtype, weights, border="wrap").job
    assert SEPARABLE.supports(planned) is None
    assert SEPARABLE.error(planned) == 0
    expected = ndimage.correlate(image.astype(np.int64), weights, mode="wrap")
    assert np.array_equal(separable(image, weights, border="wrap", dtype="float64"), expected)


@given(st.data())
def test_whole_factors_of_any_shape_border_and_grid_give_exact_sums(data):
    numbers = st.lists(st.integers(-20, 20), min_size=1, max_size=7)
    weights = np.outer(data.draw(numbers), data.draw(numbers))
    names = st.sampled_from(("constant", "replicate", "reflect", "reflect101", "wrap", "renormalize"))
    border, pair = (data.draw(names), data.draw(names)), st.tuples(st.integers(1, 3), st.integers(1, 3))
    options = {"mode": data.draw(st.sampled_from(("same", "full"))), "stride": data.draw(pair), "dilation": data.draw(pair)}
    image = pixels((data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40)), 2), "uint8")
    normalizes = "renormalize" in border
    if normalizes and weights.sum() == 0:
        weights.flat[0] += 1  # no longer an outer product, but still of whole numbers
    expected = definition.fit_exactly(
        definition.correlate(image, weights, border=border, border_value=[3, -70], **options), np.int32, normalizes=normalizes
    )
    if SEPARABLE.supports(plan(image.shape, "uint8", weights, border=border, border_value=[3, -70], **options).job) is None:
        got = separable(image, weights, border=border, border_value=[3, -70], dtype="int32", **options)
        assert np.array_equal(got, expected)
    else:
        assert np.linalg.matrix_rank(weights) > 1


# Pairs of the singular value decomposition


def of_rank(rank, shape, seed):
    rng = np.random.default_rng(seed)
    return sum(np.outer(rng.normal(size=shape[0]), rng.normal(size=shape[1])) for _ in range(rank))


def exact(image, kernel):
    """Return the sums of the inner windows in extended precision."""
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.longdouble), kernel.shape)
    return np.einsum("yxij,ij->yx", windows, kernel.astype(np.longdouble))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("rank", [1, 2, 3, 5])
def test_the_error_of_kernels_of_any_rank_stays_below_the_bound(rank, dtype):
    found, narrow = [], dtype == "float32"
    for seed in range(6):
        kernel, image = of_rank(rank, (9 + 2 * seed, 21 - 3 * seed), seed), pixels((50, 45), dtype)
        options = {"mode": "valid", "tolerance": 1e-6, "dtype": "float32" if narrow else "float64"}
        bound = SEPARABLE.error(plan(image.shape, dtype, kernel, **options).job)
        largest = np.abs(image.astype(float)).max()
        off = float(np.abs(separable(image, kernel, **options) - exact(image, kernel)).max()) / largest
        assert off <= bound
        found.append(off / bound)
    assert max(found) > 1e-4  # the bound is not excessive


REAL = ["laplacian_of_gaussian:sigma=3", "difference_of_gaussians", "disk:radius=7", "motion:length=15,angle=30"]


@pytest.mark.parametrize("spec", REAL)
def test_a_tolerance_in_levels_reduces_the_pairs_and_is_respected(spec):
    kernel, image = parse_kernel(spec), pixels((60, 70), "uint8")
    sums, residuals = exact(image, kernel.weights), find_pairs(kernel.weights).residuals
    # Numbers of pairs that reduce the residual, which stays larger than the rounding of float32.
    counts = [n for n in range(1, len(residuals)) if 1e-5 < residuals[n] < residuals[:n].min()]
    assert counts
    work = []
    for count in counts:  # a quarter of the tolerance is for the residual
        tolerance = 4.001 * 255 * residuals[count]
        loose = plan(image.shape, "uint8", kernel, tolerance=tolerance, mode="valid", method="separable")
        assert residuals[count] <= loose.error <= tolerance / 255
        (candidate,) = (c for c in loose.candidates if c.method == "separable")
        assert candidate.error == loose.error == loose.as_dict()["error"]
        work.append(candidate.work.multiply_adds)
        off = np.abs(separable(image, kernel, tolerance=tolerance, mode="valid", dtype="float32") - sums).max()
        assert 0.001 * residuals[count] * 255 < off <= loose.error * 255
    assert work == [work[0] / counts[0] * count for count in counts]


@pytest.mark.parametrize("tolerance", [1e-4, 1e-2])
@pytest.mark.parametrize("spec", REAL)
def test_a_tolerance_relative_to_the_largest_sum_is_respected(spec, tolerance):
    kernel, image = parse_kernel(spec), pixels((60, 70), "float64")
    loose = plan(image.shape, "float64", kernel, tolerance=tolerance, mode="valid", method="separable")
    total = np.abs(kernel.weights).sum()
    assert 0 < loose.error <= tolerance * total
    got = separable(image, kernel, tolerance=tolerance, mode="valid")
    assert np.abs(got - exact(image, kernel.weights)).max() <= tolerance * total * np.abs(image).max()


@pytest.mark.parametrize("levels", [0.3, 1, 3, 5, 12])
def test_a_tolerance_is_in_levels_of_the_output_if_whole_weights_have_a_scale(levels):
    rest = np.random.default_rng(4).integers(-1, 2, (6, 7))
    kernel, image = 10 * (50 * np.outer([1, 3, 5, 4, 2, 1], [2, 1, 7, -3, 1, 1, 2]) + rest), pixels((40, 41), "uint8")
    tolerance = levels * 10 * 255 * np.abs(rest).sum()  # at 1 the rest could be left out, without any other error
    sums = definition.correlate(image, kernel).total
    assert SEPARABLE.supports(plan(image.shape, "uint8", kernel, tolerance=tolerance).job) is None
    assert np.abs(separable(image, kernel, tolerance=tolerance, dtype="float64") - sums).max() <= tolerance


def test_renormalization_rejects_pairs_that_cancel():
    rotated = ndimage.rotate(np.outer(signal.windows.gaussian(25, 2), signal.windows.gaussian(25, 4)), 30)
    image, words = pixels((60, 50), "uint8"), "method separable cannot do this: where little weight lies inside"
    for options in ({"border": "renormalize", "mode": "full"}, {"nan": "ignore"}):
        for dtype in ("uint8", "float32"):
            with pytest.raises(UsageError, match=words):
                separable(image.astype(dtype), rotated, **options)
    # One pair, or whole numbers, are as exact in a corner as elsewhere.
    for kernel in (np.outer(signal.windows.gaussian(25, 2), signal.windows.gaussian(21, 4)), [[1, 2, 3], [5, -1, 7]]):
        options = {"border": "renormalize", "mode": "full", "dtype": "float64"}
        sums = definition.correlate(image, np.asarray(kernel), mode="full", border=("renormalize", "renormalize"))
        got, expected = separable(image, kernel, **options), definition.as_floats(sums, normalizes=True)
        assert np.allclose(got, expected, rtol=1e-9, atol=1e-9)


# Borders, zeros, complex weights


@pytest.mark.parametrize("kernel", ["sobel", "row", "column"])
@pytest.mark.parametrize(
    "border", [("constant", "constant"), ("constant", "wrap"), ("reflect", "constant"), ("renormalize", "constant")]
)
def test_both_passes_use_the_border_value_of_each_channel(border, kernel):
    image, weights, values = pixels((20, 18, 3), "uint8"), WHOLE[kernel].astype(np.int64), [7, -300, 41.0]
    weights = np.abs(weights) if "renormalize" in border else weights  # a kernel that sums to 0 is rejected
    sums = definition.correlate(image, weights, border=border, border_value=values, mode="full")
    expected = definition.fit_exactly(sums, np.int32, normalizes="renormalize" in border)
    assert np.array_equal(separable(image, weights, border=border, border_value=values, mode="full", dtype="int32"), expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("border", ["constant", "constant,replicate", "wrap,constant"])
def test_nan_and_infinite_border_values_affect_only_windows_that_reach_them(border, bad):
    image, weights = pixels((40, 30), "float32"), np.outer([1.5, 2.1, 1], [0.3, 0, 0.7, 1.1])
    names = border.split(",")
    sums = definition.correlate(image, weights, border=(names[0], names[-1]), border_value=bad).total
    got = separable(image, weights, border=border, border_value=bad, tolerance=1e-6)
    assert 0 < np.count_nonzero(~np.isfinite(sums)) < 300
    assert np.allclose(got, sums, rtol=1e-5, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("delta", [0, 9])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 4)])
def test_a_kernel_of_zeros_gives_the_delta(shape, dtype, delta):
    got = separable(pixels((30, 20, 2), dtype), np.zeros(shape), delta=delta)
    assert np.array_equal(got, np.full((30, 20, 2), delta, dtype))


@each("channels", [(), (1,), (3,), (5,)])
@each("shape", [(1, 1), (4, 5), (9, 13)])
@pytest.mark.parametrize("parts", ["of any rank", "one of rank 1", "imaginary only"])
def test_errors_of_complex_weights_are_within_the_tolerance(parts, shape, channels):
    rng = np.random.default_rng(shape)
    weights = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    if parts == "one of rank 1":
        weights = np.outer(rng.normal(size=shape[0]), rng.normal(size=shape[1])) + 1j * weights.imag
    if parts == "imaginary only":
        weights = 1j * weights.imag
    for dtype in ("uint8", "complex128"):
        image = pixels((40, 37, *channels), "uint8").astype(dtype) * (1 + 2j if dtype == "complex128" else 1)
        expected = definition.correlate(image, weights, border=("wrap", "reflect"), dilation=(2, 1)).total
        got = separable(image, weights, border="wrap,reflect", dilation=(2, 1), dtype="complex128", tolerance=1e-9)
        assert np.allclose(got, expected, rtol=0, atol=4e-9 * 255 * np.abs(weights).sum())
