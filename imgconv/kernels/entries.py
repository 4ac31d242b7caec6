"""The entries of a catalog: one frozen value per kernel, operator and chain, without computed weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imgconv.kernels.literals import Number, Scale

if TYPE_CHECKING:
    from imgconv.kernels.kernel import Kernel

#: The value of a generator argument; None derives it from the others.
Value = int | float | str | None


@dataclass(frozen=True)
class Entry:
    """The base of all entries.

    Attributes:
        name: name in the notation.
        about: one-line description of the effect on an image.
        source: source of its numbers, a paper, table or documentation; may be empty.
        origin: path of the file that defines it.
        line: its line in that file, counted from 1.
    """

    name: str
    about: str
    source: str
    origin: str
    line: int


@dataclass(frozen=True)
class KernelEntry(Entry):
    """A kernel: `rows` of weights, or a `generator` with its `parameters` and their defaults.

    `scale` is (numerator, denominator), None for 1/sum. `anchor` is (row, column), None for the middle. `delta` is in levels.
    """

    rows: tuple[tuple[Number, ...], ...] | None = None
    generator: str | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    scale: Scale = (1.0, 1.0)
    anchor: tuple[int, int] | None = None
    delta: float = 0.0


@dataclass(frozen=True)
class OperatorEntry(Entry):
    """An edge operator: the notation of its kernels, a pair `x` and `y` or eight `compass` kernels, and their `scale`."""

    x: str | None = None
    y: str | None = None
    compass: tuple[str, ...] = ()
    scale: float = 1.0


@dataclass(frozen=True)
class FilterEntry(Entry):
    """A chain: the notation of its steps, in order."""

    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operator:
    """An edge operator with its kernels: a pair, or a compass set.

    Attributes:
        name: name in the catalog.
        x: kernel of the first axis, or None for a compass set.
        y: kernel of the second axis, or None for a compass set.
        directions: kernels of a compass set, in the order n, nw, w, sw, s, se, e, ne; empty for a pair.
        scale: factor of the results, with which a step from black to white gives white.
    """

    name: str
    x: Kernel | None
    y: Kernel | None
    directions: tuple[Kernel, ...]
    scale: float
