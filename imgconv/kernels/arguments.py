"""Checks of generator arguments. Each raises a KernelError with the argument, the value found and what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import KernelError
from imgconv.kernels.literals import quoted
from imgconv.vocabulary import suggestion

#: Maximum side of a generated kernel: a radius of 5,000 pixels.
MAX_SIDE = 10_001
#: Maximum number of taps of a generated kernel: 256 MiB of float64, and a few times that while it is generated.
MAX_TAPS = 2**25


def real(value: object, name: str, *, above: float | None = None, below: float | None = None) -> float:
    """Return `value` as a float: a finite number strictly between `above` and `below`."""
    limits = [f"above {above:g}" if above is not None else "", f"below {below:g}" if below is not None else ""]
    expected = " ".join(["a number", " and ".join(filter(None, limits))]).strip()
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise KernelError(f"{name} must be {expected}, found {quoted(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    inside = (above is None or number > above) and (below is None or number < below)
    if not (math.isfinite(number) and inside):
        raise KernelError(f"{name} must be {expected}, found {quoted(value)}")
    return number


def whole(value: object, name: str, *, at_least: int = 1, at_most: int = MAX_SIDE, odd: bool = False) -> int:
    """Return `value` as an int from `at_least` to `at_most`, which must be odd if `odd` is set."""
    kind = "an odd whole number" if odd else "a whole number"
    number = real(value, name)
    if number != int(number) or number < at_least:
        raise KernelError(f"{name} must be {kind} from {at_least} up, found {quoted(value)}")
    if number > at_most:
        raise KernelError(f"{name} must be at most {at_most:,}, found {quoted(value)}")
    if odd and number % 2 == 0:
        below = [f"{int(number) - 1}"] if number > at_least else []
        choice = " or ".join([*below, f"{int(number) + 1}"])
        raise KernelError(f"{name} must be odd, so that the kernel has a centre; found {int(number)}, use {choice}")
    return int(number)


def choice(value: object, name: str, words: Sequence[str]) -> str:
    """Return `value` in lower case; it must be one of `words`."""
    word = str(value).lower()
    if word not in words:
        raise KernelError(f"{name} must be one of {', '.join(words)}, found {quoted(value)}{suggestion(word, words)}")
    return word


def side(extent: float, cause: str) -> int:
    """Return the odd side 2 * extent + 1 of a kernel with `extent` taps (a whole float) on either side of its centre.

    `cause`, such as `sigma=1e9`, names the argument in the error raised if the side exceeds `MAX_SIDE`.
    """
    taps = 2 * extent + 1
    if not taps <= MAX_SIDE:
        count = f"{taps:,.0f}" if taps < 1e12 else f"{taps:.3g}"
        raise KernelError(
            f"{cause} needs {count} taps per side and {MAX_SIDE:,} is the limit; "
            "choose a smaller value, or reduce the image first"
        )
    return int(taps)


def check_taps(rows: int, columns: int) -> None:
    """Reject a kernel of more than `MAX_TAPS` taps before its memory is allocated."""
    if rows * columns > MAX_TAPS:
        raise KernelError(
            f"a kernel of {rows:,} x {columns:,} taps is too large: {MAX_TAPS:,} taps is the limit; "
            "choose a smaller one, or reduce the image first"
        )


def grid(rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances from the centre in pixels, upwards, shape (rows, 1), and to the right, shape (1, columns)."""
    up = (rows - 1) / 2 - np.arange(rows, dtype=np.float64)[:, None]
    right = np.arange(columns, dtype=np.float64)[None, :] - (columns - 1) / 2
    return up, right


def cos_sin(degrees: float) -> tuple[float, float]:
    """Return cosine and sine, exact at multiples of 90 degrees, so that axis-aligned kernels have exact zeros."""
    turned = math.fmod(degrees, 360.0)
    if turned % 90 == 0:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(turned // 90) % 4]
    return math.cos(math.radians(turned)), math.sin(math.radians(turned))
