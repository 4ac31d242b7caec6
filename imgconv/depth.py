"""The one place where rounding, saturation and the range of an output are defined.

A result is computed in floating point. It becomes an integer by rounding half to even, and by what the range policy says
of values that the type cannot hold:

    clip      the nearest value that it can hold
    abs       the absolute value first (of a complex result, its magnitude), then clip
    offset    the middle of the range (128 in 8 bits, 0.5 in floating point) is added first, then clip
    stretch   the smallest and the largest value become the ends of the range (0 and 1 in floating point)
    error     a `RangeError`

A result that is not a number becomes 0 in an integer type and counts as clipped. Floating-point outputs are never clipped.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.errors import RangeError, UsageError

_DEPTHS = {"1": np.bool_, "8": np.uint8, "16": np.uint16, "16f": np.float16, "32f": np.float32, "64f": np.float64}

# Bytes of the floating-point and complex types whose sums run in float32; of integers 2.
_NARROW_BYTES = {"f": 4, "c": 8}
# Elements worked on at a time: a strip of float32 stays in the second-level cache.
_STRIP = 1 << 16


class Fitted(NamedTuple):
    """Values in their final type, and how many of them had to be clipped on the way."""

    values: NDArray[Any]
    clipped: int


def sum_dtype(*dtypes: DTypeLike) -> np.dtype[Any]:
    """Return the type that sums over these types run in: float32 up to 16-bit integers and float32, else float64."""
    narrow = all(dtype.itemsize <= _NARROW_BYTES.get(dtype.kind, 2) for dtype in [np.dtype(d) for d in dtypes])
    return np.dtype(np.float32 if narrow else np.float64)


def limits(dtype: DTypeLike) -> tuple[float, float]:
    """Return the least and the greatest value that a type holds (infinite for floating point)."""
    if np.dtype(dtype).kind not in "biu":
        return -math.inf, math.inf
    low, high = limits_of_integers(dtype)
    return float(low), float(high)


def limits_of_integers(dtype: DTypeLike) -> tuple[int, int]:
    """Return the least and the greatest value of an integer type, or of bool, as integers."""
    if np.dtype(dtype).kind == "b":
        return 0, 1
    return int(np.iinfo(np.dtype(dtype)).min), int(np.iinfo(np.dtype(dtype)).max)


def full_scale(dtype: DTypeLike) -> float:
    """Return the level that stands for white: the greatest integer, and 1.0 in floating point."""
    return limits(dtype)[1] if np.dtype(dtype).kind in "biu" else 1.0


def dtype_of_depth(depth: str) -> np.dtype[Any]:
    """Return the type that a word of `vocabulary.DEPTHS` stands for."""
    return np.dtype(_DEPTHS[depth])


def levels_between(source: DTypeLike, target: DTypeLike) -> Fraction:
    """Return how many levels of `target` make one of `source`, so that white stays white: 257 from 8 to 16 bits."""
    return Fraction(full_scale(target)) / Fraction(full_scale(source))


def fit(values: NDArray[Any], dtype: DTypeLike, range_policy: str = "clip") -> Fitted:
    """Return `values` in `dtype`, rounded half to even and brought into its range.

    Args:
        values: floating-point or complex results, any shape. The array is not changed.
        dtype: the type wanted.
        range_policy: one of `vocabulary.RANGES`.

    Raises:
        RangeError: the policy is `error` and a value lies outside of the range.
        UsageError: a type that holds no numbers, or complex values and a type that is not complex.
    """
    dtype = np.dtype(dtype)
    if dtype.kind not in "biufc":
        raise UsageError(f"{dtype} cannot hold the result; choose a type such as uint8 or float32")
    if values.dtype.kind == "c" and dtype.kind != "c" and range_policy != "abs":
        raise UsageError(f"a complex result does not fit into {dtype}; range abs takes its magnitude")
    if range_policy != "clip" and dtype.kind != "c":
        values = _prepared(values, dtype, range_policy)
    if dtype.kind in "fc":
        with np.errstate(over="ignore"):  # beyond the largest float16 lies infinity, as IEEE 754 has it
            return Fitted(values.astype(dtype, copy=False), 0)
    result = np.empty(values.shape, dtype)
    clipped = 0
    rows = max(1, _STRIP // max(1, math.prod(values.shape[1:])))
    for start in range(0, values.shape[0], rows) if values.size else ():
        clipped += _round(values[start : start + rows].copy(), result[start : start + rows])
    if range_policy == "error" and clipped:
        low, high = limits(dtype)
        numbers = values[~np.isnan(values)]
        found = f"from {numbers.min():g} to {numbers.max():g}" if numbers.size else "none of them a number"
        raise RangeError(
            f"{clipped} of {values.size} values leave the range {low:.0f} to {high:.0f} ({found}); "
            "choose another range, or a depth of 32f"
        )
    return Fitted(result, clipped)


def fit_into(values: NDArray[Any], out: NDArray[Any], range_policy: str = "clip", *, inside: bool = False) -> int:
    """Put values into `out`, in its type, as `fit` does, and return how many were clipped.

    Args:
        values: results, in floating point, complex, or in integers already; the array is used up.
        out: shape of the values.
        range_policy: `clip`, `abs` or `offset`, which look at each value alone.
        inside: whether it is known beforehand that `out` can hold all of them, once rounded.
    """
    if range_policy != "clip" and out.dtype.kind != "c":
        values = _prepared(values, out.dtype, range_policy)
    if out.dtype.kind in "fc":
        np.copyto(out, values, casting="unsafe")
        return 0
    return _round(values, out, inside=inside)


def _prepared(values: NDArray[Any], dtype: np.dtype[Any], range_policy: str) -> NDArray[Any]:
    if range_policy == "abs":
        return np.asarray(np.abs(values))
    if range_policy == "offset":  # in float64: nothing may be rounded onto a tie here
        middle = 0.5 if dtype.kind == "f" else (limits(dtype)[0] + limits(dtype)[1] + 1) / 2
        return np.asarray(values.astype(np.float64) + middle)
    if range_policy == "stretch":
        return _stretched(values.astype(np.float64), *((0.0, 1.0) if dtype.kind == "f" else limits(dtype)))
    return values


def _stretched(values: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    finite = np.isfinite(values)
    least, most = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    if most == least:  # a flat picture has no range to stretch: it stays at the low end
        return np.where(finite, low, values)
    return np.asarray((values - least) / (most - least) * (high - low) + low)


def _round(values: NDArray[Any], out: NDArray[Any], *, inside: bool = False) -> int:
    """Put values, which are used up, into `out`, rounded half to even and saturated; return how many were clipped."""
    if values.dtype.kind == "f":
        np.rint(values, out=values)
    if inside:
        np.copyto(out, values, casting="unsafe")
        return 0
    low, high = _representable_limits(out.dtype, values.dtype)
    least, most = values.min(), values.max()
    if least >= low and most <= high:  # not when there is a NaN, which fails every comparison
        np.copyto(out, values, casting="unsafe")
        return 0
    clipped = 0
    if least != least:
        nan = np.isnan(values)
        clipped += int(np.count_nonzero(nan))
        values[nan] = 0
    clipped += int(np.count_nonzero(values < low)) + int(np.count_nonzero(values > high))
    top = limits_of_integers(out.dtype)[1]
    above = values > high if int(high) < top else None  # where the type of the values cannot hold the limit itself
    np.clip(values, low, high, out=values)
    np.copyto(out, values, casting="unsafe")
    if above is not None:
        out[above] = top
    return clipped


def _representable_limits(dtype: np.dtype[Any], held_in: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the limits of `dtype` as values of the type `held_in`, never beyond the limits themselves."""
    if held_in.kind in "iu":
        own, other = limits_of_integers(held_in), limits_of_integers(dtype)
        return max(own[0], other[0]), min(own[1], other[1])
    low, high = limits(dtype)
    top = held_in.type(high)
    if int(top) > limits_of_integers(dtype)[1]:
        top = np.nextafter(top, held_in.type(0))
    return held_in.type(low), top
