"""Weights as sums of outer products: exact for whole weights, otherwise with residuals checked in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import ndimage, signal

from imgconv.convolution.low_rank import find_pairs, pairs_error, pairs_for
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan

PAIRS = METHODS["pairs"]


def impulse(size):
    image = np.zeros((size, size))
    image[size // 2, size // 2] = 1
    return image


#: A kernel and its rank.
REAL = {
    "gaussian": (np.outer(*[signal.windows.gaussian(21, 3.3)] * 2), 1),
    "laplacian of a gaussian": (ndimage.gaussian_laplace(impulse(27), 3.1), 2),
    "difference of gaussians": (ndimage.gaussian_filter(impulse(31), 2) - ndimage.gaussian_filter(impulse(31), 3.2), 2),
    "row": (np.random.default_rng(1).normal(size=(1, 12)), 1),
    "column": (np.random.default_rng(2).normal(size=(8, 1)), 1),
    "noise": (np.random.default_rng(3).normal(size=(6, 9)), 6),
}


def residual(weights, pairs, count):
    """Return the sum of the absolute differences between the weights and the first pairs, as a fraction."""
    total = Fraction(0)
    for (i, j), weight in np.ndenumerate(weights):
        rest = Fraction(float(weight))
        for column, row in zip(pairs.columns[:count], pairs.rows[:count], strict=True):
            rest -= Fraction(float(column[i])) * Fraction(float(row[j]))
        total += abs(rest)
    return total


@pytest.mark.parametrize("factor", [2.0**40, 2.0**60], ids=["below 2**53", "beyond"])
def test_pairs_of_whole_numbers_beyond_2_to_the_53_are_not_whole(factor):
    weights = np.outer([1, 2, 3], [4, -5]) * factor
    pairs = find_pairs(weights)
    assert pairs.whole == (factor < 2.0**53)
    assert residual(weights, pairs, 1) <= 1e-15 * np.abs(weights).sum()


@pytest.mark.parametrize("name", ["laplacian of a gaussian", "noise", "row"])
def test_residuals_equal_those_of_exact_arithmetic(name):
    weights, _ = REAL[name]
    pairs = find_pairs(weights)
    for count in range(min(4, len(pairs.residuals))):
        exact = float(residual(weights, pairs, count))
        assert np.isclose(pairs.residuals[count], exact, rtol=1e-9, atol=1e-14 * np.abs(weights).sum())
    sizes = [np.abs(np.outer(c, r)).sum() for c, r in zip(pairs.columns, pairs.rows, strict=True)]
    assert np.allclose(pairs.sizes, sizes, rtol=1e-12)
    norms = [np.linalg.norm(np.outer(c, r)) for c, r in zip(pairs.columns, pairs.rows, strict=True)]
    assert np.allclose(norms, sorted(norms, reverse=True), rtol=1e-12, atol=1e-14)


def test_a_pair_keeps_the_small_weights_of_a_wide_range():
    """`renormalize` divides by a tail of 1e-12 of the middle if no other weight falls inside."""
    weights, _ = REAL["gaussian"]
    weights = weights**4
    pairs = find_pairs(weights)
    assert weights.min() < 1e-15 * weights.max()
    assert np.allclose(np.outer(pairs.columns[0], pairs.rows[0]), weights, rtol=1e-14, atol=0)


# The number of pairs that a job needs


def job(weights, of="uint8", **options):
    return make_plan((40, 50), of, weights, **options).job


@pytest.mark.parametrize("of", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("name", REAL)
def test_the_fewest_pairs_within_the_allowed_error_are_used(name, of):
    weights, rank = REAL[name]
    pairs, count = pairs_for(job(weights, of))
    allowed = job(weights, of).arithmetic.allowed
    assert count <= max(rank, 1) or of == "float64"
    assert pairs.residuals[count] <= 0.25 * allowed or count == len(pairs.sizes)
    assert count == 0 or pairs.residuals[count - 1] > 0.25 * allowed


@pytest.mark.parametrize("of", ["uint8", "float32"])
def test_a_larger_tolerance_needs_fewer_pairs(of):
    weights, largest = REAL["noise"][0], 255 if of == "uint8" else 1
    total, counts = np.abs(weights).sum(), []
    for share in (0, 1e-3, 0.1, 0.5, 2, 8):
        asked = job(weights, of, tolerance=share * (largest * total if of == "uint8" else 1))
        pairs, count = pairs_for(asked)
        counts.append(count)
        assert pairs_error(asked, PAIRS.dtype(asked)) >= pairs.residuals[count]
        assert not share or pairs.residuals[count] <= share * total
    assert counts == sorted(counts, reverse=True)
    assert (counts[0], counts[-1]) == (6, 0)


def test_the_error_of_a_whole_pair_is_0_or_infinite():
    whole = job(np.outer([1, 2], [3, 5]), "uint16")
    assert [pairs_error(whole, np.dtype(t)) for t in (np.float32, np.float64)] == [0, 0]
    large = job(np.outer([100, 2], [300, 5]), "uint16")
    assert [pairs_error(large, np.dtype(t)) for t in (np.float32, np.float64)] == [np.inf, 0]
    assert PAIRS.dtype(large) == np.float64


@pytest.mark.parametrize(
    ("of", "name", "dtype"),
    [
        ("uint8", "laplacian of a gaussian", "float32"),
        ("uint8", "gaussian", "float32"),
        ("float32", "gaussian", "float32"),
        ("float32", "laplacian of a gaussian", "float64"),
        ("float64", "gaussian", "float64"),
    ],
)
def test_pairs_that_cancel_are_summed_in_float64_unless_the_result_is_rounded_to_integers(of, name, dtype):
    assert PAIRS.dtype(job(REAL[name][0], of)) == dtype


def test_renormalize_supports_only_one_pair_or_whole_numbers():
    assert "the division would magnify" in PAIRS.refusal(job(REAL["noise"][0], border="renormalize"))
    for weights in (REAL["gaussian"][0], [[1, 2], [3, 5]]):
        assert PAIRS.refusal(job(weights, border="renormalize")) is None
    assert PAIRS.refusal(job(REAL["noise"][0])) is None


def test_pairs_that_cancel_need_a_tolerance_in_float64():
    weights = REAL["laplacian of a gaussian"][0]
    assert "tolerance" in PAIRS.refusal(job(weights, "float64"))
    assert PAIRS.refusal(job(weights, "float64", tolerance=1e-12)) is None
    assert PAIRS.refusal(job(weights, "float32")) is None
