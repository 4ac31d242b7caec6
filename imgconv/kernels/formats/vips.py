"""The text matrix of libvips, for `vips conv`: a line `width height [scale [offset]]`, then one line per row.

    vips conv in.png out.png mask.mat

libvips lays the mask on the image as written, with the anchor (height / 2, width / 2), rounded down. It divides the sum by the
scale and adds the offset. Here, the weights are divided by the scale, and the offset is the delta.
Source: libvips documentation of vips_matrixload and vips_conv.
"""

from __future__ import annotations

from imgconv.errors import KernelError
from imgconv.kernels.formats.rows import Parts, numbered
from imgconv.kernels.formats.whole_numbers import over_divisor
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.literals import Number, format_number

_SUFFIX = ".mat"


def matches(text: str, name: str) -> bool:
    """Return whether the text is a mask, by the extension of its name or by a first row that must be a header.

    Raises:
        KernelError: the text may be either a mask or rows of numbers.
    """
    if name.lower().endswith(_SUFFIX):
        return True
    if ";" in text:
        return False
    found = [row for _, row in numbered(text)]
    if not found or not _header_matches(found[0], found[1:]):
        return False
    if len(found[0]) == len(found[1]):
        raise KernelError(
            f"ambiguous: {len(found)} rows of numbers, or a libvips mask with a header and {len(found) - 1} more; "
            f"end the rows with ; for the former, or use the extension {_SUFFIX} for the latter"
        )
    return True


def read(text: str) -> Parts:
    """Return the weights, anchor and delta of a mask."""
    found = numbered(text)
    if not found or not _is_header(found[0][1]):
        header_text = " ".join(map(format_number, found[0][1])) if found else "nothing"
        raise KernelError(f"expected the header 'width height [scale [offset]]' of a libvips mask, found {header_text[:60]}")
    header = [value.real for value in found[0][1]]
    columns, rows = int(header[0]), int(header[1])
    scale, offset = (*header[2:], *(1.0, 0.0)[len(header) - 2 :])
    if len(found) - 1 != rows:
        raise KernelError(f"expected {rows} rows of {columns} numbers after the header, found {len(found) - 1}")
    for line, row in found[1:]:
        if len(row) != columns:
            raise KernelError(f"expected {columns} numbers in line {line}, found {len(row)}")
        if any(isinstance(value, complex) for value in row):
            raise KernelError(f"expected real numbers in line {line}, found a complex one")
    return [tuple(value / scale for value in row) for _, row in found[1:]], None, offset


def write(kernel: Kernel) -> str:
    """Return the mask, as whole numbers and a scale if they give the same bits.

    Raises:
        KernelError: the weights are complex, or the anchor is not the middle.
    """
    if kernel.is_complex:
        raise KernelError("libvips masks cannot have complex weights; write the kernel as yaml or numpy")
    rows, columns = kernel.shape
    if kernel.anchor != (rows // 2, columns // 2):
        raise KernelError(
            f"libvips masks of this size have the anchor {(rows // 2, columns // 2)}, found {kernel.anchor}; "
            "write the kernel as yaml or imagemagick"
        )
    numbers, scale = over_divisor(kernel)
    lines = [f"{columns} {rows} {scale} {format_number(kernel.delta)}"]
    lines += [" ".join(format_number(value) for value in row) for row in numbers.tolist()]
    return "\n".join(lines) + "\n"


def _is_header(row: tuple[Number, ...]) -> bool:
    if not 2 <= len(row) <= 4 or any(isinstance(value, complex) for value in row):
        return False
    sides = [value.real for value in row[:2]]
    return all(side.is_integer() and 0 < side <= 100_000 for side in sides) and (len(row) < 3 or row[2] != 0)


def _header_matches(first: tuple[Number, ...], others: list[tuple[Number, ...]]) -> bool:
    """Return whether the first row is a header with the width and height of the other rows."""
    return _is_header(first) and len(others) == first[1] and all(len(row) == first[0] for row in others)
