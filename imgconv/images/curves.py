"""Curves between a stored signal and the light that it stands for, each with its inverse.

Signal and light run from 0, black, to 1, white; both functions rise all the way, so that no two levels become one. They
take float64 arrays of numbers from 0 up, beyond 1 too: there the formula goes on. What a curve has at black is taken away
and what it has at white divided by, where a profile's does not run from 0 to 1; filters whose weights sum to 1 give the
same picture either way.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: Where curves are sampled: at the levels of 16 bits, none of which may be lost.
SAMPLES = 1 << 16

# Where a sampled curve stands still it is given this part of a straight line, so that it has an inverse.
_RAMP = 2.0**-12


class Curve(ABC):
    """A signal's light, and the way back."""

    @abstractmethod
    def light_of(self, signal: Numbers) -> Numbers:
        """Return the light of signals, an array of the same shape."""

    @abstractmethod
    def signal_of(self, light: Numbers) -> Numbers:
        """Return the signals of light, an array of the same shape."""


@dataclass(frozen=True)
class Segmented(Curve):
    """A power, with a straight line before it: `(a x + b) ** exponent + e` from `d` on, `c x + f` below.

    The general case of ICC.1:2022, 10.18, table 68 (function type 4); with the defaults a plain power.
    """

    exponent: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    def light_of(self, signal: Numbers) -> Numbers:
        """Return the light of signals."""
        black, white = self._ends()
        return (self._raw(signal) - black) / (white - black)

    def signal_of(self, light: Numbers) -> Numbers:
        """Return the signals of light."""
        black, white = self._ends()
        raw = light * (white - black) + black if (black, white) != (0.0, 1.0) else light
        power = (np.maximum(raw - self.e, 0.0) ** (1.0 / self.exponent) - self.b) / self.a
        if not self.d:
            return np.asarray(power)
        # Between the end of the line and the beginning of the power, where they do not meet, lies nothing but `d`.
        line = np.minimum((raw - self.f) / self.c, self.d)
        return np.where(raw < self.c * self.d + self.f, line, np.maximum(power, self.d))

    def _raw(self, signal: Numbers) -> Numbers:
        power = np.maximum(self.a * signal + self.b, 0.0) ** self.exponent + self.e
        return np.where(signal < self.d, self.c * signal + self.f, power) if self.d else np.asarray(power)

    def _ends(self) -> tuple[float, float]:
        black, white = self._raw(np.array([0.0, 1.0]))
        return float(black), float(white)


@dataclass(frozen=True)
class Sampled(Curve):
    """Straight lines between samples at equal distances, from black to white; `sampled` makes one that has an inverse.

    Attributes:
        samples: the light, float64s as bytes (so that the curve can be a key), rising strictly from 0 to 1.
    """

    samples: bytes = field(repr=False)

    def light_of(self, signal: Numbers) -> Numbers:
        """Return the light of signals."""
        values = np.frombuffer(self.samples)
        light = np.interp(signal * (len(values) - 1), np.arange(len(values)), values)
        return np.where(signal > 1, np.maximum(signal, 1.0) ** self._exponent, light)

    def signal_of(self, light: Numbers) -> Numbers:
        """Return the signals of light."""
        values = np.frombuffer(self.samples)
        signal = np.interp(light, values, np.arange(len(values))) / (len(values) - 1)
        return np.where(light > 1, np.maximum(light, 1.0) ** (1 / self._exponent), signal)

    @property
    def _exponent(self) -> float:
        """The power that the curve goes on with beyond white, where it says nothing: the one that has its middle."""
        values = np.frombuffer(self.samples)
        middle = float(np.interp(0.5, np.linspace(0, 1, len(values)), values))
        return min(max(math.log(middle) / math.log(0.5), 0.25), 4.0)


@dataclass(frozen=True)
class PerceptualQuantizer(Curve):
    """PQ of ITU-R BT.2100, table 4 (SMPTE ST 2084): the light of the display, 1 being 10 000 cd/m²."""

    def light_of(self, signal: Numbers) -> Numbers:
        """Return the light of signals."""
        root = signal ** (1 / _PQ_M2)
        # The formula has a pole far beyond white (at a signal of 2.0).
        return np.asarray((np.maximum(root - _PQ_C1, 0) / np.maximum(_PQ_C2 - _PQ_C3 * root, 1e-9)) ** (1 / _PQ_M1))

    def signal_of(self, light: Numbers) -> Numbers:
        """Return the signals of light."""
        root = light**_PQ_M1
        signal = ((_PQ_C1 + _PQ_C2 * root) / (1 + _PQ_C3 * root)) ** _PQ_M2
        # At 0 the formula has 7e-7, a 20th of a level of 16 bits; without limit light has none.
        return np.where((light == 0) | np.isinf(light), light, signal)


_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


@dataclass(frozen=True)
class HybridLogGamma(Curve):
    """HLG of ITU-R BT.2100, table 5: the inverse of the camera's curve, so the light of the scene."""

    def light_of(self, signal: Numbers) -> Numbers:
        """Return the light of signals."""
        above = (np.exp((np.maximum(signal, 0.5) - _HLG_C) / _HLG_A) + _HLG_B) / 12
        return np.where(signal <= 0.5, signal * signal / 3, above)

    def signal_of(self, light: Numbers) -> Numbers:
        """Return the signals of light."""
        above = _HLG_A * np.log(np.maximum(12 * light, 1.0) - _HLG_B) + _HLG_C
        return np.where(light <= 1 / 12, np.sqrt(3 * light), above)


_HLG_A = 0.17883277
_HLG_B = 1 - 4 * _HLG_A
_HLG_C = 0.5 - _HLG_A * math.log(4 * _HLG_A)


def is_near(curve: Curve, other: Curve) -> bool:
    """Return whether two curves are one for people: nowhere further apart than a thousandth of white's light."""
    signal = np.linspace(0, 1, 256)
    return bool(np.abs(curve.light_of(signal) - other.light_of(signal)).max() < 0.001)


def usable(curve: Segmented) -> Curve | None:
    """Return a curve that rises from level to level of 16 bits: this one, or one of its samples; None if it falls."""
    if not all(math.isfinite(getattr(curve, f.name)) for f in fields(curve)) or not curve.exponent:
        return None
    curve = replace(curve, d=max(curve.d, 0.0))
    with np.errstate(all="ignore"):
        samples = curve.light_of(np.linspace(0, 1, SAMPLES))
        invertible = curve.exponent > 0 and curve.a > 0 and (not curve.d or curve.c > 0)
        if invertible and bool((np.diff(samples) > 0).all()):
            return curve
        return sampled(samples)


def sampled(samples: NDArray[Any]) -> Curve | None:
    """Return the curve through samples at equal distances, two or more; None when they fall, or do not rise at all.

    Falls of no more than a measurement's noise, or a rounded parameter, are levelled.
    """
    values = np.asarray(samples, np.float64)
    if not np.isfinite(values).all():
        return None
    risen = np.maximum.accumulate(values)
    if risen[-1] <= risen[0] or (risen - values).max() > _RAMP * (risen[-1] - risen[0]):
        return None
    values = (risen - risen[0]) / (risen[-1] - risen[0])
    if np.diff(values).min() <= 0:
        values = values * (1 - _RAMP) + np.linspace(0, 1, len(values)) * _RAMP
    values[0], values[-1] = 0, 1
    return Sampled(values.tobytes())
