"""FFmpeg's filter `convolution`, as the argument of -vf.

    ffmpeg -i in.mp4 -vf "format=gbrp,convolution=0m='0 -1 0 -1 5 -1 0 -1 0':0rdiv=1:..." out.mp4

The filter lays the matrix on the image as it is written and mirrors at the border as `reflect101` does. It takes
whole numbers, of 3x3, 5x5 or 7x7, or one row or column of an odd length up to 49; it multiplies their sum by `rdiv`
and adds `bias`, in float32, and rounds half up. One matrix is written for each of the three planes; `format=gbrp`
makes these red, green and blue, as in imgconv.
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
        KernelError: the size, the anchor, the weights or the delta are such as the filter cannot hold.
    """
    mode = _mode(kernel)
    form = None if kernel.is_complex else exact_form(kernel)
    if form is None:
        raise KernelError("FFmpeg takes whole numbers and one factor, and these weights have no such form; write them as yaml")
    numbers, above, below = form
    if abs(numbers).sum() >= _LARGEST_SUM:
        raise KernelError(f"FFmpeg sums in 32 bits: whole numbers of up to {_LARGEST_SUM:,} in all fit, these are larger")
    if kernel.delta < 0:
        raise KernelError(f"FFmpeg takes no bias below 0, and this kernel has a delta of {kernel.delta:g}")
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
        raise KernelError(f"FFmpeg lays a kernel with its middle on the pixel, and this one has the anchor {kernel.anchor}")
    if rows == columns and rows in _SQUARES:
        return "square"
    if min(rows, columns) == 1 and max(rows, columns) % 2 == 1 and max(rows, columns) <= _LONGEST:
        return "row" if rows == 1 else "column"
    raise KernelError(
        f"FFmpeg takes 3x3, 5x5 or 7x7, or a row or column of an odd length up to {_LONGEST}; this kernel is {rows}x{columns}"
    )
