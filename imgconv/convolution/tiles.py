"""Tiles for products of spectra: of which size, how many, and what their transforms are off.

Overlap-save: a tile reaches over the outputs that it gives by the reach of the kernel.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.plan import Axis

# Each of log2(N) steps of a transform makes the norm off by at most 4 sqrt(2) + 1 units (Higham, "Accuracy and Stability of
# Numerical Algorithms", 2nd edition, theorem 24.2).
_PER_STEP = 4 * math.sqrt(2) + 1
# Roundings act like noise: of N samples a transform makes some 0.6 sqrt(log2 N) units of the root mean square (Schatzman,
# "Accuracy of the discrete Fourier transform and the fast Fourier transform", SIAM J. Sci. Comput. 17, 1150-1166, 1996).
# Thirteen times that is met in no picture.
_NOISE = 8.0


def worst_error(weights: NDArray[Any], places: int) -> float:
    """Return what float64 transforms of `places` samples are off at most, relative to the largest pixel.

    By norms: of a tile of the brightest pixels, of the kernel, and of the sums, transformed back.
    """
    norms = math.sqrt(places) * (2 * float(np.linalg.norm(weights)) + float(np.abs(weights).sum()))
    return _PER_STEP * max(math.log2(places), 1) * UNIT["float64"] * norms


def likely_error(weights: NDArray[Any], places: int) -> float:
    """Return what float32 transforms of `places` samples are never seen to be off, relative to the largest pixel."""
    norms = 2 * float(np.linalg.norm(weights)) + float(np.abs(weights).sum())
    return _NOISE * math.sqrt(max(math.log2(places), 1)) * UNIT["float32"] * norms


def tiles_along(axis: Axis, side: int) -> int:
    """Return how many tiles there are along an axis."""
    return -(-axis.outputs // axis.outputs_in(side))


@functools.lru_cache(maxsize=256)
def best_side(axis: Axis, longest: int, shortest: int) -> int:
    """Return the side of the tiles that makes the transforms of all of them cheapest, hardly longer than `longest`."""
    return min(sides_for(axis, shortest, longest), key=lambda n: tiles_along(axis, n) * n * (math.log2(n) + 8))


@functools.lru_cache(maxsize=256)
def sides_for(axis: Axis, shortest: int, longest: int = 0) -> list[int]:
    """Return the sides that tiles may have along an axis, `shortest` or more unless the image is smaller.

    At most one of them exceeds `longest`, by default a few times the kernel.
    """
    needed = axis.span(axis.outputs)
    least = max(axis.reach, min(shortest, needed))
    sides = [n for n in _fast_lengths(max(longest or max(4 * axis.reach, 4 * shortest), least)) if n >= least]
    return [n for n in sides if n <= needed] + [n for n in sides if n > needed][:1]


@functools.cache
def _fast_lengths(most: int) -> list[int]:
    """Return lengths that transform fast, up to the first that reaches `most`: powers of two times a small odd number."""
    found = sorted(odd * 2**power for odd in (1, 3, 5, 9, 15) for power in range(1, 40))
    return [n for n, before in zip(found, [0, *found], strict=False) if before < most]
