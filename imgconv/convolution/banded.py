"""Convolution along one axis as a product with a band matrix, which BLAS computes faster than NumPy adds shifted arrays.

A block of adjacent outputs is the product of its inputs with a Toeplitz matrix. Each column of the matrix holds the taps, one
place lower than the column before. Most elements are zero and are multiplied nevertheless.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from imgconv.convolution.plan import Job

#: Outputs in a block: BLAS is efficient from 16 columns up, and each further column adds zeros.
BLOCK = 16
# Cost of separating a sample from the other channels and merging it back, in multiply-adds.
_SEPARATION_COST = 32


def dilate_taps(taps: NDArray[Any], dilation: int) -> NDArray[Any]:
    """Return taps with dilation - 1 zeros between neighbours."""
    spaced = np.zeros((taps.size - 1) * dilation + 1, taps.dtype)
    spaced[::dilation] = taps
    return spaced


class BandMatrices:
    """The taps of one axis as band matrices, each built once."""

    def __init__(self, taps: NDArray[Any], stride: int) -> None:
        self.taps, self.stride = taps, stride
        self._matrices: dict[int, NDArray[Any]] = {}

    def _matrix(self, outputs: int) -> NDArray[Any]:
        """Return the matrix of shape (inputs, outputs) whose column n holds the taps, starting in row n * stride."""
        if outputs not in self._matrices:
            matrix = np.zeros(((outputs - 1) * self.stride + self.taps.size, outputs), self.taps.dtype)
            for n in range(outputs):
                matrix[n * self.stride : n * self.stride + self.taps.size, n] = self.taps
            self._matrices[outputs] = matrix
        return self._matrices[outputs]

    def across(self, x: NDArray[Any], out: NDArray[Any]) -> None:
        """Write the sums along the rows.

        Args:
            x: shape (R, inputs), contiguous along the columns; or (R, columns, C), with the taps spread over the channels.
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
        if blocks * width < outputs:  # the last block overlaps the one before
            start = (outputs - width) * self.stride
            np.matmul(x[:, start : start + len(matrix)], matrix, out=out[:, outputs - width :])

    def down(self, x: NDArray[Any], out: NDArray[Any]) -> None:
        """Write the sums along the columns.

        Args:
            x: shape (inputs, W[, C]), contiguous along the columns.
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
    """Return blocks of an array, which may overlap; the caller ensures that they lie inside the array."""
    if x.flags.c_contiguous:
        return np.ndarray(shape, x.dtype, x, 0, strides)  # a tenth of the time of as_strided
    return as_strided(x, shape, strides)


def separates_channels(job: Job, passes: int) -> bool:
    """Whether separating the channels is cheaper than filtering them interleaved.

    Separating and merging costs about 32 multiply-adds per sample. Interleaved channels make the band of each pass across
    longer, because it skips the samples of the other channels.
    """
    if job.channels == 1:
        return False
    return job.columns.stride > 1 or passes * (job.channels - 1) * (job.columns.reach - 1) > _SEPARATION_COST


def planes_and_step(job: Job, planar: bool) -> tuple[int, int]:
    """Return the number of planes, and the distance in samples from one pixel to the next within a plane."""
    return (job.channels, 1) if planar else (1, job.channels)


def band_work(taps: int, stride: int) -> float:
    """Return the multiply-adds per output, including those with zeros."""
    return 1.0 if taps == 1 else (BLOCK - 1) * stride + taps
