"""Weights as integers times one common scale, which is what lets a sum over integer pixels be exact.

A mean over a 3x3 window has the weights 1/9: no binary fraction holds one, and nine of them, rounded, summed and rounded,
can miss a tie. As integers (nine ones) times a scale (1/9) the sum is exact, and one division rounds once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

# How far a weight may lie from integer times scale, relative to itself: the rounding of a few float64 operations.
_TOLERANCE = 8 * np.finfo(np.float64).eps
# Largest denominator looked for among the ratios of the weights, and for the scale.
_RATIO_DENOMINATOR = 4096
_SCALE_DENOMINATOR = 1_000_000
# A sum of absolute integers beyond this leaves no room for pixels in float64.
_LARGEST_SUM = 2**40


@dataclass(frozen=True, eq=False)
class IntegerForm:
    """Weights as `integers * scale`.

    Attributes:
        integers: shape (kh, kw), float64 holding whole numbers without a common divisor.
        scale: a `Fraction` where a short one gives the weights back to within their own rounding, else a float.
    """

    integers: NDArray[np.float64]
    scale: Fraction | float

    @property
    def absolute_sum(self) -> float:
        """Sum of the absolute integers: times the largest pixel, a bound on every partial sum."""
        return float(np.abs(self.integers).sum())


def find_integer_form(weights: NDArray[np.float64]) -> IntegerForm | None:
    """Return the integers and the scale behind `weights` (shape (kh, kw), real), or None when there are none."""
    magnitudes = np.sort(np.abs(weights[weights != 0]))
    if magnitudes.size == 0:
        return IntegerForm(np.zeros_like(weights), Fraction(1))
    magnitudes = magnitudes[np.append(True, magnitudes[1:] != magnitudes[:-1])]  # np.unique would load numpy.ma
    # Overflow and underflow make infinities and zeros here, and the checks that follow refuse both.
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
    """Return the smallest whole numbers in proportion to `ratios` (ascending, the first one 1)."""
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
