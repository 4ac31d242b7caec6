"""`apply`: arrays through filters, as `imgconv apply` filters files."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from imgconv.convolution.options import FilterOptions, as_dtype, as_factor, as_number, as_pixels, make_options
from imgconv.errors import UsageError
from imgconv.filters.base import Filter, ResultOptions
from imgconv.filters.parsing import FilterLike, build_chain
from imgconv.kernels.catalog import Catalog
from imgconv.kernels.kernel import is_masked
from imgconv.vocabulary import RANGES, RangeWord, canonical


def apply(
    image: ArrayLike,
    *filters: FilterLike,
    dtype: DTypeLike | None = None,
    range_policy: RangeWord | None = None,
    scale: float | Fraction = 1,
    delta: float = 0.0,
    catalog: Catalog | None = None,
    axes: tuple[int, int] | None = None,
    **options: Unpack[FilterOptions],
) -> NDArray[Any]:
    """Return an image after one or more filters in turn. Nothing is rounded between them.

    Channels are filtered independently. For alpha and linear light, use `filter_image`.

    Args:
        image: shape (H, W) or (H, W, C), or any shape with `axes`. Integer or floating-point; complex for kernels. The masked
            values of a masked array have no part in any sum, as the missing values of `filter_image`.
        *filters: filters in the notation of `imgconv apply`, kernels, arrays of weights, or filters of `parse_filter`. A
            sequence of these is a chain.
        dtype: type of the result; by default that of the image. Integer results are rounded half to even.
        range_policy: treatment of values that the type cannot hold: `clip`, `abs`, `offset`, `stretch` or `error`. By default
            that of the last filter.
        scale: factor by which the result is multiplied.
        delta: value added after scaling, in levels.
        catalog: catalog used to look up names (default: the built-in catalog).
        axes: the axes of rows and columns, such as (1, 2) for a stack (Z, H, W), or (-3, -2) for (T, H, W, C). Images along the
            other axes are filtered independently. By default the first two.
        **options: border, border_value, mode, stride, dilation, nan, tolerance, engine, method and jobs, as for `correlate`,
            for filters given as text, kernels or arrays.

    Returns:
        Shape (H', W') or (H', W', C); with `axes`, the axes of the image, in their order. The result for a masked array is one,
        with the same values masked.

    Raises:
        KernelError: a filter is unknown or invalid.
        UsageError: an option is invalid, or there is no filter.
        RangeError: with the range policy `error`, a value is out of range.

    Example:
        >>> import numpy as np
        >>> apply(np.array([[0, 20, 40, 250]], np.uint8), "box:rows=1,columns=3", "[1 1]:scale=1/2", border="reflect")
        array([[  7,  13,  62, 142]], dtype=uint8)
    """
    chain = build_chain(filters, catalog, make_options(**options))
    output = ResultOptions(
        None if dtype is None else as_dtype(dtype),
        None if range_policy is None else canonical(range_policy, RANGES, "range"),
        as_factor(scale, "scale"),
        as_number(delta, "delta"),
    )
    array: Any = image if is_masked(image) else as_pixels(image)
    result: NDArray[Any]
    if axes is None:
        result = _rendered(chain, array, output)
        return result
    planes = np.moveaxis(array, _checked_axes(axes, array.ndim), (0, 1))
    others = planes.shape[2:]
    result = _rendered(chain, planes.reshape(*planes.shape[:2], -1) if others else planes, output)
    result = np.moveaxis(result.reshape(*result.shape[:2], *others), (0, 1), _checked_axes(axes, array.ndim))
    return result


def _rendered(chain: Filter, image: Any, output: ResultOptions) -> Any:
    """Return the result for an array or a masked array."""
    if not is_masked(image):
        return chain.render(image, output).values
    from imgconv.filters.weights import render_masked

    return render_masked(chain, image, output)


def _checked_axes(axes: tuple[int, int], dimensions: int) -> tuple[int, int]:
    try:
        rows, columns = (operator.index(axis) for axis in axes)
        if -dimensions <= rows < dimensions and -dimensions <= columns < dimensions and (rows - columns) % dimensions:
            return rows, columns
    except (TypeError, ValueError):
        pass
    raise UsageError(f"axes are two different axes of the image (rows, columns), which has {dimensions}; found {axes!r}")
