"""The two public functions, `correlate` and `convolve`."""

from __future__ import annotations

from typing import Any, Unpack

from numpy.typing import ArrayLike, DTypeLike, NDArray

from imgconv.convolution.execution import execute
from imgconv.convolution.options import BorderLike, CorrelateOptions, Options, as_pixels, make_options
from imgconv.convolution.planner import as_kernel, plan_for
from imgconv.kernels.kernel import Kernel
from imgconv.vocabulary import DEFAULT_BORDER, EngineWord, ModeWord, NanWord


def correlate(
    image: ArrayLike,
    kernel: Kernel | ArrayLike | str,
    *,
    border: BorderLike = DEFAULT_BORDER,
    border_value: ArrayLike = 0,
    mode: ModeWord = "same",
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
    anchor: tuple[int, int] | None = None,
    delta: float = 0.0,
    dtype: DTypeLike | None = None,
    nan: NanWord = "propagate",
    tolerance: float = 0.0,
    engine: EngineWord = "opencv",
    method: str = "auto",
    jobs: int | None = None,
) -> NDArray[Any]:
    """Lay the kernel on the image as it is written, and sum.

        out[y, x] = delta + sum over i, j of w[i, j] * image[y + i - r, x + j - c]

    Args:
        image: shape (H, W) or (H, W, C); each channel is filtered alone. Integers, floating point or complex.
        kernel: a `Kernel`, an array of shape (kh, kw), or a string such as `"gaussian:sigma=2"`.
        border: what stands outside of the image: constant, replicate, reflect, reflect101, wrap or renormalize, or two of
            them, down and across.
        border_value: the value of `constant`, in levels; one, or one per channel.
        mode: `same`, `valid` or `full`.
        stride: keep every n-th output; one number, or (rows, columns).
        dilation: put n - 1 zeros between neighbouring taps; one number, or (rows, columns).
        anchor: (row, column) of the tap on the pixel computed; the kernel's own unless given.
        delta: added to each result before it is rounded, in levels.
        dtype: type of the result; the image's own unless given (complex where the weights are). Integer results are
            rounded half to even and saturated.
        nan: `propagate`, or `ignore`: a NaN counts as outside, as with the border `renormalize`.
        tolerance: error that an approximate method may make: in levels for integer images, relative to the largest sum for
            floating point.
        engine: `opencv` or `numpy`.
        method: one of the engine's methods, or `auto`: the fastest exact one.
        jobs: threads that work on the image; unless given, what the environment's IMGCONV_JOBS says, else one for each
            processor. A method gives the same result on any number of them.

    Returns:
        Shape (H', W') or (H', W', C). Taps of weight 0 are not taken: 0 times NaN is 0 here.

    Raises:
        UsageError: an option, a shape or a type that cannot be used.
        KernelError: a kernel that cannot be used.

    Example:
        >>> correlate([[0, 0, 0], [0, 1, 0], [0, 0, 0]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]], border="constant")
        array([[9, 8, 7],
               [6, 5, 4],
               [3, 2, 1]])
    """
    options = make_options(
        border=border,
        border_value=border_value,
        mode=mode,
        stride=stride,
        dilation=dilation,
        anchor=anchor,
        delta=delta,
        dtype=dtype,
        nan=nan,
        tolerance=tolerance,
        engine=engine,
        method=method,
        jobs=jobs,
    )
    return _filtered(image, kernel, options)


def convolve(image: ArrayLike, kernel: Kernel | ArrayLike | str, **options: Unpack[CorrelateOptions]) -> NDArray[Any]:
    """Correlate with the kernel turned by 180 degrees, its anchor included; options as for `correlate`.

    An `anchor` given here counts on the kernel as it is written.

    Example:
        >>> convolve([[0, 0, 0], [0, 1, 0], [0, 0, 0]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]], border="constant")
        array([[1, 2, 3],
               [4, 5, 6],
               [7, 8, 9]])
    """
    return _filtered(image, kernel, make_options(rotate=True, **options))


def _filtered(image: ArrayLike, kernel: Kernel | ArrayLike | str, options: Options) -> NDArray[Any]:
    pixels = as_pixels(image)
    return execute(plan_for(pixels.shape, pixels.dtype, as_kernel(kernel), options), pixels).values
