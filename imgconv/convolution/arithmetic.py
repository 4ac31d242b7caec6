"""The number types and the scaling of a sum, chosen so that the result has the bits of the numeric contract.

For integer pixels and weights that are integers times one scale, the integers are summed in a floating-point type that holds
every partial sum. The scale is applied last: `value = (sum * numerator + offset) / denominator`, rounded once. Other weights
are used without rescaling.
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

#: Maximum relative error of one rounding.
UNIT = {"float32": 2.0**-24, "float64": 2.0**-53}
_WHOLE = {"float32": 2.0**24, "float64": 2.0**53}
_LARGEST_DENOMINATOR = 1_000_000
#: Error bound of float32 sums, in levels of an integer image, above which sums run in float64.
_FLOAT32_ERROR = 0.5


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """The number types, the weights and the error bounds of one convolution.

    Attributes:
        weights: shape (kh, kw), float64 or complex128: the weights of the sums.
        dtype: type of the sums, float32 or float64.
        numerator: see `value` above.
        offset: the delta, times the denominator.
        denominator: see `value` above.
        finish_dtype: type in which `value` is computed.
        exact: whether the result has the bits of the exact sum, scaled and rounded once.
        direct: whether OpenCV gives the same result with the kernel's own weights in float32 and its own rounding.
        largest: bound on the absolute sum; infinite if the pixels have no bound.
        largest_pixel: bound on the absolute value of a pixel or border value; infinite if the type has none.
        whole: whether pixels and weights, and therefore all sums, are whole numbers.
        error: bound on the error of a plain sum in `dtype`, relative to the largest pixel; 0 for whole numbers.
        allowed: maximum error of any method, relative to the largest pixel: that of a plain sum. For integer pixels it is that
            of a plain sum in float32, at most half a level, even if the plain sum itself runs in float64; 0 for whole numbers.
        integer: integer type that holds every partial sum, int16 or int32; None if neither does.
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
        """Levels of the output per level of the sum."""
        return abs(self.numerator) / self.denominator

    @property
    def finishes_as_summed(self) -> bool:
        """Whether a sum is already the final value, without scale or offset."""
        return self.numerator == 1 and self.denominator == 1 and not self.offset

    @property
    def multiplies(self) -> bool:
        """Whether multiplying by 1 / denominator, which is faster than dividing, gives the same integers."""
        if math.frexp(self.denominator)[0] == 0.5:
            return True
        most = self.largest * abs(self.numerator) + abs(self.offset)
        # With an odd denominator the nearest tie is at least 0.5 / denominator away; reciprocal and product are each rounded.
        return self.denominator % 2 == 1 and 3 * UNIT[self.finish_dtype.name] * most < 0.5

    def rounds_alike(self, error: float, *, representable: bool) -> bool:
        """Whether float32 sums of whole pixels times scaled weights, rounded by OpenCV, give the bits of the exact sum.

        Args:
            error: bound on the error of such a sum, relative to the largest pixel.
            representable: whether float32 holds the scaled weights and the products of successive factors exactly.
        """
        if not self.whole or not all(number.is_integer() for number in (self.numerator, self.offset, self.denominator)):
            return False
        if representable and math.frexp(self.denominator)[0] == 0.5:  # a power of two: nothing is rounded before the end
            return self.largest * abs(self.numerator) + abs(self.offset) <= _WHOLE["float32"]
        # With an odd denominator no value lies on a tie, and the nearest tie is at least 0.5 / denominator away.
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
    """Return the arithmetic that sums integers, or None if float64 cannot hold the sums."""
    form = kernel.integer_form
    assert form is not None
    if math.isinf(largest):  # 64-bit pixels: `execution` checks at run time that the sums fit
        largest = _WHOLE["float64"] / max(form.absolute_sum, 1.0)
    bound = form.absolute_sum * largest
    if bound > _WHOLE[sums.name]:
        sums = np.dtype(np.float64)
    if bound > _WHOLE[sums.name]:
        return None
    numerator, offset, denominator = _fraction(form.scale, delta)
    # The last step is exact up to one rounding of the quotient, which cannot move a value onto a tie.
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
    """Return the numerator, offset and denominator of `sum * scale + delta` over a common denominator."""
    shift = Fraction(delta).limit_denominator(_LARGEST_DENOMINATOR)
    if isinstance(scale, float) or float(shift) != delta:
        return float(scale), delta, 1.0
    denominator = math.lcm(scale.denominator, shift.denominator)
    return float(scale * denominator), float(shift * denominator), float(denominator)


def _error(kernel: Kernel, sums: np.dtype[Any]) -> float:
    """Return a bound on the rounding error of a plain sum, relative to the largest pixel.

    Each weight, product and addition is rounded once.
    """
    return (kernel.taps + 2) * UNIT[sums.name] * float(np.abs(kernel.weights).sum())


def _largest_pixel(dtype: np.dtype[Any], border: Border) -> float:
    if dtype.kind not in "biu" or dtype.itemsize == 8:
        return math.inf
    outside = [abs(v) for v in border.value] if border.uses_value else []
    return max([abs(v) for v in limits(dtype)] + outside)
