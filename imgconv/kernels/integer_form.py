"""Weights as integers times a common scale, which makes sums over integer pixels exact.

The weights of a 3x3 mean are 1/9, which no binary fraction represents: a sum of nine rounded products can miss a tie. With
integers (nine ones) times a scale (1/9) the sum is exact, and the division rounds once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

# Maximum relative difference of a weight from integer times scale: the rounding of a few float64 operations.
_TOLERANCE = 8 * np.finfo(np.float64).eps
# Maximum denominator of the ratios of the weights, and of the scale.
_RATIO_DENOMINATOR = 4096
_SCALE_DENOMINATOR = 1_000_000
# Maximum sum of absolute integers, beyond which float64 could not hold products with pixels exactly.
_LARGEST_SUM = 2**40


@dataclass(frozen=True, eq=False)
class IntegerForm:
    """Weights as `integers * scale`.

    Attributes:
        integers: shape (kh, kw), float64, whole numbers without a common divisor.
        scale: a `Fraction` if a short one reproduces the weights up to their rounding, else a float.
    """

    integers: NDArray[np.float64]
    scale: Fraction | float

    @property
    def absolute_sum(self) -> float:
        """Sum of the absolute integers; times the largest pixel it bounds every partial sum."""
        return float(np.abs(self.integers).sum())


def find_integer_form(weights: NDArray[np.float64]) -> IntegerForm | None:
    """Return `weights` (shape (kh, kw), real) as integers times a scale, or None if they have no such form."""
    magnitudes = np.sort(np.abs(weights[weights != 0]))
    if magnitudes.size == 0:
        return IntegerForm(np.zeros_like(weights), Fraction(1))
    magnitudes = magnitudes[np.append(True, magnitudes[1:] != magnitudes[:-1])]  # np.unique would import numpy.ma
    # Overflow and underflow give infinities and zeros, which the checks below reject.
    with np.errstate(all="ignore"):
        if np.array_equal(weights, np.rint(weights)) and np.abs(weights).sum() <= _LARGEST_SUM:
            divisor = float(np.gcd.reduce(np.abs(weights).astype(np.int64), axis=None))
            return IntegerForm(weights / divisor, Fraction(divisor))
        multiples = _as_multiples(magnitudes / magnitudes[0])
        if multiples is None:
            return None
        unit = float(magnitudes[-1] / multiples[-1])
        integers = np.rint(weights / unit)
        if np.abs(integers).sum() > _LARGEST_SUM or not _within(integers * unit, weights):
            return None
    divisor = float(np.gcd.reduce(np.abs(integers).astype(np.int64), axis=None))
    integers /= divisor
    return IntegerForm(integers, _as_scale(unit * divisor, integers, weights))


def _as_multiples(ratios: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the smallest whole numbers proportional to `ratios` (ascending, starting with 1), or None if there are none."""
    factor = 1
    for ratio in ratios:
        if not math.isfinite(ratio) or ratio > _LARGEST_SUM:
            return None
        multiple = ratio * factor
        if _within(np.rint(multiple), multiple):
            continue
        near = Fraction(float(ratio)).limit_denominator(_RATIO_DENOMINATOR)
        if not _within(np.float64(near), ratio):
            return None
        factor = math.lcm(factor, near.denominator)
        if factor > _RATIO_DENOMINATOR:
            return None
    return np.asarray(np.rint(ratios * factor))


def _as_scale(scale: float, integers: NDArray[np.float64], weights: NDArray[np.float64]) -> Fraction | float:
    exact = Fraction(scale)
    if exact.denominator == 1:
        return exact
    near = exact.limit_denominator(_SCALE_DENOMINATOR)
    if near != 0 and _within(integers * near.numerator / near.denominator, weights):
        return near
    return exact if exact.denominator <= 2**40 else scale


def _within(candidate: NDArray[np.float64] | np.float64, target: NDArray[np.float64] | np.float64) -> bool:
    return bool(np.all(np.abs(candidate - target) <= _TOLERANCE * np.abs(target)))
