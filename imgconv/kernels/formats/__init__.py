"""Kernels as other programs write them: read from a file, and written as text.

One module a format. Whatever is written is laid on the image as written (correlation), and holds the kernel to the
last bit or is refused: a kernel that changes on its way is worse than none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from imgconv.errors import KernelError
from imgconv.kernels.formats import catalog_yaml, ffmpeg, imagemagick, numpy_source, rows, vips
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.literals import quoted, shown
from imgconv.kernels.yaml_tree import read_text
from imgconv.vocabulary import suggestion

#: The formats that a kernel is written in: name, and the function that writes it.
WRITERS: Mapping[str, Callable[[Kernel], str]] = MappingProxyType(
    {
        "yaml": catalog_yaml.write,
        "imagemagick": imagemagick.write,
        "vips": vips.write,
        "ffmpeg": ffmpeg.write,
        "numpy": numpy_source.write,
    }
)


#: Most numbers, and most lines, that a kernel file holds: 2048 x 2048.
MAX_NUMBERS = 2**22

_NUMBER = re.compile(r"[^\s,;]+")


def read_kernel_file(path: str | os.PathLike[str]) -> Kernel:
    """Return the kernel in a text file, its name `@path`.

    The content decides the format: an ImageMagick string has `WxH:` before the numbers, a libvips mask
    has a first line with its width and height, and everything else is rows of numbers. A file named `.mat` is a
    libvips mask.

    Raises:
        KernelError: the file cannot be read, or its content is in none of the formats; the message says where.
    """
    name = os.fspath(path)
    text = _without_comments(read_text(path, "kernel file"))
    try:
        _check_count(text)
        if ":" in text:
            weights, anchor, delta = imagemagick.read(text)
        elif vips.matches(text, name):
            weights, anchor, delta = vips.read(text)
        else:
            weights, anchor, delta = rows.read(text)
        return Kernel(weights, anchor, f"@{name}", delta)
    except KernelError as error:
        hint = "; a catalog is loaded by load_catalog or IMGCONV_KERNELS" if name.lower().endswith((".yaml", ".yml")) else ""
        raise KernelError(f"{shown(name)}: {error}{hint}") from None


def format_kernel(kernel: Kernel, form: str) -> str:
    """Return the kernel as text in a format of another program, one of `WRITERS`, with a newline at its end.

    Raises:
        KernelError: no such format, or one that cannot hold this kernel without loss; the message says why.
    """
    writer = WRITERS.get(form)
    if writer is None:
        raise KernelError(f"unknown format {quoted(form)}{suggestion(form, WRITERS)}; choose one of {', '.join(WRITERS)}")
    return writer(kernel)


def _without_comments(text: str) -> str:
    """Return the text without what follows a `#`; the lines stay, so that messages count them rightly."""
    return "\n".join(line.split("#", 1)[0] for line in text.splitlines())


def _check_count(text: str) -> None:
    """Refuse a text of more numbers than a kernel would have, before there is a value in memory for each of them."""
    lines = text.count("\n")
    if lines > MAX_NUMBERS or any(count > MAX_NUMBERS for count, _ in enumerate(_NUMBER.finditer(text), start=1)):
        what = "lines" if lines > MAX_NUMBERS else "numbers"
        raise KernelError(f"it holds more than {MAX_NUMBERS:,} {what}; make the kernel smaller")
