"""The kinds of value that options take."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

import click

from imgconv.errors import UsageError
from imgconv.vocabulary import COMPRESSIONS, canonical

if TYPE_CHECKING:
    from imgconv.images.pages import PageRange


class Word(click.ParamType[str]):
    """A word of one of the closed lists, or an alias of it."""

    def __init__(self, table: Mapping[str, tuple[str, ...]], what: str) -> None:
        self.table = table
        self.name = what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return canonical(value, self.table, self.name)
        except UsageError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "|".join(self.table)


class Borders(click.ParamType[tuple[str, ...]]):
    """A border, or one down and one across."""

    name = "border"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        from imgconv.vocabulary import BORDERS

        words = value.split(",") if isinstance(value, str) else list(value)
        if len(words) > 2:
            self.fail(f"one border, or one down and one across, found {value!r}", param, ctx)
        try:
            names = [canonical(word, BORDERS, "border") for word in words]
        except UsageError as error:
            self.fail(str(error), param, ctx)
        return names[0], names[-1]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "BORDER[,BORDER]"


class WholePair(click.ParamType[tuple[int, int]]):
    """One whole number, or two: down the rows, across the columns."""

    name = "n or rows,columns"

    def __init__(self, metavar: str, least: int, *, single: bool = True) -> None:
        self.metavar, self.least, self.single = metavar, least, single

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = [int(part) for part in str(value).split(",")]
        except ValueError:
            numbers = []
        if len(numbers) == 1 and self.single:
            numbers *= 2
        if len(numbers) != 2 or min(numbers) < self.least:
            self.fail(f"expected {self.metavar}, whole numbers from {self.least} up, found {value!r}", param, ctx)
        return numbers[0], numbers[1]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return self.metavar


class Size(click.ParamType[tuple[int, ...]]):
    """The size of an image: rows, columns and, where they are asked for, channels."""

    name = "size"

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = str(value).lower().split("x")
        if not self.least <= len(parts) <= self.most or not all(p.isascii() and p.isdecimal() and int(p) for p in parts):
            form = self._form()
            self.fail(f"expected {form}, whole numbers from 1 up such as 3000x4000, found {value!r}", param, ctx)
        return tuple(map(int, parts))

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return self._form()

    def _form(self) -> str:
        return "ROWSxCOLUMNS" + "[xCHANNELS]" * (self.most == 3)


class Numbers(click.ParamType[tuple[float, ...]]):
    """One number, or several parted by commas."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(Fraction(part)) if "/" in part else float(part) for part in str(value).split(","))
        except (ValueError, ZeroDivisionError):
            self.fail(f"expected a number, or one per channel parted by commas, found {value!r}", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "V[,V...]"


class Ratio(click.ParamType[Fraction]):
    """A finite number, kept exact: `0.1` and `1/9` are the fractions that they say."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        try:
            number = Fraction(str(value))
            float(number)  # what has to become one, somewhere on the way
            return number
        except (ValueError, ZeroDivisionError, OverflowError):
            self.fail(f"expected a number or a fraction such as 1/9, found {value!r}", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "NUMBER"


class Pages(click.ParamType["PageRange"]):
    """Pages or frames, and ranges of them."""

    name = "pages"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PageRange:
        from imgconv.images.pages import parse_page_range

        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            return parse_page_range(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "N[-N][,...]"


class Channels(click.ParamType[tuple[int, ...]]):
    """Channels by name or number, counted from red; alpha is 3."""

    name = "channels"
    _words: ClassVar = {"red": 0, "r": 0, "gray": 0, "grey": 0, "green": 1, "g": 1, "blue": 2, "b": 2, "alpha": 3, "a": 3}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip().lower() for word in str(value).split(",")]
        found = [self._words.get(word, int(word) if word in ("0", "1", "2", "3") else -1) for word in words]
        if -1 in found or len({*found}) < len(found):
            self.fail(f"expected red, green, blue, alpha or 0 to 3, parted by commas, each once, found {value!r}", param, ctx)
        return tuple(sorted(found))

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "CHANNEL[,...]"


class Compression(click.ParamType[str]):
    """A way to compress a TIFF, or the level of a PNG."""

    name = "compression"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if str(value) in tuple("0123456789"):
            return str(value)
        try:
            return canonical(value, COMPRESSIONS, "compression")
        except UsageError as error:
            self.fail(f"{error}, or a level from 0 to 9", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "|".join((*COMPRESSIONS, "0-9"))


class Level(click.ParamType[float]):
    """A level, `nan` among them."""

    name = "level"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(value)
        except ValueError:
            self.fail(f"expected a level, or nan, found {value!r}", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "LEVEL"


class Count(click.ParamType[int]):
    """A whole number from 1 up, in full or with k, M or G for thousands, millions, billions."""

    name = "number"
    metavar, unit, least = "N", 1000, 1

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip()
        power = " kmgt".find(text[-1:].lower()) if text[-1:].strip() else 0
        try:
            number = int(Fraction(text[:-1] if power > 0 else text) * self.unit ** max(power, 0))
        except (ValueError, ZeroDivisionError):
            number = -1
        if number < self.least:
            self.fail(f"expected a number from {self.least} up, such as 500M, found {value!r}", param, ctx)
        return number

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return self.metavar


class ByteSize(Count):
    """A number of bytes, in full or with k, M or G for those of 1024."""

    name = "size"
    metavar, unit, least = "SIZE", 1024, 0
