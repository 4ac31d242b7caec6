"""Generators of kernels that take differences: edges, points, detail and relief.

Each returns float64 weights of shape (rows, columns), and raises a KernelError for an argument out of its limits and for
a kernel too large. Signs are those of OpenCV: brighter to the right and brighter below are positive, and a Laplacian has
its negative weights in the middle.
"""

from __future__ import annotations

import math

import numpy as np

from imgconv.errors import KernelError
from imgconv.kernels.arguments import check_taps, choice, grid, real, whole
from imgconv.kernels.smoothing import MAX_BINOMIAL, Weights, gaussian_side, gaussian_taps

#: The compass, counter-clockwise from the top of the image.
DIRECTIONS = ("n", "nw", "w", "sw", "s", "se", "e", "ne")

# Where the taps of DIRECTIONS lie in a 3x3 kernel.
_RING = ((0, 1), (0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2))


def laplacian(neighbours: int = 4) -> Weights:
    """Return the sum of the 4 or 8 neighbours less as many times the middle.

    With 4 it is the kernel of `cv2.Laplacian` at ksize=1.
    """
    count = choice(neighbours, "neighbours", ("4", "8"))
    if count == "4":
        return np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return np.array([[1.0, 1.0, 1.0], [1.0, -8.0, 1.0], [1.0, 1.0, 1.0]])


def laplacian_of_gaussian(sigma: float = 1.4, size: int | None = None) -> Weights:
    """Return the Laplacian of a Gaussian, sampled, its sum brought to exactly 0.

    (r**2 - 2 sigma**2) / sigma**4 times the Gaussian, the mean taken off, as the `log` type of MATLAB's `fspecial`.
    See Marr and Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207, 187-217, 1980.

    Args:
        sigma: standard deviation in pixels.
        size: odd number of taps a side, from 3 up; without it as many as `gaussian` takes.
    """
    sigma = real(sigma, "sigma", above=0)
    taps = gaussian_side(sigma, size, at_least=3)
    check_taps(taps, taps)
    factor = gaussian_taps(sigma, taps)
    right = grid(1, taps)[1][0]
    # In units of sigma, so that a tiny sigma overflows nowhere; a factor of 0 stays 0 whatever the distance.
    with np.errstate(over="ignore", invalid="ignore"):
        bend = np.nan_to_num(factor * (right / sigma) ** 2, posinf=0.0) - factor
        weights = (np.outer(bend, factor) + np.outer(factor, bend)) / sigma / sigma
        weights -= weights.mean()
        if not np.isfinite(np.abs(weights).sum()):
            raise KernelError(f"sigma={sigma:g} makes weights that are too large to hold; choose a larger one")
    return _summing_to(weights, 0.0)


def difference_of_gaussians(sigma: float = 1.0, ratio: float = 1.6, size: int | None = None) -> Weights:
    """Return a Gaussian less one that is `ratio` times as wide: positive in the middle, sum exactly 0.

    At a ratio of 1.6 it comes close to a Laplacian of a Gaussian of the opposite sign (Marr and Hildreth 1980).

    Args:
        sigma: standard deviation of the narrow Gaussian, in pixels.
        ratio: how many times wider the other one is, above 1.
        size: odd number of taps a side, from 3 up; without it as many as `gaussian` takes for the wide one.
    """
    narrow = real(sigma, "sigma", above=0)
    wide = real(narrow * real(ratio, "ratio", above=1), "sigma * ratio", above=0)
    taps = gaussian_side(wide, size, at_least=3, name="sigma * ratio")
    check_taps(taps, taps)
    inner, outer = gaussian_taps(narrow, taps), gaussian_taps(wide, taps)
    return _summing_to(np.outer(inner, inner) - np.outer(outer, outer), 0.0)


def unsharp(sigma: float = 1.0, amount: float = 1.0) -> Weights:
    """Return an unsharp mask as one kernel, its sum exactly 1.

    It is the image, and `amount` times what a Gaussian blur takes from it.

    Args:
        sigma: standard deviation of the blur, in pixels, above 0.
        amount: above 0; 1 adds the lost detail once.
    """
    sigma = real(sigma, "sigma", above=0)
    amount = real(amount, "amount", above=0, below=1e6)
    taps = gaussian_side(sigma)
    check_taps(taps, taps)
    factor = gaussian_taps(sigma, taps)
    weights = -amount * np.outer(factor, factor)
    weights[taps // 2, taps // 2] += 1 + amount
    return _summing_to(weights, 1.0)


def high_pass(size: int = 3) -> Weights:
    """Return the image less its mean over size x size pixels, size odd and from 3 up: what `box` takes away."""
    size = whole(size, "size", at_least=3, odd=True)
    check_taps(size, size)
    weights = np.full((size, size), -1 / size**2)
    weights[size // 2, size // 2] = (size**2 - 1) / size**2
    return weights


def sobel_x(size: int = 3) -> Weights:
    """Return the Sobel derivative along a row: brighter to the right is positive.

    A binomial down, and across it a binomial two taps shorter with [-1 0 1]: `cv2.getDerivKernels(1, 0, size)`.

    Args:
        size: odd number of taps a side, from 3 to 29.
    """
    size = whole(size, "size", at_least=3, at_most=MAX_BINOMIAL, odd=True)
    smooth = [float(math.comb(size - 1, k)) for k in range(size)]
    inner = [float(math.comb(size - 3, k)) for k in range(size - 2)]
    return np.outer(smooth, np.convolve(inner, [-1.0, 0.0, 1.0]))


def sobel_y(size: int = 3) -> Weights:
    """Return the Sobel derivative down a column: brighter below is positive. The transpose of `sobel_x`."""
    return sobel_x(size).T.copy()


def kirsch(direction: str = "n") -> Weights:
    """Return one of the eight compass kernels of Kirsch: strongest where it is bright towards `direction`.

    See Kirsch, Computer determination of the constituent structure of biological images, Computers and Biomedical
    Research 4, 315-328, 1971.

    Args:
        direction: n (the top of the image), nw, w, sw, s, se, e or ne.
    """
    return _turned((5, 5, -3, -3, -3, -3, -3, 5), 0, direction)


def emboss(light: str = "nw") -> Weights:
    """Return a relief: edges that face the light are bright, those that face away dark; sum 1.

    Args:
        light: where the light comes from: n (the top of the image), nw, w, sw, s, se, e or ne.
    """
    return _turned((-2, -1, 0, 1, 2, 1, 0, -1), 1, light, "light")


def _turned(ring: tuple[int, ...], middle: int, direction: object, name: str = "direction") -> Weights:
    """Return a 3x3 kernel from its eight outer taps, given for direction n and turned to `direction`."""
    turn = DIRECTIONS.index(choice(direction, name, DIRECTIONS))
    weights = np.full((3, 3), float(middle))
    for place, (row, column) in enumerate(_RING):
        weights[row, column] = ring[(place - turn) % len(_RING)]
    return weights


def _summing_to(weights: Weights, total: float) -> Weights:
    """Return the weights with a sum that is exactly `total` in float64, in whatever order they are added.

    Every tap becomes a multiple of one power of two, coarse enough for all partial sums to be held exactly; the
    middle tap then takes up the difference. What a tap moves by is less than the rounding of the sum would be.
    """
    largest = float(np.abs(weights).sum()) + abs(total)
    if largest == 0:
        return weights
    step = 2.0 ** (math.frexp(largest)[1] - 52)
    snapped = np.rint(weights / step) * step
    snapped[snapped.shape[0] // 2, snapped.shape[1] // 2] -= snapped.sum() - total
    return np.asarray(snapped + 0.0)
