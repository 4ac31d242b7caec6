"""The path of a picture through a filter: which stages its pixels pass, decided once from its header.

    alpha       is set aside; with missing values it becomes the weight with which each pixel counts
    missing     values become 0, with a weight of 0
    light       levels become proportional to light (`linear`)
    grey        three colours become one (`gray`, `luma`)
    channels    those that are not to be filtered are set aside (`channels`)
    filter
    levels      scale and delta; of complex results the magnitude, where light or grey follows; luma goes back into its
                colours, light into the curve of the file
    rounding    to the type of the result; missing values and invisible pixels have no part in its range
    assembly    missing values, the channels set aside and alpha go back to their places
    metadata    stay, or are left out (`strip`)

The orientation comes before all of them, when a file is read (`images.files.Input`). Where light, grey and weights do not
apply, the filter gets the pixels as they are stored, and the result has the bits of `imgconv.correlate`. Otherwise it gets
levels in floating point.
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
from imgconv.depth import Fitted, fit, full_scale, sum_dtype
from imgconv.errors import UsageError
from imgconv.filters.base import Filter, ResultOptions
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header
from imgconv.running.task import Task
from imgconv.running.weights import (
    Weights,
    alpha_share,
    beside,
    find_gaps,
    find_missing,
    finished,
    on_grid,
    result_level,
    weighted_response,
)

if TYPE_CHECKING:
    from imgconv.images.colour.transfer import Transfer


class Filtered(NamedTuple):
    """A filtered picture.

    Attributes:
        image: the picture, with its metadata.
        clipped: how many values were clipped; -1 where they were not counted.
        plans: how each convolution was computed, where the task asks for it.
    """

    image: Image
    clipped: int
    plans: tuple[Plan, ...]


def filter_picture(image: Image, task: Task) -> Filtered:
    """Filter a picture.

    Raises:
        UsageError: the task does not fit the channels of the picture.
    """
    path = PicturePath.of(Header.of_image(image), task, image.metadata)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # infinities and NaN are values like any other
        return path.run(image)


def plan_picture(header: Header, task: Task) -> tuple[Plan, ...]:
    """Return the plans that `filter_picture` carries out on a picture that is opaque and has no missing values.

    Raises:
        UsageError: the task does not fit the channels of the picture.
    """
    return PicturePath.of(header, task).plans(Weights())


@dataclass(frozen=True)
class PicturePath:
    """The stages for pictures with one header.

    Attributes:
        header: of the picture.
        task: what is done with it.
        planes: indices of the channels beside alpha that are filtered; None for all of them.
        filters_alpha: whether alpha is among the channels to be filtered.
        mixes: whether the filter gets the grey of three colours.
        transfer: between the levels of the file and light; None where levels are filtered as they are.
    """

    header: Header
    task: Task
    planes: list[int] | None
    filters_alpha: bool
    mixes: bool
    transfer: Transfer | None

    @classmethod
    def of(cls, header: Header, task: Task, metadata: Metadata | None = None) -> PicturePath:
        """Return the path of a picture; without metadata, light is that of sRGB, or for floating point the levels."""
        beside_alpha = header.channels - header.has_alpha
        for option in ("gray", "luma", "linear"):
            if getattr(task, option) and beside_alpha != header.colours:
                raise UsageError(f"`{option}` needs a picture of colour or grey alone, found {beside_alpha} bands")
        planes, filters_alpha = task.selection(header)
        transfer = None
        if task.linear:
            from imgconv.images.colour.transfer import transfer_of

            transfer = transfer_of(metadata or Metadata(), header.dtype, beside_alpha)
        return cls(header, task, planes, filters_alpha, header.colours == 3 and (task.gray or task.luma), transfer)

    @functools.cached_property
    def output(self) -> ResultOptions:
        """What the filter is asked for."""
        return self.task.output(self.header.dtype)

    @functools.cached_property
    def output_header(self) -> Header:
        """The header of the result."""
        rows, columns = self.task.filter.output_shape(self.header.shape[:2])
        colours = 1 if self.mixes and self.task.gray else self.header.colours
        others = colours if self.mixes else self.header.channels - self.header.has_alpha
        has_alpha = self.header.has_alpha and self.task.alpha != "drop"
        return Header.of(rows, columns, others + has_alpha, self.output.dtype, has_alpha, colours)

    def takes_levels(self, weights: Weights) -> bool:
        """Return whether the filter gets levels in floating point, and not the pixels as they are stored."""
        return self.mixes or self.transfer is not None or weights.alpha is not None or weights.missing is not None

    def filter_for(self, weights: Weights) -> Filter:
        """Return the filter with its options changed to fit what it gets."""
        change = self._options_for_levels if self.takes_levels(weights) else self._options_for_planes
        return self.task.filter.with_options(change)

    def plans(self, weights: Weights) -> tuple[Plan, ...]:
        """Return the plans for pixels with weights."""
        shape = self.header.shape[:2] if self.mixes else self.header.colour_shape
        if self.planes is not None:
            shape = (*shape[:2], len(self.planes))
        chosen = self.filter_for(weights)
        if 0 in shape:
            return ()
        if not self.takes_levels(weights):
            return chosen.plans(shape, self.header.dtype, self.output)
        if weights.missing is not None:  # each channel has a weight of its own
            shape = (*shape[:2], 2)
        elif weights.alpha is not None:
            shape = (*shape[:2], (*shape, 1)[2] + 1)
        return chosen.plans(shape, self._to_light(np.zeros((1, *self.header.colour_shape[1:]), self.header.dtype)).dtype)

    def run(self, image: Image) -> Filtered:
        """Filter a picture of this header."""
        task, pixels, is_opaque = self.task, image.colour, image.is_opaque
        nodata = image.nodata if task.nodata is None else task.nodata
        notes = [self.transfer.note] if self.transfer is not None and self.transfer.note else []
        share = None if is_opaque or task.alpha != "weighted" or image.alpha is None else alpha_share(image.alpha)
        weights = Weights(share, find_missing(pixels, nodata))
        alpha = self._filter_alpha(image.alpha, is_opaque, share)
        if self.planes == []:
            fitted = Fitted(self._unfiltered(pixels), 0)
        elif self.takes_levels(weights):
            invisible = None if share is None or alpha is None else alpha == 0
            fitted = self._filter_levels(pixels, weights, invisible, nodata, notes)
        else:
            selected = pixels if self.planes is None else np.ascontiguousarray(pixels[:, :, self.planes])
            fitted = self.filter_for(weights).render(selected, self.output)
        colour = fitted.values
        if self.planes:
            colour = self._unfiltered(pixels)
            colour[:, :, self.planes] = fitted.values
        result = image.with_colour(colour, alpha)
        nodata = None if nodata is None else result_level(nodata, pixels.dtype, self.output)
        result = replace(result, nodata=nodata, notes=(*result.notes, *notes))
        plans = self.plans(weights) if task.count else ()
        return Filtered(result.stripped() if task.strip else result, fitted.clipped, plans)

    # The stages

    def _filter_levels(
        self,
        pixels: NDArray[Any],
        weights: Weights,
        invisible: NDArray[np.bool_] | None,
        nodata: float | None,
        notes: list[str],
    ) -> Fitted:
        """Return the channels that are filtered, filtered as levels in floating point, in the type of the result."""
        chosen, missing = self.task.filter, weights.missing
        levels = self._to_light(pixels if missing is None else np.where(missing, pixels.dtype.type(0), pixels))
        seen = self._to_grey(levels) if self.mixes else levels
        if self.planes is not None:
            seen, missing = seen[:, :, self.planes], None if missing is None else missing[:, :, self.planes]
        elif self.mixes and missing is not None:
            missing = np.asarray(missing.any(axis=2))
        seen, configured = np.ascontiguousarray(seen), self.filter_for(weights)
        values = weighted_response(configured, seen, Weights(weights.alpha, missing))
        if self.output.scale != 1 or self.output.delta:
            values = values * values.dtype.type(self.output.scale) + values.dtype.type(self.output.delta)
        if values.dtype.kind == "c" and (self.mixes or self.transfer is not None):  # only the magnitude can be a level
            chosen.finished(values[:1], self.output)  # which refuses what is not a magnitude
            values = np.abs(values)
        if self.mixes and self.task.luma:
            values = on_grid(chosen, levels) + (values - chosen.on_grid(seen))[:, :, np.newaxis]
        gaps = None if missing is None else find_gaps(chosen, missing, configured if self.task.fill else None)
        ignored = [mask for mask in (invisible, gaps) if mask is not None]
        output = replace(self.output, scale=Fraction(1), delta=0.0)
        fitted = finished(chosen, self._from_light(values), output, ignored)
        return fitted if gaps is None else fitted._replace(values=self._put_back(fitted.values, gaps, nodata, notes))

    def _to_light(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return pixels in floating point, as the levels in which they are filtered."""
        if self.transfer is None:
            return pixels.astype(sum_dtype(pixels.dtype))
        from imgconv.images.colour.transfer import linear

        return linear(pixels, self.transfer)

    def _from_light(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return results as levels of the file."""
        if self.transfer is None or not self.task.filter.gives_levels:
            return values
        from imgconv.images.colour.transfer import encoded

        transfer = self.transfer if self.planes is None else self.transfer.of_planes(self.planes)
        return encoded(values, transfer, full_scale(self.header.dtype))

    def _to_grey(self, levels: NDArray[Any]) -> NDArray[Any]:
        from imgconv.images.colour.mixing import grey

        return grey(levels, linear=self.transfer is not None)

    def _put_back(self, values: NDArray[Any], gaps: NDArray[np.bool_], nodata: float | None, notes: list[str]) -> NDArray[Any]:
        """Return results with the level of missing values put into the gaps."""
        if not gaps.any():
            return values
        if self.task.fill:
            notes.append(f"{np.count_nonzero(gaps)} missing values are left: nothing within reach of them has a value")
        level, before = result_level(nodata, self.header.dtype, self.output), np.nan if nodata is None else nodata
        if not (level == before or (np.isnan(level) and np.isnan(before))):
            notes.append(f"missing values stand as {level:g} in {values.dtype}")
        return np.where(beside(gaps, values), values.dtype.type(level), values)

    def _filter_alpha(self, alpha: NDArray[Any] | None, is_opaque: bool, share: NDArray[Any] | None) -> NDArray[Any] | None:
        """Return the alpha of the result, in its type; None where it has none."""
        if alpha is None or self.task.alpha == "drop":
            return None
        if self.task.alpha == "keep" or not self.filters_alpha or is_opaque:
            return self._unfiltered(alpha)
        share = alpha_share(alpha) if share is None else share
        levels = self.task.filter.coverage(share) * share.dtype.type(full_scale(alpha.dtype) * self.output.levels)
        return fit(levels, np.dtype(self.output.dtype)).values

    def _unfiltered(self, channels: NDArray[Any]) -> NDArray[Any]:
        """Return channels that are not filtered, at the places and in the type of the result."""
        placed = on_grid(self.task.filter, channels)
        if self.output.levels == 1 and placed.dtype == self.output.dtype:
            return placed
        return fit(placed * np.float64(self.output.levels), np.dtype(self.output.dtype)).values

    # The options of the filter

    def _options_for_planes(self, options: Options) -> Options:
        """Return the options with the border value of the channels that are filtered."""
        border = options.border
        if self.planes is None or len(border.value) != self.header.channels - self.header.has_alpha:
            return options
        return replace(options, border=Border(border.rows, border.columns, tuple(border.value[p] for p in self.planes)))

    def _options_for_levels(self, options: Options) -> Options:
        """Return the options with border value and tolerance for levels: in the same light, and mixed alike."""
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
