"""What of a picture is filtered, and in what light; `treating` does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imgconv.depth import sum_dtype
from imgconv.errors import UsageError
from imgconv.filters.base import Output

#: The number of alpha among the channels, which are counted from red.
ALPHA = 3


@dataclass(frozen=True)
class Treatment:
    """How the pixels of a picture are taken.

    Attributes:
        alpha: a word of `vocabulary.ALPHAS`.
        linear: whether levels are made proportional to light before the filter, and put back after it.
        gray: whether the picture is made grey first.
        luma: whether only the luma is filtered, and the differences of the colours from it stay.
        channels: those that are filtered, counted from red, alpha being 3; None for all.
        nodata: the level that stands for a value that is missing; NaN always does.
        fill: whether missing values get what their neighbours give.

    Raises:
        UsageError: more than one of `gray`, `luma` and `channels`.
    """

    alpha: str = "weighted"
    linear: bool = False
    gray: bool = False
    luma: bool = False
    channels: tuple[int, ...] | None = None
    nodata: float | None = None
    fill: bool = False

    def __post_init__(self) -> None:
        if self.gray + self.luma + (self.channels is not None) > 1:
            raise UsageError("gray, luma and channels each say what is filtered; give one of them")


#: How pixels are taken where nobody says otherwise.
AS_USUAL = Treatment()


def shown(
    treatment: Treatment, shape: tuple[int, ...], dtype: np.dtype[Any], output: Output
) -> tuple[tuple[int, ...], np.dtype[Any], Output | None]:
    """Return shape and type of what the filter is shown of the colour of a picture, and the output asked of it.

    Args:
        treatment: how the pixels are taken.
        shape: of the colour, (H, W) or (H, W, C).
        dtype: of the pixels.
        output: what the result of all is to be.
    """
    channels = shape[2] if len(shape) == 3 else 1
    mixes = channels == 3 and (treatment.gray or treatment.luma)
    planes = planes_of(treatment, channels, alpha=True)
    if mixes or treatment.linear:
        dtype, asked = sum_dtype(dtype), None
    else:
        asked = output
    if mixes:
        return shape[:2], dtype, asked
    return (shape if planes is None else (*shape[:2], max(len(planes), 1))), dtype, asked


def planes_of(treatment: Treatment, channels: int, *, alpha: bool) -> list[int] | None:
    """Return where the colour channels that are filtered stand in OpenCV's order; None for all of them."""
    if treatment.channels is None:
        return None
    wanted = [c for c in treatment.channels if c != ALPHA]
    if len(wanted) < len(treatment.channels) and not alpha:
        raise UsageError("--channels: the picture has no alpha")
    if channels == 1 and max(wanted, default=0) > 0:
        raise UsageError("--channels: the picture is grey; its only colour is channel 0")
    if len(wanted) == channels:
        return None
    return [2 - c if channels == 3 else c for c in wanted]
