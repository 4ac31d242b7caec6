"""What to do with an image: the filter, and what its output should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from imgconv.convolution.plan import Plan
from imgconv.depth import dtype_of_depth, levels_between
from imgconv.filters.base import Filter, Output
from imgconv.images.image import Image
from imgconv.running.treating import Treated, treated
from imgconv.running.treatment import AS_USUAL, Treatment, shown


@dataclass(frozen=True)
class Task:
    """A filter and the output wanted.

    Attributes:
        filter: what computes.
        depth: a word of `vocabulary.DEPTHS`, or None for the depth of the image.
        range_policy: a word of `vocabulary.RANGES`, or None for what the filter chooses.
        scale: multiplies the result.
        delta: added after that, in levels of the image.
        count: whether clipped values are to be counted, and plans told.
        treatment: what of the pixels is filtered, and in what light.
    """

    filter: Filter
    depth: str | None = None
    range_policy: str | None = None
    scale: Fraction = Fraction(1)
    delta: Fraction = Fraction(0)
    count: bool = False
    treatment: Treatment = AS_USUAL

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return the type of the output for an image of `dtype`."""
        return dtype if self.depth is None else dtype_of_depth(self.depth)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the output for an image of `shape`, as far as the channels go: alpha, if any, the last."""
        channels = shape[2] if len(shape) == 3 else 1
        alpha = channels in (2, 4) and self.treatment.alpha != "drop"
        colours = 1 if self.treatment.gray else channels - (channels in (2, 4))
        return (*shape[:2], colours + alpha)

    def run(self, image: Image) -> Treated:
        """Filter an image.

        Returns:
            The image, of the type of `output_dtype`; the number of values clipped, -1 where it was not asked for; and the
            plans, where it was.
        """
        return treated(image, self.filter, self._output(image.pixels.dtype), self.treatment, plans=self.count)

    def plans(self, shape: Sequence[int], dtype: DTypeLike) -> tuple[Plan, ...]:
        """Return the plans that `run` carries out on the colour of an image, from its shape and type alone.

        They are those of a picture that is opaque and in which nothing is missing.
        """
        shape, dtype, output = shown(self.treatment, tuple(shape), np.dtype(dtype), self._output(np.dtype(dtype)))
        return self.filter.plans(shape, dtype, output)

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
