"""Weights as a sum of few outer products of a column and a row; each takes two one-dimensional passes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.exactness import narrowest, narrowing_error, why_not_exact
from imgconv.convolution.methods import Method
from imgconv.convolution.plan import Job
from imgconv.kernels.kernel import Kernel

# Fraction of the allowed error that the omitted pairs may cause.
_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Pairs:
    """Outer products in descending order of size.

    Attributes:
        columns: shape (n, kh).
        rows: shape (n, kw).
        residuals: shape (n + 1,): sum of the absolute differences to the weights after the first 0, 1, 2 … pairs.
        sizes: shape (n,): sum of the absolute weights of each pair.
        whole: whether a single pair of whole numbers gives the weights exactly.
    """

    columns: NDArray[np.float64]
    rows: NDArray[np.float64]
    residuals: NDArray[np.float64]
    sizes: NDArray[np.float64]
    whole: bool


def pairs_for(job: Job) -> tuple[Pairs, int]:
    """Return the outer products of a job's weights, and the number of them needed for sufficiently exact sums."""
    arithmetic, tolerance = job.arithmetic, job.options.tolerance
    pairs = find_pairs(arithmetic.weights)
    allowed = 0.5 / arithmetic.largest_pixel if arithmetic.whole else arithmetic.allowed
    if tolerance:
        levels = arithmetic.largest_pixel * arithmetic.scale
        relative = tolerance / levels if job.dtype.kind in "biu" else tolerance * pairs.residuals[0]
        allowed = max(allowed, relative)
    enough = np.flatnonzero(pairs.residuals <= allowed * _SHARE)
    return pairs, int(enough[0]) if enough.size else len(pairs.sizes)


def pairs_error(job: Job, dtype: np.dtype[Any]) -> float:
    """Return a bound on the error of sums over the pairs in a type, relative to the largest pixel.

    It consists of the residual, and one rounding for each weight, product and addition of both passes.
    """
    (pairs, count), arithmetic = pairs_for(job), job.arithmetic
    if pairs.whole and arithmetic.whole:  # the type holds every intermediate whole number, or must not be used
        return 0.0 if dtype.itemsize >= arithmetic.dtype.itemsize else np.inf
    roundings = sum(job.kernel.shape) + count + 3
    error = float(pairs.residuals[count] + roundings * UNIT[dtype.name] * pairs.sizes[:count].sum())
    return error if dtype == arithmetic.dtype else error + narrowing_error(job)


class LowRank(Method):
    """Base of the methods that sum over the outer products of the kernel."""

    def dtype(self, job: Job) -> np.dtype[Any]:
        """Return float64 if cancellation between pairs would show in floating-point pixels, else the narrowest exact type."""
        if job.dtype.kind not in "biu" and pairs_for(job)[1] > 1:
            return np.dtype(np.float64)
        return narrowest(job, lambda dtype: pairs_error(job, dtype))

    def refusal(self, job: Job) -> str | None:
        """Return why pairs cannot do a job, or None if they can.

        Pairs that cancel each other have an error relative to the whole kernel, however little of it lies inside the image.
        Rounding also turns weights of 0 into small residuals, so that a pixel affects sums it does not belong to: errors mix.
        """
        pairs, count = pairs_for(job)
        if job.options.normalizes and not job.arithmetic.whole and len(pairs.sizes) > 1:
            return "where little weight lies inside, the division would magnify the error of the pairs"
        return why_not_exact(job, self.error(job), mixes=True) if count > 1 else None

    def error(self, job: Job) -> float:
        """Return the error bound of the pairs."""
        return pairs_error(job, self.dtype(job))


def find_pairs(weights: NDArray[np.float64]) -> Pairs:
    """Return outer products whose sum is the weights, shape (kh, kw).

    Weights of rank 1 give a single pair, of whole numbers if the weights are whole. Others are decomposed by singular value
    decomposition.
    """
    return _find_pairs(weights.tobytes(), weights.shape)


@functools.lru_cache(maxsize=64)
def _find_pairs(data: bytes, shape: tuple[int, int]) -> Pairs:
    weights = np.frombuffer(data).reshape(shape)
    total = float(np.abs(weights).sum())
    if not total:
        return Pairs(np.zeros((0, shape[0])), np.zeros((0, shape[1])), np.zeros(1), np.zeros(0), True)
    factors = Kernel(weights).factors
    if factors is not None:
        column, row = factors.column, factors.row * float(factors.scale)
        left_out = np.abs(weights - np.outer(column, row)).sum()
        if left_out <= 4 * np.finfo(float).eps * total:
            exact = left_out == 0 and np.abs(weights).max() < 2.0**53
            whole = exact and all(np.array_equal(line, np.rint(line)) for line in (column, row))
            return _pairs(weights, column[None], row[None], whole=whole)
    u, s, vt = np.linalg.svd(weights, full_matrices=False)
    return _pairs(weights, np.array([_symmetrize(line) for line in (u * s).T]), np.array([_symmetrize(line) for line in vt]))


def _symmetrize(line: NDArray[Any]) -> NDArray[Any]:
    """Return taps that are symmetric or antisymmetric up to rounding as exactly so, which saves half of the products."""
    for turned in (line[::-1], -line[::-1]):
        if np.abs(line - turned).max() <= 8 * line.size * np.finfo(float).eps * np.abs(line).max():
            return np.asarray((line + turned) / 2)
    return line


def _pairs(weights: NDArray[Any], columns: NDArray[Any], rows: NDArray[Any], *, whole: bool = False) -> Pairs:
    rest, residuals = weights.copy(), [float(np.abs(weights).sum())]
    for column, row in zip(columns, rows, strict=True):
        rest -= np.outer(column, row)
        residuals.append(float(np.abs(rest).sum()))
    sizes = np.abs(columns).sum(axis=1) * np.abs(rows).sum(axis=1)
    return Pairs(columns, rows, np.array(residuals), sizes, whole)
