"""Weights as a sum of few outer products, column times row: each is two passes along one axis."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.kernels.kernel import Kernel


@dataclass(frozen=True, eq=False)
class Pairs:
    """Outer products in falling order of their size.

    Attributes:
        columns: shape (n, kh).
        rows: shape (n, kw).
        residuals: shape (n + 1,): the sum of the absolute weights that the first 0, 1, 2 … pairs leave out.
        sizes: shape (n,): for each pair the sum of its absolute weights.
        whole: whether there is one pair of whole numbers that leaves nothing out.
    """

    columns: NDArray[np.float64]
    rows: NDArray[np.float64]
    residuals: NDArray[np.float64]
    sizes: NDArray[np.float64]
    whole: bool


def find_pairs(weights: NDArray[np.float64]) -> Pairs:
    """Return the outer products that weights of shape (kh, kw) are the sum of.

    One pair of whole numbers where whole weights allow it; one from a column and a row where the rank is 1; else those of the
    singular value decomposition.
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
    return _pairs(weights, (u * s).T, vt)


def _pairs(weights: NDArray[Any], columns: NDArray[Any], rows: NDArray[Any], *, whole: bool = False) -> Pairs:
    rest, residuals = weights.copy(), [float(np.abs(weights).sum())]
    for column, row in zip(columns, rows, strict=True):
        rest -= np.outer(column, row)
        residuals.append(float(np.abs(rest).sum()))
    sizes = np.abs(columns).sum(axis=1) * np.abs(rows).sum(axis=1)
    return Pairs(columns, rows, np.array(residuals), sizes, whole)
