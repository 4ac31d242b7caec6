"""The definition of a correlation, implemented from the numeric contract: slow, simple, and independent of imgconv.

    out[y, x] = delta + sum over i, j of w[i, j] * src[y + i - r, x + j - c]

Integers are summed as integers and converted as fractions: scaled once, rounded half to even once, saturated.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

OUTSIDE = -1


class Sums(NamedTuple):
    """The sums over the taps inside, and the sums of their weights; both of shape (H', W'[, C])."""

    total: np.ndarray
    inside: np.ndarray


def source(at: int, length: int, border: str) -> int:
    """Return the index of the pixel at a coordinate of a row of `length` pixels, by repeated shifts or reflections."""
    step = {"reflect": 1, "reflect101": 0}.get(border)
    if border == "replicate" or (length == 1 and step == 0):
        return min(max(at, 0), length - 1)
    while not 0 <= at < length:
        if border == "wrap":
            at += length if at < 0 else -length
        elif step is None:
            return OUTSIDE
        else:  # the axis of reflection is beside the first or last pixel, or on it
            at = -step - at if at < 0 else 2 * (length - 1) + step - at
    return at


def anchored(length: int, taps: int, anchor: int, mode: str, stride: int, dilation: int) -> list[int]:
    """Return the coordinates of the anchor, one for each output."""
    before, after = anchor * dilation, (taps - 1 - anchor) * dilation
    everywhere = range(-before - after - length, before + after + 2 * length)
    included = {
        "same": lambda at: 0 <= at < length,
        "valid": lambda at: at - before >= 0 and at + after < length,
        "full": lambda at: at + after >= 0 and at - before < length,
    }[mode]
    return [at for at in everywhere if included(at)][::stride]


def correlate(
    image,
    weights,
    *,
    anchor=None,
    border=("reflect101", "reflect101"),
    border_value=0,
    mode="same",
    stride=(1, 1),
    dilation=(1, 1),
    ignore_nan=False,
) -> Sums:
    """Return the sums of the definition, in integers if image and weights are integers, else in 64-bit floats."""
    image, weights = np.asarray(image), np.asarray(weights)
    wide = [np.int64 if a.dtype.kind in "biu" else np.result_type(a, np.float64) for a in (image, weights)]
    image, kind = image.astype(wide[0]), np.result_type(*wide)
    anchor = anchor or (weights.shape[0] // 2, weights.shape[1] // 2)
    axes = list(zip(image.shape, weights.shape, anchor, stride, dilation, border, strict=False))
    at = [anchored(n, taps, a, mode, s, d) for n, taps, a, s, d, _ in axes]
    total = np.zeros((len(at[0]), len(at[1]), *image.shape[2:]), kind)
    inside = np.zeros(total.shape, wide[1])
    # The source pixels of each tap along each axis.
    sources = [
        [np.array([source(p + (tap - a) * d, n, name) for p in positions]) for tap in range(taps)]
        for positions, (n, taps, a, _, d, name) in zip(at, axes, strict=True)
    ]
    for i, j in np.argwhere(weights):
        places = sources[0][i], sources[1][j]
        pixels = image[np.ix_(*places)]
        beyond = (places[0] == OUTSIDE)[:, None], (places[1] == OUTSIDE)[None, :]
        pixels[beyond[0] | beyond[1]] = border_value
        void = [where & (name == "renormalize") for where, name in zip(beyond, border, strict=True)]
        counts = np.broadcast_to(~(void[0] | void[1]).reshape(total.shape[:2] + (1,) * (total.ndim - 2)), total.shape)
        counts = counts & ~np.isnan(pixels) if ignore_nan else counts
        with np.errstate(invalid="ignore"):
            np.add(total, weights[i, j] * pixels, out=total, where=counts)
        np.add(inside, weights[i, j], out=inside, where=counts)
    return Sums(total, inside)


def fit_exactly(sums: Sums, dtype, *, scale=Fraction(1), delta=Fraction(0), normalizes=False) -> np.ndarray:
    """Return whole sums as the integer type `dtype`: scaled (or divided by the weight inside), rounded and saturated once."""
    limits = np.iinfo(dtype)

    def settle(total: int, inside: int) -> int:
        if normalizes and inside == 0:  # division by 0 gives NaN, which becomes 0 in an integer type
            return 0
        value = Fraction(total, inside) if normalizes else total * scale
        return min(max(round(value + delta), limits.min), limits.max)

    return np.frompyfunc(settle, 2, 1)(sums.total, sums.inside).astype(dtype)


def as_floats(sums: Sums, *, delta=0.0, normalizes=False) -> np.ndarray:
    """Return the unrounded results, NaN where no weight fell inside."""
    if not normalizes:
        return sums.total + delta
    empty = sums.inside == 0
    return np.where(empty, np.nan, sums.total / np.where(empty, 1, sums.inside)) + delta
