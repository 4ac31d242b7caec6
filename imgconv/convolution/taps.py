"""The non-zero weights, grouped for summing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.plan import Job


class Group(NamedTuple):
    """Taps of equal magnitude: their pixels are added and subtracted first, then multiplied once."""

    weight: Any
    taps: tuple[tuple[int, int, bool], ...]  #: row, column, and whether the pixel is subtracted


def tap_groups(job: Job, weights: NDArray[Any], dtype: np.dtype[Any]) -> list[Group]:
    """Return the taps of a kernel, grouped by magnitude if the pixels are integers.

    Floating-point pixels are multiplied one by one: the sum of two pixels may overflow where that of the products does not.
    """
    at = np.argwhere(weights)
    if job.dtype.kind not in "biu":
        return [Group(dtype.type(weights[i, j]), ((int(i), int(j), False),)) for i, j in at]
    found: dict[float, list[tuple[int, int, bool]]] = {}
    for i, j in at:
        found.setdefault(abs(float(weights[i, j])), []).append((int(i), int(j), bool(weights[i, j] < 0)))
    groups = []
    for magnitude, taps in sorted(found.items()):
        taps.sort(key=lambda tap: tap[2])  # positive weights first
        first_negative = taps[0][2]
        signed = tuple((i, j, negative != first_negative) for i, j, negative in taps)
        groups.append(Group(dtype.type(-magnitude if first_negative else magnitude), signed))
    return groups


def add_groups(groups: list[Group], shifted: Any, sums: NDArray[Any], product: NDArray[Any]) -> None:
    """Write the sum over the groups into `sums`; `product`, of the same shape and type, is overwritten.

    `shifted(row, column)` returns the pixels under a tap in the shape of the sums.
    """
    if not groups:
        sums[...] = 0
    for n, (weight, taps) in enumerate(groups):
        target = product if n else sums
        i, j, _ = taps[0]
        if len(taps) == 1:
            np.multiply(shifted(i, j), weight, out=target)
        else:
            k, m, negative = taps[1]
            (np.subtract if negative else np.add)(shifted(i, j), shifted(k, m), out=target)
            for k, m, negative in taps[2:]:
                (np.subtract if negative else np.add)(target, shifted(k, m), out=target)
            if weight != 1:
                np.multiply(target, weight, out=target)
        if n:
            np.add(sums, product, out=sums)


def steps(groups: list[Group]) -> int:
    """Return the number of passes over the samples, each a multiplication or an addition."""
    return sum(len(taps) + (len(taps) == 1 or weight != 1) for weight, taps in groups)
