"""Weights as a sum of few outer products, column times row: each is two passes along one axis."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
    column, row = _whole_pair(weights)
    if column is not None and np.array_equal(np.outer(column, row), weights):
        return _pairs(weights, column[None], row[None], whole=True)
    i, j = np.unravel_index(np.argmax(np.abs(weights)), shape)
    column, row = weights[:, j] / weights[i, j], weights[i]
    if np.abs(weights - np.outer(column, row)).sum() <= 4 * np.finfo(float).eps * total:
        return _pairs(weights, column[None], row[None])
    u, s, vt = np.linalg.svd(weights, full_matrices=False)
    return _pairs(weights, (u * s).T, vt)


def _pairs(weights: NDArray[Any], columns: NDArray[Any], rows: NDArray[Any], *, whole: bool = False) -> Pairs:
    rest, residuals = weights.copy(), [float(np.abs(weights).sum())]
    for column, row in zip(columns, rows, strict=True):
        rest -= np.outer(column, row)
        residuals.append(float(np.abs(rest).sum()))
    sizes = np.abs(columns).sum(axis=1) * np.abs(rows).sum(axis=1)
    return Pairs(columns, rows, np.array(residuals), sizes, whole)


def _whole_pair(weights: NDArray[Any]) -> tuple[NDArray[Any] | None, NDArray[Any]]:
    """Return a column and a row of whole numbers whose outer product the weights may be."""
    if not np.array_equal(weights, np.rint(weights)) or np.abs(weights).max() >= 2.0**53:
        return None, weights[0]
    i, j = np.unravel_index(np.argmax(np.abs(weights)), weights.shape)
    column = weights[:, j] / float(np.gcd.reduce(np.abs(weights[:, j]).astype(np.int64)))
    return column, np.rint(weights[i] / column[i])
