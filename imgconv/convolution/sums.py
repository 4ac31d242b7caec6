"""The sums of a strip by a method, and their scaling.

If the errors of the method would be visible in a strip, its sums are computed by `shifts` instead.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.exactness import darkest_share, has_limited_range, is_finite, may_be_infinite
from imgconv.convolution.methods import METHODS, Method
from imgconv.convolution.plan import Job
from imgconv.convolution.source import Source, Workspace
from imgconv.depth import fit_into


class Sums:
    """The sums of a job by a method, or the final values if the method finishes them; the kernel is prepared once.

    Real and imaginary parts of complex pixels and weights are summed separately, since the sum is linear in both.
    """

    def __init__(self, job: Job, method: Method) -> None:
        self._parts = [_RealSums(part, method) for part in job.parts]

    def of(self, source: Source, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the sums of a strip, shape (R, W'[, C]).

        The array is `out` if it is given and suits the method, else a buffer of the workspace, valid until the next call.
        """
        real, *imaginary = self._parts
        if not imaginary:
            return self._of_pixels(real, source, out)
        return _plus_i_times(self._of_pixels(real, source).copy(), self._of_pixels(imaginary[0], source))

    @staticmethod
    def _of_pixels(weights: _RealSums, source: Source, out: NDArray[Any] | None = None) -> NDArray[Any]:
        if source.image.dtype.kind != "c":
            return weights.of(source, out)
        real, imaginary = source.parts()
        return _plus_i_times(weights.of(real).copy(), weights.of(imaginary))


class _RealSums:
    """The sums of real pixels and real weights."""

    def __init__(self, job: Job, method: Method) -> None:
        self._job, self._method = job, method
        self._run, self._dtype = method.prepare(job), method.dtype(job)
        checks = may_be_infinite(job)
        self._mixes, self._spreads = checks and method.mixes, checks and method.spreads
        self._darkest = darkest_share(job, method.mixed_error(job)) if self._mixes else 0.0

    def of(self, source: Source, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the sums of a strip, as `Sums.of` does."""
        if self._mixes and not has_limited_range(self._pixels(source), self._darkest, source.workspace):
            return self._by_shifts(source, out)
        result = out
        if result is None or result.dtype != self._dtype or (result.ndim == 2 and result.strides[1] != result.itemsize):
            result = source.workspace.take("sums", source.output_shape, self._dtype)
        self._run(source, result)
        if self._spreads and not is_finite(result):
            return self._by_shifts(source, out)
        return result

    def _pixels(self, source: Source) -> NDArray[Any]:
        """Return pixels that include all values a strip depends on.

        Columns outside repeat those inside, so that pixels filtered in place need not be copied.
        """
        in_place = self._method.finishes and (source.border.columns != "constant" or not any(source.border.value))
        return source.own_columns(self._dtype) if in_place else source.window(self._dtype)

    def _by_shifts(self, source: Source, out: NDArray[Any] | None) -> NDArray[Any]:
        """Return the sums by `shifts`, which supports all pixels and does not spread errors beyond the reach of the kernel."""
        if out is None or not self._method.finishes:
            return self._shifts.of(source, out)
        fit_into(scaled(self._shifts.of(source), self._job, source.workspace), out)
        return out

    @functools.cached_property
    def _shifts(self) -> _RealSums:
        return _RealSums(self._job, METHODS["shifts"])


@functools.lru_cache(maxsize=8)
def prepared_sums(job: Job, method: Method) -> Sums:
    """Return the sums of a job by a method; they are cached."""
    return Sums(job, method)


def scaled(sums: NDArray[Any], job: Job, workspace: Workspace) -> NDArray[Any]:
    """Return (sums * numerator + offset) / denominator, in the array of the sums if its type fits."""
    arithmetic = job.arithmetic
    if arithmetic.finishes_as_summed:
        return sums
    finish = arithmetic.finish_dtype
    if sums.dtype.kind == "c":
        finish = np.result_type(finish, np.complex64)
    values = sums
    if values.dtype != finish:
        values = workspace.take("values", sums.shape, finish)
        np.copyto(values, sums)
    if arithmetic.numerator != 1:
        values *= finish.type(arithmetic.numerator)
    if arithmetic.offset:
        values += finish.type(arithmetic.offset)
    if arithmetic.denominator != 1 and arithmetic.multiplies and job.output.kind in "biu":
        values *= finish.type(1 / arithmetic.denominator)
    elif arithmetic.denominator != 1:
        values /= finish.type(arithmetic.denominator)
    return values


def _plus_i_times(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return a + i * b, assembled part by part because 1j * inf would have a NaN real part."""
    result = np.empty(a.shape, np.result_type(a, b, np.complex64))
    result.real = a.real - b.imag if np.iscomplexobj(b) else a.real
    result.imag = a.imag + b.real if np.iscomplexobj(a) else b.real
    return result
