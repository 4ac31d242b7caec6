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

# Elements worked on at a time: a strip of float32 stays in the second-level cache.
_STRIP = 1 << 16


class Fitted(NamedTuple):
    """Values in their final type, and how many of them had to be clipped on the way."""

    values: NDArray[Any]
    clipped: int


def sum_dtype(*dtypes: DTypeLike) -> np.dtype[Any]:
    """Return the type that sums over these types run in: float32 up to 16-bit integers and float32, else float64."""
    narrow = all(np.dtype(d).itemsize <= (2 if np.dtype(d).kind in "biu" else 4) for d in dtypes if not _is_complex(d))
    narrow = narrow and all(np.dtype(d).itemsize <= 8 for d in dtypes if _is_complex(d))
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
    return np.dtype({"8": np.uint8, "16": np.uint16, "32f": np.float32}[depth])


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
        UsageError: complex values, and a type that is not complex.
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        return Fitted(values.astype(dtype, copy=False), 0)
    if values.dtype.kind == "c" and range_policy != "abs":
        raise UsageError(f"a complex result does not fit into {dtype}; range abs takes its magnitude")
    if range_policy != "clip":
        values = _prepared(values, dtype, range_policy)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond the largest float16 lies infinity, as IEEE 754 has it
            return Fitted(values.astype(dtype, copy=False), 0)
    fitted = _round(values, dtype)
    if range_policy == "error" and fitted.clipped:
        low, high = limits(dtype)
        numbers = values[~np.isnan(values)]
        found = f"from {numbers.min():g} to {numbers.max():g}" if numbers.size else "none of them a number"
        raise RangeError(
            f"{fitted.clipped} of {values.size} values leave the range {low:.0f} to {high:.0f} ({found}); "
            "choose another range, or a depth of 32f"
        )
    return fitted


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


def _round(values: NDArray[Any], dtype: np.dtype[Any]) -> Fitted:
    """Round half to even and saturate, a strip at a time."""
    result = np.empty(values.shape, dtype)
    low, high = _representable_limits(dtype, values.dtype)
    clipped = 0
    rows = max(1, _STRIP // max(1, math.prod(values.shape[1:])))
    for start in range(0, values.shape[0], rows) if values.size else ():
        strip = np.rint(values[start : start + rows])
        if not (strip.min() >= low and strip.max() <= high):  # also when there is a NaN, which fails every comparison
            clipped += strip.size - int(np.count_nonzero((strip >= low) & (strip <= high)))
            strip[np.isnan(strip)] = 0
            above = strip > high
            result[start : start + rows] = np.clip(strip, low, high, out=strip)
            result[start : start + rows][above] = limits_of_integers(dtype)[1]  # which `high` may fall short of
        else:
            result[start : start + rows] = strip
    return Fitted(result, clipped)


def _representable_limits(dtype: np.dtype[Any], held_in: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the limits of `dtype` as values of the type `held_in`, never beyond the limits themselves."""
    low, high = limits(dtype)
    top = held_in.type(high)
    if int(top) > limits_of_integers(dtype)[1]:
        top = np.nextafter(top, held_in.type(0))
    return held_in.type(low), top


def _is_complex(dtype: DTypeLike) -> bool:
    return np.dtype(dtype).kind == "c"
