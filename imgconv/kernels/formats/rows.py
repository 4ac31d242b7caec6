"""Rows of numbers: rows separated by line breaks or `;`, numbers by spaces or commas, with comments after `#`."""

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
    """Return (line, numbers) for each non-empty row; lines are counted from 1."""
    found = []
    for line, content in enumerate(text.split("\n"), start=1):
        for piece in content.split(";"):
            # Spreadsheets end rows with a comma.
            words = piece.strip().removesuffix(",")
            if not words.strip():
                continue
            try:
                found.append((line, parse_row(words)))
            except KernelError as error:
                raise KernelError(f"line {line}, {error}") from None
    return found
