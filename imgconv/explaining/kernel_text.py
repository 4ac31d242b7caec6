"""A kernel as text and as data."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.kernels.kernel import Kernel
from imgconv.kernels.numbers import number_text, size_text

#: Largest number of elements printed as numbers by default; a larger kernel is drawn.
_MOST_NUMBERS = 121
#: Largest number of rows and columns of a drawing.
_MOST_CELLS = 32
#: Marks for weights from near 0 to the largest.
SHADES = "·░▒▓█"
ASCII_SHADES = ".:+%#"

_LABEL = 12


def as_text(kernel: Kernel, width: int = 100, *, numbers: bool = False, shades: str = SHADES) -> str:
    """Return the matrix and the properties of a kernel, in lines of at most `width` characters.

    Args:
        kernel: the kernel.
        width: maximum line length, at least 40.
        numbers: whether to print every weight of a large kernel instead of a drawing; long rows are wrapped.
        shades: five marks for the weights in a drawing, from weak to strong.
    """
    form = kernel.integer_form
    head = f"{kernel.name or 'kernel'}: {size_text(kernel.shape)}"
    if form is not None and form.scale != 1:
        head += f", times {number_text(form.scale)}"
    table = kernel.weights if form is None else form.integers
    lines = _matrix(table, width, numbers=numbers) or _drawing(kernel.weights, width, shades)
    facts = [line for label, value in _facts(kernel, numbers) for line in wrapped(f"{label + ':':{_LABEL}} ", value, width)]
    return "\n".join([*wrapped("", head, width), *lines, "", *facts])


def as_data(kernel: Kernel) -> dict[str, Any]:
    """Return the matrix and the properties of a kernel as plain data, for JSON."""
    factors, form = kernel.factors, kernel.integer_form
    return {
        "name": kernel.name,
        "shape": list(kernel.shape),
        "weights": _plain(kernel.weights),
        "anchor": list(kernel.anchor),
        "delta": kernel.delta,
        "sum": kernel.sum,
        "taps": kernel.taps,
        "rank": kernel.rank,
        "symmetries": list(kernel.symmetries),
        "integers": None if form is None else {"matrix": _plain(form.integers), "scale": str(form.scale)},
        "factors": None
        if factors is None
        else {"column": _plain(factors.column), "row": _plain(factors.row), "scale": str(factors.scale)},
    }


def _facts(kernel: Kernel, numbers: bool) -> list[tuple[str, str]]:
    row, column = kernel.anchor
    facts = [
        ("sum", f"{number_text(kernel.sum)}{_effect_of_sum(kernel)}"),
        ("anchor", f"row {row}, column {column}"),
        ("nonzero", f"{kernel.taps} of {kernel.weights.size} elements"),
        ("rank", f"{kernel.rank}{' (separable)' if kernel.rank == 1 else ''}"),
        ("symmetries", ", ".join(kernel.symmetries) or "none"),
    ]
    if kernel.delta:
        facts.insert(1, ("delta", number_text(kernel.delta)))
    if (factors := kernel.factors) is not None:
        facts += [("column", _factor(factors.column, numbers)), ("row", _factor(factors.row, numbers))]
        if factors.scale != 1:
            facts.append(("scale", number_text(factors.scale)))
    return facts


def _factor(values: NDArray[Any], numbers: bool) -> str:
    if values.size <= _MOST_CELLS or numbers:
        return " ".join(_cells(values))
    return f"{values.size} values, from {number_text(values.min())} to {number_text(values.max())}"


def _effect_of_sum(kernel: Kernel) -> str:
    if kernel.is_complex:
        return ""
    if abs(kernel.sum - 1) < 1e-12:  # a sum of rounded weights
        return " (keeps the brightness)"
    return " (a flat image becomes 0)" if kernel.sum == 0 else ""


def _matrix(table: NDArray[Any], width: int, *, numbers: bool) -> list[str]:
    """Return the rows of the matrix with aligned columns, or an empty list if the kernel is too large."""
    if table.size > _MOST_NUMBERS and not numbers:
        return []
    cells = np.array(_cells(table)).reshape(table.shape)
    widest = max(map(len, cells.flat))
    rows = ["  " + " ".join(cell.rjust(widest) for cell in row) for row in cells]
    if len(rows[0]) <= width:
        return rows
    if not numbers:
        return []
    return [line for row in cells for line in wrapped("  ", " ".join(cell.rjust(widest) for cell in row), width)]


def _drawing(weights: NDArray[Any], width: int, shades: str) -> list[str]:
    """Return a drawing of the matrix with two characters per weight: the shade shows its magnitude, a minus its sign."""
    most = min(_MOST_CELLS, (width - 2) // 2)
    down, across = (-(-length // most) for length in weights.shape)
    weights = np.abs(weights) if weights.dtype.kind == "c" else weights
    rows, columns = -(-weights.shape[0] // down), -(-weights.shape[1] // across)
    padded = np.zeros((rows * down, columns * across))
    padded[: weights.shape[0], : weights.shape[1]] = weights
    blocks = padded.reshape(rows, down, columns, across).swapaxes(1, 2).reshape(rows, columns, down * across)
    strongest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[..., None], axis=2)[..., 0]
    largest = np.abs(strongest).max() or 1.0
    levels = np.ceil(np.abs(strongest) / largest * (len(shades) - 1) - 0.02).astype(int)

    def cell(value: float, level: int) -> str:
        shade = shades[level]
        return "  " if value == 0 else f"-{shade}" if value < 0 else f" {shade}" if level == 0 else shade * 2

    lines = [f"  {''.join(map(cell, *row))}".rstrip() for row in zip(strongest, levels, strict=True)]
    unit = "" if down * across == 1 else f"; each mark is the largest of {down} x {across} weights"
    signs = "; - is negative" if weights.min() < 0 else ""
    return [*lines, *wrapped("  ", f"({shades[-1] * 2} is {number_text(largest)}{signs}{unit})", width)]


def _cells(values: NDArray[Any]) -> list[str]:
    """Return numbers as text, row by row, with as many decimals as give the largest one four digits."""
    flat = values.ravel()
    if values.dtype.kind != "c" and np.array_equal(flat, np.rint(flat)) and np.abs(flat).max() < 2**53:
        return [str(int(value)) for value in flat]
    if values.dtype.kind == "c" or not flat.any():
        return [number_text(value) for value in flat]
    digits = 4 - int(np.floor(np.log10(np.abs(flat).max()))) - 1
    if not 0 <= digits <= 12:
        return [f"{value:.3e}" for value in flat]
    texts = [f"{value:.{digits}f}" for value in flat]
    return ["0" if value == 0 else text for value, text in zip(flat, texts, strict=True)]


def wrapped(label: str, text: str, width: int) -> list[str]:
    """Return a label and its text in lines of at most `width` characters."""
    filled = textwrap.TextWrapper(
        width, initial_indent=label, subsequent_indent=" " * len(label), break_long_words=False, break_on_hyphens=False
    )
    return filled.wrap(text) or [label.rstrip()]


def _plain(table: NDArray[Any]) -> Any:
    """Return nested lists; a table of whole numbers becomes integers."""
    if table.dtype.kind != "c" and np.array_equal(table, np.rint(table)) and np.abs(table).max() < 2**53:
        return table.astype(np.int64).tolist()
    return table.tolist()
