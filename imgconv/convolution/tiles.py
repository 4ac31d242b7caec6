"""Tiles for products of spectra: their size, number and transform errors.

Tiles overlap by the reach of the kernel (overlap-save).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.plan import Axis

# Each of the log2(N) steps of a transform adds a relative error of at most 4 sqrt(2) + 1 units to the norm (Higham, "Accuracy
# and Stability of Numerical Algorithms", 2nd edition, theorem 24.2).
_PER_STEP = 4 * math.sqrt(2) + 1
# Rounding errors behave like noise: a transform of N samples has an error of about 0.6 sqrt(log2 N) units of the root mean
# square (Schatzman, "Accuracy of the discrete Fourier transform and the fast Fourier transform", SIAM J. Sci. Comput. 17,
# 1150-1166, 1996). Thirteen times that does not occur in pictures.
_NOISE = 8.0


def worst_error(weights: NDArray[Any], places: int) -> float:
    """Return a bound on the error of float64 transforms of `places` samples, relative to the largest pixel.

    It is derived from the norms of a tile of maximal pixels, of the kernel, and of the inverse transform of the sums.
    """
    norms = math.sqrt(places) * (2 * float(np.linalg.norm(weights)) + float(np.abs(weights).sum()))
    return _PER_STEP * max(math.log2(places), 1) * UNIT["float64"] * norms


def likely_error(weights: NDArray[Any], places: int) -> float:
    """Return an error that float32 transforms of `places` samples do not reach in practice, relative to the largest pixel."""
    norms = 2 * float(np.linalg.norm(weights)) + float(np.abs(weights).sum())
    return _NOISE * math.sqrt(max(math.log2(places), 1)) * UNIT["float32"] * norms


def tiles_along(axis: Axis, side: int) -> int:
    """Return the number of tiles along an axis."""
    return -(-axis.outputs // axis.outputs_in(side))


@functools.lru_cache(maxsize=256)
def best_side(axis: Axis, longest: int, shortest: int) -> int:
    """Return the tile side with the lowest total transform cost, at most slightly longer than `longest`."""
    return min(sides_for(axis, shortest, longest), key=lambda n: tiles_along(axis, n) * n * (math.log2(n) + 8))


@functools.lru_cache(maxsize=256)
def sides_for(axis: Axis, shortest: int, longest: int = 0) -> list[int]:
    """Return the possible tile sides along an axis, at least `shortest` unless the image is smaller.

    At most one of them exceeds `longest`, which is a few times the size of the kernel by default.
    """
    needed = axis.span(axis.outputs)
    least = max(axis.reach, min(shortest, needed))
    sides = [n for n in _fast_lengths(max(longest or max(4 * axis.reach, 4 * shortest), least)) if n >= least]
    return [n for n in sides if n <= needed] + [n for n in sides if n > needed][:1]


@functools.cache
def _fast_lengths(most: int) -> list[int]:
    """Return lengths with fast transforms, powers of two times a small odd number, up to the first that reaches `most`."""
    found = sorted(odd * 2**power for odd in (1, 3, 5, 9, 15) for power in range(1, 40))
    return [n for n, before in zip(found, [0, *found], strict=False) if before < most]
