"""What a filter is: a frozen value that turns an image into an image, and knows its reach and its result beforehand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from imgconv.convolution.options import Options, as_dtype, as_pixels
from imgconv.convolution.plan import Plan
from imgconv.depth import Fitted, fit, sum_dtype
from imgconv.errors import UsageError
from imgconv.kernels.kernel import Kernel


@dataclass(frozen=True)
class ResultOptions:
    """What becomes of a filter's result: `(result * scale + delta) * levels`, rounded and brought into range.

    Attributes:
        dtype: type of the output; the filter's own choice where None.
        range_policy: one of `vocabulary.RANGES`; the filter's own choice where None.
        scale: the result is multiplied by it.
        delta: added after that, in levels of the image.
        levels: levels of the output to one level of the image, where the depth changes: 257 from 8 to 16 bits.
        count: whether clipped values are to be counted, which can cost a second pass.
    """

    dtype: np.dtype[Any] | None = None
    range_policy: str | None = None
    scale: Fraction | float = 1.0
    delta: float = 0.0
    levels: Fraction = Fraction(1)
    count: bool = False


class Filter(ABC):
    """A filter; its subclasses are frozen dataclasses.

    `name`, `halo` and `response` are all that a filter has to define. One with a stride or another change of the grid defines
    `output_shape` and `on_grid` too, one that convolves `plans` and `with_options`.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The filter as one would write it."""

    @property
    @abstractmethod
    def halo(self) -> tuple[int, int] | None:
        """Rows and columns that it needs on each side of a pixel; None where it needs the whole image."""

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels that the filter convolves with, in their order."""
        return ()

    @property
    def stride(self) -> tuple[int, int]:
        """Pixels of the image from one value of the result to the next, down and across."""
        return 1, 1

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the result for an image of shape (H, W) or (H, W, C)."""
        return tuple(shape)

    def output_dtype(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return the type of the result for an image of `dtype` where none is asked for: the image's own."""
        return np.dtype(dtype)

    def response_dtype(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return the type of `response` for an image of `dtype`."""
        real = sum_dtype(dtype)
        return np.result_type(real, np.complex64) if np.dtype(dtype).kind == "c" else real

    @abstractmethod
    def response(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the result unrounded, in the type that sums over the image run in.

        Args:
            image: shape (H, W) or (H, W, C).

        Returns:
            Of shape `output_shape` and type `response_dtype`, floating point or complex.
        """

    def on_grid(self, channel: NDArray[Any]) -> NDArray[Any]:
        """Return a channel unfiltered, at the places where the filter computes values: shape (H', W')."""
        return channel

    def weighted(self, image: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
        """Return the result where pixels count by a weight: what weighs nothing has no part in it.

        By default all pixels count alike.

        Args:
            image: shape (H, W) or (H, W, C), floating point, finite.
            weight: shape (H, W), floating point from 0 to 1: alpha, or 0 where a value is missing.

        Returns:
            As `response`; 0 where nothing within reach weighs anything.
        """
        return self.response(image)

    def coverage(self, weight: NDArray[Any]) -> NDArray[Any]:
        """Return the weight that results of `weighted` have themselves: shape (H', W'), from 0 to 1.

        By default it is that of the pixel in whose place they stand.
        """
        return self.on_grid(weight)

    def plans(self, shape: Sequence[int], dtype: DTypeLike, output: ResultOptions | None = None) -> tuple[Plan, ...]:
        """Return the plans of the convolutions that are carried out on an image, in their order.

        Args:
            shape: of the image, (H, W) or (H, W, C).
            dtype: of the image.
            output: what `render` is asked for; the plans are those of `response` without it.
        """
        return ()

    def with_options(self, change: Callable[[Options], Options]) -> Filter:
        """Return the filter with the options of all its convolutions changed."""
        return self

    @property
    def gives_levels(self) -> bool:
        """Whether results are levels, as pixels are, and not angles or anything else that is neither light nor dark."""
        return True

    def range_for(self, dtype: np.dtype[Any]) -> str:
        """Return the range policy where none was asked for."""
        return "clip"

    def render(self, image: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return the result in its final type, and how many values were clipped (-1 where that was not counted)."""
        return self.finished(self.response(image), replace(output, dtype=output.dtype or self.output_dtype(image.dtype)))

    @np.errstate(over="ignore", invalid="ignore")  # beyond the largest number lies infinity
    def finished(self, values: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return results of `response` or `weighted` in the final type, which the output has to name."""
        dtype = np.dtype(output.dtype)
        factor, delta = output.scale * output.levels, output.delta * output.levels
        if factor != 1:
            values = values * values.dtype.type(factor)
        if delta:
            values = values + values.dtype.type(delta)
        return fit(values, dtype, output.range_policy or self.range_for(dtype))

    def __call__(self, image: ArrayLike, *, dtype: DTypeLike | None = None) -> NDArray[Any]:
        """Filter an image of shape (H, W) or (H, W, C) and return it in its own type, or in `dtype`."""
        output = ResultOptions(dtype=None if dtype is None else as_dtype(dtype))
        return self.render(as_pixels(image), output).values


def check_options(options: Options) -> None:
    """Reject options that belong to the output of a filter, and not to the convolutions in it."""
    if options.dtype is not None or options.range_policy != "clip":
        raise UsageError("a filter takes no dtype and no range: they are chosen where it is called, filter(image, dtype=...)")
