"""What to do with an image: the filter, and what its output should be."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        dtype = self.output_dtype(image.pixels.dtype)
        levels = levels_between(image.pixels.dtype, dtype)
        output = Output(dtype, self.range_policy, self.scale, float(self.delta), levels, self.count)
        fitted = self.filter.render(image.colour, output)
        alpha = None if image.alpha is None else self._alpha(image.alpha, dtype, levels)
        return image.with_colour(fitted.values, alpha), fitted.clipped

    def _alpha(self, alpha: NDArray[Any], dtype: np.dtype[Any], levels: Fraction) -> NDArray[Any]:
        placed = self.filter.on_grid(np.ascontiguousarray(alpha))
        if levels == 1 and placed.dtype == dtype:
            return placed
        return fit(placed * np.float64(levels), dtype).values
