"""A kernel as a filter."""

from __future__ import annotations

from collections.abc import Sequence
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
        return execute(self._plan(image.shape, image.dtype), image).values

    def render(self, image: NDArray[Any], output: Output) -> Fitted:
        """Return the result in its final type; scale and delta become part of the kernel, so that it is rounded once."""
        factor = output.scale * output.levels
        if self.options.normalizes and factor != 1:
            return self._render_normalized(image, output)
        kernel = self.kernel if factor == 1 else self.kernel.scaled(factor)
        dtype = output.dtype or image.dtype
        options = replace(
            self.options,
            dtype=dtype,
            delta=float(Fraction(self.options.delta) * Fraction(factor) + Fraction(output.delta) * output.levels),
            range_policy=output.range_policy or self.range_for(dtype),
        )
        plan = plan_for(image.shape, image.dtype, kernel, options)
        return execute(plan, image, fallback=unfinished(plan) if output.count else None)

    def _render_normalized(self, image: NDArray[Any], output: Output) -> Fitted:
        """Return the result where the sums are divided by the weights, from which a scaled kernel would cancel."""
        dtype = output.dtype or image.dtype
        exact = np.result_type(response_dtype(image.dtype, complex_result=self.kernel.is_complex), np.float64)
        plan = plan_for(image.shape, image.dtype, self.kernel, replace(self.options, dtype=exact))
        values = execute(plan, image).values * float(output.scale * output.levels) + float(output.delta * output.levels)
        return fit(values, dtype, output.range_policy or self.range_for(dtype))

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

    def plans(self, shape: Sequence[int], dtype: DTypeLike) -> tuple[Plan, ...]:
        """Return the one plan."""
        return (plan_for(shape, np.dtype(dtype), self.kernel, self.options),)

    def _plan(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Plan:
        unrounded = replace(self.options, dtype=response_dtype(dtype, complex_result=self.kernel.is_complex))
        return plan_for(shape, dtype, self.kernel, unrounded)
