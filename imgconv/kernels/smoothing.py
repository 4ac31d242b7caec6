"""Generators of smoothing kernels: float64 weights of shape (rows, columns) with a sum of 1.

Each raises a KernelError if an argument is out of range or the kernel is too large.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import KernelError
from imgconv.kernels.arguments import MAX_SIDE, check_taps, cos_sin, grid, real, side, whole

Weights = NDArray[np.float64]

#: Largest size of a binomial whose integer taps float64 holds exactly: C(28, 14) squared is below 2**53.
MAX_BINOMIAL = 29

# A weight below this is a rounding error of a weight of 0.
_ROUNDING = 1e-14


def box(size: int = 3, rows: int | None = None, columns: int | None = None) -> Weights:
    """Return the mean over size x size pixels, or over rows x columns; every tap is 1 / (rows * columns)."""
    size = whole(size, "size")
    down = size if rows is None else whole(rows, "rows")
    across = size if columns is None else whole(columns, "columns")
    check_taps(down, across)
    return np.full((down, across), 1 / (down * across))


def gaussian(
    sigma: float | None = None,
    size: int | None = None,
    sigma_rows: float | None = None,
    sigma_columns: float | None = None,
    angle: float = 0.0,
) -> Weights:
    """Return a sampled Gaussian.

    Args:
        sigma: standard deviation in pixels, above 0. The default is 1, or, if a size is given,
            0.3 * ((size - 1) * 0.5 - 1) + 0.8, the rule of OpenCV (documentation of `getGaussianKernel`). The Gaussian is
            sampled at every size; OpenCV's fixed tables for sizes 3 and 5 are available as `binomial`.
        size: odd number of taps per side. By default the kernel extends int(4 * sigma + 0.5) pixels to either side, as in
            `scipy.ndimage.gaussian_filter`.
        sigma_rows: standard deviation down the rows, if different from `sigma`.
        sigma_columns: standard deviation along the columns, if different from `sigma`.
        angle: counter-clockwise rotation of the kernel in degrees, relevant if the two deviations differ.
    """
    down, across = _deviations(sigma, size, sigma_rows, sigma_columns)
    cosine, sine = cos_sin(real(angle, "angle"))
    reach_down, reach_across = math.hypot(down * cosine, across * sine), math.hypot(across * cosine, down * sine)
    rows, columns = gaussian_side(reach_down, size), gaussian_side(reach_across, size)
    check_taps(rows, columns)
    if cosine == 0 or sine == 0 or down == across:
        # An outer product makes the kernel exactly separable.
        return np.outer(gaussian_taps(reach_down, rows), gaussian_taps(reach_across, columns))
    up, right = grid(rows, columns)
    along, beside = right * cosine + up * sine, up * cosine - right * sine
    with np.errstate(over="ignore"):
        weights = np.exp(-0.5 * ((along / across) ** 2 + (beside / down) ** 2))
    return np.asarray(weights / weights.sum())


def gaussian_side(sigma: float, size: object = None, at_least: int = 1, name: str = "sigma") -> int:
    """Return the odd number of taps per side: `size`, checked, if it is given, else that for a deviation in pixels."""
    if size is not None:
        return whole(size, "size", at_least=at_least, odd=True)
    return max(at_least, side(float(np.floor(4 * sigma + 0.5)), f"{name}={sigma:g}"))


def gaussian_taps(sigma: float, size: int) -> Weights:
    """Return `size` samples of a Gaussian around its centre, shape (size,), with a sum of 1."""
    # For deviations much smaller than a pixel the distance overflows to infinity, whose weight is correctly 0.
    with np.errstate(over="ignore"):
        taps = np.exp(-0.5 * (grid(1, size)[1][0] / sigma) ** 2)
    return np.asarray(taps / taps.sum())


def binomial(size: int = 3) -> Weights:
    """Return the outer product of row size - 1 of Pascal's triangle with itself, divided by 4**(size - 1).

    It approximates a Gaussian of variance (size - 1) / 4 by integer taps divided by a power of two. The size is odd and at
    most 29; larger kernels would have rounded taps.
    """
    number = real(size, "size")
    if number > MAX_BINOMIAL:
        raise KernelError(
            f"size must be at most {MAX_BINOMIAL}, the largest exact binomial, found {size}; "
            f"use gaussian:sigma={math.sqrt((number - 1) / 4):.4g}"
        )
    count = whole(size, "size", odd=True)
    taps = np.array([math.comb(count - 1, k) for k in range(count)], dtype=np.float64)
    return np.outer(taps, taps) / 4.0 ** (count - 1)


def low_pass(cutoff: float = 0.25, size: int | None = None) -> Weights:
    """Return a separable low-pass filter: a sinc with a Hamming window along both axes.

    Each factor is equal to `scipy.signal.firwin(size, cutoff, window="hamming", fs=1)`: its gain is 1 at frequency 0 and
    about 1/2 at the cutoff. See Oppenheim and Schafer, Discrete-Time Signal Processing, chapter 7 (design by windowing).

    Args:
        cutoff: cutoff frequency in cycles per pixel, between 0 and 0.5 (the Nyquist frequency).
        size: odd number of taps per side, from 3 up. The default is 2 * ceil(1 / cutoff) + 1, with which the main lobe of
            the window, 4 / (size - 1) wide, just fits into the passband.
    """
    cutoff = real(cutoff, "cutoff", above=0, below=0.5)
    if size is not None:
        taps = whole(size, "size", at_least=3, odd=True)
    else:
        taps = side(float(np.ceil(1 / cutoff)) if 1 / cutoff < MAX_SIDE else 1 / cutoff, f"cutoff={cutoff:g}")
    check_taps(taps, taps)
    factor = np.sinc(2 * cutoff * grid(1, taps)[1][0]) * np.hamming(taps)
    factor[np.abs(factor) < _ROUNDING] = 0  # the zeros of the sinc
    factor /= factor.sum()
    return np.outer(factor, factor)


def motion(length: float = 9.0, angle: float = 0.0) -> Weights:
    """Return the blur of a straight, uniform motion: an antialiased line one pixel wide.

    The weight of a pixel falls from 1 on the segment to 0 at a distance of one pixel, as in the `motion` type of
    MATLAB's `fspecial`. For an odd whole length along a row or a column, each weight is exactly 1 / length.

    Args:
        length: length of the line in pixels, from 1 up.
        angle: direction in degrees, counter-clockwise from the rows.
    """
    length = real(length, "length")
    if length < 1:
        raise KernelError(f"length must be a number from 1 up, found {length:g}")
    cosine, sine = cos_sin(real(angle, "angle"))
    half = (length - 1) / 2
    # Taps at a distance of one pixel or more have weight 0, so the last other tap lies less than one pixel beyond the end.
    rows = side(float(np.ceil(half * abs(sine) + 1) - 1), f"length={length:g}")
    columns = side(float(np.ceil(half * abs(cosine) + 1) - 1), f"length={length:g}")
    check_taps(rows, columns)
    up, right = grid(rows, columns)
    along = np.clip(right * cosine + up * sine, -half, half)
    weights = np.maximum(1 - np.hypot(right - along * cosine, up - along * sine), 0)
    weights[weights < _ROUNDING] = 0
    weights = _trim_zeros(weights)
    return np.asarray(weights / weights.sum())


def disk(radius: float = 3.0) -> Weights:
    """Return the blur of a lens out of focus: a disk, with taps proportional to the covered area of their pixels.

    Args:
        radius: radius in pixels, above 0; the kernel has 2 * ceil(radius - 0.5) + 1 taps per side.
    """
    radius = real(radius, "radius", above=0)
    taps = side(max(0.0, float(np.ceil(radius - 0.5))), f"radius={radius:g}")
    check_taps(taps, taps)
    if taps == 1:
        return np.ones((1, 1))
    corners: Weights = np.arange(taps + 1, dtype=np.float64) - taps / 2
    area = _covered_area(corners[:, None], corners[None, :], radius)
    weights = np.maximum(np.diff(np.diff(area, axis=0), axis=1), 0)
    weights = (weights + weights.T) / 2
    near, far = np.abs(corners[:-1] + 0.5) - 0.5, np.abs(corners[:-1] + 0.5) + 0.5
    # Differences of large areas have rounding errors; set pixels entirely inside or outside the disk to exactly 1 or 0.
    weights[np.hypot(far[:, None], far[None, :]) <= radius] = 1
    weights[np.hypot(np.maximum(near, 0)[:, None], np.maximum(near, 0)[None, :]) >= radius] = 0
    return np.asarray(weights / weights.sum())


def _deviations(sigma: object, size: object, rows: object, columns: object) -> tuple[float, float]:
    down = None if rows is None else real(rows, "sigma_rows", above=0)
    across = None if columns is None else real(columns, "sigma_columns", above=0)
    if sigma is not None:
        base = real(sigma, "sigma", above=0)
    elif (down is None) != (across is None):
        raise KernelError("sigma_rows and sigma_columns must be given together, or one of them with sigma; found only one")
    else:
        base = 1.0 if size is None else 0.3 * ((whole(size, "size", odd=True) - 1) * 0.5 - 1) + 0.8
    return base if down is None else down, base if across is None else across


def _trim_zeros(weights: Weights) -> Weights:
    """Return the weights without outer rows and columns of zeros, removed in equal number on both sides of the middle."""
    for _ in range(2):
        used = np.flatnonzero(weights.sum(axis=1))  # no weight is negative here
        rim = min(int(used[0]), weights.shape[0] - 1 - int(used[-1]))
        weights = weights[rim : weights.shape[0] - rim].T
    return weights


def _covered_area(y: Weights, x: Weights, radius: float) -> Weights:
    """Return the area of the disk within the rectangle from the centre to (y, x), with the sign of y * x."""
    height, width = np.minimum(np.abs(y), radius), np.minimum(np.abs(x), radius)
    # Up to `flat` the area is bounded by the top of the rectangle, beyond it by the arc. Near the rim, products of sums and
    # the arctangent are accurate, whereas a difference of squares and the arcsine would lose half of the digits.
    flat = np.minimum(width, np.sqrt((radius - height) * (radius + height)))

    def below_arc(u: Weights) -> Weights:
        arc = np.sqrt((radius - u) * (radius + u))
        return np.asarray((u * arc + radius**2 * np.arctan2(u, arc)) / 2)

    return np.asarray(np.sign(y) * np.sign(x) * (height * flat + below_arc(width) - below_arc(flat)))
