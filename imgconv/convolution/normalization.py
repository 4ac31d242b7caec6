"""Sums over the valid pixels only: those not outside the image (`renormalize`) and not NaN (`nan="ignore"`).

They are divided by the weight on these pixels. If the weights of the kernel sum to 0, there is nothing to divide by; a missing
pixel then counts as equal to the pixel at the anchor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import OUTSIDE, source_indices
from imgconv.convolution.methods import Method
from imgconv.convolution.plan import Axis, Job
from imgconv.convolution.source import Plane, Source, Workspace
from imgconv.convolution.sums import Sums, prepared_sums, scaled

# Weights below this, relative to the sum of the absolute weights, are rounding errors and count as 0.
_NEGLIGIBLE = 1e-12


class NormalizedValues:
    """The sums over the valid pixels, in float64, normalized by the weight on them.

    Without missing values the weight depends on the shapes alone. A tap counts where its row and its column are inside, so
    that the sum over the taps is a product of three matrices.
    """

    def __init__(self, job: Job, method: Method, image: NDArray[Any]) -> None:
        self._job, self._sums, self._image, self._pixels = job, prepared_sums(job, method), image, image
        self._least = _NEGLIGIBLE * np.abs(job.arithmetic.weights).sum()
        ignores = job.options.nan == "ignore"
        void = ignores and job.border.uses_value and bool(np.isnan(job.border.value).any())
        self._missing = void or (ignores and image.dtype.kind in "fc" and bool(np.isnan(image).any()))
        if self._missing:
            self._counts = np.ones(image.shape, bool) if image.dtype.kind not in "fc" else ~np.isnan(image)
            self._image = np.where(self._counts, image, image.dtype.type(0))
            wide = replace(job.arithmetic, dtype=np.dtype(np.float64), integer=None)
            self._weights = Sums(replace(job, dtype=self._counts.dtype, arithmetic=wide), method)
        else:
            self._down = _inside(job.rows, job.border.rows)
            self._across = job.arithmetic.weights @ _inside(job.columns, job.border.columns).T

    def of(self, plane: Plane, start: int, stop: int, workspace: Workspace) -> NDArray[Any]:
        """Return the unrounded values of the rows start … stop - 1; NaN where no pixel is valid."""
        weight = (self._weight_of_pixels if self._missing else self._weight_of_shape)(plane, start, stop, workspace)
        border = replace(plane.border, value=tuple(0.0 if np.isnan(v) else v for v in plane.border.value))
        dividend = self._sums.of(Source(self._job, self._image[plane.at], border, start, stop, workspace))
        dividend = dividend.astype(np.complex128 if dividend.dtype.kind == "c" else np.float64)
        arithmetic = self._job.arithmetic
        if self._job.kernel.is_difference:
            if self._missing:
                source = Source(self._job, self._pixels[plane.at], plane.border, start, stop, workspace)
                self._complete(dividend, arithmetic.weights.sum() - weight, self._at_anchor(source))
            return scaled(dividend, self._job, workspace)
        empty = np.abs(weight) <= self._least
        if arithmetic.offset:  # sum / weight + delta as one quotient, which is rounded once
            dividend = dividend * arithmetic.denominator + arithmetic.offset * weight
            weight = weight * arithmetic.denominator
        quotient: NDArray[Any] = dividend / weight
        quotient[np.broadcast_to(empty, quotient.shape)] = np.nan
        return quotient

    def _complete(self, sums: NDArray[Any], missing: NDArray[Any], centre: NDArray[Any]) -> None:
        """Add missing pixels, of weight `missing`, as copies of the pixel at the anchor; NaN if that is missing itself."""
        sums += np.where(np.abs(missing) <= self._least, 0, centre * missing)
        sums[np.isnan(centre)] = np.nan

    def _at_anchor(self, source: Source) -> NDArray[Any]:
        """Return the pixel at the anchor for each output of a strip."""
        job = self._job
        window = source.window(np.complex128 if job.dtype.kind == "c" else np.float64, name="anchors")
        down, across = (
            axis.outputs_of(anchor, outputs)
            for axis, anchor, outputs in zip((job.rows, job.columns), job.kernel.anchor, source.output_shape, strict=False)
        )
        return window[down, across]

    def _weight_of_pixels(self, plane: Plane, start: int, stop: int, workspace: Workspace) -> NDArray[Any]:
        """Return the weight on the valid pixels."""
        ones = replace(plane.border, value=tuple(0.0 if np.isnan(v) else 1.0 for v in plane.border.value))
        return self._weights.of(Source(self._job, self._counts[plane.at], ones, start, stop, workspace)).copy()

    def _weight_of_shape(self, plane: Plane, start: int, stop: int, workspace: Workspace) -> NDArray[Any]:
        """Return the weight inside the image."""
        weight = (self._down if len(self._down) == 1 else self._down[start:stop]) @ self._across
        # Whole weights have whole sums; rounding removes the error of the product.
        weight = np.rint(weight) if self._job.arithmetic.exact else weight
        return np.asarray(weight[..., None] if len(self._job.shape) == 3 and plane.at is ... else weight)


def _inside(axis: Axis, border: str) -> NDArray[np.float64]:
    """Return a matrix of shape (outputs, taps): 1 where the tap of an output counts, else 0."""
    if border != "renormalize":
        return np.ones((1, axis.taps))
    start, stop = axis.window()
    counts = (source_indices(axis.length, start, stop, border) != OUTSIDE).astype(np.float64)
    columns = [counts[axis.outputs_of(tap, axis.outputs)] for tap in range(axis.taps)]
    return np.stack(columns, axis=1)
