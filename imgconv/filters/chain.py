"""Filters one after the other, nothing rounded between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.convolution.options import Options
from imgconv.convolution.plan import Plan
from imgconv.depth import Fitted, full_scale
from imgconv.filters.base import Filter, ResultOptions
from imgconv.kernels.kernel import Kernel


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
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels of all steps."""
        return tuple(kernel for step in self.steps for kernel in step.kernels)

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

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape that the last step leaves."""
        for step in self.steps:
            shape = step.output_shape(shape)
        return tuple(shape)

    def output_dtype(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return what the last step would choose for the image: nothing is rounded before it."""
        return self.steps[-1].output_dtype(dtype)

    def response_dtype(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return the type of the last step's response to those of the others."""
        for step in self.steps:
            dtype = step.response_dtype(dtype)
        return np.dtype(dtype)

    def response(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return what the last step makes of what the others made."""
        for step in self._steps_for(image.dtype):
            image = step.response(image)
        return image

    def weighted(self, image: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
        """Return what the last step makes of what the others made, each weighted by what the one before it covers."""
        *before, last = self.steps
        for step in before:
            image, weight = step.weighted(image, weight), step.coverage(weight)
        return last.weighted(image, weight)

    def coverage(self, weight: NDArray[Any]) -> NDArray[Any]:
        """Return what the last step leaves of the weight."""
        for step in self.steps:
            weight = step.coverage(weight)
        return weight

    def finished(self, values: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return the result in its final type, as the last step would."""
        return self.steps[-1].finished(values, output)

    def render(self, image: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return the result in its final type; the last step rounds."""
        output = replace(output, dtype=output.dtype or self.output_dtype(image.dtype))
        *before, last = self._steps_for(image.dtype)
        for step in before:
            image = step.response(image)
        return last.render(image, output)

    @property
    def gives_levels(self) -> bool:
        """Whether the last step does."""
        return self.steps[-1].gives_levels

    def range_for(self, dtype: np.dtype[Any]) -> str:
        """Return what the last step would choose."""
        return self.steps[-1].range_for(dtype)

    def on_grid(self, channel: NDArray[Any]) -> NDArray[Any]:
        """Return the channel on the grid that is left after the last step."""
        for step in self.steps:
            channel = step.on_grid(channel)
        return channel

    def plans(self, shape: Sequence[int], dtype: DTypeLike, output: ResultOptions | None = None) -> tuple[Plan, ...]:
        """Return the plans of all steps; the last one's are for the output."""
        dtype = np.dtype(dtype)
        *before, last = self._steps_for(dtype)
        if output is not None:
            output = replace(output, dtype=output.dtype or self.output_dtype(dtype))
        plans: list[Plan] = []
        for step in before:
            plans += step.plans(shape, dtype)
            shape, dtype = step.output_shape(shape), step.response_dtype(dtype)
        return (*plans, *last.plans(shape, dtype, output))

    def with_options(self, change: Callable[[Options], Options]) -> ChainFilter:
        """Return the chain with the options of all steps changed."""
        return replace(self, steps=tuple(step.with_options(change) for step in self.steps))

    def _steps_for(self, dtype: np.dtype[Any]) -> tuple[Filter, ...]:
        """Return the steps for an image of `dtype`: from the second one on, levels are a share of white."""
        if dtype.kind not in "biu":
            return self.steps

        def as_share(options: Options) -> Options:
            return replace(options, tolerance=options.tolerance / full_scale(dtype))

        return self.steps[0], *(step.with_options(as_share) for step in self.steps[1:])
