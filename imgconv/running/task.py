"""What is done with a picture: the filter, the pixels that it is applied to, and the type of the result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from imgconv.depth import dtype_of_depth, levels_between
from imgconv.errors import UsageError
from imgconv.filters.base import Filter, ResultOptions
from imgconv.images.pages import Header

#: The word for alpha among the channels, and the number that stands for it where there is no fourth band.
ALPHA, ALPHA_NUMBER = "alpha", 3


@dataclass(frozen=True)
class Task:
    """A filter and the options of everything around it.

    Attributes:
        filter: the filter.
        depth: a word of `vocabulary.DEPTHS`, or None for the depth of the image.
        range_policy: a word of `vocabulary.RANGES`, or None for the choice of the filter.
        scale: the result is multiplied by it.
        delta: added after that, in levels of the image.
        alpha: a word of `vocabulary.ALPHAS`.
        linear: whether levels are made proportional to light before the filter, and put back after it.
        gray: whether the picture is made grey first.
        luma: whether only the luma is filtered; the differences of the colours from it stay.
        channels: the channels to filter, as numbers from 0 (red) up or `"alpha"`; None for all. 3 stands for alpha where the
            picture has no fourth band.
        nodata: the level that marks missing values; None for that of the file. NaN always does.
        fill: whether missing values are computed from their neighbours.
        strip: whether the result has no metadata.
        count: whether clipped values are counted and plans reported.

    Raises:
        UsageError: more than one of `gray`, `luma` and `channels`.
    """

    filter: Filter
    depth: str | None = None
    range_policy: str | None = None
    scale: Fraction = Fraction(1)
    delta: Fraction = Fraction(0)
    alpha: str = "weighted"
    linear: bool = False
    gray: bool = False
    luma: bool = False
    channels: tuple[int | str, ...] | None = None
    nodata: float | None = None
    fill: bool = False
    strip: bool = False
    count: bool = False

    def __post_init__(self) -> None:
        if self.gray + self.luma + (self.channels is not None) > 1:
            raise UsageError("`gray`, `luma` and `channels` exclude each other; give one of them")

    def output(self, dtype: np.dtype[Any]) -> ResultOptions:
        """Return what the filter is asked for, for an image of `dtype`."""
        wanted = dtype if self.depth is None else dtype_of_depth(self.depth)
        return ResultOptions(
            wanted, self.range_policy, self.scale, float(self.delta), levels_between(dtype, wanted), self.count
        )

    def selection(self, header: Header) -> tuple[list[int] | None, bool]:
        """Return the indices of the channels to filter, alpha aside (None for all), and whether alpha is one of them.

        Raises:
            UsageError: the picture has no such channel.
        """
        if self.channels is None:
            return None, True
        others = header.channels - header.has_alpha
        numbers = [c for c in self.channels if c != ALPHA and (c != ALPHA_NUMBER or others > ALPHA_NUMBER)]
        if len(numbers) < len(self.channels) and not header.has_alpha:
            raise UsageError("`channels`: the picture has no alpha")
        planes = []
        for number in numbers:
            if not isinstance(number, int) or not 0 <= number < others:
                facts = f"has {others} channels, 0 to {others - 1}" if others > 1 else "is grey; its only colour is channel 0"
                raise UsageError(f"`channels`: the picture {facts}; found {number!r}")
            planes.append(2 - number if header.colours == 3 and number < 3 else number)
        return (None if len({*planes}) == others else planes), len(numbers) < len(self.channels)

    def on_threads(self, jobs: int) -> Task:
        """Return the task with a number of threads for each image."""
        return replace(self, filter=self.filter.with_options(lambda options: replace(options, jobs=jobs)))

    def on_engine(self, engine: str) -> Task:
        """Return the task for an engine, which chooses its methods."""
        return replace(self, filter=self.filter.with_options(lambda options: replace(options, engine=engine, method="auto")))
