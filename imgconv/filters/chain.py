"""Filters applied in sequence, without rounding between them."""

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
        steps: the filters in order of application; at least one.
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
        """The sum of the halos of the steps, in pixels of the image. Earlier strides multiply the halo of a step."""
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
        """The product of the strides of the steps."""
        return math.prod(step.stride[0] for step in self.steps), math.prod(step.stride[1] for step in self.steps)

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the output shape of the last step."""
        for step in self.steps:
            shape = step.output_shape(shape)
        return tuple(shape)

    def output_dtype(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return the output type of the last step for the type of the image, since earlier steps are not rounded."""
        return self.steps[-1].output_dtype(dtype)

    def response_dtype(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return the response type of the last step."""
        for step in self.steps:
            dtype = step.response_dtype(dtype)
        return np.dtype(dtype)

    def response(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the unrounded result of the last step."""
        for step in self._steps_for(image.dtype):
            image = step.response(image)
        return image

    def weighted(self, image: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
        """Return the result of the last step; each step is weighted by the coverage of the previous one."""
        *before, last = self.steps
        for step in before:
            image, weight = step.weighted(image, weight), step.coverage(weight)
        return last.weighted(image, weight)

    def coverage(self, weight: NDArray[Any]) -> NDArray[Any]:
        """Return the weight after the last step."""
        for step in self.steps:
            weight = step.coverage(weight)
        return weight

    def finished(self, values: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return the result in its final type, converted by the last step."""
        return self.steps[-1].finished(values, output)

    def render(self, image: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return the result in its final type; only the last step rounds."""
        output = replace(output, dtype=output.dtype or self.output_dtype(image.dtype))
        *before, last = self._steps_for(image.dtype)
        for step in before:
            image = step.response(image)
        return last.render(image, output)

    @property
    def gives_levels(self) -> bool:
        """Whether results of the last step are intensities."""
        return self.steps[-1].gives_levels

    def range_for(self, dtype: np.dtype[Any]) -> str:
        """Return the default range policy of the last step."""
        return self.steps[-1].range_for(dtype)

    def on_grid(self, channel: NDArray[Any]) -> NDArray[Any]:
        """Return an unfiltered channel sampled on the output grid of the last step."""
        for step in self.steps:
            channel = step.on_grid(channel)
        return channel

    def plans(self, shape: Sequence[int], dtype: DTypeLike, output: ResultOptions | None = None) -> tuple[Plan, ...]:
        """Return the plans of all steps; `output` applies to the last step."""
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
        """Return the steps for an image of `dtype`. After the first step, tolerances are relative to white, not in levels."""
        if dtype.kind not in "biu":
            return self.steps

        def as_share(options: Options) -> Options:
            return replace(options, tolerance=options.tolerance / full_scale(dtype))

        return self.steps[0], *(step.with_options(as_share) for step in self.steps[1:])
