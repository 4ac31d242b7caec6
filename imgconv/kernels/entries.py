"""What a catalog holds: one frozen value for each kernel, operator and chain, before any weight is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imgconv.kernels.literals import Number

if TYPE_CHECKING:
    from imgconv.kernels.kernel import Kernel

#: The value of a generator's argument; None leaves it to follow from the others.
Value = int | float | str | None


@dataclass(frozen=True)
class Entry:
    """What every entry has.

    Attributes:
        name: what the user calls it.
        about: one line that says what it does to a picture.
        source: the paper, table or documentation that its numbers come from; may be empty.
        origin: the file that defines it.
        line: its line in that file, from 1.
    """

    name: str
    about: str
    source: str
    origin: str
    line: int


@dataclass(frozen=True)
class KernelEntry(Entry):
    """A kernel: `rows` of weights, or a `generator` with its `parameters` and their defaults.

    `scale` is (numerator, denominator), `anchor` (row, column) or None for the middle, `delta` in levels.
    """

    rows: tuple[tuple[Number, ...], ...] | None = None
    generator: str | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    scale: tuple[float, float] = (1.0, 1.0)
    anchor: tuple[int, int] | None = None
    delta: float = 0.0


@dataclass(frozen=True)
class OperatorEntry(Entry):
    """An edge operator: the notation of its pair `x` and `y`, or of its eight `compass` kernels, and one `scale`."""

    x: str | None = None
    y: str | None = None
    compass: tuple[str, ...] = ()
    scale: float = 1.0


@dataclass(frozen=True)
class FilterEntry(Entry):
    """A chain: the notation of its steps, the first one first."""

    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operator:
    """An edge operator, built: a pair of kernels, or a compass set.

    Attributes:
        name: what the catalog calls it.
        x: the kernel of the first axis, or None for a compass set.
        y: the kernel of the second axis, or None for a compass set.
        directions: the kernels of a compass set, n, nw, w, sw, s, se, e, ne; empty for a pair.
        scale: what to multiply their results by, so that a full step gives full white.
    """

    name: str
    x: Kernel | None
    y: Kernel | None
    directions: tuple[Kernel, ...]
    scale: float
