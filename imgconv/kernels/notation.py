"""Syntax of the one-line notation of kernels and filters; names are resolved by the catalog.

    name                            sharpen
    name:key=value,key=value        gaussian:sigma=2,size=9
    name:value                      gaussian:2, the value of the first parameter
    a value that is itself a spec   name:key=(motion:length=9,angle=30),other=1
    a matrix, rows by `;`           [1 0 -1; 2 0 -2; 1 0 -1]      [1 1 1]:scale=1/3,anchor=0 0,delta=128
    a file                          @kernel.txt                   @psf.tif:scale=1/sum

A scale of 1/sum divides the weights by their sum.
Numbers are whole (`3`), decimal (`-0.5`, `1e-3`), fractions (`1/9`) or complex (`1+2j`), separated by spaces or commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from imgconv.errors import KernelError
from imgconv.kernels.literals import (
    Number,
    Scale,
    check_rectangle,
    format_adjustments,
    format_number,
    parse_anchor,
    parse_fraction,
    parse_row,
    parse_scale,
    quoted,
)
from imgconv.vocabulary import suggestion

#: Maximum length of a spec in characters, enough for a 200 x 200 matrix of full-precision decimals.
MAX_LENGTH = 1_000_000
#: Maximum nesting depth of specs.
MAX_DEPTH = 16
#: Pattern of the names of kernels, operators, filters and arguments.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")

#: The arguments of a matrix and of a file.
ADJUSTMENTS = ("scale", "anchor", "delta")

_CLOSERS = {"(": ")", "[": "]"}
_FILE_ARGUMENTS = re.compile(rf":\s*(?:{'|'.join(ADJUSTMENTS)})\s*=")


@dataclass(frozen=True)
class Matrix:
    """An inline matrix: its rows as written, with scale, anchor and delta.

    `scale` is stored as (numerator, denominator), so that 3 with a scale of 1/9 becomes 3/9, rounded once; None is 1/sum.
    """

    rows: tuple[tuple[Number, ...], ...]
    scale: Scale = (1.0, 1.0)
    anchor: tuple[int, int] | None = None
    delta: float = 0.0

    def __str__(self) -> str:
        """Return the matrix in the notation."""
        body = "; ".join(" ".join(map(format_number, row)) for row in self.rows)
        return f"[{body}]{format_adjustments(self.scale, self.anchor, self.delta)}"


@dataclass(frozen=True)
class File:
    """A kernel in a file: the path, as written after `@`, and changes to the kernel in the file, as those of a `Matrix`."""

    path: str
    scale: Scale = (1.0, 1.0)
    anchor: tuple[int, int] | None = None
    delta: float = 0.0

    def __str__(self) -> str:
        """Return the file in the notation."""
        return f"@{self.path}{format_adjustments(self.scale, self.anchor, self.delta)}"


@dataclass(frozen=True)
class Named:
    """The name of a catalog entry or a filter, with its arguments in the order written.

    The value of an argument is a string, or a spec if it is a matrix or in parentheses. A first argument without
    a key has the key "".
    """

    name: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.arguments.items())))

    def __str__(self) -> str:
        """Return the name and its arguments in the notation."""
        tail = ",".join(
            f"{key}{'=' * bool(key)}{value if isinstance(value, str) else f'({value})'}"
            for key, value in self.arguments.items()
        )
        return f"{self.name}:{tail}" if tail else self.name

    def arguments_for(self, parameters: Iterable[str]) -> dict[str, Argument]:
        """Return the arguments by the names of parameters; one without a key is that of the first parameter.

        Raises:
            KernelError: an argument is not among the parameters, or is given twice.
        """
        parameters = tuple(parameters)
        found: dict[str, Argument] = {}
        for key, value in self.arguments.items():
            name = key if key or not parameters else parameters[0]
            if name not in parameters:
                unknown = quoted(key or str(value))
                if not parameters:
                    raise KernelError(f"{self.name} has no parameters, found {unknown}")
                close = suggestion(key, parameters)
                raise KernelError(f"{self.name} has no parameter {unknown}{close}; choose one of {', '.join(parameters)}")
            if name in found:
                raise KernelError(f"{self.name}: {name} is given twice, as the first argument and by its name")
            found[name] = value
        return found


Spec = Named | Matrix | File
Argument = str | Named | Matrix | File


def parse_notation(text: str) -> Spec:
    """Return the spec parsed from a text.

    Raises:
        KernelError: the text is not a spec; the message gives the position and what was expected there.

    >>> parse_notation("gaussian:sigma=2")
    Named(name='gaussian', arguments={'sigma': '2'})
    >>> parse_notation("[1 0 -1; 1/2 0 -1/2]").rows
    ((1.0, 0.0, -1.0), (0.5, 0.0, -0.5))
    """
    if not isinstance(text, str):
        raise KernelError(f"a kernel must be a string, found {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise KernelError(f"a kernel of {len(text):,} characters is too long; save it in a file and pass @FILE")
    try:
        return _Reader(text).spec(0, len(text), 0)
    except KernelError as error:
        from imgconv.kernels.mistakes import advice

        raise KernelError(f"{error}{advice(text)}") from None


class _Reader:
    """Recursive-descent parser of one text; every method parses text[start:stop]."""

    def __init__(self, text: str) -> None:
        self.text = text

    def fail(self, position: int, reason: str) -> KernelError:
        return KernelError(f"{quoted(self.text)}, character {position + 1}: {reason}")

    def unexpected(self, start: int, stop: int, expected: str) -> KernelError:
        return self.fail(start, f"expected {expected}, found {quoted(self.text[start:stop], 30)}")

    def trimmed(self, start: int, stop: int) -> tuple[int, int]:
        part = self.text[start:stop]
        return start + len(part) - len(part.lstrip()), start + len(part.rstrip()) if part.strip() else stop

    def spec(self, start: int, stop: int, depth: int) -> Spec:
        if depth > MAX_DEPTH:
            raise self.fail(start, f"specs are nested more than {MAX_DEPTH} deep")
        start, stop = self.trimmed(start, stop)
        if start >= stop:
            raise self.fail(start, "expected a name, a [matrix] or an @file, found nothing")
        if self.text[start] == "[":
            return self.matrix(start, stop)
        if self.text[start] == "@":
            found = _FILE_ARGUMENTS.search(self.text, start + 1, stop)
            end = found.start() if found else stop
            if end == start + 1:
                raise self.fail(start, "expected a path after @")
            return File(self.text[start + 1 : end], *self.adjustments(end, stop, "a file"))
        return self.named(start, stop, depth)

    def named(self, start: int, stop: int, depth: int) -> Named:
        match = NAME.match(self.text, start, stop)
        if not match:
            raise self.unexpected(start, stop, "a name (letters, digits, _ and -), a [matrix] or an @file")
        arguments = self.arguments(match.end(), stop, "':' or the end", bare=True)
        return Named(match[0], {key: self.value(*span, depth) for key, span in arguments})

    def value(self, start: int, stop: int, depth: int) -> Argument:
        if self.text[start] == "(" and self.group_end(start, stop) == stop - 1:
            return self.spec(start + 1, stop - 1, depth + 1)
        if self.text[start] == "[":
            return self.matrix(start, stop)
        return self.text[start:stop]

    def matrix(self, start: int, stop: int) -> Matrix:
        end = self.text.find("]", start, stop)
        if end < 0:
            raise self.fail(start, "the matrix has no closing ]")
        rows = []
        pieces = self.text[start + 1 : end].split(";")
        if len(pieces) > 1 and not pieces[-1].strip():
            pieces.pop()
        for place, piece in enumerate(pieces, start=1):
            try:
                rows.append(parse_row(piece))
            except KernelError as error:
                raise KernelError(f"{quoted(self.text)}, row {place}, {error}") from None
        try:
            check_rectangle(rows)
        except KernelError as error:
            raise KernelError(f"{quoted(self.text)}: {error}") from None
        return Matrix(tuple(rows), *self.adjustments(end + 1, stop, "a matrix"))

    def adjustments(self, start: int, stop: int, kind: str) -> tuple[Scale, tuple[int, int] | None, float]:
        """Return the scale, the anchor and the delta after a matrix or a file."""
        found: dict[str, str] = {}
        for key, (value_start, value_stop) in self.arguments(start, stop, "':' or the end after ]"):
            if key not in ADJUSTMENTS:
                close = suggestion(key, ADJUSTMENTS)
                raise self.fail(value_start, f"{kind} has the arguments scale, anchor and delta, found {quoted(key)}{close}")
            found[key] = self.text[value_start:value_stop]
        try:
            offset, divisor = parse_fraction(found.get("delta", "0"))
            anchor = parse_anchor(found["anchor"]) if "anchor" in found else None
            return parse_scale(found.get("scale", "1")), anchor, offset / divisor
        except KernelError as error:
            raise self.fail(self.trimmed(start, stop)[0] + 1, str(error)) from None

    def arguments(self, start: int, stop: int, expected: str, *, bare: bool = False) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield (key, (start, stop) of the value) for each `key=value` between top-level commas after a colon.

        Where `bare` is set, the first may be a value alone; its key is "".
        """
        colon, _ = self.trimmed(start, stop)
        if colon >= stop:
            return
        if self.text[colon] != ":":
            raise self.unexpected(colon, stop, expected)
        keys: set[str] = set()
        for piece_start, piece_stop in self.pieces(colon + 1, stop):
            begin, end = self.trimmed(piece_start, piece_stop)
            equals = self.text.find("=", begin, end)
            key = self.text[begin:equals].rstrip() if equals >= 0 else ""
            if bare and begin < end and (equals < 0 or self.text[begin] in "([") and piece_start == colon + 1:
                yield "", (begin, end)
                continue
            if begin >= end or not NAME.fullmatch(key):
                found = quoted(self.text[begin:end], 30) if begin < end else "nothing"
                raise self.fail(begin, f"expected key=value, found {found}")
            value_start, value_stop = self.trimmed(equals + 1, end)
            if value_start >= value_stop:
                raise self.fail(equals, f"expected a value after {key}=")
            if key in keys:
                raise self.fail(value_start, f"{key} is given twice")
            keys.add(key)
            yield key, (value_start, value_stop)

    def pieces(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Split text[start:stop] at the commas outside brackets."""
        position = piece = start
        while position < stop:
            character = self.text[position]
            if character in _CLOSERS:
                position = self.group_end(position, stop)
            elif character in _CLOSERS.values():
                raise self.fail(position, f"{character} has no opening bracket")
            elif character == ",":
                yield piece, position
                piece = position + 1
            position += 1
        yield piece, stop

    def group_end(self, start: int, stop: int) -> int:
        """Return the position of the bracket that closes the one at `start`."""
        closers: list[str] = []
        for position in range(start, stop):
            character = self.text[position]
            if character in _CLOSERS:
                closers.append(_CLOSERS[character])
            elif closers and character == closers[-1]:
                closers.pop()
                if not closers:
                    return position
            elif character in _CLOSERS.values():
                raise self.fail(position, f"expected {closers[-1]}, found {character}")
        raise self.fail(start, f"{self.text[start]} has no closing {_CLOSERS[self.text[start]]}")
