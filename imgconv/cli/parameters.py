"""The kinds of value that options take."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import click

from imgconv.errors import UsageError
from imgconv.vocabulary import canonical


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
