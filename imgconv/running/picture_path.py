"""The processing stages of an image around its filter, selected once from the header.

    alpha       is separated; together with missing values it becomes the weight of each pixel
    missing     values become 0, with a weight of 0
    light       levels become proportional to light (`linear`)
    grey        three colours become one (`gray`, `luma`)
    channels    that are not filtered are separated (`channels`)
    filter
    levels      apply scale and delta; take the magnitude of complex results before converting light or grey; add filtered
                luma to the colours; convert light back to the transfer curve of the file
    rounding    to the type of the result; missing values and invisible pixels do not affect its range
    assembly    restores missing values, unfiltered channels and alpha
    metadata    are kept, or removed (`strip`)

Without light, grey and weights, the filter processes the stored pixels, and the result is that of `imgconv.correlate`, bit for
bit. Otherwise it processes levels in floating point.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import Border
from imgconv.convolution.options import Options
from imgconv.convolution.plan import Plan
from imgconv.depth import Fitted, fit, full_scale, levels_between, sum_dtype
from imgconv.errors import UsageError
from imgconv.filters.base import Filter, ResultOptions
from imgconv.filters.weights import (
    UNWEIGHTED,
    Weights,
    alpha_share,
    broadcastable,
    find_gaps,
    find_missing,
    finish,
    on_grid,
    result_level,
    weighted_response,
)
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header
from imgconv.running.task import Task

if TYPE_CHECKING:
    from imgconv.images.colour.transfer import Transfer


class Filtered(NamedTuple):
    """A filtered image.

    Attributes:
        image: the result, with its metadata.
        clipped: number of clipped values; -1 if they were not counted.
        clipping: share of clipped values; estimated if the task asks for that and they were not counted, else 0 then.
        plans: the plan of each convolution; empty unless `count` of the task is set.
    """

    image: Image
    clipped: int
    clipping: float
    plans: tuple[Plan, ...]


def filter_picture(image: Image, task: Task) -> Filtered:
    """Filter an image.

    Raises:
        UsageError: the task does not fit the channels of the image.
    """
    if task.as_alpha is not None:
        from imgconv.running.overlay import filter_overlay

        return filter_overlay(image, task)
    if task.part is not None:
        from imgconv.running.regions import filter_part

        return filter_part(image, task)
    path = PicturePath.of(Header.of_image(image), task, image.metadata)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # infinity and NaN are valid pixel values
        return path.run(image)


@dataclass(frozen=True)
class PicturePath:
    """The processing stages for images with a given header.

    Attributes:
        header: header of the images.
        task: the filter and its options.
        planes: indices of the filtered channels, without alpha; None for all.
        filters_alpha: whether alpha is filtered.
        mixes: whether three colours are mixed to grey for the filter.
        transfer: transfer curve between file levels and light; None to filter file levels.
    """

    header: Header
    task: Task
    planes: list[int] | None
    filters_alpha: bool
    mixes: bool
    transfer: Transfer | None

    @classmethod
    def of(cls, header: Header, task: Task, metadata: Metadata | None = None) -> PicturePath:
        """Return the stages for an image. Without metadata the transfer curve is sRGB, or linear for floating point."""
        bands = header.channels - header.has_alpha
        for option in ("gray", "luma", "linear"):
            if getattr(task, option) and bands != header.colours:
                raise UsageError(f"`{option}` requires a colour or grey image without extra bands, found {bands} bands")
        planes, filters_alpha = task.selection(header)
        transfer = None
        if task.linear:
            from imgconv.images.colour.transfer import transfer_of

            transfer = transfer_of(metadata or Metadata(), header.dtype, bands)
        return cls(header, task, planes, filters_alpha, header.colours == 3 and (task.gray or task.luma), transfer)

    @functools.cached_property
    def output(self) -> ResultOptions:
        """Type, range and scale of the result."""
        return self.task.output(self.header.dtype)

    @functools.cached_property
    def output_header(self) -> Header:
        """The header of the result."""
        rows, columns = self.task.filter.output_shape(self.header.shape[:2])
        if self.task.as_alpha is not None:
            return Header.of(rows, columns, 4, self.output.dtype)
        colours = 1 if self.mixes and self.task.gray else self.header.colours
        others = colours if self.mixes else self.header.channels - self.header.has_alpha
        has_alpha = self.header.has_alpha and self.task.alpha != "drop"
        return Header.of(rows, columns, others + has_alpha, self.output.dtype, has_alpha, colours)

    def takes_levels(self, weights: Weights) -> bool:
        """Return whether the filter processes levels in floating point rather than the stored pixels."""
        return self.mixes or self.transfer is not None or weights.alpha is not None or weights.missing is not None

    def filter_for(self, weights: Weights) -> Filter:
        """Return the filter with options adapted to its input."""
        change = self._options_for_levels if self.takes_levels(weights) else self._options_for_planes
        return self.task.filter.with_options(change)

    def plans(self, weights: Weights = UNWEIGHTED) -> tuple[Plan, ...]:
        """Return the plans for pixels with the given weights; by default those of an opaque image without missing values."""
        shape = self.header.shape[:2] if self.mixes else self.header.colour_shape
        if self.planes is not None:
            shape = (*shape[:2], len(self.planes))
        chosen = self.filter_for(weights)
        if 0 in shape:
            return ()
        if not self.takes_levels(weights):
            return chosen.plans(shape, self.header.dtype, self.output)
        if weights.missing is not None:  # each channel is filtered with its own weight channel
            shape = (*shape[:2], 2)
        elif weights.alpha is not None:
            shape = (*shape[:2], (*shape, 1)[2] + 1)
        return chosen.plans(shape, self._to_light(np.zeros((1, *self.header.colour_shape[1:]), self.header.dtype)).dtype)

    def run(self, image: Image) -> Filtered:
        """Filter an image that has this header."""
        task, pixels, is_opaque = self.task, image.colour, image.is_opaque
        nodata = image.nodata if task.nodata is None else task.nodata
        notes = [self.transfer.note] if self.transfer is not None and self.transfer.note else []
        share = None if is_opaque or task.alpha != "weighted" or image.alpha is None else alpha_share(image.alpha)
        weights = Weights(share, find_missing(pixels, nodata))
        alpha = self._filter_alpha(image.alpha, is_opaque, share)
        if self.planes == []:
            fitted, clipping = Fitted(self._unfiltered(pixels), 0), 0.0
        elif self.takes_levels(weights):
            invisible = None if share is None or alpha is None else alpha == 0
            fitted = self._filter_levels(pixels, weights, invisible, nodata, notes)
            clipping = max(fitted.clipped, 0) / max(fitted.values.size, 1)
        else:
            selected = pixels if self.planes is None else np.ascontiguousarray(pixels[:, :, self.planes])
            configured = self.filter_for(weights)
            fitted = configured.render(selected, self.output)
            clipping = configured.clipped_share(selected, fitted, self.output) if task.estimate else 0.0
        colour = fitted.values
        if self.planes:
            colour = self._unfiltered(pixels)
            colour[:, :, self.planes] = fitted.values
        result = image.with_colour(colour, alpha)
        nodata = None if nodata is None else result_level(nodata, pixels.dtype, self.output)
        result = replace(result, nodata=nodata, notes=(*result.notes, *notes))
        plans = self.plans(weights) if task.count else ()
        return Filtered(result.stripped() if task.strip else result, fitted.clipped, clipping, plans)

    # The stages

    def _filter_levels(
        self,
        pixels: NDArray[Any],
        weights: Weights,
        invisible: NDArray[np.bool_] | None,
        nodata: float | None,
        notes: list[str],
    ) -> Fitted:
        """Filter the selected channels as floating-point levels and return them in the type of the result."""
        chosen, missing = self.task.filter, weights.missing
        levels = self._to_light(pixels if missing is None else np.where(missing, pixels.dtype.type(0), pixels))
        inputs = self._to_grey(levels) if self.mixes else levels
        if self.planes is not None:
            inputs, missing = inputs[:, :, self.planes], None if missing is None else missing[:, :, self.planes]
        elif self.mixes and missing is not None:
            missing = np.asarray(missing.any(axis=2))
        inputs, configured = np.ascontiguousarray(inputs), self.filter_for(weights)
        values = weighted_response(configured, inputs, Weights(weights.alpha, missing))
        if self.output.scale != 1 or self.output.delta:
            values = values * values.dtype.type(self.output.scale) + values.dtype.type(self.output.delta)
        if values.dtype.kind == "c" and (self.mixes or self.transfer is not None):  # levels are real
            chosen.finished(values[:1], self.output)  # raises an error unless the range policy takes the magnitude
            values = np.abs(values)
        if self.mixes and self.task.luma:
            values = on_grid(chosen, levels) + (values - chosen.on_grid(inputs))[:, :, np.newaxis]
        gaps = None if missing is None else find_gaps(chosen, missing, configured if self.task.fill else None)
        ignored = [mask for mask in (invisible, gaps) if mask is not None]
        output = replace(self.output, scale=Fraction(1), delta=0.0)
        fitted = finish(chosen, self._from_light(values), output, ignored)
        return fitted if gaps is None else fitted._replace(values=self._put_back(fitted.values, gaps, nodata, notes))

    def _to_light(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return pixels as floating-point levels, converted to linear light if requested."""
        if self.transfer is None:
            return pixels.astype(sum_dtype(pixels.dtype))
        from imgconv.images.colour.transfer import linear

        return linear(pixels, self.transfer)

    def _from_light(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return results as levels in the transfer curve of the file."""
        if self.transfer is None or not self.task.filter.gives_levels:
            return values
        from imgconv.images.colour.transfer import encoded

        transfer = self.transfer if self.planes is None else self.transfer.of_planes(self.planes)
        return encoded(values, transfer, full_scale(self.header.dtype))

    def _to_grey(self, levels: NDArray[Any]) -> NDArray[Any]:
        from imgconv.images.colour.mixing import grey

        return grey(levels, linear=self.transfer is not None)

    def _put_back(self, values: NDArray[Any], gaps: NDArray[np.bool_], nodata: float | None, notes: list[str]) -> NDArray[Any]:
        """Return results with the marker of missing values written into the gaps."""
        if not gaps.any():
            return values
        if self.task.fill:
            notes.append(f"{np.count_nonzero(gaps)} missing values are left: no valid pixel is within reach of the kernel")
        level, before = result_level(nodata, self.header.dtype, self.output), np.nan if nodata is None else nodata
        if not (level == before or (np.isnan(level) and np.isnan(before))):
            notes.append(f"missing values are stored as {level:g} in {values.dtype}")
        return np.where(broadcastable(gaps, values), values.dtype.type(level), values)

    def _filter_alpha(self, alpha: NDArray[Any] | None, is_opaque: bool, share: NDArray[Any] | None) -> NDArray[Any] | None:
        """Return the alpha channel of the result in its type, or None if it has no alpha."""
        if alpha is None or self.task.alpha == "drop":
            return None
        if self.task.alpha == "keep" or not self.filters_alpha or is_opaque:
            return self._unfiltered(alpha, levels_between(alpha.dtype, self.output.dtype or alpha.dtype))
        share = alpha_share(alpha) if share is None else share
        levels = self.task.filter.coverage(share) * share.dtype.type(full_scale(self.output.dtype or alpha.dtype))
        return fit(levels, np.dtype(self.output.dtype)).values

    def _unfiltered(self, channels: NDArray[Any], levels: Fraction | None = None) -> NDArray[Any]:
        """Return unfiltered channels on the grid and in the type of the result; `levels` is by default that of the colour."""
        placed, levels = on_grid(self.task.filter, channels), self.output.levels if levels is None else levels
        if levels == 1 and placed.dtype == self.output.dtype:
            return placed
        return fit(placed * np.float64(levels), np.dtype(self.output.dtype)).values

    # The options of the filter

    def _options_for_planes(self, options: Options) -> Options:
        """Return the options with the border values of the filtered channels."""
        border = options.border
        if self.planes is None or len(border.value) != self.header.channels - self.header.has_alpha:
            return options
        return replace(options, border=Border(border.rows, border.columns, tuple(border.value[p] for p in self.planes)))

    def _options_for_levels(self, options: Options) -> Options:
        """Return the options with border value and tolerance converted to floating-point levels, like the pixels."""
        border, dtype = options.border, self.header.dtype
        value = np.asarray(border.value, np.float64)
        if self.transfer is not None:
            full, channels = full_scale(dtype), self.header.channels - self.header.has_alpha
            value = np.broadcast_to(value, channels) if len(value) == 1 else value  # the curves may differ
            value = self._to_light((value / full).reshape(1, 1, -1)).ravel() * full
        if self.mixes and len(value) == 3:
            value = self._to_grey(value.reshape(1, 1, 3)).ravel()
        tolerance = options.tolerance / full_scale(dtype) if dtype.kind in "biu" else options.tolerance
        border = Border(border.rows, border.columns, tuple(value.tolist()))
        return self._options_for_planes(replace(options, border=border, tolerance=tolerance))
