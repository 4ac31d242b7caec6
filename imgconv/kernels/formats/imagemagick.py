"""ImageMagick's kernel string, `WxH[+X+Y]: value,value ...`, for the method Correlate.

    magick in.png -morphology Correlate '3x3+1+1: -1,0,1 -2,0,2 -1,0,1' out.png

ImageMagick's Correlate lays the kernel on the image as written, as imgconv does; its Convolve and `-convolve` rotate it by 180
degrees first. `X` (columns) and `Y` (rows) give the anchor, counted from the top left. The default is the middle, or, for an
even size, the tap above or to the left of it (in imgconv the one below or to the right). The holes `nan` and `-`, elements
that do not take part, are read as 0.
Source: ImageMagick, API documentation of AcquireKernelInfo, and the usage pages on morphology and on convolution.
"""

from __future__ import annotations

import re

from imgconv.errors import KernelError
from imgconv.kernels.arguments import MAX_TAPS
from imgconv.kernels.formats.rows import Parts
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.literals import format_number, parse_number, quoted

_GEOMETRY = re.compile(r"([0-9]{1,9})(?:[xX]([0-9]{1,9}))?(?:\+([0-9]{1,9})\+([0-9]{1,9}))?")
_HOLES = ("nan", "-")


def read(text: str) -> Parts:
    """Return the weights, anchor and delta of one kernel string; kernel names and lists of kernels are rejected."""
    before, _, after = text.partition(":")
    head = before.strip().removeprefix("'").strip()
    geometry = _GEOMETRY.fullmatch(head)
    if not geometry:
        raise KernelError(f"expected WxH: or WxH+X+Y: and the values, as ImageMagick writes a kernel, found {quoted(head)}")
    columns, rows = int(geometry[1]), int(geometry[2] or geometry[1])
    if not 0 < rows * columns <= MAX_TAPS:
        raise KernelError(f"a kernel has from 1 to {MAX_TAPS:,} taps, found {columns}x{rows}")
    middle = ((rows - 1) // 2, (columns - 1) // 2)
    anchor = middle if geometry[3] is None else (int(geometry[4]), int(geometry[3]))
    body = after.strip().rstrip("'; \n\t")
    if ";" in body:
        raise KernelError("expected one kernel, found a list separated by ';'")
    values = _values(body)
    if len(values) != rows * columns:
        raise KernelError(f"expected {rows * columns} values for {columns}x{rows}, found {len(values)}")
    return [tuple(values[start : start + columns]) for start in range(0, len(values), columns)], anchor, 0.0


def write(kernel: Kernel) -> str:
    """Return the kernel string.

    Raises:
        KernelError: the kernel has a delta or complex weights, which the format does not support.
    """
    if kernel.is_complex:
        raise KernelError("ImageMagick kernels cannot have complex weights; write the kernel as yaml or numpy")
    if kernel.delta:
        raise KernelError(f"ImageMagick kernels cannot have a delta, found {kernel.delta:g}; write the kernel as yaml or vips")
    rows, columns = kernel.shape
    values = " ".join(",".join(format_number(value) for value in row) for row in kernel.weights.tolist())
    return f"{columns}x{rows}+{kernel.anchor[1]}+{kernel.anchor[0]}: {values}\n"


def _values(body: str) -> list[float]:
    words = re.split(r"\s*,\s*|\s+", body) if body else []
    if all(word.lower() in _HOLES for word in words):
        raise KernelError("expected at least one number, found only holes")
    return [0.0 if word.lower() in _HOLES else _real(word, place) for place, word in enumerate(words, start=1)]


def _real(word: str, place: int) -> float:
    try:
        value = parse_number(word)
    except KernelError as error:
        raise KernelError(f"value {place}: {error}") from None
    if isinstance(value, complex):
        raise KernelError(f"value {place}: expected a real number, found {quoted(word)}")
    return value
