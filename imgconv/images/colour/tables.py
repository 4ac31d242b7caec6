"""Transfer curves in the form in which pixels are converted: tables from levels to light, straight lines for the way back.

The lines are worth their code: 12 megapixels of colour in float32 take 0.08 s, a formula 0.14 s, and `np.interp` over the 1024
samples that many profiles of sRGB have 2.5 s; 2026-11, two AMD EPYC cores with AVX-512, NumPy 2.4.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import full_scale
from imgconv.images.colour.curves import Curve, Numbers

#: The greatest level of white for which there are lines. Floating point counts as having as many levels.
FINEST = 65_535

# The lowest 14 bits of a float32 do not choose the line. The other 9 bits of the fraction do, so a line reaches from x to
# x (1 + 2**-9), where a power of 1/2.4 deviates from it by at most 2**-18 / 8 of a quarter of its height.
_IGNORED_BITS = 14
_LINES = 1 << (31 - _IGNORED_BITS)


def compute(function: Callable[[Numbers], Numbers], full: float, values: NDArray[Any], out: NDArray[Any]) -> None:
    """Write what `light_of` or `signal_of` returns for levels of any real type into a float array of the same shape.

    The function is continued below 0 by f(-x) = -f(x); `full` is the level of white.
    """
    numbers = values.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # infinity and NaN stay what they are
        np.copysign(function(np.abs(numbers) / full) * full, numbers, out=out, casting="same_kind")


@functools.lru_cache(maxsize=16)
def table_of(curve: Curve, dtype: np.dtype[Any], kind: str) -> NDArray[Any]:
    """Return the light of each level of an integer type of 8 or 16 bits, in the order of their bit patterns."""
    codes = np.arange(1 << 8 * dtype.itemsize, dtype=f"uint{8 * dtype.itemsize}")
    table = np.empty(len(codes), kind)
    compute(curve.light_of, full_scale(dtype), codes.view(dtype), table)
    return table


@functools.lru_cache(maxsize=8)
def lines_of(curve: Curve, full: float) -> NDArray[np.float32] | None:
    """Return the chords of a curve from light to levels, (2, 2 ** 18): offsets and slopes, by the upper bits of a float32.

    None where float32 cannot represent them, or where not every level up to `full`, at most `FINEST`, comes back from its
    light in float32.
    """
    bits = (np.arange(_LINES, dtype=np.uint32) << _IGNORED_BITS).view(np.float32)
    starts = bits[np.isfinite(bits)].astype(np.float64)
    lines = np.zeros((2, _LINES), np.float32)
    lines[1] = 1  # infinity and NaN stay what they are
    with np.errstate(all="ignore"):
        levels = curve.signal_of(starts / full) * full
        slopes = np.diff(levels) / np.diff(starts)
        lines[:, : len(slopes)] = levels[:-1] - slopes * starts[:-1], slopes
    if not np.isfinite(lines).all():
        return None
    lines = np.hstack([lines, lines * np.array([[-1], [1]], np.float32)])  # the other half is for negative numbers
    count = int(full) if full > 1 else FINEST
    light, found = np.empty((2, count + 1), np.float32)
    compute(curve.light_of, full, np.arange(count + 1) * (full / count), light)
    follow(lines, light, found)
    return lines if bool((np.rint(found * (count / full)) == np.arange(count + 1)).all()) else None


def follow(lines: NDArray[np.float32], light: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Write the levels of light into `out`, an array of the same shape, by the lines of `lines_of`."""
    offsets, slopes = lines
    which = (light.view(np.uint32) >> _IGNORED_BITS).astype(np.intp)
    slopes.take(which, out=out, mode="wrap")  # no index is out of range; this is the fastest mode
    with np.errstate(over="ignore", invalid="ignore"):
        out *= light
        out += offsets.take(which, mode="wrap")
