"""The `Kernel` class: weights, anchor, name and delta in one frozen value, and the algebra of kernels."""

from __future__ import annotations

import functools
import operator
import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imgconv.errors import KernelError
from imgconv.kernels.integer_form import IntegerForm, find_integer_form
from imgconv.kernels.literals import printable, quoted

# Share of the absolute sum below which the sum of the weights counts as 0.
_CANCELLING = 1e-3

_LARGEST = 2**26  # taps, so that a typing error in a size gives an error rather than exhausting the memory


class Factors(NamedTuple):
    """A separable kernel as `scale * outer(column, row)`; whole numbers if the kernel has an integer form."""

    column: NDArray[np.float64]
    row: NDArray[np.float64]
    scale: Fraction | float


@dataclass(frozen=True, eq=False, init=False)
class Kernel:
    """Weights laid on the image as written: `out[y, x] = delta + sum of w[i, j] * src[y + i - r, x + j - c]`.

    Attributes:
        weights: shape (kh, kw), read-only, float64 or complex128.
        anchor: (row, column) of the kernel element on the output pixel; (kh // 2, kw // 2) by default.
        name: name for messages.
        delta: constant added to every result, in levels.

    Raises:
        KernelError: the weights are not a 2-D array of finite numbers, or the anchor lies outside it.

    Example:
        >>> Kernel([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]).sum
        1.0
    """

    weights: NDArray[Any]
    anchor: tuple[int, int]
    name: str
    delta: float

    def __init__(
        self, weights: ArrayLike | Kernel, anchor: tuple[int, int] | None = None, name: str = "", delta: float = 0.0
    ) -> None:
        name = str(name)
        number = _as_delta(delta, name)
        if isinstance(weights, Kernel):
            anchor, name = weights.anchor if anchor is None else anchor, name or weights.name
            number, weights = number or weights.delta, weights.weights
        table = _as_table(weights, name)
        object.__setattr__(self, "weights", table)
        object.__setattr__(self, "anchor", _as_anchor(anchor, table.shape, name))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "delta", number)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.weights.shape[0], self.weights.shape[1]

    @property
    def taps(self) -> int:
        """Number of non-zero weights."""
        return int(np.count_nonzero(self.weights))

    @property
    def is_complex(self) -> bool:
        """Whether the weights are complex."""
        return bool(self.weights.dtype.kind == "c")

    @functools.cached_property
    def sum(self) -> float | complex:
        """Sum of the weights, the gain on a constant image; computed exactly if there is an integer form."""
        form = self.integer_form
        if form is not None:
            exact = Fraction(float(form.integers.sum())) * Fraction(form.scale)
            if abs(exact) <= sys.float_info.max:
                return float(exact)
        with np.errstate(over="ignore"):  # a sum beyond the range of float64 is infinite
            total = self.weights.sum().item()
        return complex(total) if self.is_complex else float(total)

    @functools.cached_property
    def is_difference(self) -> bool:
        """Whether the weights cancel, so that a flat image becomes 0: the sum is below 1/1000 of the absolute sum.

        The limit is not 0: a Laplacian of a Gaussian written with three digits does not sum to 0 exactly.
        """
        with np.errstate(over="ignore"):
            total = np.abs(self.weights).sum()
        return bool(np.isfinite(self.sum) and abs(self.sum) <= _CANCELLING * total)

    @functools.cached_property
    def integer_form(self) -> IntegerForm | None:
        """The weights as integers times one scale; None if they are complex or have no such form."""
        return None if self.is_complex else find_integer_form(self.weights)

    @functools.cached_property
    def rank(self) -> int:
        """Matrix rank of the weights: a kernel of rank r is the sum of r separable kernels."""
        form = self.integer_form
        return int(np.linalg.matrix_rank(self.weights if form is None else form.integers))

    @functools.cached_property
    def factors(self) -> Factors | None:
        """The kernel as an outer product of a column and a row; None unless it is real and of rank 1."""
        if self.rank != 1 or self.is_complex:
            return None
        form = self.integer_form
        table = self.weights if form is None else form.integers
        i, j = np.unravel_index(np.argmax(np.abs(table)), table.shape)
        column, row = table[:, j] / table[i, j], table[i]
        if form is None:
            size = np.abs(column).sum()
            return Factors(column / size, row * size, 1.0)
        # Column and row become whole numbers without a common divisor; the remaining factor goes into the scale.
        down, across = find_integer_form(table[:, j : j + 1]), find_integer_form(row[None])
        if down is None or across is None:
            return Factors(column, row, form.scale)
        column, row = down.integers[:, 0], across.integers[0]
        sign = 1 if column[np.flatnonzero(column)[0]] > 0 else -1
        factor = Fraction(float(sign * table[i, j])) / Fraction(float(column[i] * row[j]))
        scale = form.scale * factor if isinstance(form.scale, Fraction) else form.scale * float(factor)
        return Factors(sign * column, row, scale)

    @property
    def symmetries(self) -> tuple[str, ...]:
        """The symmetries that hold exactly: `rows` and `columns` (unchanged by reversing the order of the rows or columns),
        `rotation` (by 180 degrees), `transpose`, and `antisymmetric` (negated by the rotation)."""
        w = self.weights
        checks = {"rows": w[::-1], "columns": w[:, ::-1], "rotation": w[::-1, ::-1], "transpose": w.T}
        found = [name for name, other in checks.items() if other.shape == w.shape and np.array_equal(w, other)]
        return tuple(found) + (("antisymmetric",) if np.array_equal(w, -w[::-1, ::-1]) and w.any() else ())

    def rotated(self) -> Kernel:
        """Return the kernel and its anchor rotated by 180 degrees: correlation with it is convolution with this kernel."""
        anchor = (self.shape[0] - 1 - self.anchor[0], self.shape[1] - 1 - self.anchor[1])
        return Kernel(self.weights[::-1, ::-1], anchor, self.name, self.delta)

    def dilated(self, n: int | tuple[int, int]) -> Kernel:
        """Return the kernel with n - 1 zeros between neighbouring elements; `n` is one number or (rows, columns)."""
        try:
            down, across = (operator.index(d) for d in (n if isinstance(n, tuple | list) else (n, n)))
        except (TypeError, ValueError):
            down = across = 0
        if down < 1 or across < 1:
            raise KernelError(f"{_label(self.name)}: a dilation must be a whole number from 1 up, or two, found {n!r}")
        rows, columns = self.shape
        shape = ((rows - 1) * down + 1, (columns - 1) * across + 1)
        _check_size(shape, self.name)
        table = np.zeros(shape, self.weights.dtype)
        table[::down, ::across] = self.weights
        return Kernel(table, (self.anchor[0] * down, self.anchor[1] * across), self.name, self.delta)

    def scaled(self, factor: float | Fraction) -> Kernel:
        """Return the kernel with all weights and the delta multiplied by `factor`.

        Raises:
            KernelError: a weight or the delta overflows.
        """
        try:
            delta = float(self.delta * factor)
            with np.errstate(over="ignore", invalid="ignore"):  # infinite weights are rejected below
                if isinstance(factor, Fraction) and max(abs(factor.numerator), factor.denominator) <= sys.float_info.max:
                    weights = self.weights * factor.numerator / factor.denominator  # for whole weights, rounded only once
                else:
                    weights = self.weights * float(factor)
        except OverflowError:
            raise KernelError(f"{_label(self.name)}: a factor of {quoted(factor)} is too large") from None
        return Kernel(weights, self.anchor, self.name, delta)

    def normalized(self) -> Kernel:
        """Return the kernel with the weights divided by their sum, and the delta unchanged.

        Raises:
            KernelError: the weights sum to 0.
        """
        if self.sum == 0:
            raise KernelError(f"{_label(self.name)}: the weights sum to 0 and cannot be normalized")
        return Kernel(self.weights / self.sum, self.anchor, self.name, self.delta)

    def composed(self, other: Kernel) -> Kernel:
        """Return a kernel equivalent to this kernel followed by `other`, except near the border."""
        (h, w), (oh, ow) = self.shape, other.shape
        _check_size((h + oh - 1, w + ow - 1), self.name)
        table = np.zeros((h + oh - 1, w + ow - 1), np.result_type(self.weights, other.weights))
        for i in range(oh):
            for j in range(ow):
                table[i : i + h, j : j + w] += other.weights[i, j] * self.weights
        anchor = (self.anchor[0] + other.anchor[0], self.anchor[1] + other.anchor[1])
        delta = self.delta * float(np.real(other.sum)) + other.delta
        return Kernel(table, anchor, " ".join(filter(None, (self.name, other.name))), delta)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.weights, dtype=dtype) if copy else np.asarray(self.weights, dtype=dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kernel) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"Kernel({self.name!r}, {rows}x{columns}, anchor={self.anchor}, sum={self.sum:g})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Kernel, (self.weights, self.anchor, self.name, self.delta)

    @property
    def _key(self) -> tuple[Any, ...]:
        return self.shape, self.weights.dtype.kind, self.weights.tobytes(), self.anchor, self.delta


def is_masked(values: object) -> bool:
    """Return whether values are a masked array, without importing numpy.ma, which takes 8 ms (NumPy 2.4, November 2026)."""
    masked = sys.modules.get("numpy.ma")
    return masked is not None and isinstance(values, masked.MaskedArray)


def _as_table(weights: ArrayLike, name: str) -> NDArray[Any]:
    if is_masked(weights):
        raise KernelError(f"{_label(name)}: the weights are a masked array; fill it first, weights.filled(0)")
    try:
        table = np.asarray(weights)
    except (TypeError, ValueError):
        raise KernelError(f"{_label(name)}: the rows differ in length; every row needs the same number of weights") from None
    if table.dtype.kind not in "biufc":
        raise KernelError(f"{_label(name)}: weights must be numbers, found {_describe_invalid(table)}")
    if table.ndim != 2 or table.size == 0:
        raise KernelError(f"{_label(name)}: the weights must have rows and columns, found shape {table.shape}")
    _check_size(table.shape, name)
    kind = np.complex128 if table.dtype.kind == "c" else np.float64
    table = np.array(table, dtype=kind) + 0  # a copy; + 0 turns -0 into 0, so that equal weights have equal bytes
    if not np.isfinite(table).all():
        i, j = np.argwhere(~np.isfinite(table))[0]
        raise KernelError(f"{_label(name)}: weights must be finite, found {table[i, j]} in row {i}, column {j}")
    table.flags.writeable = False
    return table


def _as_delta(delta: float, name: str) -> float:
    try:
        number = float(delta) if np.ndim(delta) == 0 else np.nan
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not np.isfinite(number):
        raise KernelError(f"{_label(name)}: delta must be a finite number, found {quoted(delta)}")
    return number


def _as_anchor(anchor: tuple[int, int] | None, shape: tuple[int, ...], name: str) -> tuple[int, int]:
    if anchor is None:
        return shape[0] // 2, shape[1] // 2
    try:
        row, column = (int(a) for a in anchor if np.ndim(a) == 0)
        whole = (row, column) == tuple(anchor)
    except (TypeError, ValueError, OverflowError):
        raise KernelError(f"{_label(name)}: an anchor must be (row, column), found {quoted(anchor)}") from None
    if not whole or not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise KernelError(
            f"{_label(name)}: anchor {tuple(anchor)} lies outside the {shape[0]}x{shape[1]} weights; "
            f"rows count from 0 to {shape[0] - 1}, columns from 0 to {shape[1] - 1}"
        )
    return row, column


def _check_size(shape: tuple[int, ...], name: str) -> None:
    if int(np.prod(shape, dtype=object)) > _LARGEST:
        raise KernelError(f"{_label(name)}: {shape[0]}x{shape[1]} weights are more than the {_LARGEST} allowed")


def _describe_invalid(table: NDArray[Any]) -> str:
    for value in table.flat:
        if not isinstance(value, int | float | complex):
            return "rows that differ in length" if isinstance(value, list | tuple) else repr(value)
    return str(table.dtype)


def _label(name: str) -> str:
    return f"kernel {printable(name, 200)}" if name else "kernel"
