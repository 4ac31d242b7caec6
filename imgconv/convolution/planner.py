"""Choice of the method: the cheapest of those that support the job; the others are rejected with a reason."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from imgconv.convolution.arithmetic import make_arithmetic
from imgconv.convolution.costs import UserFile, costs_of, find_user_file, predict
from imgconv.convolution.methods import ENGINES, METHODS
from imgconv.convolution.options import CorrelateOptions, Options, as_dtype, make_options
from imgconv.convolution.plan import Axis, Candidate, Job, Plan, Work, make_axis
from imgconv.errors import KernelError, UsageError
from imgconv.kernels.catalog import parse_kernel
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.literals import quoted
from imgconv.vocabulary import suggestion

# Limits for dilated kernels: samples of the extended image (if the image itself is small), and size of the dilated kernel.
_MAX_EXTENDED_SAMPLES = 1 << 26
_MAX_DILATED_SIZE = 1 << 22
# With longer sides the number of samples may exceed 64-bit integers.
_LONGEST_SIDE = 1 << 31


def make_plan(
    shape: Sequence[int],
    dtype: DTypeLike,
    kernel: Kernel | ArrayLike | str,
    /,
    *,
    rotate: bool = False,
    **options: Unpack[CorrelateOptions],
) -> Plan:
    """Return the plan of a convolution, which depends on the shapes and not on the pixels.

    Args:
        shape: shape of the image, (H, W) or (H, W, C).
        dtype: type of the image.
        kernel: a `Kernel`, an array of shape (kh, kw), or a string such as `"gaussian:sigma=2"`.
        rotate: plan `convolve` rather than `correlate`.
        **options: options of `correlate`, including the `dtype` of the result.

    Returns:
        The chosen method, its predicted time, and the reason against every other method.

    Raises:
        UsageError: an option, a shape or a type is invalid, or the requested method does not support the job.
        KernelError: the kernel is invalid.
    """
    return plan_for(shape, as_dtype(dtype), as_kernel(kernel), make_options(rotate=rotate, **options))


def as_kernel(kernel: Kernel | ArrayLike | str) -> Kernel:
    """Return a kernel given as a `Kernel`, an array or a string."""
    if isinstance(kernel, Kernel):
        return kernel
    return parse_kernel(kernel) if isinstance(kernel, str) else Kernel(kernel)


def plan_for(shape: Sequence[int], dtype: np.dtype[Any], kernel: Kernel, options: Options) -> Plan:
    """Return the plan of a convolution with checked options; plans are cached."""
    try:
        sizes = tuple(operator.index(n) for n in itertools.islice(shape, 4))
    except TypeError:
        raise UsageError(f"an image has the shape (H, W) or (H, W, C) in whole numbers, found {quoted(shape)}") from None
    return _cached_plan(sizes, dtype, kernel, options, find_user_file())


@functools.lru_cache(maxsize=256)
def _cached_plan(
    shape: tuple[int, ...], dtype: np.dtype[Any], kernel: Kernel, options: Options, user_file: UserFile | None
) -> Plan:
    return _choose(make_job(shape, dtype, kernel, options), user_file)


@functools.lru_cache(maxsize=256)
def unfinished(plan: Plan) -> Plan:
    """Return a plan for the same job with a method that does not round the values itself."""
    return _choose(plan.job, find_user_file(), finishing=False)


@np.errstate(over="ignore")
def make_job(shape: tuple[int, ...], dtype: np.dtype[Any], kernel: Kernel, options: Options) -> Job:
    """Return the convolution as a job, which leaves only the method open."""
    dtype = dtype.newbyteorder("=")
    if len(shape) not in (2, 3) or min(shape) < 1 or max(shape) > _LONGEST_SIDE:
        raise UsageError(f"an image has the shape (H, W) or (H, W, C) with sizes from 1 to 2**31, found {quoted(shape)}")
    _check_types(dtype, kernel, options)
    channels, border_value = shape[2] if len(shape) == 3 else 1, options.border.value
    if len(border_value) not in (1, channels):
        raise UsageError(f"border value must be one number or one for each of {channels} channels, found {len(border_value)}")
    if options.border.renormalizes and kernel.is_difference:
        reason = "the weights sum to 0, so `renormalize` cannot divide by them; choose another border"
        raise KernelError(f"kernel {kernel.name}: {reason}" if kernel.name else reason)
    if options.anchor is not None:
        kernel = Kernel(kernel.weights, options.anchor, kernel.name, kernel.delta)
    if options.rotate:
        kernel = kernel.rotated()
    output = options.dtype or _own_type(dtype, kernel)
    delta = kernel.delta + options.delta
    rows = make_axis(shape[0], kernel.shape[0], kernel.anchor[0], options.mode, options.stride[0], options.dilation[0])
    columns = make_axis(shape[1], kernel.shape[1], kernel.anchor[1], options.mode, options.stride[1], options.dilation[1])
    _check_reach(rows, columns, channels)
    return Job(
        kernel=kernel,
        shape=shape,
        dtype=dtype,
        output=output,
        rows=rows,
        columns=columns,
        arithmetic=make_arithmetic(kernel, dtype, output, delta, options.border),
        options=options,
    )


def _check_reach(rows: Axis, columns: Axis, channels: int) -> None:
    """Reject a dilated kernel so large that extending the image for it would take gigabytes."""
    if (rows.dilation, columns.dilation) == (1, 1):
        return
    continued = (rows.length + rows.reach) * (columns.length + columns.reach) * channels
    most = max(_MAX_EXTENDED_SAMPLES, 4 * rows.length * columns.length * channels)
    if rows.reach * columns.reach > _MAX_DILATED_SIZE or continued > most:
        raise UsageError(
            f"the dilated kernel covers {rows.reach} x {columns.reach} pixels, too many for an image of "
            f"{rows.length} x {columns.length}; choose a smaller dilation"
        )


def _check_types(dtype: np.dtype[Any], kernel: Kernel, options: Options) -> None:
    if dtype.kind not in "biufc" or dtype.itemsize > (16 if dtype.kind == "c" else 8):
        raise UsageError(f"images of type {dtype} cannot be convolved; convert to uint8, uint16, float32 or float64")
    output = options.dtype
    complex_result = kernel.is_complex or dtype.kind == "c"
    if output is not None and output.kind not in "biufc":
        raise UsageError(f"dtype {output} cannot hold the result; choose one such as uint8 or float32")
    if output is not None and complex_result and output.kind != "c" and options.range_policy != "abs":
        raise UsageError(f"{output} cannot hold a complex result; choose range abs for its magnitude, or complex64 in Python")
    if any(isinstance(v, complex) for v in options.border.value) and dtype.kind != "c":
        raise UsageError(f"a complex border value needs a complex image, found {dtype}")


def _own_type(dtype: np.dtype[Any], kernel: Kernel) -> np.dtype[Any]:
    """Return the default type of the result: that of the image, or complex if the weights are."""
    if not kernel.is_complex or dtype.kind == "c":
        return dtype
    narrow = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.dtype(np.complex64 if narrow else np.complex128)


@np.errstate(over="ignore")
def _choose(job: Job, user_file: UserFile | None, finishing: bool = True) -> Plan:
    options, costs = job.options, costs_of(user_file)
    able: dict[str, float] = {}
    work: dict[str, Work] = {}
    errors: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for name, engines in ENGINES.items():
        if options.engine not in engines:
            reasons[name] = f"belongs to the {engines[0]} engine"
            continue
        method = METHODS[name]
        if method.finishes and not finishing:
            reasons[name] = "rounds the values itself"
        elif reason := method.supports(job):
            reasons[name] = reason
        else:
            work[name] = method.total(job)
            able[name] = predict(method, job, work[name], costs)
            errors[name] = sum(method.error(part) for part in job.parts)
    chosen = min(able, key=able.__getitem__)
    if options.method != "auto":
        if options.method not in METHODS:
            names = ("auto", *METHODS)
            raise UsageError(
                f"unknown method {options.method!r}{suggestion(options.method, names)}; choose one of {', '.join(names)}"
            )
        if options.method in able:
            chosen = options.method
        elif finishing:
            raise UsageError(f"method {options.method} cannot do this: {reasons[options.method]}")
    for name, seconds in able.items():
        if name != chosen:
            slower = f"{seconds / max(able[chosen], 1e-12):.3g} times the predicted time"
            reasons[name] = slower if options.method == "auto" else f"{chosen} was requested"
    candidates = tuple(
        Candidate(name, able.get(name), reasons.get(name, ""), work.get(name), errors.get(name)) for name in METHODS
    )
    return Plan(job, chosen, able[chosen], errors[chosen], candidates)
