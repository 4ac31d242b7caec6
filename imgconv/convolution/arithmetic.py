"""In which numbers a sum runs, so that the result has the bits of the numeric contract.

Over integer pixels, weights that are integers times one scale are summed as integers, in floating point that holds every
partial sum, and the scale is applied last: `value = (sum * numerator + offset) / denominator`, rounded once. Other weights
are summed as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import Border
from imgconv.depth import limits, sum_dtype
from imgconv.kernels.kernel import Kernel

#: Largest relative error of one rounding.
UNIT = {"float32": 2.0**-24, "float64": 2.0**-53}
_WHOLE = {"float32": 2.0**24, "float64": 2.0**53}
_LARGEST_DENOMINATOR = 1_000_000
#: The worst that float32 sums may be off, in levels of an integer image, before float64 takes over.
_FLOAT32_ERROR = 0.5


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """The numbers of one convolution.

    Attributes:
        weights: shape (kh, kw), float64 or complex128: what the sums multiply the pixels with.
        dtype: float32 or float64, what the sums run in.
        numerator: see `value` above.
        offset: the delta, times the denominator.
        denominator: see `value` above.
        finish_dtype: what `value` is computed in.
        exact: whether the result has the bits of the exact sum, scaled and rounded once.
        direct: whether OpenCV may multiply with the weights as they are, in float32, and round by itself with the same result.
        largest: a bound on the absolute sum, where the pixels have one; else infinite.
        largest_pixel: a bound on the absolute value of a pixel, inside or outside; infinite where the type has none.
        whole: whether pixels and weights are whole numbers, and so is every sum.
        error: a bound on what a plain sum may be off in `dtype`, relative to the largest pixel; 0 for whole numbers.
        allowed: what any method may be off, relative to the largest pixel: as much as a plain sum. Of integer pixels that is a
            plain sum in float32, up to half a level, also where the plain sum is then left to float64; 0 for whole numbers.
        integer: the integer type that holds every partial sum, int16 or int32, where there is one.
    """

    weights: NDArray[Any]
    dtype: np.dtype[Any]
    numerator: float
    offset: float
    denominator: float
    finish_dtype: np.dtype[Any]
    exact: bool
    direct: bool
    largest: float
    largest_pixel: float
    whole: bool
    error: float
    allowed: float
    integer: np.dtype[Any] | None

    @property
    def scale(self) -> float:
        """Levels of the output to one level of the sum."""
        return abs(self.numerator) / self.denominator

    @property
    def finishes_as_summed(self) -> bool:
        """Whether a sum is the value already, with neither scale nor offset."""
        return self.numerator == 1 and self.denominator == 1 and not self.offset

    @property
    def multiplies(self) -> bool:
        """Whether to multiply by 1 / denominator, which is faster than to divide, gives the same integers."""
        if math.frexp(self.denominator)[0] == 0.5:
            return True
        most = self.largest * abs(self.numerator) + abs(self.offset)
        # With an odd denominator the nearest tie is half of 1 / denominator away; the reciprocal and the product are rounded.
        return self.denominator % 2 == 1 and 3 * UNIT[self.finish_dtype.name] * most < 0.5

    def rounds_alike(self, error: float, *, representable: bool) -> bool:
        """Whether float32 sums of whole pixels times scaled weights, rounded by OpenCV, give the bits of the exact sum.

        Args:
            error: a bound on what such a sum may be off, relative to the largest pixel.
            representable: whether float32 holds the scaled weights, and the products of what is multiplied one after the other.
        """
        if not self.whole or not all(number.is_integer() for number in (self.numerator, self.offset, self.denominator)):
            return False
        if representable and math.frexp(self.denominator)[0] == 0.5:  # a power of two: nothing is rounded before the end
            return self.largest * abs(self.numerator) + abs(self.offset) <= _WHOLE["float32"]
        # With an odd denominator no value lies on a tie, and the nearest lies half of 1 / denominator away from one.
        off = error * self.largest_pixel + abs(self.offset / self.denominator) * UNIT["float32"]
        return self.denominator % 2 == 1 and off < 0.5 / self.denominator


def make_arithmetic(kernel: Kernel, dtype: np.dtype[Any], output: np.dtype[Any], delta: float, border: Border) -> Arithmetic:
    """Return the arithmetic for a kernel on pixels of `dtype`, with results of type `output`."""
    sums = sum_dtype(dtype, output) if output.kind in "fc" else sum_dtype(dtype)
    largest = _largest_pixel(dtype, border)
    form = kernel.integer_form
    values_are_whole = all(float(np.real(v)).is_integer() for v in border.value) or not border.uses_value
    if dtype.kind in "biu" and values_are_whole and form is not None:
        whole = _whole_sums(kernel, sums, largest, delta)
        if whole is not None:
            return whole
    absolute = float(np.abs(kernel.weights).sum())
    allowed = _error(kernel, sums)
    if dtype.kind in "biu" and allowed * largest > _FLOAT32_ERROR:
        sums = np.dtype(np.float64)
        allowed = max(_FLOAT32_ERROR / largest, _error(kernel, sums))
    finish = np.dtype(np.float64) if delta and dtype.kind in "biu" else sums
    direct = sums == np.float32 or dtype.kind == "f"
    bound = largest * absolute if absolute else 0.0
    error = _error(kernel, sums)
    return Arithmetic(kernel.weights, sums, 1.0, delta, 1.0, finish, False, direct, bound, largest, False, error, allowed, None)


def _whole_sums(kernel: Kernel, sums: np.dtype[Any], largest: float, delta: float) -> Arithmetic | None:
    """Return the arithmetic that sums integers, or None where float64 cannot hold the sums."""
    form = kernel.integer_form
    assert form is not None
    if math.isinf(largest):  # 64-bit pixels: carried out on condition that they fit, see `execution`
        largest = _WHOLE["float64"] / max(form.absolute_sum, 1.0)
    bound = form.absolute_sum * largest
    if bound > _WHOLE[sums.name]:
        sums = np.dtype(np.float64)
    if bound > _WHOLE[sums.name]:
        return None
    numerator, offset, denominator = _fraction(form.scale, delta)
    # The last step is exact up to one rounding of the quotient, which cannot reach a tie that the value is not on.
    dividend = bound * abs(numerator) + abs(offset)
    fits = {name: dividend <= _WHOLE[name] and 2 * dividend * UNIT[name] < 0.5 for name in _WHOLE}
    whole = all(number.is_integer() for number in (numerator, offset, denominator))
    finish = sums if whole and fits[sums.name] else np.dtype(np.float64)
    exact = fits["float64"] or (isinstance(form.scale, float) and not delta)
    integer = next((np.dtype(t) for t in (np.int16, np.int32) if max(bound, largest) <= np.iinfo(t).max), None)
    arithmetic = Arithmetic(
        form.integers, sums, numerator, offset, denominator, finish, exact, False, bound, largest, True, 0.0, 0.0, integer
    )
    representable = np.array_equal(kernel.weights.astype(np.float32).astype(np.float64), kernel.weights)
    direct = arithmetic.rounds_alike(_error(kernel, np.dtype(np.float32)), representable=representable)
    return replace(arithmetic, direct=direct)


def _fraction(scale: Fraction | float, delta: float) -> tuple[float, float, float]:
    """Return numerator, offset and denominator of `sum * scale + delta` over one common denominator."""
    shift = Fraction(delta).limit_denominator(_LARGEST_DENOMINATOR)
    if isinstance(scale, float) or float(shift) != delta:
        return float(scale), delta, 1.0
    denominator = math.lcm(scale.denominator, shift.denominator)
    return float(scale * denominator), float(shift * denominator), float(denominator)


def _error(kernel: Kernel, sums: np.dtype[Any]) -> float:
    """Return a bound on the rounding error of a plain sum, relative to the largest pixel.

    Each weight, product and addition rounds once.
    """
    return (kernel.taps + 2) * UNIT[sums.name] * float(np.abs(kernel.weights).sum())


def _largest_pixel(dtype: np.dtype[Any], border: Border) -> float:
    if dtype.kind not in "biu" or dtype.itemsize == 8:
        return math.inf
    outside = [abs(v) for v in border.value] if border.uses_value else []
    return max([abs(v) for v in limits(dtype)] + outside)
