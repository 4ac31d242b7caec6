"""Parsing and formatting of numbers for the notation, the catalog and the file formats; quoting of values in messages."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from imgconv.errors import KernelError

#: The value of a weight: a float, or a complex number.
Number = float | complex

#: The factor of all weights as (numerator, denominator); None to divide them by their sum, written 1/sum.
Scale = tuple[float, float] | None
PER_SUM = "1/sum"

# No two parts of this pattern can match the same digits, so that long runs of digits need no backtracking.
_REAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_FRACTION = re.compile(rf"({_REAL})(?:/({_REAL}))?")
_COMPLEX = re.compile(rf"(?:{_REAL}(?=[+-]))?(?:{_REAL}|[+-]?)[ij]")


def parse_number(text: str) -> Number:
    """Parse a number of the notation: `3`, `-0.5`, `1/9`, `1+2j`.

    Raises:
        KernelError: the text is not a number, or exceeds the range of a double.

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
    """Parse a real number or a fraction as (numerator, denominator).

    Raises:
        KernelError: as for `parse_number`, or the denominator is 0.
    """
    match = _FRACTION.fullmatch(text)
    if not match:
        raise KernelError(f"expected a number such as 1, -0.5, 1/9 or 1+2j, found {quoted(text)}")
    above, below = float(match[1]), float(match[2] or 1)
    if below == 0:
        raise KernelError(f"the fraction {quoted(text)} has a denominator of 0")
    if not (math.isfinite(above) and math.isfinite(below) and math.isfinite(above / below)):
        raise KernelError(f"the number {quoted(text)} is too large")
    return above, below


def parse_row(text: str) -> tuple[Number, ...]:
    """Parse numbers separated by spaces or commas.

    Raises:
        KernelError: a word is not a number; the message gives its position, counted from 1.
    """
    numbers = []
    for place, word in enumerate(re.split(r"\s*,\s*|\s+", text.strip()), start=1):
        try:
            numbers.append(parse_number(word))
        except KernelError as error:
            raise KernelError(f"number {place}: {error}") from None
    return tuple(numbers)


def parse_scale(text: str) -> Scale:
    """Parse the factor of all weights: a number, a fraction, or `1/sum`.

    Raises:
        KernelError: it is 0, or neither a number, a fraction nor 1/sum.
    """
    if text == PER_SUM:
        return None
    above, below = parse_fraction(text)
    if above == 0:
        raise KernelError("scale must not be 0")
    return above, below


def parse_anchor(text: str) -> tuple[int, int]:
    """Parse a row and a column, counted from 0: `0 1`, `0,1` or `(0, 1)`.

    Raises:
        KernelError: the text is something else.
    """
    bare = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    words = re.split(r"\s*,\s*|\s+", bare.strip())
    if len(words) != 2 or not all(re.fullmatch(r"[0-9]{1,9}", word) for word in words):
        raise KernelError(f"anchor must be a row and a column counted from 0, such as anchor=0 1, found {quoted(text)}")
    return int(words[0]), int(words[1])


def check_rectangle(rows: Sequence[Sequence[object]]) -> None:
    """Check that rows form a matrix.

    Raises:
        KernelError: there are no rows, a row is empty, or the rows differ in length.
    """
    if not rows:
        raise KernelError("expected rows of numbers, found none")
    for place, row in enumerate(rows, start=1):
        if not row:
            raise KernelError(f"row {place} is empty")
        if len(row) != len(rows[0]):
            numbers = f"{len(row)} number{'s' * (len(row) != 1)}"
            raise KernelError(f"row {place} has {numbers}, but row 1 has {len(rows[0])}")


def format_number(value: Number) -> str:
    """Return a number as text from which `parse_number` restores the same bits.

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


def format_adjustments(scale: Scale, anchor: tuple[int, int] | None, delta: float) -> str:
    """Return the scale, anchor and delta of a matrix or a file in the notation, with the colon; "" for the defaults.

    >>> format_adjustments((1.0, 9.0), (0, 1), 0.0)
    ':scale=1/9,anchor=0 1'
    """
    found = []
    if scale is None:
        found.append(f"scale={PER_SUM}")
    elif scale != (1.0, 1.0):
        above, below = map(format_number, scale)
        found.append(f"scale={above}" if below == "1" else f"scale={above}/{below}")
    if anchor is not None:
        found.append(f"anchor={anchor[0]} {anchor[1]}")
    if delta:
        found.append(f"delta={format_number(delta)}")
    return ":" + ",".join(found) if found else ""


def quoted(text: object, limit: int = 60) -> str:
    """Return the representation of a value for a message, on one line and truncated to `limit` characters."""
    try:
        result = repr(text)
    except ValueError:  # Python does not format integers of thousands of digits
        result = f"a {type(text).__name__} of thousands of digits"
    return result if len(result) <= limit else f"{result[: limit - 2]}…{result[-1]}"


def printable(text: str, limit: int = 4096) -> str:
    """Return a name or a path for a message: unchanged if it is printable and not too long, else quoted.

    >>> printable("a b.txt"), printable("a\\nb.txt")
    ('a b.txt', "'a\\\\nb.txt'")
    """
    return text if len(text) <= limit and text.isprintable() else quoted(text, limit)
