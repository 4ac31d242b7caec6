"""Rows of numbers: one row a line (or parted by `;`), numbers parted by spaces or commas, `#` before a comment."""

from __future__ import annotations

from imgconv.errors import KernelError
from imgconv.kernels.literals import Number, parse_row

#: Weights, anchor (row, column) or None for the middle, and delta: what every reader returns.
Parts = tuple[list[tuple[Number, ...]], tuple[int, int] | None, float]


def read(text: str) -> Parts:
    """Return the weights in a text without comments."""
    found = numbered(text)
    if not found:
        raise KernelError("expected rows of numbers, found none")
    for line, row in found:
        if len(row) != len(found[0][1]):
            reason = f"has {len(row)} numbers where the row in line {found[0][0]} has {len(found[0][1])}"
            raise KernelError(f"the row in line {line} {reason}")
    return [row for _, row in found], None, 0.0


def numbered(text: str) -> list[tuple[int, tuple[Number, ...]]]:
    """Return (line, numbers) for each row that is not empty; lines count from 1."""
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
