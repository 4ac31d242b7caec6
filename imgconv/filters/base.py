"""The filter interface: an immutable object that maps an image to an image, with halo and output shape known in advance."""

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
from imgconv.depth import Fitted, fit, limits, sum_dtype
from imgconv.errors import UsageError
from imgconv.kernels.kernel import Kernel


@dataclass(frozen=True)
class ResultOptions:
    """Conversion of a result to the output: `(result * scale + delta) * levels`, rounded and brought into range.

    Attributes:
        dtype: type of the output; None for the default of the filter.
        range_policy: one of `vocabulary.RANGES`; None for the default of the filter.
        scale: factor by which the result is multiplied.
        delta: value added after scaling, in levels of the image.
        levels: output levels per level of the image, if the depth changes: 257 from 8 to 16 bits.
        count: whether to count clipped values, which can require a second pass.
    """

    dtype: np.dtype[Any] | None = None
    range_policy: str | None = None
    scale: Fraction | float = 1.0
    delta: float = 0.0
    levels: Fraction = Fraction(1)
    count: bool = False


#: Share of clipped values above which a note reports them.
NOTED_SHARE = 0.01

# To estimate it, at most twice as many rows of a result are sampled, then bands of rows of the image are filtered. They hold a
# sixteenth of a large image, and more rows than the border of a band affects.
_SAMPLED_ROWS = 250
_BANDS = 16
_ROWS_PER_HALO = 16
# Values of an image that is filtered whole.
_SMALL = 1 << 22


class Filter(ABC):
    """Abstract base class of filters; subclasses are frozen dataclasses.

    Subclasses must define `name`, `halo` and `response`. A filter with a stride or another change of the grid also defines
    `output_shape` and `on_grid`; a filter that convolves also defines `plans` and `with_options`.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The filter in its notation."""

    @property
    @abstractmethod
    def halo(self) -> tuple[int, int] | None:
        """Rows and columns required on each side of a pixel; None if the whole image is required."""

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels of the filter, in order of use."""
        return ()

    @property
    def stride(self) -> tuple[int, int]:
        """Distance between neighbouring values of the result, in rows and columns of the image."""
        return 1, 1

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the result for an image of shape (H, W) or (H, W, C)."""
        return tuple(shape)

    def output_dtype(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return the default type of the result for an image of `dtype`: that of the image."""
        return np.dtype(dtype)

    def response_dtype(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return the type of `response` for an image of `dtype`."""
        real = sum_dtype(dtype)
        return np.result_type(real, np.complex64) if np.dtype(dtype).kind == "c" else real

    @abstractmethod
    def response(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the unrounded result, in the type used for sums over the image.

        Args:
            image: shape (H, W) or (H, W, C).

        Returns:
            Array of shape `output_shape` and type `response_dtype`, floating point or complex.
        """

    def on_grid(self, channel: NDArray[Any]) -> NDArray[Any]:
        """Return an unfiltered channel sampled on the output grid of the filter, shape (H', W')."""
        return channel

    def weighted(self, image: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
        """Return the result for weighted pixels; pixels with weight 0 are ignored.

        The default implementation ignores the weights.

        Args:
            image: shape (H, W) or (H, W, C), floating point, finite.
            weight: shape (H, W), floating point from 0 to 1: alpha, or 0 for missing values.

        Returns:
            As `response`; 0 where all pixels within reach have weight 0.
        """
        return self.response(image)

    def coverage(self, weight: NDArray[Any]) -> NDArray[Any]:
        """Return the weight of each result of `weighted`: shape (H', W'), from 0 to 1.

        By default it is the weight of the input pixel at the same position.
        """
        return self.on_grid(weight)

    def plans(self, shape: Sequence[int], dtype: DTypeLike, output: ResultOptions | None = None) -> tuple[Plan, ...]:
        """Return the plans of the convolutions executed for an image, in order.

        Args:
            shape: shape of the image, (H, W) or (H, W, C).
            dtype: type of the image.
            output: output options of `render`; None for the plans of `response`.
        """
        return ()

    def with_options(self, change: Callable[[Options], Options]) -> Filter:
        """Return the filter with the options of all its convolutions changed."""
        return self

    @property
    def gives_levels(self) -> bool:
        """Whether results are intensities like pixels, rather than angles or other quantities."""
        return True

    def range_for(self, dtype: np.dtype[Any]) -> str:
        """Return the default range policy for results of type `dtype`."""
        return "clip"

    def render(self, image: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return the result in its final type, with the number of clipped values (-1 if not counted)."""
        return self.finished(self.response(image), replace(output, dtype=output.dtype or self.output_dtype(image.dtype)))

    def clipped_share(self, image: NDArray[Any], fitted: Fitted, output: ResultOptions) -> float:
        """Return the share of clipped values of a result: exact if they were counted, else estimated from bands of rows.

        Args:
            image: the image that was filtered.
            fitted: its result.
            output: the options of the result.
        """
        values = fitted.values
        if fitted.clipped >= 0 or values.dtype.kind == "f":
            return max(fitted.clipped, 0) / max(values.size, 1)
        sample = values[:: max(len(values) // _SAMPLED_ROWS, 1)]
        at_ends = sum(int(np.count_nonzero(sample == end)) for end in limits(values.dtype))
        if at_ends <= NOTED_SHARE * sample.size:
            return 0.0
        parts = [self.render(band, replace(output, count=True)) for band in _bands(image, self.halo)]
        return sum(part.clipped for part in parts) / sum(part.values.size for part in parts)

    @np.errstate(over="ignore", invalid="ignore")  # overflow to infinity is intended
    def finished(self, values: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return results of `response` or `weighted` in the final type; `output.dtype` must be set."""
        dtype = np.dtype(output.dtype)
        factor, delta = output.scale * output.levels, output.delta * output.levels
        if factor != 1:
            values = values * values.dtype.type(factor)
        if delta:
            values = values + values.dtype.type(delta)
        return fit(values, dtype, output.range_policy or self.range_for(dtype))

    def __call__(self, image: ArrayLike, *, dtype: DTypeLike | None = None) -> NDArray[Any]:
        """Filter an image of shape (H, W) or (H, W, C); the result has type `dtype` (default: `output_dtype`)."""
        output = ResultOptions(dtype=None if dtype is None else as_dtype(dtype))
        return self.render(as_pixels(image), output).values


def check_options(options: Options) -> None:
    """Reject options that apply to the output of a filter rather than to its convolutions."""
    if options.dtype is not None or options.range_policy != "clip":
        raise UsageError("dtype and range are not options of a filter; set them in the call, filter(image, dtype=...)")


def _bands(image: NDArray[Any], halo: tuple[int, int] | None) -> list[NDArray[Any]]:
    """Return evenly distributed bands of rows; the whole image if it is small, or the filter has no halo."""
    rows = len(image)
    length = rows if halo is None else max(rows // _BANDS**2, _ROWS_PER_HALO * max(halo[0], 1))
    if length * _BANDS >= rows or image.size <= _SMALL:
        return [image]
    return [image[start : start + length] for start in np.linspace(0, rows - length, _BANDS).astype(int)]
