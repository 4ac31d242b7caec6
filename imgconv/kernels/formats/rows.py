"""Rows of numbers: rows separated by line breaks or `;`, numbers by spaces or commas, with comments after `#`.

In a file of several lines, single numbers separated by `;` are the cells of a spreadsheet, in which a comma is a decimal sign.
"""

from __future__ import annotations

from imgconv.errors import KernelError
from imgconv.kernels.literals import Number, parse_row

#: The result of a reader: weights, anchor (row, column) or None for the middle, and delta.
Parts = tuple[list[tuple[Number, ...]], tuple[int, int] | None, float]


def read(text: str) -> Parts:
    """Return the parts of a kernel from a text without comments."""
    found = numbered(text)
    if not found:
        raise KernelError("expected rows of numbers, found none")
    for line, row in found:
        if len(row) != len(found[0][1]):
            reason = f"has {len(row)} numbers, but the row in line {found[0][0]} has {len(found[0][1])}"
            raise KernelError(f"the row in line {line} {reason}")
    return [row for _, row in found], None, 0.0


def numbered(text: str) -> list[tuple[int, tuple[Number, ...]]]:
    """Return (line, numbers) for each non-empty row; lines are counted from 1.

    Raises:
        KernelError: a word is not a number, or `;` may separate rows as well as the cells of a spreadsheet.
    """
    lines = [(number, content.strip().rstrip(";")) for number, content in enumerate(text.split("\n"), start=1)]
    lines = [(number, content) for number, content in lines if content.strip()]
    pieces = [piece.strip() for _, content in lines if ";" in content for piece in content.split(";")]
    if pieces and all(map(_is_cell, pieces)):
        if len(lines) == 1:
            raise KernelError(
                "ambiguous: `;` separates rows, or the cells of one row; separate numbers by spaces, and rows by line breaks"
            )
        return [(number, _row(content.replace(",", ".").replace(";", " "), number)) for number, content in lines]
    # Spreadsheets may end rows with a comma.
    rows = [(number, piece.strip().removesuffix(",")) for number, content in lines for piece in content.split(";")]
    return [(number, _row(row, number)) for number, row in rows if row.strip()]


def _is_cell(piece: str) -> bool:
    """Return whether a text can be a cell of a spreadsheet: one number, perhaps with a decimal comma."""
    return not any(map(str.isspace, piece)) and piece.count(",") <= 1


def _row(words: str, line: int) -> tuple[Number, ...]:
    try:
        return parse_row(words)
    except KernelError as error:
        raise KernelError(f"line {line}, {error}") from None
