"""How long something takes, on machines that are never quite idle."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Seconds of several runs.

    Attributes:
        median: of all runs.
        low: the first quartile.
        high: the third quartile.
        runs: how many there were.
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
    """Time functions side by side: each in every round, so that a slow spell of the machine meets them all.

    In a round each function runs once unmeasured, as threads of the one before may still be spinning, and then as often as fits
    into its share of the time.

    Args:
        functions: what to time.
        seconds: for each function, over all rounds; at least one run a round is made.
        rounds: how often each function has its turn.
        most: runs of a function in all.
        until: when no further round begins, in the time of `time.perf_counter`.
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
