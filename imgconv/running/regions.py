"""A part of an image: it alone is replaced by the filtered image; a soft mask blends both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.options import Options
from imgconv.depth import full_scale
from imgconv.errors import UsageError
from imgconv.filters.base import Filter
from imgconv.filters.kernel_filter import KernelFilter
from imgconv.filters.weights import find_missing
from imgconv.images.image import Image
from imgconv.kernels.kernel import Kernel
from imgconv.running.picture_path import Filtered, filter_picture
from imgconv.running.task import Task


class Region(NamedTuple):
    """A rectangle of pixels.

    Attributes:
        row: its first row, from 0.
        column: its first column, from 0.
        rows: number of rows.
        columns: number of columns.
    """

    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True, eq=False)
class Part:
    """The part of an image that a filter changes.

    Attributes:
        region: a rectangle; None for the whole image.
        mask: share of the filtered image in the result, shape (H, W), floating point from 0 to 1; None for 1 everywhere.
    """

    region: Region | None = None
    mask: NDArray[np.floating[Any]] | None = None

    def window(self, shape: tuple[int, ...], chosen: Filter, *, wraps: bool) -> tuple[slice, slice]:
        """Return the rows and columns of an image that have to be filtered for the part.

        They are those of the region and the halo of the filter around it, so that an inner edge of the window does not
        affect the region. The whole image is needed if the filter has no halo, or a border continues at the opposite side.

        Raises:
            UsageError: the region or the mask does not fit the image.
        """
        self._require(shape)
        if self.region is None or chosen.halo is None or wraps:
            return slice(0, shape[0]), slice(0, shape[1])
        row, column, rows, columns = self.region
        down, across = chosen.halo
        return (
            slice(max(row - down, 0), min(row + rows + down, shape[0])),
            slice(max(column - across, 0), min(column + columns + across, shape[1])),
        )

    def _require(self, shape: tuple[int, ...]) -> None:
        height, width = shape[:2]
        if self.mask is not None and self.mask.shape != (height, width):
            rows, columns = self.mask.shape
            raise UsageError(f"`mask` has {rows} x {columns} pixels, the image {height} x {width}; they must be equal")
        if self.region is None:
            return
        row, column, rows, columns = self.region
        if min(row, column) < 0 or min(rows, columns) < 1 or row + rows > height or column + columns > width:
            raise UsageError(
                f"`region` {row},{column},{rows},{columns} (row, column, rows, columns) is not inside the image of "
                f"{height} x {width} pixels"
            )

    def blended(self, unfiltered: Image, filtered: NDArray[Any], window: tuple[slice, slice]) -> Image:
        """Return an image in which the part has the filtered pixels.

        Args:
            unfiltered: the image in the type of the result.
            filtered: the pixels of the window, filtered.
            window: the rows and columns of the window.
        """
        pixels = unfiltered.pixels.copy()
        if self.region is None:
            target = slice(0, pixels.shape[0]), slice(0, pixels.shape[1])
        else:
            row, column, rows, columns = self.region
            target = slice(row, row + rows), slice(column, column + columns)
        inner = tuple(slice(t.start - w.start, t.stop - w.start) for t, w in zip(target, window, strict=True))
        values = filtered[inner]
        if self.mask is not None:
            share = self.mask[target].reshape(*self.mask[target].shape, *(1,) * (pixels.ndim - 2))
            values = _mixed(pixels[target], values, share, unfiltered.nodata)
        pixels[target] = values
        return unfiltered.replaced(pixels)


def _mixed(before: NDArray[Any], after: NDArray[Any], share: NDArray[np.floating[Any]], nodata: float | None) -> NDArray[Any]:
    """Return `before + (after - before) * share`, rounded for integers; missing values have no part in a mixture."""
    mixed = before + (after.astype(np.float64) - before) * share
    mixed = mixed if before.dtype.kind == "f" else np.rint(mixed)
    for missing, other in ((find_missing(before, nodata), after), (find_missing(after, nodata), before)):
        mixed = mixed if missing is None else np.where(missing, other, mixed)
    return np.where(share == 0, before, np.where(share == 1, after, mixed))


def as_mask(image: Image) -> NDArray[np.float64]:
    """Return the mask that an image stands for, (H, W) from 0 to 1: its alpha if it has one, else its grey level."""
    if image.alpha is not None:
        return image.alpha / full_scale(image.alpha.dtype)
    colour = image.colour
    if colour.ndim == 3:
        from imgconv.images.colour.mixing import grey

        colour = grey(colour[:, :, :3].astype(np.float64), linear=False) if colour.shape[2] >= 3 else colour[:, :, 0]
    return np.asarray(colour, np.float64).reshape(colour.shape[:2]) / full_scale(image.pixels.dtype)


def _borders(chosen: Filter) -> set[str]:
    """Return the borders of all convolutions of a filter."""
    found: set[str] = set()

    def collect(options: Options) -> Options:
        found.update((options.border.rows, options.border.columns))
        return options

    chosen.with_options(collect)
    return found


def filter_part(image: Image, task: Task) -> Filtered:
    """Filter a part of an image, which the task names, and keep the rest.

    The rest is converted as the task asks: to another depth, to grey, without alpha or metadata.

    Raises:
        UsageError: the part does not fit the image, or the result has another size than the image.
    """
    part, shape = task.part, image.pixels.shape[:2]
    assert part is not None
    if (size := task.filter.output_shape(shape)) != shape:
        raise UsageError(
            f"`region` and `mask` need a result of the size of the image, {shape[0]} x {shape[1]}, "
            f"found {size[0]} x {size[1]}; use mode same and stride 1"
        )
    window = part.window(shape, task.filter, wraps="wrap" in _borders(task.filter))
    inside = replace(task, part=None, strip=False)
    unfiltered = replace(
        inside,
        filter=KernelFilter(Kernel([[1]])),
        alpha="drop" if task.alpha == "drop" else "keep",
        range_policy="clip",
        scale=Fraction(1),
        delta=Fraction(0),
        linear=False,
        luma=False,
        channels=None,
        fill=False,
        count=False,
        estimate=False,
    )
    filtered = filter_picture(image.replaced(np.ascontiguousarray(image.pixels[window])), inside)
    result = part.blended(filter_picture(image, unfiltered).image, filtered.image.pixels, window)
    result = replace(filtered.image, pixels=result.pixels)
    return filtered._replace(image=result.stripped() if task.strip else result)
