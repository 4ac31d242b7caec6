"""FFmpeg's filter `convolution`, as an argument of -vf.

    ffmpeg -i in.mp4 -vf "format=gbrp,convolution=0m='0 -1 0 -1 5 -1 0 -1 0':0rdiv=1:..." out.mp4

The filter lays the matrix on the image as written, with the border `reflect101`. It supports matrices of whole numbers of size
3x3, 5x5 or 7x7, or one row or column of an odd length up to 49. It multiplies the sum by `rdiv` and adds `bias`, in float32,
and rounds half up. One matrix is written per plane; `format=gbrp` makes the planes red, green and blue, as in imgconv.
Source: FFmpeg filters documentation, section convolution, and libavfilter/vf_convolution.c.
"""

from __future__ import annotations

from imgconv.errors import KernelError
from imgconv.kernels.formats.whole_numbers import exact_form
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.literals import format_number

_PLANES = 3
_SQUARES = (3, 5, 7)
_LONGEST = 49
# FFmpeg sums in 32-bit integers; this leaves room for samples of 16 bits.
_LARGEST_SUM = 2**15


def write(kernel: Kernel) -> str:
    """Return the filter as text.

    Raises:
        KernelError: the filter does not support the size, the anchor, the weights or the delta.
    """
    mode = _mode(kernel)
    form = None if kernel.is_complex else exact_form(kernel)
    if form is None:
        raise KernelError("FFmpeg supports only whole numbers times one factor, unlike these weights; write them as yaml")
    numbers, above, below = form
    if abs(numbers).sum() >= _LARGEST_SUM:
        raise KernelError(f"FFmpeg sums in 32 bits: the absolute sum of the whole numbers must be below {_LARGEST_SUM:,}")
    if kernel.delta < 0:
        raise KernelError(f"FFmpeg does not support a bias below 0, found a delta of {kernel.delta:g}")
    values = " ".join(str(int(value)) for value in numbers.ravel())
    settings = {"m": f"'{values}'", "rdiv": format_number(above / below)}
    if kernel.delta:
        settings["bias"] = format_number(kernel.delta)
    if mode != "square":
        settings["mode"] = mode
    parts = [f"{plane}{key}={value}" for plane in range(_PLANES) for key, value in settings.items()]
    return f"convolution={':'.join(parts)}\n"


def _mode(kernel: Kernel) -> str:
    rows, columns = kernel.shape
    if kernel.anchor != (rows // 2, columns // 2):
        raise KernelError(f"FFmpeg supports only an anchor in the middle of the kernel, found {kernel.anchor}")
    if rows == columns and rows in _SQUARES:
        return "square"
    if min(rows, columns) == 1 and max(rows, columns) % 2 == 1 and max(rows, columns) <= _LONGEST:
        return "row" if rows == 1 else "column"
    raise KernelError(
        f"FFmpeg supports 3x3, 5x5, 7x7, or a row or column of an odd length up to {_LONGEST}, found {rows}x{columns}"
    )
