"""What of a picture is filtered, and in what light: transparency, linear light, grey or chosen channels, missing values.

Two ideas carry all of it. A pixel may count less than another (alpha), or not at all (a value that is missing): both are a
weight, which the filter takes (`Filter.weighted`). And the filter may be shown other levels than those stored: linear ones,
or the grey of three channels. Where neither is asked for, it is shown the picture as it is, in its own type, and every bit of
the result is that of `imgconv.correlate`.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import Border
from imgconv.convolution.options import Options
from imgconv.convolution.plan import Plan
from imgconv.depth import fit, full_scale, sum_dtype
from imgconv.filters.base import Filter, Output
from imgconv.images.image import Image
from imgconv.running.treatment import ALPHA, Treatment, planes_of

if TYPE_CHECKING:
    from imgconv.images.light import Transfer


class Treated(NamedTuple):
    """A picture filtered, how many of its values were clipped (-1: not counted), and how each convolution was computed."""

    image: Image
    clipped: int
    plans: tuple[Plan, ...]


def treated(image: Image, chosen: Filter, output: Output, treatment: Treatment, *, plans: bool = False) -> Treated:
    """Return a picture filtered.

    Args:
        image: the picture.
        chosen: the filter.
        output: what its result is to be; names the type.
        treatment: how the pixels are taken.
        plans: whether the plans are to be told.

    Raises:
        UsageError: the picture has no such channel.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the ends of the range of floats are no fault
        work = _Work(image, chosen, output, treatment)
        values, clipped, told = work.plainly() if work.is_plain else work.specially()
        result = image.with_colour(values, work.alpha())
    notes = [work.transfer.note] if work.transfer is not None and work.transfer.note else []
    nodata = None if work.nodata is None else work.mark()
    result = replace(result, nodata=nodata, notes=(*result.notes, *notes, *work.notes))
    return Treated(result, clipped, told() if plans else ())


class _Work:
    """A picture, a filter, and everything that is decided before the first is shown to the second."""

    def __init__(self, image: Image, chosen: Filter, output: Output, treatment: Treatment) -> None:
        self.image, self.filter, self.output, self.treatment = image, chosen, output, treatment
        self.pixels = image.colour
        channels = self.pixels.shape[2] if self.pixels.ndim == 3 else 1
        self.planes = planes_of(treatment, channels, alpha=image.alpha is not None)
        self.mixes = channels == 3 and (treatment.gray or treatment.luma)
        self.transfer: Transfer | None = None
        if treatment.linear:
            from imgconv.images import light

            self.transfer = light.transfer_of(image.metadata, image.pixels.dtype, channels)
        self.nodata = image.nodata if treatment.nodata is None else treatment.nodata
        self.missing = _missing(self.pixels, self.nodata)
        self.notes: list[str] = []
        self.is_opaque = image.is_opaque
        self.weight = None
        if treatment.alpha == "weighted" and image.alpha is not None and not self.is_opaque:
            self.weight = _share(image.alpha)

    @property
    def is_plain(self) -> bool:
        """Whether the filter is shown the picture as it is."""
        return not self.mixes and self.transfer is None and self.missing is None and self.weight is None

    def plainly(self) -> tuple[NDArray[Any], int, Any]:
        """Return the result in its final type, the clipped values, and what tells the plans."""
        shown = self.pixels if self.planes is None else np.ascontiguousarray(self.pixels[:, :, self.planes])
        if self.planes == []:
            return self._beside(self.pixels), 0, tuple
        filtered = self.filter if self.planes is None else self.filter.with_options(self._of_planes)
        fitted = filtered.render(shown, self.output)
        values = fitted.values if self.planes is None else self._among_others(fitted.values)
        return values, fitted.clipped, lambda: filtered.plans(shown.shape, shown.dtype, self.output)

    def specially(self) -> tuple[NDArray[Any], int, Any]:
        """Return the same, the filter having been shown levels in floating point, with their weights."""
        levels = self._levels()
        base = self._grey(levels) if self.mixes else levels
        missing = self.missing
        if self.planes is not None:
            base, missing = base[:, :, self.planes], None if missing is None else missing[:, :, self.planes]
        elif self.mixes and missing is not None:
            missing = np.asarray(missing.any(axis=2))
        if base.size == 0:
            return self._beside(self.pixels), 0, tuple
        filtered = self.filter.with_options(self._for_levels)
        values, plans = _weighed(filtered, np.ascontiguousarray(base), self.weight, missing)
        values = values * values.dtype.type(self.output.scale) + values.dtype.type(self.output.delta)
        if values.dtype.kind == "c" and (self.mixes or self.transfer is not None):  # of these a level can only be the magnitude
            values = fit(values, sum_dtype(self.pixels.dtype), self.output.range_policy or "clip").values
        if self.mixes and self.treatment.luma:
            values = _on_grid(self.filter, levels) + (values - self.filter.on_grid(base))[:, :, np.newaxis]
        if self.transfer is not None and self.filter.gives_levels:
            transfer = self.transfer if self.planes is None else self.transfer.of_planes(self.planes)
            from imgconv.images import light

            values = light.encoded(values, transfer, full_scale(self.image.pixels.dtype))
        fitted = self.filter.finished(values, replace(self.output, scale=Fraction(1), delta=0.0))
        found = fitted.values
        if missing is not None:
            found = self._with_missing(found, missing, filtered)
        return (found if self.planes is None else self._among_others(found)), fitted.clipped, plans

    def alpha(self) -> NDArray[Any] | None:
        """Return the alpha of the result, in its type; None where there is to be none."""
        given, treatment = self.image.alpha, self.treatment
        if given is None or treatment.alpha == "drop":
            return None
        wanted = treatment.channels is None or ALPHA in treatment.channels
        if treatment.alpha == "keep" or not wanted or self.is_opaque:
            return self._beside(given)
        weight = _share(given) if self.weight is None else self.weight
        levels = self.filter.coverage(weight) * weight.dtype.type(full_scale(given.dtype) * self.output.levels)
        return fit(levels, np.dtype(self.output.dtype)).values

    def _levels(self) -> NDArray[Any]:
        """Return the colour in floating point, in the light in which it is filtered, 0 where a value is missing."""
        pixels = self.pixels if self.missing is None else np.where(self.missing, self.pixels.dtype.type(0), self.pixels)
        if self.transfer is not None:
            from imgconv.images import light

            return light.linear(pixels, self.transfer)
        return pixels.astype(sum_dtype(pixels.dtype))

    def _grey(self, levels: NDArray[Any]) -> NDArray[Any]:
        from imgconv.images.colour import grey

        return grey(levels, linear=self.transfer is not None)

    def _beside(self, channel: NDArray[Any]) -> NDArray[Any]:
        """Return what is not filtered, in the places and the type of the result."""
        placed = _on_grid(self.filter, channel)
        if self.output.levels == 1 and placed.dtype == self.output.dtype:
            return placed
        return fit(placed * np.float64(self.output.levels), np.dtype(self.output.dtype)).values

    def _among_others(self, found: NDArray[Any]) -> NDArray[Any]:
        """Return the planes that were filtered among those that were not."""
        if self.pixels.ndim == 2:
            return found[:, :, 0] if found.ndim == 3 else found
        whole = self._beside(self.pixels)
        whole[:, :, self.planes] = found if found.ndim == 3 else found[:, :, np.newaxis]
        return whole

    def _with_missing(self, found: NDArray[Any], missing: NDArray[Any], filtered: Filter) -> NDArray[Any]:
        """Return the result with its missing values put back, or only those that no neighbour could fill."""
        gaps = _on_grid(self.filter, missing.astype(np.uint8)) > 0
        if self.treatment.fill:
            covered = [filtered.coverage(1 - part.astype(np.float32)) > 0 for part in _channels(missing)]
            gaps &= ~(covered[0] if missing.ndim == 2 else np.dstack(covered))
            if gaps.any():
                self.notes.append(f"{np.count_nonzero(gaps)} missing values are left: nothing within reach of them has a value")
        dtype, level = np.dtype(self.output.dtype), self.mark()
        kept = self.nodata if self.nodata is not None else np.nan
        if gaps.any() and not (level == kept or (np.isnan(level) and np.isnan(kept))):
            self.notes.append(f"missing values stand as {level:g} in {dtype}")
        gaps = gaps[:, :, np.newaxis] if gaps.ndim < found.ndim else gaps
        return np.where(gaps, dtype.type(level), found)

    def mark(self) -> float:
        """Return what stands for a missing value in the result."""
        dtype, nodata = np.dtype(self.output.dtype), self.nodata
        if nodata is not None and dtype == self.pixels.dtype:
            return nodata
        if nodata is None or np.isnan(nodata) or self.pixels.dtype.kind == "f" != dtype.kind:
            return np.nan if dtype.kind == "f" else 0.0  # of a mark such as -9999 integers have no share of white
        return float(fit(np.array([nodata * float(self.output.levels)]), dtype).values[0])

    def _of_planes(self, options: Options) -> Options:
        """Return the options for the planes that are filtered, where the border has a value for each."""
        border = options.border
        if self.planes is None or len(border.value) == 1:
            return options
        return replace(options, border=Border(border.rows, border.columns, tuple(border.value[p] for p in self.planes)))

    def _for_levels(self, options: Options) -> Options:
        """Return the options for what the filter is shown: the border's value in the same light, and mixed alike."""
        border, dtype = options.border, self.image.pixels.dtype
        value = np.asarray(border.value, np.float64)
        if self.transfer is not None:
            from imgconv.images import light

            full, channels = full_scale(dtype), 1 if self.pixels.ndim == 2 else self.pixels.shape[2]
            value = np.broadcast_to(value, channels) if len(value) == 1 else value  # whose curves may differ
            value = np.asarray(light.linear((value / full).reshape(1, 1, -1), self.transfer)).ravel() * full
        if self.mixes and len(value) == 3:
            value = self._grey(value.reshape(1, 1, 3)).ravel()
        tolerance = options.tolerance / full_scale(dtype) if dtype.kind in "biu" else options.tolerance
        border = Border(border.rows, border.columns, tuple(value.tolist()))
        return self._of_planes(replace(options, border=border, tolerance=tolerance))


def _missing(pixels: NDArray[Any], nodata: float | None) -> NDArray[np.bool_] | None:
    """Return where values are missing, or None where none is."""
    found: NDArray[np.bool_] | None = None
    if pixels.dtype.kind == "f" and np.isnan(pixels.min()):
        found = np.asarray(np.isnan(pixels))
    if nodata is not None and not np.isnan(nodata):
        # In the type of the pixels: a file in float32 holds what is nearest to -3.4e38 or 0.1 there.
        level = pixels.dtype.type(nodata) if pixels.dtype.kind == "f" else nodata
        equal: NDArray[Any] = np.equal(pixels, level)
        found = equal if found is None else np.logical_or(found, equal)
    return found if found is not None and bool(found.any()) else None


def _share(alpha: NDArray[Any]) -> NDArray[Any]:
    """Return alpha in floating point, from 0 to 1; what is no number counts for nothing."""
    share = alpha.astype(sum_dtype(alpha.dtype)) / full_scale(alpha.dtype)
    return share.clip(0, 1) if alpha.dtype.kind in "iu" else np.nan_to_num(share, nan=0.0).clip(0, 1)


def _channels(planes: NDArray[Any]) -> list[NDArray[Any]]:
    return [planes] if planes.ndim == 2 else [np.ascontiguousarray(planes[:, :, c]) for c in range(planes.shape[2])]


def _on_grid(chosen: Filter, planes: NDArray[Any]) -> NDArray[Any]:
    found = [chosen.on_grid(np.ascontiguousarray(plane)) for plane in _channels(planes)]
    return found[0].copy() if planes.ndim == 2 else np.dstack(found)


def _weighed(
    chosen: Filter, levels: NDArray[Any], weight: NDArray[Any] | None, missing: NDArray[Any] | None
) -> tuple[NDArray[Any], Any]:
    """Return the response to levels of which some count less, and what tells the plans."""
    shape = levels.shape if levels.ndim == 3 else (*levels.shape, 1)
    if missing is None:
        if weight is None:
            return chosen.response(levels), lambda: chosen.plans(levels.shape, levels.dtype)
        return chosen.weighted(levels, weight), lambda: chosen.plans((*shape[:2], shape[2] + 1), levels.dtype)
    # Each channel may miss other values, so each has weights of its own.
    parts = []
    for plane, gaps in zip(_channels(levels), _channels(missing), strict=True):
        counts = np.where(gaps, levels.dtype.type(0), levels.dtype.type(1) if weight is None else weight)
        parts.append(chosen.weighted(plane, np.asarray(counts, levels.dtype)))
    values = parts[0] if levels.ndim == 2 else np.dstack(parts)
    return values, lambda: chosen.plans((*shape[:2], 2), levels.dtype)
