"""The arguments of a convolution: checks of pixels and numbers, and the options as one frozen value."""

from __future__ import annotations

import math
import operator
import os
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

#: A border: a name, a pair of names (rows, columns), or a `Border`.
BorderLike: TypeAlias = BorderWord | tuple[BorderWord, BorderWord] | Border

_UNIT = (1, 1)


class ConvolutionOptions(TypedDict, total=False):
    """Options common to all convolutions; see `correlate`."""

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
    """Options of a single convolution."""

    delta: float
    dtype: DTypeLike | None


class FilterOptions(ConvolutionOptions, total=False):
    """Options of the convolutions in a filter; `rotate` rotates its kernels by 180 degrees first."""

    rotate: bool


@dataclass(frozen=True)
class Options:
    """Options of a convolution, named as in `imgconv.correlate`.

    Attributes:
        rotate: whether the kernel is rotated by 180 degrees first, which makes the correlation a convolution.
        range_policy: treatment of out-of-range values, one of `vocabulary.RANGES`.
        jobs: number of threads; None for that of IMGCONV_JOBS, else one per processor.
    """

    border: Border = Border()
    mode: str = "same"
    stride: tuple[int, int] = _UNIT
    dilation: tuple[int, int] = _UNIT
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
        """Whether the sums are divided by the weight on valid pixels."""
        return self.border.renormalizes or self.nan == "ignore"

    @property
    def keeps_grid(self) -> bool:
        """Whether the output has one value for each pixel of the image, at the same position."""
        return self.mode == "same" and self.stride == _UNIT


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
    **unknown: Any,
) -> Options:
    """Return the checked options of a caller as one value.

    Raises:
        UsageError: a word is not among those of its option, or a number is out of range.
        TypeError: there is no such option.
    """
    if unknown:
        names = ", ".join(sorted(FilterOptions.__annotations__.keys() | ConvolutionOptions.__annotations__.keys()))
        raise TypeError(f"unexpected keyword argument {next(iter(unknown))!r}; the options of a convolution are {names}")
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
        UsageError: it is no array, the rows differ in length, or it is a masked array, whose mask the sums would ignore.
    """
    if is_masked(image) or (isinstance(image, list | tuple) and any(map(is_masked, image))):
        raise UsageError(
            "the image is a masked array; fill the masked pixels first: with NaN, image.astype(float).filled(numpy.nan), which "
            'nan="ignore" leaves out of every sum, or with a level, image.filled(0); imgconv.apply accepts masked arrays'
        )
    try:
        array = np.asarray(image)
    except (ValueError, TypeError):
        raise UsageError("the rows of the image differ in length; an image has the shape (H, W) or (H, W, C)") from None
    if array.ndim == 0 and array.dtype.kind not in "biufc":
        hint = "; `read_image` reads a file" if isinstance(image, str | bytes | os.PathLike) else ""
        hint = "; pass its pixels, or use filter_image" if hasattr(image, "pixels") else hint
        raise UsageError(f"an image is an array of shape (H, W) or (H, W, C), found {type(image).__name__}{hint}")
    return array


def as_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return an argument as a NumPy type.

    Raises:
        UsageError: the argument is not a NumPy type.
    """
    try:
        return np.dtype(dtype)
    except Exception:  # NumPy parses strings, lists and dictionaries, and raises different errors for each
        raise UsageError(f"{quoted(dtype)} is not a NumPy dtype; choose one such as uint8 or float32") from None


def as_number(value: Any, name: str, *, finite: bool = True) -> float:
    """Return the argument `name` as a float, which may be NaN or infinite only if `finite` is False.

    Raises:
        UsageError: the argument is not such a number.
    """
    try:
        number = float(value) if isinstance(value, int | float) or np.ndim(value) == 0 else None
    except (TypeError, ValueError):
        number = None
    except OverflowError:
        number = math.inf
    if number is None:
        raise UsageError(f"{name} must be a number, found {quoted(value)}")
    if finite and not math.isfinite(number):
        raise UsageError(f"{name} must be a finite number, found {quoted(value)}")
    return number


def as_factor(value: Any, name: str) -> float | Fraction:
    """Return the argument `name` as a finite number, a `Fraction` unchanged.

    Raises:
        UsageError: the argument is not a finite number.
    """
    number = as_number(value, name)
    return value if isinstance(value, Fraction) else number


def as_flag(value: Any, name: str) -> bool:
    """Return the argument `name` as a bool.

    Raises:
        UsageError: the argument is neither a bool nor an integer.
    """
    if not isinstance(value, bool | int | np.bool_ | np.integer):
        raise UsageError(f"{name} must be true or false, found {quoted(value)}")
    return bool(value)


def _count(value: Any, name: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise UsageError(f"{name} must be a whole number from 1 up, found {quoted(value)}")
    return number


def _pair(value: Any, name: str, least: int = 1) -> tuple[int, int]:
    """Return one whole number, or two (down the rows, across the columns), as a pair."""
    pair = value if least == 0 or isinstance(value, tuple | list) else (value, value)
    try:
        first, second = map(operator.index, pair)
    except (TypeError, ValueError):  # not whole numbers, or not a pair
        first = second = least - 1
    if min(first, second) < least:
        form = "a whole number, or two (rows, columns)," if least == 1 else "(row, column)"
        raise UsageError(f"{name} must be {form} from {least} up, found {quoted(value)}")
    return first, second
