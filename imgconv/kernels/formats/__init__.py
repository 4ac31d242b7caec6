"""Kernel formats of other programs: reading from a file, and writing as text, with one module per format.

Written kernels are laid on the image as written (correlation) and are exact to the last bit. A kernel that a format cannot
represent exactly is rejected.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from imgconv.errors import KernelError
from imgconv.kernels.formats import arrays, catalog_yaml, ffmpeg, imagemagick, numpy_source, rows, vips
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.literals import printable, quoted
from imgconv.kernels.yaml_tree import as_text, read_bytes
from imgconv.vocabulary import suggestion

#: The writers by name of the format.
WRITERS: Mapping[str, Callable[[Kernel], str]] = MappingProxyType(
    {
        "yaml": catalog_yaml.write,
        "imagemagick": imagemagick.write,
        "vips": vips.write,
        "ffmpeg": ffmpeg.write,
        "numpy": numpy_source.write,
    }
)


#: Maximum number of numbers, and of lines, in a kernel file: 2048 x 2048.
MAX_NUMBERS = 2**22

_NUMBER = re.compile(r"[^\s,;]+")


def read_kernel_file(path: str | os.PathLike[str]) -> Kernel:
    """Return the kernel in a file, named `@path`.

    The format is detected from the content: a NumPy array, a grey picture, or text. Of the texts, an ImageMagick string has
    `WxH:` before the numbers, a libvips mask has a first line with its width and height, and anything else is rows of numbers.
    A file with the extension `.mat` is always a libvips mask.

    Raises:
        KernelError: the file cannot be read, or its content is in none of the formats; the message gives the position.
    """
    name = os.fspath(path)
    data = read_bytes(path, "kernel file")
    is_array = arrays.matches(data)
    text = "" if is_array else _without_comments(as_text(data, path, "kernel file"))
    try:
        if is_array:
            return Kernel(arrays.read(data, MAX_NUMBERS), name=f"@{name}")
        _check_count(text)
        if ":" in text:
            weights, anchor, delta = imagemagick.read(text)
        elif vips.matches(text, name):
            weights, anchor, delta = vips.read(text)
        else:
            weights, anchor, delta = rows.read(text)
        return Kernel(weights, anchor, f"@{name}", delta)
    except KernelError as error:
        hint = "; load a catalog with load_catalog or IMGCONV_KERNELS" if name.lower().endswith((".yaml", ".yml")) else ""
        raise KernelError(f"{printable(name)}: {error}{hint}") from None


def format_kernel(kernel: Kernel, form: str) -> str:
    """Return the kernel as text in the format `form`, one of `WRITERS`, ending with a newline.

    Raises:
        KernelError: the format is unknown or cannot represent this kernel exactly; the message gives the reason.
    """
    writer = WRITERS.get(form)
    if writer is None:
        raise KernelError(f"unknown format {quoted(form)}{suggestion(form, WRITERS)}; choose one of {', '.join(WRITERS)}")
    return writer(kernel)


def _without_comments(text: str) -> str:
    """Return the text without comments (from `#` to the end of a line); lines are kept for correct line numbers."""
    return "\n".join(line.split("#", 1)[0] for line in text.splitlines())


def _check_count(text: str) -> None:
    """Reject a text with more numbers than a kernel may have, before it is parsed."""
    lines = text.count("\n")
    if lines > MAX_NUMBERS or any(count > MAX_NUMBERS for count, _ in enumerate(_NUMBER.finditer(text), start=1)):
        unit = "lines" if lines > MAX_NUMBERS else "numbers"
        raise KernelError(f"the file has more than {MAX_NUMBERS:,} {unit}; reduce the kernel")
