"""The types of the values that options take."""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

import click

from imgconv.errors import ImgconvError, UsageError
from imgconv.vocabulary import BORDERS, COMPRESSIONS, canonical

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Value = TypeVar("Value")

#: Characters of the longest list of words that help shows in place of a value; longer ones stand in the help text.
_LONGEST_LIST = 20


class Parsed(click.ParamType[Value]):
    """A value that a function makes of the text on the command line.

    Args:
        metavar: how help shows the value.
        parse: returns the value of a text, or raises a `ValueError` (`UsageError` is one) with what was expected.
        words: the words that complete the text of a value, after the last comma.
    """

    def __init__(self, metavar: str, parse: Callable[[str], Value], words: Iterable[str] = ()) -> None:
        self.name, self._metavar, self._parse, self._words = metavar, metavar, parse, tuple(words)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Value:
        if not isinstance(value, str):  # a default
            return value  # type: ignore[no-any-return]
        try:
            return self._parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)
        except (ValueError, ArithmeticError) as error:
            self.fail(f"expected {error}, found {value!r}", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from click.shell_completion import CompletionItem

        before, comma, _ = incomplete.rpartition(",")
        found = (f"{before}{comma}{word}" for word in self._words)
        return [CompletionItem(word) for word in found if word.startswith(incomplete)]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return self._metavar


def completed_by(function: str) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Return a function that completes a word by a function of the module `completion`, which is imported on use."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        with contextlib.suppress(ImgconvError):  # such as a damaged catalog; the command reports it
            return getattr(importlib.import_module("imgconv.cli.completion"), function)(ctx, incomplete)
        return []

    return complete


def word(table: Mapping[str, tuple[str, ...]], name: str) -> Parsed[str]:
    """Return the type for a word of a closed list, or an alias of it; help shows a short list in place of the value."""
    listed = "|".join(table)
    return Parsed(listed if len(listed) <= _LONGEST_LIST else name.upper(), lambda text: canonical(text, table, name), table)


def whole_pair(metavar: str, least: int, *, single: bool = True) -> Parsed[tuple[int, int]]:
    """Return the type for two whole numbers (down the rows, across the columns), or one for both."""

    def parse(text: str) -> tuple[int, int]:
        numbers = _whole_numbers(text)
        if len(numbers) == 1 and single:
            numbers *= 2
        if len(numbers) != 2 or min(numbers) < least:
            raise ValueError(f"{metavar}, whole numbers from {least} up")
        return numbers[0], numbers[1]

    return Parsed(metavar, parse)


def whole(metavar: str, least: int, most: int) -> Parsed[int]:
    """Return the type for a whole number from `least` to `most`."""

    def parse(text: str) -> int:
        number = int(text) if _is_whole(text) else least - 1
        if not least <= number <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return number

    return Parsed(metavar, parse)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _whole_numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    return [int(part) for part in parts] if all(_is_whole(part.removeprefix("-")) for part in parts) else []


def size(least: int, most: int) -> Parsed[tuple[int, ...]]:
    """Return the type for the size of an image: from `least` to `most` of rows, columns and channels."""
    form = "ROWSxCOLUMNS" + "[xBANDS]" * (most == 3)

    def parse(text: str) -> tuple[int, ...]:
        parts = text.lower().split("x")
        if not least <= len(parts) <= most or not all(_is_whole(p) and int(p) for p in parts):
            raise ValueError(f"{form}, whole numbers from 1 up such as 3000x4000")
        return tuple(map(int, parts))

    return Parsed(form, parse)


def _borders(text: str) -> tuple[str, str]:
    words = text.split(",")
    if len(words) > 2:
        raise ValueError("one border, or one down and one across")
    names = [canonical(word, BORDERS, "border") for word in words]
    return names[0], names[-1]


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(_fraction(part)) if "/" in part else float(part) for part in text.split(","))
    except (ValueError, ArithmeticError):
        raise ValueError("a number, or one per channel separated by commas") from None


def _fraction(text: str) -> Fraction:
    """Return a number exactly. Large exponents, which would take all memory, are a `ValueError`."""
    exponent = text.lower().partition("e")[2].lstrip("+-0")
    if len(text) > 100 or len(exponent) > 3 or not text.isascii() or "_" in text:
        raise ValueError
    return Fraction(text)


def _ratio(text: str) -> Fraction:
    try:
        number = _fraction(text)  # exact: 0.1 and 1/9 are these fractions
        float(number)
        return number
    except (ValueError, ArithmeticError):
        raise ValueError("a number or a fraction such as 1/9") from None


def _pages(text: str) -> Any:
    from imgconv.images.pages import parse_page_range

    return parse_page_range(text)


_CHANNELS: dict[str, int | str] = {
    **dict.fromkeys(("red", "r", "gray", "grey"), 0),
    **dict.fromkeys(("green", "g"), 1),
    **dict.fromkeys(("blue", "b"), 2),
    **dict.fromkeys(("alpha", "a"), "alpha"),
}


def _channels(text: str) -> tuple[int | str, ...]:
    words = [word.strip().lower() for word in text.split(",")]
    found = [_CHANNELS.get(word, int(word) if word.isascii() and word.isdecimal() else -1) for word in words]
    if -1 in found or len({*found}) < len(found):
        raise ValueError("red, green, blue, alpha or numbers from 0, separated by commas, each once")
    return tuple(found)


def _compression(text: str) -> str:
    if text in tuple("0123456789"):
        return text
    try:
        return canonical(text, COMPRESSIONS, "compression")
    except UsageError as error:
        raise UsageError(f"{error}, or a level from 0 to 9") from None


def _level(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("a level, or nan") from None


def _region(text: str) -> tuple[int, ...]:
    numbers = _whole_numbers(text)
    if len(numbers) != 4:
        raise ValueError("row, column, rows and columns: four whole numbers such as 100,200,50,80")
    return tuple(numbers)


_COLOURS = {"black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#00ff00", "blue": "#0000ff"}


def _colour(text: str) -> tuple[float, ...]:
    code = _COLOURS.get(text.strip().lower(), text.strip())
    if re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        return tuple(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    raise ValueError(f"{', '.join(_COLOURS)}, or a colour such as #ff8000")


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= float(text) < float("inf"):
            return float(text)
    raise ValueError("a number of seconds from 0 up")


def _count(text: str, unit: int, least: int) -> int:
    """Return a whole number, in full or with k, M, G or T for powers of `unit`."""
    text = text.strip()
    power = max(" kmgt".find(text[-1:].lower()), 0) if text else 0
    try:
        exact = _fraction(text[:-1] if power else text) * unit**power
        number = -1 if 0 < exact < 1 else int(exact)
    except (ValueError, ZeroDivisionError):
        number = -1
    if number < least:
        raise ValueError(f"a number from {least} up, such as 500M")
    return number


borders = Parsed("BORDER[,BORDER]", _borders, BORDERS)
numbers = Parsed("V[,V...]", _numbers)
ratio = Parsed("NUMBER", _ratio)
pages = Parsed("N[-N][,...]", _pages)
channels = Parsed("CHANNEL[,...]", _channels, ("red", "green", "blue", "alpha"))
compression = Parsed("COMPRESSION", _compression, COMPRESSIONS)
level = Parsed("LEVEL", _level)
region = Parsed("ROW,COL,ROWS,COLS", _region)
colour = Parsed("COLOUR", _colour, _COLOURS)
seconds = Parsed("SECONDS", _seconds)
pixel_count = Parsed("N", lambda text: _count(text, 1000, 1))
byte_size = Parsed("SIZE", lambda text: _count(text, 1024, 0))
