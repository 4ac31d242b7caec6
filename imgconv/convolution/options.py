"""The options of a convolution, checked and in one frozen value."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from imgconv.borders import Border, as_border
from imgconv.errors import UsageError
from imgconv.vocabulary import ENGINES, MODES, NAN_POLICIES, RANGES, canonical

_FLAT = (1, 1)


@dataclass(frozen=True)
class Options:
    """How to convolve; the names and meanings of `imgconv.correlate`.

    Attributes:
        rotate: whether the kernel is turned by 180 degrees first, which makes the correlation a convolution.
        range_policy: what becomes of values outside of the output's range (one of `vocabulary.RANGES`).
        jobs: threads that work on an image; None for what IMGCONV_JOBS says, else one for each processor.
    """

    border: Border = Border()
    mode: str = "same"
    stride: tuple[int, int] = _FLAT
    dilation: tuple[int, int] = _FLAT
    anchor: tuple[int, int] | None = None
    delta: float = 0.0
    dtype: np.dtype[Any] | None = None
    nan: str = "propagate"
    tolerance: float = 0.0
    engine: str = "opencv"
    method: str = "auto"
    rotate: bool = False
    range_policy: str = "clip"
    jobs: int | None = None

    @property
    def normalizes(self) -> bool:
        """Whether the sums are divided by the weight that fell on pixels that count."""
        return self.border.renormalizes or self.nan == "ignore"

    @property
    def keeps_grid(self) -> bool:
        """Whether the output has a value for each pixel of the image, in its place."""
        return self.mode == "same" and self.stride == _FLAT


def make_options(
    *,
    border: Any = "reflect101",
    border_value: Any = 0,
    mode: str = "same",
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
    anchor: tuple[int, int] | None = None,
    delta: float = 0.0,
    dtype: DTypeLike | None = None,
    nan: str = "propagate",
    tolerance: float = 0.0,
    engine: str = "opencv",
    method: str = "auto",
    rotate: bool = False,
    range_policy: str = "clip",
    jobs: int | None = None,
) -> Options:
    """Check the options as a caller writes them and return them as one value.

    Raises:
        UsageError: an option that is not among its words, or a number that makes no sense.
    """
    if anchor is not None:
        anchor = _pair(anchor, "anchor", least=0)
    if not math.isfinite(_number(delta, "delta")):
        raise UsageError(f"delta must be a finite number, found {delta}")
    if not _number(tolerance, "tolerance") >= 0:
        raise UsageError(f"tolerance must be 0 or more, found {tolerance}")
    return Options(
        border=as_border(border, border_value),
        mode=canonical(mode, MODES, "mode"),
        stride=_pair(stride, "stride"),
        dilation=_pair(dilation, "dilation"),
        anchor=anchor,
        delta=float(delta),
        dtype=None if dtype is None else as_dtype(dtype),
        nan=canonical(nan, NAN_POLICIES, "NaN policy"),
        tolerance=float(tolerance),
        engine=canonical(engine, ENGINES, "engine"),
        method=str(method),
        rotate=bool(rotate),
        range_policy=canonical(range_policy, RANGES, "range"),
        jobs=None if jobs is None else _count(jobs, "jobs"),
    )


def as_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the NumPy type that a caller named.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return np.dtype(dtype)
    except TypeError:
        raise UsageError(f"dtype {dtype!r} is no NumPy type; name one such as uint8 or float32") from None


def _number(value: Any, what: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{what} must be a number, found {value!r}") from None


def _count(value: Any, what: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise UsageError(f"{what} must be a whole number from 1 up, found {value!r}")
    return number


def _pair(value: Any, what: str, least: int = 1) -> tuple[int, int]:
    """Return one whole number, or two (down the rows, across the columns), as a pair."""
    single = least == 1 and not isinstance(value, tuple | list)
    try:
        numbers = [operator.index(v) for v in ([value, value] if single else value)]
    except TypeError:
        numbers = []
    if len(numbers) != 2 or min(numbers) < least:
        form = "a whole number, or two (rows, columns)," if least == 1 else "(row, column)"
        raise UsageError(f"{what} must be {form} from {least} up, found {value!r}")
    return numbers[0], numbers[1]
