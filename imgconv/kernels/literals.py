"""Numbers as the notation, the catalog and the file formats write them, and the errors for what is no number."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from imgconv.errors import KernelError

#: A weight as it is written: a float, or a complex number.
Number = float | complex

# No two parts of this pattern can take the same digits, so that a long run of them is read in one pass.
_REAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_FRACTION = re.compile(rf"({_REAL})(?:/({_REAL}))?")
_COMPLEX = re.compile(rf"(?:{_REAL}(?=[+-]))?(?:{_REAL}|[+-]?)[ij]")


def parse_number(text: str) -> Number:
    """Read a number as the notation writes it: `3`, `-0.5`, `1/9`, `1+2j`.

    Raises:
        KernelError: the text is no number, or one that a double does not hold.

    >>> parse_number("1/4"), parse_number("1-2j")
    (0.25, (1-2j))
    """
    if _COMPLEX.fullmatch(text):
        value = complex(text.replace("i", "j"))
        if math.isfinite(value.real) and math.isfinite(value.imag):
            return value
        raise KernelError(f"the number {quoted(text)} is too large")
    above, below = parse_fraction(text)
    return above / below


def parse_fraction(text: str) -> tuple[float, float]:
    """Read a real number or a fraction as (numerator, denominator).

    Raises:
        KernelError: as `parse_number`, and for a denominator of 0.
    """
    match = _FRACTION.fullmatch(text)
    if not match:
        raise KernelError(f"expected a number such as 1, -0.5, 1/9 or 1+2j, found {quoted(text)}")
    above, below = float(match[1]), float(match[2] or 1)
    if below == 0:
        raise KernelError(f"the fraction {quoted(text)} divides by 0")
    if not (math.isfinite(above) and math.isfinite(below) and math.isfinite(above / below)):
        raise KernelError(f"the number {quoted(text)} is too large")
    return above, below


def parse_row(text: str) -> tuple[Number, ...]:
    """Read numbers parted by spaces or commas.

    Raises:
        KernelError: a place holds no number; the message counts the numbers from 1.
    """
    numbers = []
    for place, word in enumerate(re.split(r"\s*,\s*|\s+", text.strip()), start=1):
        try:
            numbers.append(parse_number(word))
        except KernelError as error:
            raise KernelError(f"number {place}: {error}") from None
    return tuple(numbers)


def check_rectangle(rows: Sequence[Sequence[object]]) -> None:
    """Refuse rows of different lengths.

    Raises:
        KernelError: there are no rows or an empty one, or row n is longer or shorter than the first.
    """
    if not rows:
        raise KernelError("expected rows of numbers, found none")
    for place, row in enumerate(rows, start=1):
        if not row:
            raise KernelError(f"row {place} is empty")
        if len(row) != len(rows[0]):
            raise KernelError(f"row {place} has {len(row)} numbers where row 1 has {len(rows[0])}")


def format_number(value: Number) -> str:
    """Write a number so that `parse_number` gives the same bits.

    >>> format_number(3.0), format_number(0.1), format_number(1 - 2j)
    ('3', '0.1', '1-2j')
    """
    if isinstance(value, complex):
        imaginary = format_number(value.imag)
        return f"{format_number(value.real)}{imaginary if imaginary.startswith('-') else '+' + imaginary}j"
    value = float(value)
    if value.is_integer() and abs(value) < 1e15 and math.copysign(1, value) == (1 if value >= 0 else -1):
        return str(int(value))
    return repr(value)


def quoted(text: object, limit: int = 60) -> str:
    """Return what was found, on one line and short enough for a message."""
    try:
        shown = repr(text)
    except ValueError:  # Python refuses to write out an integer of thousands of digits
        shown = f"a {type(text).__name__} of thousands of digits"
    return shown if len(shown) <= limit else f"{shown[: limit - 2]}…{shown[-1]}"


def shown(text: str, limit: int = 4096) -> str:
    """Return a name or a path as a message calls it: as it is, or quoted where it would take more than a line or is long.

    >>> shown("a b.txt"), shown("a\\nb.txt")
    ('a b.txt', "'a\\\\nb.txt'")
    """
    return text if len(text) <= limit and text.isprintable() else quoted(text, limit)
