"""Timing of functions, robust against other load on the machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Statistics of the run times in seconds.

    Attributes:
        median: median of all runs.
        low: first quartile.
        high: third quartile.
        runs: number of runs.
    """

    median: float
    low: float
    high: float
    runs: int


def time_in_turn(
    functions: Sequence[Callable[[], Any]],
    *,
    seconds: float = 0.3,
    rounds: int = 3,
    most: int = 25,
    until: float = math.inf,
) -> list[Timing]:
    """Time functions in interleaved rounds, so that a slowdown of the machine affects all of them.

    In each round every function runs once unmeasured, since threads of the previous function may still be spinning. It then
    runs repeatedly until its share of the time is used.

    Args:
        functions: the functions to time.
        seconds: timing per function over all rounds; each round has at least one run.
        rounds: number of rounds.
        most: maximum number of runs of a function over all rounds.
        until: time of `time.perf_counter` after which no further round starts.
    """
    found: list[list[float]] = [[] for _ in functions]
    for number in range(rounds):
        if number and time.perf_counter() > until:
            break
        for times, function in zip(found, functions, strict=True):
            function()
            end = time.perf_counter() + seconds / rounds
            for _ in range(max(1, most // rounds)):
                start = time.perf_counter()
                function()
                stop = time.perf_counter()
                times.append(stop - start)
                if stop > end:
                    break
    quartiles = [np.quantile(times, (0.25, 0.5, 0.75)).tolist() for times in found]
    return [Timing(median, low, high, len(times)) for (low, median, high), times in zip(quartiles, found, strict=True)]
