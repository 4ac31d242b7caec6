"""Weights as a sum of few rectangles of one weight each, as running sums take them."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.plan import Job

#: Rectangles beyond which running sums are no short cut.
MOST = 4


class Rectangle(NamedTuple):
    """A part of the kernel."""

    top: int
    left: int
    height: int
    width: int
    weight: float


def find_rectangles(weights: NDArray[np.float64]) -> tuple[Rectangle, ...] | None:
    """Return rectangles that sum to the weights, which may lie one on the other; None where there are more than `MOST`."""
    return _find_rectangles(weights.tobytes(), weights.shape)


@functools.lru_cache(maxsize=256)
def _find_rectangles(data: bytes, shape: tuple[int, int]) -> tuple[Rectangle, ...] | None:
    rest = np.frombuffer(data).reshape(shape).copy()
    found: list[Rectangle] = []
    while rest.any():
        if len(found) == MOST:
            return None
        # Over all that is left lies the weight that most of it has: a frame is then a box, and another one taken off.
        down, across = np.flatnonzero(rest.any(axis=1)), np.flatnonzero(rest.any(axis=0))
        part = rest[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
        values, counts = np.unique(part[part != 0], return_counts=True)
        weight = float(values[counts.argmax()])
        found.append(Rectangle(int(down[0]), int(across[0]), part.shape[0], part.shape[1], weight))
        part -= weight
    return tuple(found)


def box_error(job: Job, rows: int) -> float:
    """Return a bound on what a running mean in float64 over a strip of so many rows is off, relative to the largest pixel.

    Each row and each column that it has passed by has come and gone with a rounding.
    """
    height = (min(rows, job.rows.outputs) - 1) * job.rows.stride + job.rows.reach
    width = (job.columns.outputs - 1) * job.columns.stride + job.columns.reach
    return float(2 * (height + width) * UNIT["float64"])
