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
    """Return the correlation of an image with a kernel, which is laid on the image as written.

        out[y, x] = delta + sum over i, j of w[i, j] * image[y + i - r, x + j - c]

    Args:
        image: shape (H, W) or (H, W, C); channels are filtered independently. Integer, floating-point or complex.
        kernel: a `Kernel`, an array of shape (kh, kw), or a string such as `"gaussian:sigma=2"`.
        border: how the image continues beyond its edges: constant, replicate, reflect, reflect101, wrap or renormalize, or
            a pair of them (rows, columns).
        border_value: the value of `constant`, in levels; one, or one per channel.
        mode: `same`, `valid` or `full`.
        stride: distance between outputs, in pixels; one number, or (rows, columns).
        dilation: distance between kernel elements, in pixels; one number, or (rows, columns).
        anchor: (row, column) of the kernel element on the output pixel; by default that of the kernel.
        delta: added to each result before it is rounded, in levels.
        dtype: type of the result; by default that of the image (complex if the weights are). Integer results are
            rounded half to even and saturated.
        nan: `propagate`, or `ignore`: a NaN is left out of the sums, which are divided by the weight on the other pixels. If
            the weights of the kernel sum to 0, it counts as equal to the pixel at the anchor instead.
        tolerance: maximum error of an approximate method: in levels for integer images, relative to the largest sum for
            floating point.
        engine: `opencv` or `numpy`.
        method: name of a method of the engine, or `auto` for the fastest exact one.
        jobs: number of threads; by default that of the environment variable IMGCONV_JOBS, else one per processor. The
            result of a method does not depend on it.

    Returns:
        Shape (H', W') or (H', W', C). Elements of weight 0 are skipped, so that 0 times NaN counts as 0.

    Raises:
        UsageError: an option, a shape or a type is invalid.
        KernelError: the kernel is invalid.

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
    """Return the convolution: `correlate` with the kernel and its anchor rotated by 180 degrees, and the same options.

    An `anchor` given here refers to the kernel before the rotation.

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
