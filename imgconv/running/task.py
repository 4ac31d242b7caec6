"""The task for an image: the filter, the pixels to which it is applied, and the type of the result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from imgconv.depth import dtype_of_depth, levels_between
from imgconv.errors import UsageError
from imgconv.filters.base import Filter, ResultOptions
from imgconv.images.pages import Header

if TYPE_CHECKING:
    from imgconv.running.regions import Part

#: The word that selects alpha among the channels, and the number that selects it if the image has no fourth band.
ALPHA, ALPHA_NUMBER = "alpha", 3


@dataclass(frozen=True)
class Task:
    """A filter and the options of the stages around it.

    Attributes:
        filter: the filter.
        depth: a word of `vocabulary.DEPTHS`; None for the depth of the image.
        levels: `white` to convert levels to another depth so that white stays white, `keep` to keep their numbers.
        range_policy: a word of `vocabulary.RANGES`; None for the default of the filter.
        scale: factor by which the result is multiplied.
        delta: value added after scaling, in levels of the image.
        alpha: a word of `vocabulary.ALPHAS`.
        linear: whether to filter in linear light and convert the result back.
        gray: whether to convert the image to grey before filtering.
        luma: whether to filter only the luma; the differences between the colours and the luma are kept.
        channels: the channels to filter, as integers from 0 (red) or `"alpha"`; None for all. If the image has no fourth band,
            3 also selects alpha.
        nodata: the pixel value that marks missing values; None for that of the file. NaN always marks them.
        fill: whether to compute missing values from their neighbours.
        part: the part of the image to change; None for the whole image.
        as_alpha: colour (red, green, blue, from 0 to 1) of a picture whose alpha is the result; None for the result itself.
        strip: whether to remove the metadata.
        count: whether to count clipped values and report plans.
        estimate: whether to estimate the share of clipped values where they are not counted.

    Raises:
        UsageError: more than one of `gray`, `luma` and `channels` is given, or `as_alpha` with alpha `drop`.
    """

    filter: Filter
    depth: str | None = None
    levels: str = "white"
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
    part: Part | None = None
    as_alpha: tuple[float, float, float] | None = None
    strip: bool = False
    count: bool = False
    estimate: bool = False

    def __post_init__(self) -> None:
        if self.gray + self.luma + (self.channels is not None) > 1:
            raise UsageError("`gray`, `luma` and `channels` exclude each other; give one of them")
        if self.as_alpha is not None and self.alpha == "drop":
            raise UsageError("`as_alpha` writes the alpha channel that `alpha` drop removes; give one of them")

    def output(self, dtype: np.dtype[Any]) -> ResultOptions:
        """Return type, range and scale of the result for an image of `dtype`."""
        result_dtype = dtype if self.depth is None else dtype_of_depth(self.depth)
        levels = Fraction(1) if self.levels == "keep" else levels_between(dtype, result_dtype)
        return ResultOptions(result_dtype, self.range_policy, self.scale, float(self.delta), levels, self.count)

    def selection(self, header: Header) -> tuple[list[int] | None, bool]:
        """Return the indices of the channels to filter, without alpha (None for all), and whether to filter alpha.

        Raises:
            UsageError: the image does not have a selected channel.
        """
        if self.channels is None:
            return None, True
        others = header.channels - header.has_alpha
        numbers = [c for c in self.channels if c != ALPHA and (c != ALPHA_NUMBER or others > ALPHA_NUMBER)]
        if len(numbers) < len(self.channels) and not header.has_alpha:
            raise UsageError("`channels`: the image has no alpha channel")
        planes = []
        for number in numbers:
            if not isinstance(number, int) or not 0 <= number < others:
                facts = f"has {others} channels, 0 to {others - 1}" if others > 1 else "is grey and has only channel 0"
                raise UsageError(f"`channels`: the image {facts}; found {number!r}")
            planes.append(2 - number if header.colours == 3 and number < 3 else number)
        return (None if len({*planes}) == others else planes), len(numbers) < len(self.channels)

    def on_threads(self, jobs: int) -> Task:
        """Return the task with the given number of threads per image."""
        return replace(self, filter=self.filter.with_options(lambda options: replace(options, jobs=jobs)))

    def on_engine(self, engine: str) -> Task:
        """Return the task for an engine, with method `auto`."""
        return replace(self, filter=self.filter.with_options(lambda options: replace(options, engine=engine, method="auto")))
