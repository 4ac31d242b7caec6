"""A kernel as a catalog file, for `load_catalog`."""

from __future__ import annotations

import json
import re

from imgconv.kernels.formats.whole_numbers import exact_form
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.literals import Number, format_number
from imgconv.kernels.notation import NAME


def write(kernel: Kernel) -> str:
    """Return a catalog with this kernel. All kernels are supported; an invalid name is converted to a valid one."""
    form = exact_form(kernel)
    numbers = kernel.weights if form is None else form[0]
    lines = ["kernels:", f"  {_entry_name(kernel.name)}:"]
    if kernel.name:
        lines.append(f"    about: {json.dumps(kernel.name)}")
    lines.append("    matrix:")
    lines += ["      - [" + ", ".join(_scalar(value) for value in row) + "]" for row in numbers.tolist()]
    if form is not None and form[1:] != (1, 1):
        lines.append(f"    scale: {form[1]}/{form[2]}" if form[2] != 1 else f"    scale: {form[1]}")
    rows, columns = kernel.shape
    if kernel.anchor != (rows // 2, columns // 2):
        lines.append(f"    anchor: [{kernel.anchor[0]}, {kernel.anchor[1]}]")
    if kernel.delta:
        lines.append(f"    delta: {_scalar(kernel.delta)}")
    return "\n".join(lines) + "\n"


def _entry_name(name: str) -> str:
    shaped = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:100]
    return shaped if NAME.fullmatch(shaped) else f"kernel-{shaped}"[:100].rstrip("-")


def _scalar(value: Number) -> str:
    """Return a number for any YAML parser: exponents get the decimal point that YAML 1.1 needs, complex numbers quotes."""
    text = format_number(value)
    if isinstance(value, complex):
        return f'"{text}"'
    return text.replace("e", ".0e") if "e" in text and "." not in text else text
