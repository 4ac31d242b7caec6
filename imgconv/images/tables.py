"""Curves as tables: the light of every level of an integer type, and straight lines for the way back in float32."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import full_scale
from imgconv.images.curves import Curve, Numbers

#: The highest level of white that there are lines for; as many levels are told apart in floating point.
FINEST = 65_535

# Bits of a float32 that are not looked at to find its line: 9 of the 23 of its fraction are left, so a line reaches from
# x to x (1 + 2**-9), where a curve of the power 1/2.4 leaves it by no more than 2**-18 / 8 of a quarter of its height.
_UNSEEN = 14
_BINS = 1 << (32 - _UNSEEN)

# Of white: light that is not worth a line of its own.
_NEXT_TO_NOTHING = 2.0**-100


def light_into(curve: Curve, full: float, pixels: NDArray[Any], out: NDArray[Any]) -> None:
    """Put the light of levels of any real type into `out`, a float array of the same shape, by the formula."""
    _turned(curve.light_of, full, pixels, out)


def signal_into(curve: Curve, full: float, values: NDArray[Any], out: NDArray[Any]) -> None:
    """Put the levels of light into `out`, a float array of the same shape, by the formula."""
    _turned(curve.signal_of, full, values, out)


def _turned(function: Callable[[Numbers], Numbers], full: float, values: NDArray[Any], out: NDArray[Any]) -> None:
    """Put a function of levels, computed in float64 and turned round the origin, into `out`."""
    numbers = values.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities and what is not a number stay so
        np.copysign(function(np.abs(numbers) / full) * full, numbers, out=out, casting="same_kind")


@functools.lru_cache(maxsize=16)
def table_of(curve: Curve, dtype: np.dtype[Any], kind: str) -> NDArray[Any]:
    """Return the light of each level of an integer type of 8 or 16 bits, by its bits."""
    codes = np.arange(1 << 8 * dtype.itemsize, dtype=f"uint{8 * dtype.itemsize}")
    table = np.empty(len(codes), kind)
    light_into(curve, full_scale(dtype), codes.view(dtype), table)
    return table


class Lines(NamedTuple):
    """A curve from light to levels as straight lines, `heights + slopes * light`, found by a float32's upper bits.

    Attributes:
        heights, slopes: by these bits, of negative numbers too.
        keeps_levels: whether all integer levels up to white, in floating point 65 536 of them, come back from their light
            in float32.
    """

    heights: NDArray[np.float32]
    slopes: NDArray[np.float32]
    keeps_levels: bool

    def follow(self, light: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Put the levels of light, both flat, into `out`."""
        bins = (light.view(np.uint32) >> _UNSEEN).astype(np.intp)
        self.slopes.take(bins, out=out, mode="wrap")
        with np.errstate(over="ignore", invalid="ignore"):
            out *= light
            out += self.heights.take(bins, mode="wrap")


@functools.lru_cache(maxsize=8)
def lines_of(curve: Curve, full: float) -> Lines:
    """Return the chords of a curve, for a white of up to `FINEST`; they end at float32 numbers whose lower bits are 0."""
    half = _BINS // 2
    starts = (np.arange(half, dtype=np.uint32) << _UNSEEN).view(np.float32)
    infinity = int(np.argmax(np.isinf(starts)))
    ends = starts[:infinity].astype(np.float64)
    with np.errstate(all="ignore"):
        levels = curve.signal_of(ends / full) * full
        slopes = np.diff(levels) / np.diff(ends)
        heights = levels[:-1] - slopes * ends[:-1]
        # Next to 0 a line may be too steep for float32 (PQ begins with a step): there one goes up from the origin.
        near = np.count_nonzero(ends[:-1] < full * _NEXT_TO_NOTHING)
        slopes[:near], heights[:near] = levels[near] / ends[near], 0
        lost = ~(np.isfinite(slopes.astype(np.float32)) & np.isfinite(heights.astype(np.float32)))
    slopes[lost], heights[lost] = 0, np.inf
    positive = np.zeros((2, half), np.float32)
    positive[0, : infinity - 1], positive[1, : infinity - 1] = heights, slopes
    positive[1, infinity - 1 :] = 1  # infinity, and what is not a number, stays what it is
    lines = Lines(np.concatenate([positive[0], -positive[0]]), np.concatenate([positive[1], positive[1]]), False)
    count = int(full) if full > 1 else FINEST
    light, found = np.empty(count + 1, np.float32), np.empty(count + 1, np.float32)
    light_into(curve, full, np.arange(count + 1) * (full / count), light)
    lines.follow(light, found)
    return lines._replace(keeps_levels=bool((np.rint(found * (count / full)) == np.arange(count + 1)).all()))
