"""Convolution along one axis as a product with a band matrix: BLAS multiplies faster than anything else in NumPy adds.

A block of outputs next to each other is a product of the inputs that they need with a Toeplitz matrix, which holds the taps in
each of its columns, one place further down than in the column before. Most of it is zeros, and multiplied all the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from imgconv.convolution.plan import Job

#: Outputs in a block: BLAS works best on 16 columns or more, and every further one is more zeros.
BLOCK = 16
# Multiply-adds that take as long as taking a sample from among the other channels and putting it back.
_APART = 32


def spread(taps: NDArray[Any], dilation: int) -> NDArray[Any]:
    """Return taps with dilation - 1 zeros between neighbours."""
    spaced = np.zeros((taps.size - 1) * dilation + 1, taps.dtype)
    spaced[::dilation] = taps
    return spaced


class BandMatrices:
    """The taps of one axis as band matrices, made once."""

    def __init__(self, taps: NDArray[Any], stride: int) -> None:
        self.taps, self.stride = taps, stride
        self._matrices: dict[int, NDArray[Any]] = {}

    def _matrix(self, outputs: int) -> NDArray[Any]:
        """Return the matrix of shape (inputs, outputs) whose column n holds the taps from row n * stride on."""
        if outputs not in self._matrices:
            matrix = np.zeros(((outputs - 1) * self.stride + self.taps.size, outputs), self.taps.dtype)
            for n in range(outputs):
                matrix[n * self.stride : n * self.stride + self.taps.size, n] = self.taps
            self._matrices[outputs] = matrix
        return self._matrices[outputs]

    def across(self, x: NDArray[Any], out: NDArray[Any]) -> None:
        """Write the sums along the rows.

        Args:
            x: shape (R, inputs), columns side by side; or (R, columns, C), and the taps spread for that.
            out: shape (R, outputs), or (R, columns, C).
        """
        if x.ndim == 3:
            x, out = x.reshape(len(x), -1), out.reshape(len(out), -1)
        if x.shape[1] > 1 and x.strides[1] != x.itemsize:  # one channel of several
            x = np.ascontiguousarray(x)
        if self.taps.size == 1:
            np.multiply(x[:, : (out.shape[1] - 1) * self.stride + 1 : self.stride], self.taps[0], out=out)
            return
        outputs = out.shape[1]
        width = min(BLOCK, outputs)
        matrix, size = self._matrix(width), out.itemsize
        blocks = outputs // width
        inputs = _view(x, (blocks, len(x), len(matrix)), (width * self.stride * size, x.strides[0], size))
        np.matmul(inputs, matrix, out=_view(out, (blocks, len(out), width), (width * size, out.strides[0], size)))
        if blocks * width < outputs:  # the last block laps over the one before
            start = (outputs - width) * self.stride
            np.matmul(x[:, start : start + len(matrix)], matrix, out=out[:, outputs - width :])

    def down(self, x: NDArray[Any], out: NDArray[Any]) -> None:
        """Write the sums along the columns.

        Args:
            x: shape (inputs, W[, C]), columns side by side.
            out: shape (outputs, W[, C]).
        """
        if x.ndim == 3:
            x, out = x.reshape(len(x), -1), out.reshape(len(out), -1)
        if self.taps.size == 1:
            np.multiply(x[: (len(out) - 1) * self.stride + 1 : self.stride], self.taps[0], out=out)
            return
        blocks, rest = divmod(len(out), BLOCK)
        if blocks:
            matrix = self._matrix(BLOCK)
            step = BLOCK * self.stride * x.strides[0]
            inputs = _view(x, (blocks, len(matrix), x.shape[1]), (step, *x.strides))
            step = BLOCK * out.strides[0]
            np.matmul(matrix.T, inputs, out=_view(out, (blocks, BLOCK, out.shape[1]), (step, *out.strides)))
        if rest:
            matrix = self._matrix(rest)
            np.matmul(matrix.T, x[len(x) - len(matrix) :], out=out[len(out) - rest :])


def _view(x: NDArray[Any], shape: tuple[int, ...], strides: tuple[int, ...]) -> NDArray[Any]:
    """Return blocks of an array, which may overlap; the caller answers for their staying inside of it."""
    if x.flags.c_contiguous:
        return np.ndarray(shape, x.dtype, x, 0, strides)  # a tenth of what as_strided takes
    return as_strided(x, shape, strides)


def apart(job: Job, passes: int) -> bool:
    """Whether the channels are better taken apart than left side by side, where a band skips those of the others.

    To take them apart and to put them together again costs about as much as 32 multiply-adds; side by side, each of the passes
    across has a longer band.
    """
    if job.channels == 1:
        return False
    return job.columns.stride > 1 or passes * (job.channels - 1) * (job.columns.reach - 1) > _APART


def planes_and_step(job: Job, planar: bool) -> tuple[int, int]:
    """Return how many planes there are, and how many samples lie from one pixel to the next in each."""
    return (job.channels, 1) if planar else (1, job.channels)


def band_work(taps: int, stride: int) -> float:
    """Return the multiply-adds of one output, zeros included."""
    return 1.0 if taps == 1 else (BLOCK - 1) * stride + taps
