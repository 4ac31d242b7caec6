"""A kernel as a filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.borders import Border
from imgconv.convolution.execution import execute
from imgconv.convolution.options import Options
from imgconv.convolution.plan import Plan, make_axis
from imgconv.convolution.planner import plan_for, unfinished
from imgconv.depth import Fitted, fit
from imgconv.filters.base import Filter, ResultOptions, check_options
from imgconv.kernels.kernel import Kernel

# Weights below this share of the whole weight are rounding errors.
_NO_WEIGHT = 1e-6


@dataclass(frozen=True)
class KernelFilter(Filter):
    """Convolution or correlation with a kernel.

    Attributes:
        kernel: the kernel, applied as written, or rotated by 180 degrees if `options.rotate` is set.
        options: border, mode, stride and other options.
    """

    kernel: Kernel
    options: Options = Options()

    def __post_init__(self) -> None:
        check_options(self.options)

    @property
    def name(self) -> str:
        """The name of the kernel."""
        return self.kernel.name or "kernel"

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """A tuple of the one kernel."""
        return (self.kernel,)

    @property
    def halo(self) -> tuple[int, int]:
        """The largest distance of a kernel element from the anchor, in rows and columns."""
        anchor = self.options.anchor or self.kernel.anchor
        down, across = (
            max(at, taps - 1 - at) * dilation
            for at, taps, dilation in zip(anchor, self.kernel.shape, self.options.dilation, strict=True)
        )
        return down, across

    @property
    def stride(self) -> tuple[int, int]:
        """The stride of the options."""
        return self.options.stride

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the result, which depends on mode, stride and dilation."""
        mode, stride, dilation = self.options.mode, self.options.stride, self.options.dilation
        axes = [
            make_axis(n, taps, 0, mode, s, d) for n, taps, s, d in zip(shape, self.kernel.shape, stride, dilation, strict=False)
        ]
        return (*(axis.outputs for axis in axes), *shape[2:])

    def response_dtype(self, dtype: DTypeLike) -> np.dtype[Any]:
        """Return the type of the sums, which is complex if the weights are complex."""
        real = super().response_dtype(dtype)
        return np.result_type(real, np.complex64) if self.kernel.is_complex else real

    def response(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the unrounded sums."""
        (plan,) = self.plans(image.shape, image.dtype)
        return execute(plan, image).values

    def weighted(self, image: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
        """Return the sums over weighted pixels, normalized to the sum of the whole kernel.

        The result is `F(image * weight) / F(weight)`, times the sum of the kernel. If the sum is 0, this quotient is undefined.
        Missing pixels are then replaced by the pixel at the anchor, which gives `F(image * weight) - image * F(weight)`.
        """
        planes = image if image.ndim == 3 else image[:, :, np.newaxis]
        with np.errstate(over="ignore", invalid="ignore"):
            weighed = np.dstack([planes * weight[:, :, np.newaxis], weight])
        sums = self._without_delta(planes.shape[2]).response(weighed)
        values, mass = sums[:, :, :-1], sums[:, :, -1:]
        if self.kernel.is_difference:
            channels = [self.on_grid(np.ascontiguousarray(planes[:, :, c])) for c in range(planes.shape[2])]
            values = values - np.dstack(channels) * mass
        else:
            counts = np.abs(mass) > _NO_WEIGHT * abs(self._gain)
            values = np.where(counts, values * self._gain / np.where(counts, mass, 1), 0).astype(sums.dtype)
        delta = self.kernel.delta + self.options.delta
        values = values + sums.dtype.type(delta) if delta else values
        return values if image.ndim == 3 else values[:, :, 0]

    def coverage(self, weight: NDArray[Any]) -> NDArray[Any]:
        """Return the filtered weight. For a difference kernel, which would give 0, return the unfiltered weight."""
        if self.kernel.is_difference:
            return self.on_grid(weight)
        covered = np.real(self._without_delta(0).response(weight) / self._gain)
        return np.asarray(covered.clip(0, 1), weight.dtype)

    def _without_delta(self, channels: int) -> KernelFilter:
        """Return the filter for channels and their weight: without delta, and with weight 1 outside for border `constant`."""
        border = self.options.border
        value = (*(border.value * channels if len(border.value) == 1 else border.value), 1.0)[-1 - channels :]
        options = replace(self.options, delta=0.0, border=Border(border.rows, border.columns, value))
        return KernelFilter(Kernel(self.kernel.weights, self.kernel.anchor, self.kernel.name), options)

    @property
    def _gain(self) -> complex:
        """The factor by which a flat image is multiplied."""
        return 1.0 if self.options.normalizes else self.kernel.sum

    @np.errstate(over="ignore", invalid="ignore")
    def render(self, image: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return the result in its final type; scale and delta are merged into the kernel, so that it is rounded once."""
        (plan,) = self.plans(image.shape, image.dtype, output)
        if not self._scales_later(output):
            return execute(plan, image, fallback=unfinished(plan) if output.count else None)
        dtype = output.dtype or self.output_dtype(image.dtype)
        values = execute(plan, image).values * float(output.scale * output.levels) + float(output.delta * output.levels)
        return fit(values, dtype, output.range_policy or self.range_for(dtype))

    def _scales_later(self, output: ResultOptions) -> bool:
        """Return whether to scale after the sums, because normalization would cancel the scale of the kernel."""
        return self.options.normalizes and output.scale * output.levels != 1

    def on_grid(self, channel: NDArray[Any]) -> NDArray[Any]:
        """Return an unfiltered channel sampled on the output grid; if mode or stride change the grid, an impulse selects it."""
        if self.options.keeps_grid:
            return channel
        impulse = np.zeros(self.kernel.shape)
        impulse[self.options.anchor or self.kernel.anchor] = 1
        border = self.options.border
        rows, columns = ("replicate" if name == "renormalize" else name for name in (border.rows, border.columns))
        options = replace(self.options, border=Border(rows, columns), delta=0.0, nan="propagate", method="auto", dtype=None)
        plan = plan_for(channel.shape, channel.dtype, Kernel(impulse, self.kernel.anchor), options)
        return execute(plan, channel).values

    def plans(self, shape: Sequence[int], dtype: DTypeLike, output: ResultOptions | None = None) -> tuple[Plan, ...]:
        """Return a tuple of the one plan."""
        dtype = np.dtype(dtype)
        if output is None or self._scales_later(output):
            unrounded = self.response_dtype(dtype)
            if output is not None:  # the sums are scaled later, in float64
                unrounded = np.result_type(unrounded, np.float64)
            return (plan_for(shape, dtype, self.kernel, replace(self.options, dtype=unrounded)),)
        factor, final = output.scale * output.levels, output.dtype or self.output_dtype(dtype)
        kernel = self.kernel if factor == 1 else self.kernel.scaled(factor)
        options = replace(
            self.options,
            dtype=final,
            delta=float(Fraction(self.options.delta) * Fraction(factor) + Fraction(output.delta) * output.levels),
            range_policy=output.range_policy or self.range_for(final),
            tolerance=self.options.tolerance * float(output.levels if dtype.kind in "biu" else 1),
        )
        return (plan_for(shape, dtype, kernel, options),)

    def with_options(self, change: Callable[[Options], Options]) -> KernelFilter:
        """Return the filter with changed options."""
        return replace(self, options=change(self.options))
