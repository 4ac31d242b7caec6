"""Pixel weights from alpha and from missing values, which are NaN or equal to the nodata value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import Fitted, fit, full_scale, sum_dtype
from imgconv.filters.base import Filter, ResultOptions


class Weights(NamedTuple):
    """Alpha and missing values of an image; None if not present.

    Attributes:
        alpha: opacity from 0 to 1, shape (H, W).
        missing: mask of missing values, in the shape of the filtered pixels.
    """

    alpha: NDArray[Any] | None = None
    missing: NDArray[np.bool_] | None = None


#: The weights of an opaque image without missing values.
UNWEIGHTED = Weights()


def find_missing(pixels: NDArray[Any], nodata: float | None) -> NDArray[np.bool_] | None:
    """Return the mask of missing values in the shape of `pixels`, or None if there are none."""
    found: NDArray[np.bool_] | None = None
    if pixels.dtype.kind == "f" and np.isnan(pixels.min()):
        found = np.asarray(np.isnan(pixels))
    if nodata is not None and not np.isnan(nodata):
        # Compare in the type of the pixels: a float32 file stores the float32 nearest to -3.4e38 or 0.1.
        level = pixels.dtype.type(nodata) if pixels.dtype.kind == "f" else nodata
        equal: NDArray[Any] = np.equal(pixels, level)
        found = equal if found is None else np.logical_or(found, equal)
    return found if found is not None and bool(found.any()) else None


def result_level(nodata: float | None, source: np.dtype[Any], output: ResultOptions) -> float:
    """Return the value that marks missing values in a result.

    Args:
        nodata: the marker in the input; None or NaN if NaN is the marker.
        source: type of the input.
        output: type and levels of the result.
    """
    dtype = np.dtype(output.dtype)
    if nodata is not None and dtype == source:
        return nodata
    if nodata is None or np.isnan(nodata) or source.kind == "f" != dtype.kind:
        return np.nan if dtype.kind == "f" else 0.0  # integers cannot store a scaled marker such as -9999
    return float(fit(np.array([nodata * float(output.levels)]), dtype).values[0])


def alpha_share(alpha: NDArray[Any]) -> NDArray[Any]:
    """Return alpha in floating point, from 0 to 1; NaN becomes 0."""
    share = alpha.astype(sum_dtype(alpha.dtype)) / full_scale(alpha.dtype)
    return share.clip(0, 1) if alpha.dtype.kind in "iu" else np.nan_to_num(share, nan=0.0).clip(0, 1)


def channels_of(planes: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the channels of an array of shape (H, W) or (H, W, C), each contiguous."""
    return [planes] if planes.ndim == 2 else [np.ascontiguousarray(planes[:, :, c]) for c in range(planes.shape[2])]


def on_grid(chosen: Filter, planes: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of channels, sampled on the output grid of a filter."""
    found = [chosen.on_grid(np.ascontiguousarray(plane)) for plane in channels_of(planes)]
    return found[0].copy() if planes.ndim == 2 else np.dstack(found)


def weighted_response(chosen: Filter, levels: NDArray[Any], weights: Weights) -> NDArray[Any]:
    """Return the response of a filter to weighted levels."""
    alpha, missing = weights
    if missing is None:
        return chosen.response(levels) if alpha is None else chosen.weighted(levels, alpha)
    parts = []
    for plane, gaps in zip(channels_of(levels), channels_of(missing), strict=True):
        counts = np.where(gaps, levels.dtype.type(0), levels.dtype.type(1) if alpha is None else alpha)
        parts.append(chosen.weighted(plane, np.asarray(counts, levels.dtype)))
    return parts[0] if levels.ndim == 2 else np.dstack(parts)


def find_gaps(chosen: Filter, missing: NDArray[np.bool_], filling: Filter | None) -> NDArray[np.bool_]:
    """Return the mask of missing results: that of the input, without the values that `filling` computes from neighbours."""
    gaps: NDArray[np.bool_] = on_grid(chosen, missing.astype(np.uint8)) > 0
    if filling is not None:
        covered = [filling.coverage(1 - part.astype(np.float32)) > 0 for part in channels_of(missing)]
        gaps &= ~(covered[0] if missing.ndim == 2 else np.dstack(covered))
    return gaps


def finish(chosen: Filter, values: NDArray[Any], output: ResultOptions, ignored: Sequence[NDArray[np.bool_]]) -> Fitted:
    """Return results in their final type. Pixels in `ignored` affect neither the range nor the count of clipped values."""
    depends_on_all = output.range_policy in ("stretch", "error") and bool(ignored)
    fitted = chosen.finished(values, replace(output, range_policy="clip") if depends_on_all else output)
    if not ignored or not (depends_on_all or fitted.clipped):
        return fitted
    counted = np.ones(values.shape, bool)
    for mask in ignored:
        counted &= ~broadcastable(mask, values)
    found = chosen.finished(values[counted], output)
    if depends_on_all:
        fitted.values[counted] = found.values
    return fitted._replace(clipped=found.clipped)


def render_masked(chosen: Filter, image: Any, output: ResultOptions) -> Any:
    """Return the result for a masked array as a masked array. Masked values have no part in any sum, and stay masked.

    Args:
        chosen: the filter.
        image: masked array of shape (H, W) or (H, W, C).
        output: the options of the result.
    """
    pixels, missing = image.data, np.ma.getmaskarray(image)
    if pixels.ndim not in (2, 3) or not missing.any():  # without missing values the bits are those for an array
        return np.ma.MaskedArray(chosen.render(pixels, output).values, False)
    output = replace(output, dtype=output.dtype or chosen.output_dtype(pixels.dtype))
    levels = np.where(missing, pixels.dtype.type(0), pixels).astype(sum_dtype(pixels.dtype))
    gaps = find_gaps(chosen, missing, None)
    fitted = finish(chosen, weighted_response(chosen, levels, Weights(None, missing)), output, [gaps])
    return np.ma.MaskedArray(fitted.values, gaps)


def broadcastable(mask: NDArray[np.bool_], values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return a mask of pixels or values, in a shape that broadcasts with `values`."""
    return mask[:, :, np.newaxis] if mask.ndim < values.ndim else mask
