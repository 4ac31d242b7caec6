"""Two passes along one axis each, for every outer product that the kernel is a sum of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.arithmetic import UNIT
from imgconv.convolution.banded import BLOCK, BandMatrices, apart, band_work, planes_and_step, spread
from imgconv.convolution.exactness import narrowing_error, why_not_exact
from imgconv.convolution.low_rank import Pairs, find_pairs
from imgconv.convolution.method import Run, StripMethod
from imgconv.convolution.plan import Job, Work, moved
from imgconv.convolution.source import Source
from imgconv.convolution.workspace import Workspace

# What the pairs that are left out may add to the error, of what the contract allows.
_SHARE = 0.25


class Separable(StripMethod):
    """Rank 1 in whole numbers where there are any; else as many pairs of the singular value decomposition as it takes."""

    name = "separable"
    about = "a pass down and a pass across, as products with band matrices, for each of the kernel's outer products"
    spreads = True
    blas = True

    def dtype(self, job: Job) -> np.dtype[Any]:
        """The job's own; float64 for pairs that cancel one another, unless the rounding of integer pixels hides that."""
        own = job.arithmetic.dtype
        _, count = self._pairs(job)
        if count > 1 and (job.dtype.kind not in "biu" or why_not_exact(job, self._error_in(own, job))):
            return np.dtype(np.float64)
        return own

    def planar(self, job: Job) -> bool:
        """Where the bands would otherwise be long; of complex weights always, so that both parts are taken alike."""
        return job.kernel.is_complex or apart(job, self._pairs(job)[1])

    def refusal(self, job: Job) -> str | None:
        """Pairs that cancel one another are off by a share of the whole kernel, however little of it falls inside."""
        if job.options.normalizes and not job.arithmetic.whole and len(self._pairs(job)[0].sizes) > 1:
            return "where little weight falls inside, the division would show what the pairs are off"
        return None

    def error(self, job: Job) -> float:
        """What the pairs leave out, and a rounding for each weight, product and addition of both passes."""
        return self._error_in(self.dtype(job), job)

    def _error_in(self, dtype: np.dtype[Any], job: Job) -> float:
        pairs, count = self._pairs(job)
        if pairs.whole and job.arithmetic.whole:
            return 0.0
        roundings = sum(job.kernel.shape) + count + 3
        error = float(pairs.residuals[count] + roundings * UNIT[dtype.name] * pairs.sizes[:count].sum())
        return error if dtype == job.arithmetic.dtype else error + narrowing_error(job)

    def _pairs(self, job: Job) -> tuple[Pairs, int]:
        """Return the pairs, and how many of them are needed."""
        arithmetic, tolerance = job.arithmetic, job.options.tolerance
        pairs = find_pairs(np.ascontiguousarray(arithmetic.weights))
        allowed = 0.5 / arithmetic.largest_pixel if arithmetic.whole else arithmetic.error
        if tolerance:
            levels = arithmetic.largest_pixel * arithmetic.scale
            relative = tolerance / levels if job.dtype.kind in "biu" else tolerance * pairs.residuals[0]
            allowed = max(allowed, relative)
        enough = np.flatnonzero(pairs.residuals <= allowed * _SHARE)
        return pairs, int(enough[0]) if enough.size else len(pairs.sizes)

    def work(self, job: Job) -> Work:
        """Two band products and the sum for each pair; the rows between the passes are those of the output."""
        _, count = self._pairs(job)
        down = job.samples * job.columns.stride * band_work(job.rows.reach, job.rows.stride)
        planes, step = planes_and_step(job, self.planar(job))
        across = job.samples * band_work((job.columns.reach - 1) * step + 1, job.columns.stride)
        between = 4 * job.samples * job.columns.stride * self.dtype(job).itemsize
        strips = -(-job.rows.outputs // self.rows(job)) * planes
        return Work(count * (down + across), 0.0, moved(job) + count * between, calls=strips * (10 + 12 * count))

    def rows(self, job: Job) -> int:
        """Whole blocks, and enough that the rows shared with the next strip do not count."""
        job = job.parts[0]
        return max(super().rows(job), job.rows.reach // job.rows.stride, BLOCK) // BLOCK * BLOCK

    def prepare(self, job: Job) -> Run:
        """Make the band matrices."""
        pairs, count = self._pairs(job)
        _, step = planes_and_step(job, self.planar(job))
        dtype, rows, columns = self.dtype(job), job.rows, job.columns
        bands = [
            (
                BandMatrices(spread(column.astype(dtype), rows.dilation), rows.stride),
                BandMatrices(spread(row.astype(dtype), columns.dilation * step), columns.stride),
            )
            for column, row in zip(pairs.columns[:count], pairs.rows[:count], strict=True)
        ]
        rounds = job.arithmetic.whole and not pairs.whole
        first, stop = job.columns.window()
        left, width = max(-first, 0), max(stop, job.shape[1]) + max(-first, 0)
        constant = job.border.columns == "constant"

        def run(source: Source, sums: NDArray[Any], workspace: Workspace) -> None:
            if not bands:
                sums[...] = 0
            own = _as_type(source.own_columns(dtype), dtype, workspace)
            outside = source.window(dtype, (-1, 0), "outside") if constant else None
            channels = sums.shape[2:]
            for n, (down, across) in enumerate(bands):
                between = workspace.take("between", (len(sums), width, *channels), dtype)
                down.down(own, between[:, left : left + own.shape[1]])
                beside = workspace.take("beside", (len(sums), 1, *channels), dtype)
                if outside is not None:
                    down.down(outside, beside)
                else:
                    beside[...] = 0
                source.continue_sums(between, left, beside)
                target = workspace.take("product", sums.shape, dtype) if n else sums
                across.across(between[:, left + first :], target)
                if n:
                    np.add(sums, target, out=sums)
            if rounds:
                np.rint(sums, out=sums)

        return run


def _as_type(pixels: NDArray[Any], dtype: np.dtype[Any], workspace: Workspace) -> NDArray[Any]:
    """Return pixels in a type, columns side by side; themselves where they are so already."""
    if pixels.dtype == dtype and pixels.flags.c_contiguous:
        return pixels
    result = workspace.take("typed", pixels.shape, dtype)
    np.copyto(result, pixels, casting="unsafe")
    return result


METHOD = Separable()
