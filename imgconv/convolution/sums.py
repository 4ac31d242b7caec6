"""The sums of one strip of the output: window, method, and what complex pixels and complex weights make of both."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.borders import Border
from imgconv.convolution.exactness import darkest_share, is_even, is_finite, may_be_infinite
from imgconv.convolution.method import Method
from imgconv.convolution.methods import METHODS
from imgconv.convolution.plan import Job
from imgconv.convolution.source import Source
from imgconv.convolution.workspace import Workspace
from imgconv.depth import fit_into

#: Returns the sums of a strip: `sums(source, out)`, shape (R, W'[, C]). They stand in `out` where that is given and of their
#: type, else in the workspace, to be used before the next call.
Sums: TypeAlias = Callable[[Source, NDArray[Any] | None], NDArray[Any]]

#: Returns the values of the rows start … stop - 1 before they are rounded: `values(at, border, start, stop, workspace, out)`,
#: where `at` picks a channel of the image, or all of it; in `out` where they need no rounding.
Values: TypeAlias = Callable[[Any, Border, int, int, Workspace, NDArray[Any]], NDArray[Any]]

# Any job, any pixels, and no error that spreads beyond the reach of a pixel.
_ANYTHING = "shifts"


@functools.lru_cache(maxsize=8)
def make_sums(job: Job, method: Method) -> Sums:
    """Return the sums of a job by a method, or the values if it finishes them; what the kernel alone decides is done once.

    The sum is linear in pixels and weights: of complex ones the real and the imaginary parts are summed alone.
    """
    real, *imaginary = (_of_any_pixels(_of_real_pixels(part, method)) for part in job.parts)
    if not imaginary:
        return real
    return lambda source, out: _plus_i_times(real(source, None).copy(), imaginary[0](source, None))


def _of_any_pixels(of_real: Sums) -> Sums:
    def sums(source: Source, out: NDArray[Any] | None) -> NDArray[Any]:
        if source.image.dtype.kind != "c":
            return of_real(source, out)
        real, imaginary = source.parts()
        return _plus_i_times(of_real(real, None).copy(), of_real(imaginary, None))

    return sums


def _of_real_pixels(job: Job, method: Method) -> Sums:
    run, dtype = method.prepare(job), method.dtype(job)
    checks = may_be_infinite(job)
    darkest = darkest_share(job, method.mixed_error(job)) if checks and method.mixes else 0.0
    instead = functools.cache(lambda: _of_real_pixels(job, METHODS[_ANYTHING]))

    def otherwise(source: Source, out: NDArray[Any] | None) -> NDArray[Any]:
        if out is None or not method.finishes:
            return instead()(source, out)
        fit_into(scaled(instead()(source, None), job, source.workspace), out)
        return out

    def sums(source: Source, out: NDArray[Any] | None) -> NDArray[Any]:
        if checks and method.mixes:
            # Columns outside repeat those inside, so that pixels which are filtered where they lie need not be copied for this.
            in_place = method.finishes and (source.border.columns != "constant" or not any(source.border.value))
            pixels = source.own_columns(dtype) if in_place else source.window(dtype)
            if not is_even(pixels, darkest, source.workspace):
                return otherwise(source, out)
        result = out
        if result is None or result.dtype != dtype or (result.ndim == 2 and result.strides[1] != result.itemsize):
            result = source.workspace.take("sums", source.output_shape, dtype)
        run(source, result, source.workspace)
        if checks and method.spreads and not is_finite(result):
            return otherwise(source, out)
        return result

    return sums


def scaled(sums: NDArray[Any], job: Job, workspace: Workspace) -> NDArray[Any]:
    """Return (sums * numerator + offset) / denominator; the array of the sums is used again where its type fits."""
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
    """Return a + i * b, put together part by part: 1j times infinity would be infinity and a NaN beside it."""
    result = np.empty(a.shape, np.result_type(a, b, np.complex64))
    result.real = a.real - b.imag if np.iscomplexobj(b) else a.real
    result.imag = a.imag + b.real if np.iscomplexobj(a) else b.real
    return result
