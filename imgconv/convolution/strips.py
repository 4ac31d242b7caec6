"""How an output is cut into strips of rows."""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.convolution.plan import Job

# Bytes of a strip of sums: with its window and a product of the same size it stays in a second-level cache.
_STRIP_BYTES = 1 << 18


def output_strips(job: Job) -> Iterator[tuple[int, int]]:
    """Yield the first and one past the last row of each strip of the output."""
    row = job.columns.outputs * job.channels * job.arithmetic.dtype.itemsize
    height = max(1, _STRIP_BYTES // max(1, row))
    for start in range(0, job.rows.outputs, height):
        yield start, min(start + height, job.rows.outputs)
