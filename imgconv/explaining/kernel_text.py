"""A kernel as text and as data."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.kernels.kernel import Kernel

# Beyond these a matrix does not fit on a screen; its middle is shown.
_ROWS, _COLUMNS = 25, 15


def as_text(kernel: Kernel) -> str:
    """Return the matrix and what is to be known of it, in lines."""
    rows, columns = kernel.shape
    form = kernel.integer_form
    table = kernel.weights if form is None else form.integers
    head = f"{kernel.name or 'kernel'}: {rows} x {columns}"
    scaled = form is not None and form.scale != 1
    lines = [f"{head}, times {number_text(form.scale)}" if scaled and form else head, *_matrix(table), ""]
    lines += [f"{label + ':':13}{value}" for label, value in _facts(kernel)]
    return "\n".join(lines)


def as_data(kernel: Kernel) -> dict[str, Any]:
    """Return the matrix and what is to be known of it as plain data, for JSON."""
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


def _facts(kernel: Kernel) -> list[tuple[str, str]]:
    row, column = kernel.anchor
    facts = [
        ("sum", f"{number_text(kernel.sum)}{_sum_means(kernel)}"),
        ("anchor", f"row {row}, column {column}"),
        ("taps", f"{kernel.taps} of {kernel.weights.size} are not zero"),
        ("rank", f"{kernel.rank}{' (separable)' if kernel.rank == 1 else ''}"),
        ("symmetric", ", ".join(kernel.symmetries) or "no"),
    ]
    if kernel.delta:
        facts.insert(1, ("delta", number_text(kernel.delta)))
    if (factors := kernel.factors) is not None:
        facts += [("column", _vector(factors.column)), ("row", _vector(factors.row))]
        if factors.scale != 1:
            facts.append(("scale", number_text(factors.scale)))
    return facts


def _sum_means(kernel: Kernel) -> str:
    if kernel.is_complex:
        return ""
    if abs(kernel.sum - 1) < 1e-12:  # a sum of rounded weights
        return " (keeps the brightness)"
    return " (nothing is left of a flat image)" if kernel.sum == 0 else ""


def _matrix(table: NDArray[Any]) -> list[str]:
    """Return the rows of the matrix, its columns aligned; of a large one, the middle."""
    down, across = _middle(table.shape[0], _ROWS), _middle(table.shape[1], _COLUMNS)
    cells = [[number_text(value) for value in row] for row in table[down, across]]
    width = max(len(cell) for row in cells for cell in row)
    lines = ["  " + " ".join(cell.rjust(width) for cell in row) for row in cells]
    if table.shape[0] > _ROWS or table.shape[1] > _COLUMNS:
        lines.append(f"  (the middle {len(cells)} x {len(cells[0])}; the JSON has all)")
    return lines


def _middle(length: int, most: int) -> slice:
    if length <= most:
        return slice(0, length)
    start = (length - most) // 2
    return slice(start, start + most)


def _vector(values: NDArray[np.float64]) -> str:
    shown = " ".join(number_text(value) for value in values[:_COLUMNS])
    return f"{shown} ... ({values.size} values)" if values.size > _COLUMNS else shown


def number_text(value: Any) -> str:
    """Return a number as text, six digits at most; a fraction as such where it is short."""
    if isinstance(value, Fraction):
        return str(value) if len(str(value)) <= 24 else f"{float(value):.6g}"
    if isinstance(value, complex | np.complexfloating):
        return f"{value.real:g}{value.imag:+g}j"
    return f"{value:.6g}"


def size_text(shape: Sequence[int]) -> str:
    """Return a shape as text: `3 x 4`."""
    return " x ".join(map(str, shape))


def _plain(table: NDArray[Any]) -> Any:
    """Return nested lists, whole numbers as integers."""
    if table.dtype.kind != "c" and np.array_equal(table, np.rint(table)) and np.abs(table).max() < 2**53:
        return table.astype(np.int64).tolist()
    return table.tolist()
