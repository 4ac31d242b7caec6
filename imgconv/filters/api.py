"""`apply`: arrays through filters, as `imgconv apply` filters files."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Unpack

from numpy.typing import ArrayLike, DTypeLike, NDArray

from imgconv.convolution.options import FilterOptions, as_dtype, as_factor, as_number, as_pixels, make_options
from imgconv.errors import UsageError
from imgconv.filters.base import Filter, ResultOptions
from imgconv.filters.parsing import build_chain
from imgconv.kernels.catalog import Catalog
from imgconv.kernels.kernel import Kernel
from imgconv.vocabulary import RANGES, RangeWord, canonical


def apply(
    image: ArrayLike,
    *filters: str | Kernel | Filter,
    dtype: DTypeLike | None = None,
    range_policy: RangeWord | None = None,
    scale: float | Fraction = 1,
    delta: float = 0.0,
    catalog: Catalog | None = None,
    **options: Unpack[FilterOptions],
) -> NDArray[Any]:
    """Return an image after one or more filters in turn. Nothing is rounded between them.

    Channels are filtered independently. For alpha, linear light and missing values, use `filter_image`.

    Args:
        image: shape (H, W) or (H, W, C). Integer or floating-point; complex for kernels.
        *filters: filters in the notation of `imgconv apply`, kernels, or filters of `parse_filter`.
        dtype: type of the result; by default that of the image. Integer results are rounded half to even.
        range_policy: treatment of values that the type cannot hold: `clip`, `abs`, `offset`, `stretch` or `error`. By default
            that of the last filter.
        scale: factor by which the result is multiplied.
        delta: value added after scaling, in levels.
        catalog: catalog used to look up names (default: the built-in catalog).
        **options: border, border_value, mode, stride, dilation, nan, tolerance, engine, method and jobs, as for `correlate`,
            for filters that are not built yet.

    Returns:
        Shape (H', W') or (H', W', C).

    Raises:
        KernelError: a filter is unknown or invalid.
        UsageError: an option is invalid, or there is no filter.
        RangeError: with the range policy `error`, a value is out of range.

    Example:
        >>> import numpy as np
        >>> apply(np.array([[0, 20, 40, 250]], np.uint8), "box:rows=1,columns=3", "[1 1]:scale=1/2", border="reflect")
        array([[  7,  13,  62, 142]], dtype=uint8)
    """
    if not filters:
        raise UsageError("apply needs at least one filter, such as 'sharpen'")
    chain = build_chain(filters, catalog, make_options(**options))
    output = ResultOptions(
        None if dtype is None else as_dtype(dtype),
        None if range_policy is None else canonical(range_policy, RANGES, "range"),
        as_factor(scale, "scale"),
        as_number(delta, "delta"),
    )
    return chain.render(as_pixels(image), output).values
