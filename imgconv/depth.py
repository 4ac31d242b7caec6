"""Conversion of results to the output type: rounding, saturation and range.

Results are computed in floating point. Integer outputs are rounded half to even, and the range policy defines the treatment of
out-of-range values:

    clip      saturate to the range of the type
    abs       take the absolute value (of complex results, the magnitude), then clip
    offset    add the middle of the range (128 in 8 bits, 0.5 in floating point), then clip
    stretch   map the smallest and the largest value to the ends of the range (0 and 1 in floating point)
    error     raise a `RangeError`

NaN becomes 0 in an integer type and counts as clipped. Floating-point outputs are never clipped.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.errors import RangeError, UsageError

_DEPTHS = {"1": np.bool_, "8": np.uint8, "16": np.uint16, "16f": np.float16, "32f": np.float32, "64f": np.float64}

# Maximum item size of types whose sums run in float32, by kind; for integers it is 2.
_NARROW_BYTES = {"f": 4, "c": 8}
# Elements processed at a time, chosen so that a strip of float32 stays in the second-level cache.
_STRIP = 1 << 16


class Fitted(NamedTuple):
    """Values in their final type, and the number of values that were clipped."""

    values: NDArray[Any]
    clipped: int


def sum_dtype(*dtypes: DTypeLike) -> np.dtype[Any]:
    """Return the type of sums over these types: float32 for up to 16-bit integers and float32, else float64."""
    narrow = all(dtype.itemsize <= _NARROW_BYTES.get(dtype.kind, 2) for dtype in [np.dtype(d) for d in dtypes])
    return np.dtype(np.float32 if narrow else np.float64)


def limits(dtype: DTypeLike) -> tuple[float, float]:
    """Return the minimum and the maximum value of a type (infinite for floating point)."""
    if np.dtype(dtype).kind not in "biu":
        return -math.inf, math.inf
    low, high = limits_of_integers(dtype)
    return float(low), float(high)


def limits_of_integers(dtype: DTypeLike) -> tuple[int, int]:
    """Return the minimum and the maximum value of an integer type, or of bool, as integers."""
    if np.dtype(dtype).kind == "b":
        return 0, 1
    return int(np.iinfo(np.dtype(dtype)).min), int(np.iinfo(np.dtype(dtype)).max)


def full_scale(dtype: DTypeLike) -> float:
    """Return the level of white: the maximum of an integer type, 1.0 for floating point."""
    return limits(dtype)[1] if np.dtype(dtype).kind in "biu" else 1.0


def dtype_of_depth(depth: str) -> np.dtype[Any]:
    """Return the type for a name of `vocabulary.DEPTHS`."""
    return np.dtype(_DEPTHS[depth])


def levels_between(source: DTypeLike, target: DTypeLike) -> Fraction:
    """Return the number of levels of `target` per level of `source` that maps white to white: 257 from 8 to 16 bits."""
    return Fraction(full_scale(target)) / Fraction(full_scale(source))


def fit(values: NDArray[Any], dtype: DTypeLike, range_policy: str = "clip") -> Fitted:
    """Return `values` as `dtype`, rounded half to even and fitted to its range.

    Args:
        values: floating-point or complex results, any shape. The array is not changed.
        dtype: type of the result.
        range_policy: one of `vocabulary.RANGES`.

    Raises:
        RangeError: the policy is `error` and a value lies outside the range.
        UsageError: the type is not numeric, or the values are complex and the type is not.
    """
    dtype = np.dtype(dtype)
    if dtype.kind not in "biufc":
        raise UsageError(f"{dtype} cannot hold the result; choose a type such as uint8 or float32")
    if values.dtype.kind == "c" and dtype.kind != "c" and range_policy != "abs":
        raise UsageError(f"{dtype} cannot hold a complex result; choose range abs for its magnitude")
    if range_policy != "clip" and dtype.kind != "c":
        values = _apply_policy(values, dtype, range_policy)
    if dtype.kind in "fc":
        with np.errstate(over="ignore"):  # values beyond the largest float16 become infinite, as in IEEE 754
            return Fitted(values.astype(dtype, copy=False), 0)
    result = np.empty(values.shape, dtype)
    clipped = 0
    rows = max(1, _STRIP // max(1, math.prod(values.shape[1:])))
    for start in range(0, values.shape[0], rows) if values.size else ():
        clipped += _round(values[start : start + rows].copy(), result[start : start + rows])
    if range_policy == "error" and clipped:
        low, high = limits(dtype)
        numbers = values[~np.isnan(values)]
        found = f"from {numbers.min():g} to {numbers.max():g}" if numbers.size else "all NaN"
        raise RangeError(
            f"{clipped} of {values.size} values are outside the range {low:.0f} to {high:.0f} ({found}); "
            "choose another range, or a depth of 32f"
        )
    return Fitted(result, clipped)


def fit_into(values: NDArray[Any], out: NDArray[Any], range_policy: str = "clip", *, inside: bool = False) -> int:
    """Write values into `out`, converted as by `fit`, and return the number of clipped values.

    Args:
        values: floating-point, complex or integer results; the array is overwritten.
        out: array of the shape of the values.
        range_policy: `clip`, `abs` or `offset`, which treat each value independently.
        inside: whether all values are known to fit into `out` once rounded.
    """
    if range_policy != "clip" and out.dtype.kind != "c":
        values = _apply_policy(values, out.dtype, range_policy)
    if out.dtype.kind in "fc":
        np.copyto(out, values, casting="unsafe")
        return 0
    return _round(values, out, inside=inside)


def _apply_policy(values: NDArray[Any], dtype: np.dtype[Any], range_policy: str) -> NDArray[Any]:
    if range_policy == "abs":
        return np.asarray(np.abs(values))
    if range_policy == "offset":  # in float64, so that no value is rounded onto a tie
        middle = 0.5 if dtype.kind == "f" else (limits(dtype)[0] + limits(dtype)[1] + 1) / 2
        return np.asarray(values.astype(np.float64) + middle)
    if range_policy == "stretch":
        return _stretch(values.astype(np.float64), *((0.0, 1.0) if dtype.kind == "f" else limits(dtype)))
    return values


def _stretch(values: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    finite = np.isfinite(values)
    least, most = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    if most == least:  # a constant image has no range to stretch
        return np.where(finite, low, values)
    return np.asarray((values - least) / (most - least) * (high - low) + low)


def _round(values: NDArray[Any], out: NDArray[Any], *, inside: bool = False) -> int:
    """Write values, rounded half to even and saturated, into `out`; return the number clipped. `values` is overwritten."""
    if values.dtype.kind == "f":
        np.rint(values, out=values)
    if inside:
        np.copyto(out, values, casting="unsafe")
        return 0
    low, high = _representable_limits(out.dtype, values.dtype)
    least, most = values.min(), values.max()
    if least >= low and most <= high:  # False if there is a NaN
        np.copyto(out, values, casting="unsafe")
        return 0
    clipped = 0
    if least != least:
        nan = np.isnan(values)
        clipped += int(np.count_nonzero(nan))
        values[nan] = 0
    clipped += int(np.count_nonzero(values < low)) + int(np.count_nonzero(values > high))
    top = limits_of_integers(out.dtype)[1]
    above = values > high if int(high) < top else None  # if the type of the values cannot represent the limit
    np.clip(values, low, high, out=values)
    np.copyto(out, values, casting="unsafe")
    if above is not None:
        out[above] = top
    return clipped


def _representable_limits(dtype: np.dtype[Any], held_in: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the limits of `dtype` as values of the type `held_in`, rounded inwards."""
    if held_in.kind in "iu":
        own, other = limits_of_integers(held_in), limits_of_integers(dtype)
        return max(own[0], other[0]), min(own[1], other[1])
    low, high = limits(dtype)
    top = held_in.type(high)
    if int(top) > limits_of_integers(dtype)[1]:
        top = np.nextafter(top, held_in.type(0))
    return held_in.type(low), top
