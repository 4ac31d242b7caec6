"""Borders: the continuation of an image beyond its edges.

    name          row abcd continues as
    constant      vvv · abcd · vvv
    replicate     aaa · abcd · ddd
    reflect       cba · abcd · dcb
    reflect101    dcb · abcd · cba
    wrap          bcd · abcd · abc
    renormalize   pixels outside are ignored; the sum is divided by the weight inside

All borders are defined by `source_indices`, which maps coordinates to rows (or columns) of the image.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.errors import UsageError
from imgconv.vocabulary import BORDERS, DEFAULT_BORDER, canonical

#: Index of coordinates without a row or column of the image.
OUTSIDE = -1


@dataclass(frozen=True)
class Border:
    """A border: one name for the rows, one for the columns, and the value of `constant`.

    Attributes:
        rows: name of the border above and below.
        columns: name of the border to the left and to the right.
        value: one number, or one per channel, in levels of the image.
    """

    rows: str = DEFAULT_BORDER
    columns: str = DEFAULT_BORDER
    value: tuple[float | complex, ...] = (0.0,)

    @property
    def renormalizes(self) -> bool:
        """Whether `renormalize` applies to either axis."""
        return "renormalize" in (self.rows, self.columns)

    @property
    def uses_value(self) -> bool:
        """Whether `constant` applies to either axis."""
        return "constant" in (self.rows, self.columns)

    def __str__(self) -> str:
        names = self.rows if self.rows == self.columns else f"{self.rows},{self.columns}"
        values = ",".join(f"{v:g}" for v in self.value)
        return f"{names} ({values})" if self.uses_value else names


def as_border(border: str | Sequence[str] | Border, value: Any = 0) -> Border:
    """Return the `Border` for a name, an alias, `"rows,columns"` or a pair, and the value of `constant`.

    Raises:
        UsageError: a name is unknown, there are more than two names, or the value is not a number.
    """
    if isinstance(border, Border):
        return border
    words = border.split(",") if isinstance(border, str) else list(border) if isinstance(border, Sequence) else []
    if len(words) not in (1, 2):
        raise UsageError(f"a border must be one name or two (rows, columns), found {border!r}")
    names = [canonical(word, BORDERS, "border") for word in words]
    try:
        values = np.atleast_1d(np.asarray(value))
        if values.dtype.kind not in "biufc":
            raise TypeError
        values = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"a border value must be a number or one per channel, found {value!r}") from None
    if values.ndim != 1 or values.size == 0:
        raise UsageError(f"a border value must be a number or one per channel, found {value!r}")
    return Border(names[0], names[-1], tuple(values.tolist()))


@functools.lru_cache(maxsize=64)
def source_indices(length: int, start: int, stop: int, border: str) -> NDArray[np.intp]:
    """Return, for each coordinate start … stop - 1, the index from 0 to length - 1 of its source, or `OUTSIDE`.

    Example:
        >>> source_indices(4, -3, 7, "reflect101").tolist()
        [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]

    The array is read-only, because results are cached.
    """
    indices = _source_indices(length, start, stop, border)
    indices.flags.writeable = False
    return indices


def _source_indices(length: int, start: int, stop: int, border: str) -> NDArray[np.intp]:
    at = np.arange(start, stop, dtype=np.intp)
    if border == "replicate":
        return np.clip(at, 0, length - 1)
    if border == "wrap":
        return at % length
    if border == "reflect":
        at %= 2 * length
        return np.minimum(at, 2 * length - 1 - at)
    if border == "reflect101":
        period = max(2 * length - 2, 1)  # a single row repeats everywhere
        at %= period
        return np.minimum(at, period - at) if length > 1 else at
    at[(at < 0) | (at >= length)] = OUTSIDE
    return at


def extend(
    image: NDArray[Any],
    rows: tuple[int, int],
    columns: tuple[int, int],
    border: Border,
    dtype: DTypeLike | None = None,
    make: Callable[[tuple[int, ...], np.dtype[Any]], NDArray[Any]] = np.empty,
) -> NDArray[Any]:
    """Return the window rows[0] … rows[1] - 1, columns[0] … columns[1] - 1 of the image extended beyond its edges.

    Args:
        image: shape (H, W) or (H, W, C).
        rows: first and one past the last row, which may lie outside 0 … H.
        columns: first and one past the last column.
        border: continuation beyond the edges; `renormalize` gives 0.
        dtype: type of the result; by default that of the image.
        make: function that allocates the result from a shape and a type.

    Returns:
        Shape (rows[1] - rows[0], columns[1] - columns[0][, C]). A view of the image if the window lies inside, the type is
        the same and the last axis is contiguous.
    """
    height, width = image.shape[:2]
    dtype = image.dtype if dtype is None else np.dtype(dtype)
    inside = (_overlap(rows, height), _overlap(columns, width))
    if rows[0] >= 0 and rows[1] <= height and columns[0] >= 0 and columns[1] <= width:
        view = image[inside]
        if view.dtype == dtype and (view.shape[-1] == 1 or view.strides[-1] == dtype.itemsize):
            return view
        result = make(view.shape, dtype)
        result[...] = view
        return result
    top, left = inside[0].start - rows[0], inside[1].start - columns[0]
    bottom, right = inside[0].stop - rows[0], inside[1].stop - columns[0]
    result = make((rows[1] - rows[0], columns[1] - columns[0], *image.shape[2:]), dtype)
    if bottom > top:
        own = image[inside[0]]
        result[top:bottom, left:right] = own[:, inside[1]]
        sides = (slice(0, left), columns[0], min(inside[1].start, columns[1])), (slice(right, None), inside[1].stop, columns[1])
        for part, start, stop in sides:
            if stop > start:
                across = source_indices(width, start, stop, border.columns)
                result[top:bottom, part] = own[:, across]
                _fill_axis(result[top:bottom, part], 1, across, border.columns, border.value)
    ends = (slice(0, top), rows[0], min(inside[0].start, rows[1])), (slice(bottom, None), inside[0].stop, rows[1])
    for part, start, stop in ends:
        if stop > start:
            _fill_rows(result[part], image, source_indices(height, start, stop, border.rows), columns, border)
    return result


def _overlap(window: tuple[int, int], length: int) -> slice:
    start = max(window[0], 0)
    return slice(start, max(min(window[1], length), start))


def _fill_rows(
    result: NDArray[Any], image: NDArray[Any], down: NDArray[np.intp], columns: tuple[int, int], border: Border
) -> None:
    """Write the rows `down` of the extended image; in corners, `renormalize` takes precedence over `constant`."""
    across = source_indices(image.shape[1], *columns, border.columns)
    result[:] = image[np.ix_(down, across)]
    axes = [(0, down, border.rows), (1, across, border.columns)]
    for axis, indices, name in sorted(axes, key=lambda a: a[2] == "renormalize"):
        _fill_axis(result, axis, indices, name, border.value)


def _fill_axis(
    result: NDArray[Any], axis: int, indices: NDArray[np.intp], name: str, value: tuple[float | complex, ...]
) -> None:
    outside = indices == OUTSIDE
    if outside.any():
        at = outside if axis == 0 else (slice(None), outside)
        result[at] = 0 if name == "renormalize" else value if len(value) > 1 else value[0]
