"""Carries out a plan, strip by strip: the sums of its method, then scale and delta, then rounding and saturation.

Where the errors of the method would show in a strip, its sums are those of `shifts`.
"""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.exactness import darkest_share, is_even, is_finite, may_be_infinite
from imgconv.convolution.methods import METHODS, Method
from imgconv.convolution.plan import Job, Plan
from imgconv.convolution.source import Plane, Source, Workspace, planes_of
from imgconv.convolution.strips import run_strips
from imgconv.depth import Fitted, fit, fit_into, limits
from imgconv.errors import UsageError
from imgconv.opencv import opencv_threads
from imgconv.threads import asked_threads

if TYPE_CHECKING:
    from imgconv.convolution.normalization import NormalizedValues

# Half a level beyond an end of the range is rounded to even, out of it; and the last steps may be rounded in float32.
_ALMOST_HALF = 0.49


# Beyond the largest float lies infinity, and NaN beyond that, as IEEE 754 has it: a result, not a warning.
@np.errstate(over="ignore", invalid="ignore")
def execute(plan: Plan, image: NDArray[Any], *, fallback: Plan | None = None) -> Fitted:
    """Carry out a plan on an image.

    Args:
        plan: made for the shape and the type of the image.
        image: shape (H, W) or (H, W, C).
        fallback: a plan for the same job by a method that does not round by itself. Where the plan's own method does, and
            a value stands at an end of the range, it counts the values that were clipped; without it they are not counted.

    Returns:
        The result and the number of values clipped, or -1 where they were not counted.
    """
    job = plan.job
    if not image.dtype.isnative:  # the other order of bytes, as some files have it
        image = image.astype(image.dtype.newbyteorder("="))
    if image.shape != job.shape or image.dtype != job.dtype:
        raise UsageError(
            f"the plan is for {job.dtype.name} of shape {job.shape}, the image is {image.dtype.name} of shape {image.shape}"
        )
    _check_wide_integers(image, job)
    method = METHODS[plan.method]
    # Where strips run on threads, OpenCV's own would stand in their way.
    limit = 1 if method.threads else asked_threads(job.options.jobs)
    with opencv_threads(limit) if method.engine == "opencv" else nullcontext():
        fitted = Execution(job, method, image).run()
    if method.finishes and not _stays_inside(job, method):
        return Fitted(fitted.values, _count_clipped(fitted.values, image, fallback))
    return fitted


class Execution:
    """A job at work on an image: the values of each strip are computed, then rounded into the result.

    A strip is rows of the output. Its values are the sums of the method (`Sums`), scaled, or divided by the weight on the
    pixels that count (`NormalizedValues`).
    """

    def __init__(self, job: Job, method: Method, image: NDArray[Any]) -> None:
        policy = job.options.range_policy
        self._job, self._method, self._image = job, method, image
        self._waits = policy in ("stretch", "error") and not method.finishes  # for all values, before the first is rounded
        self._policy = "clip" if self._waits else policy
        self._out = np.empty(job.output_shape, _unrounded_dtype(job) if self._waits else job.output)
        self._planes = planes_of(image, job.border, apart=method.planar(job))
        self._inside = self._policy == "clip" and _stays_inside(job, method)
        # Sums that are the result already are written where it stands.
        self._in_place = job.arithmetic.finishes_as_summed and job.output.kind == "f" and policy not in ("abs", "offset")
        self._sums = prepared_sums(job, method)
        self._normalized: NormalizedValues | None = None
        if job.options.normalizes:
            from imgconv.convolution.normalization import NormalizedValues

            self._normalized = NormalizedValues(job, method, image)

    def run(self) -> Fitted:
        """Return the result and the number of values clipped."""
        job, method = self._job, self._method
        jobs = job.options.jobs if method.threads else 1
        blas = method.blas or (method.spreads and may_be_infinite(job))
        clipped = run_strips(self._finish_strip, job.rows.outputs, method.rows(job), jobs=jobs, blas=blas)
        return fit(self._out, job.output, job.options.range_policy) if self._waits else Fitted(self._out, clipped)

    def _finish_strip(self, start: int, stop: int, workspace: Workspace) -> int:
        """Write the rows start … stop - 1 of the result and return how many values were clipped."""
        clipped = 0
        for plane in self._planes:
            target = self._out[start:stop][plane.at]
            values = self._values(plane, start, stop, workspace, target)
            if values is not target:
                clipped += fit_into(values, target, self._policy, inside=self._inside)
        return clipped

    def _values(self, plane: Plane, start: int, stop: int, workspace: Workspace, target: NDArray[Any]) -> NDArray[Any]:
        """Return the values of a strip before they are rounded; `target` itself where they stand in it, in their final type."""
        if self._normalized is not None:
            return self._normalized.of(plane, start, stop, workspace)
        source = Source(self._job, self._image[plane.at], plane.border, start, stop, workspace)
        if self._method.finishes:
            return self._sums.of(source, target)
        return scaled(self._sums.of(source, target if self._in_place else None), self._job, workspace)


def _unrounded_dtype(job: Job) -> np.dtype[Any]:
    dtype = np.dtype(np.float64) if job.options.normalizes else job.arithmetic.finish_dtype
    is_complex = job.dtype.kind == "c" or job.arithmetic.weights.dtype.kind == "c"
    return np.result_type(dtype, np.complex64) if is_complex else dtype


def _count_clipped(values: NDArray[Any], image: NDArray[Any], fallback: Plan | None) -> int:
    if values.dtype.kind == "f":
        return 0
    if fallback is None:
        return -1
    low, high = limits(values.dtype)
    if values.min() > low and values.max() < high:
        return 0
    return execute(fallback, image).clipped


@functools.lru_cache(maxsize=64)
def _stays_inside(job: Job, method: Method) -> bool:
    """Whether no value can leave the range of an integer output, whatever the pixels: then none has to be checked."""
    arithmetic, outside = job.arithmetic, np.real(job.border.value) if job.border.uses_value else np.zeros(0)
    if job.options.normalizes or job.dtype.kind not in "biu" or job.output.kind not in "biu" or job.kernel.is_complex:
        return False
    least, most = (float(f([*limits(job.dtype), *outside])) for f in (np.min, np.max))  # NaN where there is one
    weights, off = arithmetic.weights, method.error(job) * arithmetic.largest_pixel
    above, below = float(weights[weights > 0].sum()), float(weights[weights < 0].sum())
    sums = np.array([above * least + below * most - off, above * most + below * least + off])
    values = (sums * arithmetic.numerator + arithmetic.offset) / arithmetic.denominator
    low, high = limits(job.output)
    return bool(values.min() > low - _ALMOST_HALF and values.max() < high + _ALMOST_HALF)


def _check_wide_integers(image: NDArray[Any], job: Job) -> None:
    """Refuse 64-bit integers that float64 sums would not hold, which depends on the pixels."""
    if image.dtype.kind not in "iu" or image.dtype.itemsize < 8 or image.size == 0:
        return
    outside = [int(abs(v)) for v in job.border.value if np.isfinite(v)] if job.border.uses_value else []
    most = max(abs(int(image.min())), abs(int(image.max())), *outside)
    if most > 2.0**53 / max(float(np.abs(job.arithmetic.weights).sum()), 1.0):  # an integer and a float: compared exactly
        raise UsageError(
            f"{image.dtype.name} pixels up to {most} give sums beyond 2**53, which float64 does not hold exactly; "
            "convert the image to float64 to accept that"
        )


class Sums:
    """The sums of a job by a method, or its values if the method finishes them; what the kernel alone decides is done once.

    The sum is linear in pixels and weights: of complex ones the real and the imaginary parts are summed alone.
    """

    def __init__(self, job: Job, method: Method) -> None:
        self._parts = [_RealSums(part, method) for part in job.parts]

    def of(self, source: Source, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the sums of a strip, shape (R, W'[, C]).

        They stand in `out` where that is given and suits the method, else in the workspace, to be used before the next call.
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
        if self._mixes and not is_even(self._pixels(source), self._darkest, source.workspace):
            return self._by_shifts(source, out)
        result = out
        if result is None or result.dtype != self._dtype or (result.ndim == 2 and result.strides[1] != result.itemsize):
            result = source.workspace.take("sums", source.output_shape, self._dtype)
        self._run(source, result)
        if self._spreads and not is_finite(result):
            return self._by_shifts(source, out)
        return result

    def _pixels(self, source: Source) -> NDArray[Any]:
        """Return all pixels that a strip depends on.

        Columns outside repeat those inside, so that pixels which are filtered where they lie need not be copied.
        """
        in_place = self._method.finishes and (source.border.columns != "constant" or not any(source.border.value))
        return source.own_columns(self._dtype) if in_place else source.window(self._dtype)

    def _by_shifts(self, source: Source, out: NDArray[Any] | None) -> NDArray[Any]:
        """Return the sums by the method that takes any pixels, and whose errors stay within the reach of a pixel."""
        if out is None or not self._method.finishes:
            return self._shifts.of(source, out)
        fit_into(scaled(self._shifts.of(source), self._job, source.workspace), out)
        return out

    @functools.cached_property
    def _shifts(self) -> _RealSums:
        return _RealSums(self._job, METHODS["shifts"])


@functools.lru_cache(maxsize=8)
def prepared_sums(job: Job, method: Method) -> Sums:
    """Return the sums of a job by a method, the same for the same job."""
    return Sums(job, method)


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
