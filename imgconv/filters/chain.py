"""Filters one after the other, nothing rounded between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.convolution.plan import Plan
from imgconv.depth import Fitted
from imgconv.filters.base import Filter, Output, response_dtype


@dataclass(frozen=True)
class ChainFilter(Filter):
    """A chain of filters.

    Attributes:
        steps: at least one, the first one first.
    """

    steps: tuple[Filter, ...]

    @property
    def name(self) -> str:
        """The names of the steps."""
        return " ".join(step.name for step in self.steps)

    @property
    def halo(self) -> tuple[int, int] | None:
        """The halos of the steps, added up in pixels of the image: a step after a stride reaches farther."""
        rows = columns = 0
        down = across = 1
        for step in self.steps:
            if step.halo is None:
                return None
            rows, columns = rows + step.halo[0] * down, columns + step.halo[1] * across
            down, across = down * step.stride[0], across * step.stride[1]
        return rows, columns

    @property
    def stride(self) -> tuple[int, int]:
        """The strides of the steps, multiplied."""
        return math.prod(step.stride[0] for step in self.steps), math.prod(step.stride[1] for step in self.steps)

    def response(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return what the last step makes of what the others made."""
        for step in self.steps:
            image = step.response(image)
        return image

    def render(self, image: NDArray[Any], output: Output) -> Fitted:
        """Return the result in its final type; the last step rounds."""
        output = replace(output, dtype=output.dtype or image.dtype)
        for step in self.steps[:-1]:
            image = step.response(image)
        return self.steps[-1].render(image, output)

    def range_for(self, dtype: np.dtype[Any]) -> str:
        """Return what the last step would choose."""
        return self.steps[-1].range_for(dtype)

    def on_grid(self, channel: NDArray[Any]) -> NDArray[Any]:
        """Return the channel on the grid that is left after the last step."""
        for step in self.steps:
            channel = step.on_grid(channel)
        return channel

    def plans(self, shape: Sequence[int], dtype: DTypeLike) -> tuple[Plan, ...]:
        """Return the plans of all steps."""
        plans: list[Plan] = []
        dtype = np.dtype(dtype)
        for step in self.steps:
            plans += step.plans(shape, dtype)
            is_complex = plans[-1].job.output.kind == "c"
            shape, dtype = plans[-1].output_shape, response_dtype(dtype, complex_result=is_complex)
        return tuple(plans)
