"""Convolution as a matrix: a doubly block Toeplitz matrix that maps the pixels of an image, row by row, to the outputs.

Each row of outputs is a row of blocks, and each row of pixels is a column of blocks. With a constant border every block is a
Toeplitz matrix, and the blocks themselves form a Toeplitz structure. Other borders add the weights outside the image to
pixels inside, which changes the ends of the blocks. A stride keeps every n-th row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imgconv.borders import OUTSIDE, source_indices
from imgconv.convolution.options import make_options
from imgconv.convolution.plan import Axis, Job
from imgconv.convolution.planner import as_kernel, make_job
from imgconv.errors import UsageError
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.numbers import number_text, size_text

#: Maximum number of rows and columns of a printed matrix.
LARGEST = 4096


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A sparse matrix in coordinate format, sorted by row.

    Attributes:
        shape: number of outputs (rows) and pixels (columns).
        block: shape of a block: outputs in a row of outputs, pixels in a row of the image.
        rows: row of each nonzero entry.
        columns: column of each nonzero entry.
        values: the nonzero entries, float64 or complex128.
    """

    shape: tuple[int, int]
    block: tuple[int, int]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    values: NDArray[Any]

    def dense(self) -> NDArray[Any]:
        """Return the dense matrix, shape `shape`."""
        table = np.zeros(self.shape, self.values.dtype)
        table[self.rows, self.columns] = self.values
        return table


def block_toeplitz(shape: Sequence[int], kernel: Kernel | ArrayLike | str, **options: Any) -> SparseMatrix:
    """Return the matrix M with `(M.dense() @ image.ravel()).reshape(H', W') == correlate(image, kernel, ...)`, up to
    rounding.

    Args:
        shape: shape of the image, (H, W).
        kernel: a `Kernel`, an array of shape (kh, kw), or a string. Its delta is ignored.
        **options: border, mode, stride, dilation, anchor and rotate, as for `make_plan`.

    Raises:
        UsageError: the border cannot be represented by the matrix: `renormalize`, or a constant other than 0.

    Example:
        >>> block_toeplitz((1, 4), [[1, 2, 3]], border="constant").dense()
        array([[2., 3., 0., 0.],
               [1., 2., 3., 0.],
               [0., 1., 2., 3.],
               [0., 0., 1., 2.]])
    """
    if len(shape) != 2:
        raise UsageError(f"the matrix requires the shape of one channel, (rows, columns), found {tuple(shape)}")
    job = make_job(tuple(shape), np.dtype(np.float64), as_kernel(kernel), make_options(**options))
    if job.border.renormalizes:
        raise UsageError("border renormalize has no Toeplitz matrix, since each output has its own divisor; choose another")
    if job.border.uses_value and any(job.border.value):
        raise UsageError("a border value other than 0 adds a constant, which a matrix cannot represent; choose 0")
    return _matrix_of(job, job.kernel.weights)


def as_text(shape: Sequence[int], kernel: Kernel, **options: Any) -> str:
    """Return the matrix as a grid with `.` for 0 and gaps between blocks; the arguments are those of `block_toeplitz`."""
    form = kernel.integer_form
    whole = kernel if form is None else Kernel(form.integers, kernel.anchor, kernel.name)
    matrix = _printable(shape, whole, **options)
    (height, width), border = matrix.shape, make_options(**options).border
    outputs = size_text((height // matrix.block[0], matrix.block[0]))
    scale = Fraction(1) if form is None else form.scale
    times = "" if scale == 1 else f", times {number_text(scale)}"
    delta = f", then {number_text(kernel.delta)} is added" if kernel.delta else ""
    head = (
        f"{kernel.name or 'kernel'} on an image of {size_text(shape)}, border {border.rows}"
        f"{'' if border.rows == border.columns else ',' + border.columns}: {size_text((height, width))}{times}{delta}"
    )
    about = f"output ({outputs}, row by row) = matrix @ image (row by row); blocks of {size_text(matrix.block)}"
    return "\n".join([head, about, "", *_grid(matrix)])


def as_data(shape: Sequence[int], kernel: Kernel, **options: Any) -> dict[str, Any]:
    """Return the matrix as plain data, for JSON; the arguments are those of `block_toeplitz`."""
    matrix = _printable(shape, kernel, **options)
    return {
        "kernel": kernel.name,
        "shape": list(matrix.shape),
        "block": list(matrix.block),
        "rows": matrix.rows.tolist(),
        "columns": matrix.columns.tolist(),
        "values": matrix.values.tolist(),
    }


def _printable(shape: Sequence[int], kernel: Kernel, **options: Any) -> SparseMatrix:
    """Return the matrix; raise an error if it has more than `LARGEST` rows or columns."""
    job = make_job(tuple(shape), np.dtype(np.float64), kernel, make_options(**options))
    if max(job.samples, shape[0] * shape[1]) > LARGEST:
        raise UsageError(
            f"the matrix for an image of {size_text(shape)} has {size_text((job.samples, shape[0] * shape[1]))} entries; "
            f"choose a smaller image; at most {LARGEST} rows and columns are supported"
        )
    return block_toeplitz(shape, kernel, **options)


def _matrix_of(job: Job, weights: NDArray[Any]) -> SparseMatrix:
    """Return the matrix; weights that fall on the same pixel are added."""
    height, width = job.shape
    taps = np.argwhere(weights)
    tap_weights = weights[taps[:, 0], taps[:, 1]]
    down = _sources(job.rows, job.border.rows)[:, taps[:, 0]]
    across = _sources(job.columns, job.border.columns)[:, taps[:, 1]]
    outputs = job.columns.outputs
    own = np.repeat(np.arange(outputs), len(taps)).reshape(outputs, len(taps)) * (height * width)
    keys, values = [np.zeros(0, np.intp)], [np.zeros(0, tap_weights.dtype)]
    for n, sources in enumerate(down):
        inside = (sources != OUTSIDE) & (across != OUTSIDE)
        places = (own + sources * width + across)[inside]
        order = np.argsort(places, kind="stable")
        places, first = np.unique(places[order], return_index=True)
        if places.size:
            keys.append(places + n * outputs * height * width)
            values.append(np.add.reduceat(np.broadcast_to(tap_weights, inside.shape)[inside][order], first))
    places, entries = np.concatenate(keys), np.concatenate(values)
    kept = entries != 0
    rows, columns = np.divmod(places[kept], height * width)
    return SparseMatrix((job.samples, height * width), (outputs, width), rows, columns, entries[kept])


def _sources(axis: Axis, border: str) -> NDArray[np.intp]:
    """Return the index of the pixel for each output and kernel element along an axis, shape (outputs, taps)."""
    outputs, taps = np.arange(axis.outputs) * axis.stride, np.arange(axis.taps) * axis.dilation
    sources: NDArray[np.intp] = source_indices(axis.length, *axis.window(), border)[outputs[:, None] + taps]
    return sources


def _grid(matrix: SparseMatrix) -> list[str]:
    texts = [number_text(value) for value in matrix.values]
    cell = max(map(len, texts), default=1)
    (height, width), (down, across) = matrix.shape, matrix.block
    empty, gaps = ".".rjust(cell), range(across, width, across)
    starts = np.searchsorted(matrix.rows, np.arange(height + 1))
    lines = []
    for row in range(height):
        cells = [empty] * width
        for at in range(starts[row], starts[row + 1]):
            cells[matrix.columns[at]] = texts[at].rjust(cell)
        for gap in gaps:
            cells[gap] = " " + cells[gap]
        lines += [""] if row and row % down == 0 and down > 1 else []
        lines.append("  " + " ".join(cells))
    return lines
