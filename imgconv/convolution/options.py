"""The arguments of a convolution: pixels and numbers as callers give them, checked, and the options in one frozen value."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from imgconv.borders import Border, as_border
from imgconv.errors import UsageError
from imgconv.kernels.kernel import is_masked
from imgconv.kernels.literals import quoted
from imgconv.vocabulary import (
    DEFAULT_BORDER,
    ENGINES,
    MODES,
    NAN_POLICIES,
    RANGES,
    BorderWord,
    EngineWord,
    ModeWord,
    NanWord,
    canonical,
)

#: How a border is given: a name, one down and one across, or the value made of them.
BorderLike: TypeAlias = BorderWord | tuple[BorderWord, BorderWord] | Border

_FLAT = (1, 1)


class ConvolutionOptions(TypedDict, total=False):
    """The options that all convolutions share, as `correlate` describes them."""

    border: BorderLike
    border_value: ArrayLike
    mode: ModeWord
    stride: int | tuple[int, int]
    dilation: int | tuple[int, int]
    anchor: tuple[int, int] | None
    nan: NanWord
    tolerance: float
    engine: EngineWord
    method: str
    jobs: int | None


class CorrelateOptions(ConvolutionOptions, total=False):
    """Those of one convolution with a result of its own."""

    delta: float
    dtype: DTypeLike | None


class FilterOptions(ConvolutionOptions, total=False):
    """Those of the convolutions in a filter; `rotate` turns its kernels by 180 degrees first."""

    rotate: bool


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
    border: Any = DEFAULT_BORDER,
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
    tolerance = as_number(tolerance, "tolerance", finite=False)
    if not tolerance >= 0:
        raise UsageError(f"tolerance must be 0 or more, found {tolerance}")
    return Options(
        border=as_border(border, border_value),
        mode=canonical(mode, MODES, "mode"),
        stride=_pair(stride, "stride"),
        dilation=_pair(dilation, "dilation"),
        anchor=anchor,
        delta=as_number(delta, "delta"),
        dtype=None if dtype is None else as_dtype(dtype),
        nan=canonical(nan, NAN_POLICIES, "NaN policy"),
        tolerance=tolerance,
        engine=canonical(engine, ENGINES, "engine"),
        method=str(method),
        rotate=as_flag(rotate, "rotate"),
        range_policy=canonical(range_policy, RANGES, "range"),
        jobs=None if jobs is None else _count(jobs, "jobs"),
    )


def as_pixels(image: ArrayLike) -> NDArray[Any]:
    """Return an image as an array.

    Raises:
        UsageError: its rows differ in length, or it is a masked array, whose mask no sum would heed.
    """
    if is_masked(image) or (isinstance(image, list | tuple) and any(map(is_masked, image))):
        raise UsageError(
            "the image is a masked array; fill what is masked first: with NaN, image.astype(float).filled(numpy.nan), which "
            'nan="ignore" leaves out of every sum, or with a level, image.filled(0)'
        )
    try:
        return np.asarray(image)
    except (ValueError, TypeError):
        raise UsageError("the rows of the image differ in length; an image has the shape (H, W) or (H, W, C)") from None


def as_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the NumPy type that a caller named.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return np.dtype(dtype)
    except Exception:  # NumPy parses texts, lists and dictionaries, each with errors of its own
        raise UsageError(f"dtype {quoted(dtype)} is no NumPy type; name one such as uint8 or float32") from None


def as_number(value: Any, what: str, *, finite: bool = True) -> float:
    """Return a number that a caller gave for `what`, NaN and infinity only where they may be.

    Raises:
        UsageError: it is none.
    """
    try:
        number = float(value) if isinstance(value, int | float) or np.ndim(value) == 0 else None
    except (TypeError, ValueError):
        number = None
    except OverflowError:
        number = math.inf
    if number is None:
        raise UsageError(f"{what} must be a number, found {quoted(value)}")
    if finite and not math.isfinite(number):
        raise UsageError(f"{what} must be a finite number, found {quoted(value)}")
    return number


def as_factor(value: Any, what: str) -> float | Fraction:
    """Return a finite number that a caller gave for `what`, a fraction as it is.

    Raises:
        UsageError: it is none.
    """
    number = as_number(value, what)
    return value if isinstance(value, Fraction) else number


def as_flag(value: Any, what: str) -> bool:
    """Return what a caller gave for `what` as true or false.

    Raises:
        UsageError: it is neither.
    """
    if not isinstance(value, bool | int | np.bool_ | np.integer):
        raise UsageError(f"{what} is true or false, found {quoted(value)}")
    return bool(value)


def _count(value: Any, what: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise UsageError(f"{what} must be a whole number from 1 up, found {quoted(value)}")
    return number


def _pair(value: Any, what: str, least: int = 1) -> tuple[int, int]:
    """Return one whole number, or two (down the rows, across the columns), as a pair."""
    pair = value if least == 0 or isinstance(value, tuple | list) else (value, value)
    try:
        first, second = map(operator.index, pair)
    except (TypeError, ValueError):  # not whole, or not two
        first = second = least - 1
    if min(first, second) < least:
        form = "a whole number, or two (rows, columns)," if least == 1 else "(row, column)"
        raise UsageError(f"{what} must be {form} from {least} up, found {quoted(value)}")
    return first, second
