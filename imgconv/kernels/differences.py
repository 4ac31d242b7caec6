"""Generators of difference kernels: edges, points, detail and relief.

Each returns float64 weights of shape (rows, columns), and raises a KernelError if an argument is out of range or the kernel is
too large. Signs follow OpenCV: derivatives are positive where the image gets brighter to the right or downwards, and a
Laplacian has its negative weights in the middle.
"""

from __future__ import annotations

import math

import numpy as np

from imgconv.errors import KernelError
from imgconv.kernels.arguments import check_taps, choice, grid, real, whole
from imgconv.kernels.smoothing import MAX_BINOMIAL, Weights, gaussian_side, gaussian_taps

#: The compass directions, counter-clockwise from the top of the image.
DIRECTIONS = ("n", "nw", "w", "sw", "s", "se", "e", "ne")

# Positions of DIRECTIONS in a 3x3 kernel.
_RING = ((0, 1), (0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2))


def laplacian(neighbours: int = 4) -> Weights:
    """Return the Laplacian: the sum of the 4 or 8 neighbours minus 4 or 8 times the middle.

    With 4 neighbours it is the kernel of `cv2.Laplacian` with ksize=1.
    """
    count = choice(neighbours, "neighbours", ("4", "8"))
    if count == "4":
        return np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return np.array([[1.0, 1.0, 1.0], [1.0, -8.0, 1.0], [1.0, 1.0, 1.0]])


def laplacian_of_gaussian(sigma: float = 1.4, size: int | None = None) -> Weights:
    """Return the sampled Laplacian of a Gaussian, with a sum of exactly 0.

    (r**2 - 2 sigma**2) / sigma**4 times the Gaussian, minus the mean, as the `log` type of MATLAB's `fspecial`.
    See Marr and Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207, 187-217, 1980.

    Args:
        sigma: standard deviation in pixels, above 0.
        size: odd number of taps per side, from 3 up; by default that of `gaussian`.
    """
    sigma = real(sigma, "sigma", above=0)
    taps = gaussian_side(sigma, size, at_least=3)
    check_taps(taps, taps)
    factor = gaussian_taps(sigma, taps)
    right = grid(1, taps)[1][0]
    # Distances in units of sigma avoid overflow for a tiny sigma; a factor of 0 times an infinite distance becomes 0.
    with np.errstate(over="ignore", invalid="ignore"):
        bend = np.nan_to_num(factor * (right / sigma) ** 2, posinf=0.0) - factor
        weights = (np.outer(bend, factor) + np.outer(factor, bend)) / sigma / sigma
        weights -= weights.mean()
        if not np.isfinite(np.abs(weights).sum()):
            raise KernelError(f"sigma={sigma:g} gives weights beyond the range of float64; choose a larger value")
    return _adjust_sum(weights, 0.0)


def difference_of_gaussians(sigma: float = 1.0, ratio: float = 1.6, size: int | None = None) -> Weights:
    """Return a Gaussian minus one that is `ratio` times as wide: positive in the middle, with a sum of exactly 0.

    With a ratio of 1.6 it approximates the negative Laplacian of a Gaussian (Marr and Hildreth 1980).

    Args:
        sigma: standard deviation of the narrow Gaussian in pixels, above 0.
        ratio: width of the wide Gaussian relative to the narrow one, above 1.
        size: odd number of taps per side, from 3 up; by default that of `gaussian` for the wide one.
    """
    narrow = real(sigma, "sigma", above=0)
    wide = real(narrow * real(ratio, "ratio", above=1), "sigma * ratio", above=0)
    taps = gaussian_side(wide, size, at_least=3, name="sigma * ratio")
    check_taps(taps, taps)
    inner, outer = gaussian_taps(narrow, taps), gaussian_taps(wide, taps)
    return _adjust_sum(np.outer(inner, inner) - np.outer(outer, outer), 0.0)


def unsharp(sigma: float = 1.0, amount: float = 1.0) -> Weights:
    """Return an unsharp mask as one kernel, with a sum of exactly 1.

    It adds `amount` times the difference between the image and its Gaussian blur to the image.

    Args:
        sigma: standard deviation of the blur in pixels, above 0.
        amount: factor of the difference, above 0.
    """
    sigma = real(sigma, "sigma", above=0)
    amount = real(amount, "amount", above=0, below=1e6)
    taps = gaussian_side(sigma)
    check_taps(taps, taps)
    factor = gaussian_taps(sigma, taps)
    weights = -amount * np.outer(factor, factor)
    weights[taps // 2, taps // 2] += 1 + amount
    return _adjust_sum(weights, 1.0)


def high_pass(size: int = 3) -> Weights:
    """Return the image minus its mean over size x size pixels, the part that `box` removes; `size` is odd, from 3 up."""
    size = whole(size, "size", at_least=3, odd=True)
    check_taps(size, size)
    weights = np.full((size, size), -1 / size**2)
    weights[size // 2, size // 2] = (size**2 - 1) / size**2
    return weights


def sobel_x(size: int = 3) -> Weights:
    """Return the Sobel derivative along a row, positive where the image gets brighter to the right.

    A binomial down, times [-1 0 1] convolved with a binomial two taps shorter across: `cv2.getDerivKernels(1, 0, size)`.

    Args:
        size: odd number of taps per side, from 3 to 29.
    """
    size = whole(size, "size", at_least=3, at_most=MAX_BINOMIAL, odd=True)
    smooth = [float(math.comb(size - 1, k)) for k in range(size)]
    inner = [float(math.comb(size - 3, k)) for k in range(size - 2)]
    return np.outer(smooth, np.convolve(inner, [-1.0, 0.0, 1.0]))


def sobel_y(size: int = 3) -> Weights:
    """Return the Sobel derivative down a column, positive where the image gets brighter downwards; transpose of `sobel_x`."""
    return sobel_x(size).T.copy()


def kirsch(direction: str = "n") -> Weights:
    """Return one of the eight compass kernels of Kirsch, positive where the image is brighter towards `direction`.

    See Kirsch, Computer determination of the constituent structure of biological images, Computers and Biomedical
    Research 4, 315-328, 1971.

    Args:
        direction: n (the top of the image), nw, w, sw, s, se, e or ne.
    """
    return _compass_kernel((5, 5, -3, -3, -3, -3, -3, 5), 0, direction)


def emboss(light: str = "nw") -> Weights:
    """Return an emboss kernel, with a sum of 1: edges that face the light are bright, those that face away are dark.

    Args:
        light: direction of the light source: n (the top of the image), nw, w, sw, s, se, e or ne.
    """
    return _compass_kernel((-2, -1, 0, 1, 2, 1, 0, -1), 1, light, "light")


def _compass_kernel(ring: tuple[int, ...], middle: int, direction: object, name: str = "direction") -> Weights:
    """Return a 3x3 kernel from its outer taps, counter-clockwise from the top, rotated from direction n to `direction`."""
    turn = DIRECTIONS.index(choice(direction, name, DIRECTIONS))
    weights = np.full((3, 3), float(middle))
    for place, (row, column) in enumerate(_RING):
        weights[row, column] = ring[(place - turn) % len(_RING)]
    return weights


def _adjust_sum(weights: Weights, total: float) -> Weights:
    """Return the weights adjusted to a sum of exactly `total` in float64, in any order of addition.

    Every tap is rounded to a multiple of a power of two that is coarse enough for all partial sums to be exact. The middle
    tap compensates the difference. The change of a tap is smaller than the rounding error of the sum.
    """
    largest = float(np.abs(weights).sum()) + abs(total)
    if largest == 0:
        return weights
    step = 2.0 ** (math.frexp(largest)[1] - 52)
    snapped = np.rint(weights / step) * step
    snapped[snapped.shape[0] // 2, snapped.shape[1] // 2] -= snapped.sum() - total
    return np.asarray(snapped + 0.0)
