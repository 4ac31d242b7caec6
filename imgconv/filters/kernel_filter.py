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
from imgconv.convolution.plan import Plan
from imgconv.convolution.planner import plan_for, unfinished
from imgconv.depth import Fitted, fit
from imgconv.filters.base import Filter, Output, check_options, response_dtype
from imgconv.kernels.kernel import Kernel


@dataclass(frozen=True)
class KernelFilter(Filter):
    """A kernel and how to convolve with it.

    Attributes:
        kernel: laid on the image as written, or rotated where the options say so.
        options: border, mode, stride and the rest.
    """

    kernel: Kernel
    options: Options = Options()

    def __post_init__(self) -> None:
        check_options(self.options)

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.kernel.name or "kernel"

    @property
    def halo(self) -> tuple[int, int]:
        """The farther of the two ends of the kernel from its anchor, down and across."""
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

    def response(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the sums, unrounded."""
        (plan,) = self.plans(image.shape, image.dtype)
        return execute(plan, image).values

    def render(self, image: NDArray[Any], output: Output) -> Fitted:
        """Return the result in its final type; scale and delta become part of the kernel, so that it is rounded once."""
        (plan,) = self.plans(image.shape, image.dtype, output)
        if not self._scales_later(output):
            return execute(plan, image, fallback=unfinished(plan) if output.count else None)
        dtype = output.dtype or image.dtype
        values = execute(plan, image).values * float(output.scale * output.levels) + float(output.delta * output.levels)
        return fit(values, dtype, output.range_policy or self.range_for(dtype))

    def _scales_later(self, output: Output) -> bool:
        """Whether the sums are divided by the weights, from which a scaled kernel would cancel."""
        return self.options.normalizes and output.scale * output.levels != 1

    def on_grid(self, channel: NDArray[Any]) -> NDArray[Any]:
        """Return the channel itself, or what an impulse at the anchor picks out of it."""
        if self.options.keeps_grid:
            return channel
        impulse = np.zeros(self.kernel.shape)
        impulse[self.options.anchor or self.kernel.anchor] = 1
        given = self.options.border
        rows, columns = ("replicate" if name == "renormalize" else name for name in (given.rows, given.columns))
        options = replace(self.options, border=Border(rows, columns), delta=0.0, nan="propagate", method="auto", dtype=None)
        plan = plan_for(channel.shape, channel.dtype, Kernel(impulse, self.kernel.anchor), options)
        return execute(plan, channel).values

    def plans(self, shape: Sequence[int], dtype: DTypeLike, output: Output | None = None) -> tuple[Plan, ...]:
        """Return the one plan."""
        dtype = np.dtype(dtype)
        if output is None or self._scales_later(output):
            unrounded = response_dtype(dtype, complex_result=self.kernel.is_complex)
            if output is not None:  # which is yet to be scaled
                unrounded = np.result_type(unrounded, np.float64)
            return (plan_for(shape, dtype, self.kernel, replace(self.options, dtype=unrounded)),)
        factor, final = output.scale * output.levels, output.dtype or dtype
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
        """Return the filter with its options changed."""
        return replace(self, options=change(self.options))
