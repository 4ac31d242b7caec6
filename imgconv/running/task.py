"""What to do with an image: the filter, and what its output should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.convolution.plan import Plan
from imgconv.depth import dtype_of_depth, fit, levels_between
from imgconv.filters.base import Filter, Output
from imgconv.images.image import Image


@dataclass(frozen=True)
class Task:
    """A filter and the output wanted.

    Attributes:
        filter: what computes.
        depth: a word of `vocabulary.DEPTHS`, or None for the depth of the image.
        range_policy: a word of `vocabulary.RANGES`, or None for what the filter chooses.
        scale: multiplies the result.
        delta: added after that, in levels of the image.
        count: whether clipped values are to be counted.
    """

    filter: Filter
    depth: str | None = None
    range_policy: str | None = None
    scale: Fraction = Fraction(1)
    delta: Fraction = Fraction(0)
    count: bool = False

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type of the output for an image of `dtype`."""
        return dtype if self.depth is None else dtype_of_depth(self.depth)

    def run(self, image: Image) -> tuple[Image, int]:
        """Filter the colour of an image, keep its alpha, and return it with the number of values clipped.

        The number is -1 where it was not asked for.
        """
        output = self._output(image.pixels.dtype)
        fitted = self.filter.render(image.colour, output)
        alpha = None if image.alpha is None else self._alpha(image.alpha, self.output_dtype(image.pixels.dtype), output.levels)
        return image.with_colour(fitted.values, alpha), fitted.clipped

    def plans(self, shape: Sequence[int], dtype: DTypeLike) -> tuple[Plan, ...]:
        """Return the plans that `run` carries out on the colour of an image, from its shape and type alone."""
        return self.filter.plans(shape, dtype, self._output(np.dtype(dtype)))

    def on_threads(self, jobs: int) -> Task:
        """Return the task with so many threads to work on an image."""
        return replace(self, filter=self.filter.with_options(lambda options: replace(options, jobs=jobs)))

    def on_engine(self, engine: str) -> Task:
        """Return the task for an engine, which chooses its methods."""
        return replace(self, filter=self.filter.with_options(lambda options: replace(options, engine=engine, method="auto")))

    def _output(self, dtype: np.dtype[Any]) -> Output:
        wanted = self.output_dtype(dtype)
        levels = levels_between(dtype, wanted)
        return Output(wanted, self.range_policy, self.scale, float(self.delta), levels, self.count)

    def _alpha(self, alpha: NDArray[Any], dtype: np.dtype[Any], levels: Fraction) -> NDArray[Any]:
        placed = self.filter.on_grid(np.ascontiguousarray(alpha))
        if levels == 1 and placed.dtype == dtype:
            return placed
        return fit(placed * np.float64(levels), dtype).values
