"""Gradients and edges from a pair of kernels, or from a set of compass kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from imgconv.convolution.options import FilterOptions, Options, as_dtype, as_factor, as_number, as_pixels, make_options
from imgconv.convolution.plan import Plan
from imgconv.depth import Fitted, fit, full_scale
from imgconv.errors import UsageError
from imgconv.filters.base import Filter, ResultOptions, check_options
from imgconv.filters.kernel_filter import KernelFilter
from imgconv.kernels.catalog import Catalog, as_catalog
from imgconv.kernels.entries import Operator
from imgconv.kernels.kernel import Kernel
from imgconv.vocabulary import EDGE_OUTPUTS, RANGES, EdgeOutputWord, RangeWord, canonical

_FULL_TURN = 360.0
_NORTH = 270.0


@dataclass(frozen=True)
class EdgeFilter(Filter):
    """The gradient of an image by an operator.

    Attributes:
        operator: the kernels and the scale of their responses.
        output: `magnitude`, `x` (brighter to the right is positive), `y` (brighter downwards is positive), or `direction`
            (of the steepest rise: 0 is to the right, 90 downwards; degrees in floating point; in integer types a full
            turn is the full range of the type).
        options: border, mode, stride and other options of the convolutions.
    """

    operator: Operator
    output: str = "magnitude"
    options: Options = Options()

    def __post_init__(self) -> None:
        check_options(self.options)
        if self.output == "direction" and self.options.delta:
            raise UsageError("delta does not apply to output direction, which is an angle; remove delta")
        if self.operator.directions and self.output in ("x", "y"):
            raise UsageError(
                f"operator {self.operator.name} has one kernel per direction and no output {self.output}; "
                "choose output magnitude or direction"
            )

    @property
    def name(self) -> str:
        """The filter in its notation."""
        return f"edges:operator={self.operator.name},output={self.output}"

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels of the operator required for the output."""
        return tuple(part.kernel for part in self._parts())

    @property
    def halo(self) -> tuple[int, int]:
        """The largest halo of the operator's kernels."""
        halos = [part.halo for part in self._parts()]
        return max(rows for rows, _ in halos), max(columns for _, columns in halos)

    @property
    def stride(self) -> tuple[int, int]:
        """The stride of the options."""
        return self.options.stride

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the responses, which is the same for all kernels of the operator."""
        first, *others = (part.output_shape(shape) for part in self._parts())
        if any(other != first for other in others):
            raise UsageError(f"operator {self.operator.name}: the kernels differ in size; choose mode same")
        return first

    def range_for(self, dtype: np.dtype[Any]) -> str:
        """Return `offset` for signed responses in an unsigned type, which maps zero to middle grey; else `clip`."""
        return "offset" if self.output in ("x", "y") and dtype.kind == "u" else "clip"

    def response(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the unrounded gradient; a direction is in degrees."""
        self.plans(image.shape, image.dtype)  # reject an unsupported image before any computation
        return self._combined([part.response(image) for part in self._parts()], whole=image.dtype.kind in "biu")

    def weighted(self, image: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
        """Return the gradient of weighted pixels; pixels with weight 0 produce no edges."""
        self.plans(image.shape, image.dtype)
        return self._combined([part.weighted(image, weight) for part in self._parts()])

    def _combined(self, responses: list[NDArray[Any]], *, whole: bool = False) -> NDArray[Any]:
        if self.output == "direction":
            return _direction(responses, compass=bool(self.operator.directions))
        scale, delta = (responses[0].dtype.type(number) for number in (self.operator.scale, self.options.delta))
        if self.operator.directions:
            return np.asarray(np.maximum.reduce(responses) * scale + delta)
        if self.output == "magnitude":
            down, across = responses[1], responses[0]
            # Squares of integer levels are safe; squares of arbitrary floats may overflow or underflow, which hypot avoids.
            with np.errstate(over="ignore"):  # overflow to infinity is intended
                length = np.sqrt(across * across + down * down) if whole else np.hypot(across, down)
            return np.asarray(length * scale + delta)
        return np.asarray(responses[0] * scale + delta)

    @property
    def gives_levels(self) -> bool:
        """Whether results are intensities, which is true unless the output is the direction."""
        return self.output != "direction"

    def render(self, image: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return the result in its final type; `output` is checked before the computation."""
        self._check(output)
        return super().render(image, output)

    def finished(self, values: NDArray[Any], output: ResultOptions) -> Fitted:
        """Return the result in its final type. In an integer type the full range represents a full turn of the direction."""
        self._check(output)
        if self.output != "direction":
            return super().finished(values, output)
        dtype = np.dtype(output.dtype)
        if dtype.kind == "f":
            return fit(values, dtype)
        steps = full_scale(dtype) + 1
        return fit(np.rint(values * (steps / _FULL_TURN)) % steps, dtype)

    def on_grid(self, channel: NDArray[Any]) -> NDArray[Any]:
        """Return an unfiltered channel sampled on the output grid of the first kernel."""
        return self._parts()[0].on_grid(channel)

    def plans(self, shape: Sequence[int], dtype: DTypeLike, output: ResultOptions | None = None) -> tuple[Plan, ...]:
        """Return one plan for each kernel; they do not depend on the output."""
        if output is not None:
            self._check(output)
        if np.dtype(dtype).kind == "c":
            raise UsageError("edges do not support complex images; filter the magnitude, or the real and imaginary parts")
        self.output_shape(shape)
        return tuple(p for part in self._parts() for p in part.plans(shape, dtype))

    def with_options(self, change: Callable[[Options], Options]) -> EdgeFilter:
        """Return the filter with changed options."""
        return replace(self, options=change(self.options))

    def _check(self, output: ResultOptions) -> None:
        if self.output == "direction" and (output.scale != 1 or output.delta or output.range_policy not in (None, "clip")):
            raise UsageError("scale, delta and range do not apply to output direction, which is an angle; remove them")

    def _parts(self) -> tuple[KernelFilter, ...]:
        """Return a filter for each kernel. The delta is removed, since it is added to the combined responses."""
        options = replace(self.options, delta=0.0)
        kernels = self.operator.directions
        if not kernels:
            x, y = self.operator.x, self.operator.y
            assert x is not None
            assert y is not None
            kernels = {"x": (x,), "y": (y,)}.get(self.output, (x, y))
        return tuple(KernelFilter(kernel, options) for kernel in kernels)


def _direction(responses: list[NDArray[Any]], *, compass: bool) -> NDArray[Any]:
    """Return angles in degrees, from 0 up to but not including 360."""
    if compass:
        # Compass kernels are ordered counterclockwise, starting in the north.
        strongest = np.argmax(np.stack(responses), axis=0)
        degrees = (_NORTH - strongest * (_FULL_TURN / len(responses))) % _FULL_TURN
        return np.asarray(degrees, responses[0].dtype)
    across, down = responses
    degrees = np.asarray(np.degrees(np.arctan2(down, across)))
    degrees[degrees < 0] += _FULL_TURN
    degrees[degrees >= _FULL_TURN] = 0  # a tiny negative angle can round up to the full turn
    return degrees


def edge_filter(
    operator: str | Operator = "scharr",
    output: str = "magnitude",
    catalog: Catalog | None = None,
    options: Options | None = None,
) -> EdgeFilter:
    """Return the edge filter for an operator, or for the name of an operator in the catalog."""
    if not isinstance(operator, Operator):
        operator = as_catalog(catalog).operator(operator)
    return EdgeFilter(operator, canonical(output, EDGE_OUTPUTS, "output"), options or Options())


def find_edges(
    image: ArrayLike,
    operator: str | Operator = "scharr",
    output: EdgeOutputWord = "magnitude",
    *,
    scale: float | Fraction = 1.0,
    delta: float = 0.0,
    dtype: DTypeLike | None = None,
    range_policy: RangeWord | None = None,
    **options: Unpack[FilterOptions],
) -> NDArray[Any]:
    """Return the gradient of an image.

    The responses are scaled so that a step from black to white along an axis gives white (the `scale` of the operator).

    Args:
        image: shape (H, W) or (H, W, C); channels are processed independently.
        operator: `sobel`, `scharr`, `prewitt`, `roberts`, `kirsch`, or another operator of the catalog.
        output: `magnitude`, `x`, `y` or `direction`; see `EdgeFilter`.
        scale: factor by which the result is multiplied.
        delta: value added after scaling, in levels.
        dtype: type of the result (default: that of the image). float32 preserves signs and degrees.
        range_policy: handling of out-of-range values: `clip`, `abs`, `offset`, `stretch` or `error`. The default is `offset`
            for `x` and `y` in an unsigned type (zero becomes the middle of the range), else `clip`.
        **options: border, border_value, mode, stride, dilation, nan, tolerance, engine, method and jobs, as for `correlate`.

    Returns:
        Array of shape (H', W') or (H', W', C).

    Raises:
        KernelError: the operator is unknown.
        UsageError: an option is invalid.
        RangeError: a value is out of range and `range_policy` is `error`.
    """
    chosen = edge_filter(operator, output, options=make_options(**options))
    to = ResultOptions(
        None if dtype is None else as_dtype(dtype),
        None if range_policy is None else canonical(range_policy, RANGES, "range"),
        as_factor(scale, "scale"),
        as_number(delta, "delta"),
    )
    return chosen.render(as_pixels(image), to).values
