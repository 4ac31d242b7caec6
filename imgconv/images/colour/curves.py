"""Transfer curves from stored signal to linear light, and their inverses.

Signal and light range from 0 (black) to 1 (white). Both functions are strictly increasing, so distinct levels stay distinct.
Arguments are float64 arrays of non-negative numbers; above 1 the curve is extrapolated. A profile's curve with another range is
shifted and scaled to 0 to 1, which does not change the result of a filter whose weights sum to 1.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: Number of samples of a curve: the levels of 16 bits, which must stay distinct.
SAMPLES = 1 << 16

# Weight of a straight line that is blended into a sampled curve with constant parts, so that it has an inverse.
_RAMP = 2.0**-12


@dataclass(frozen=True)
class Segmented:
    """A power function with a linear segment: `(a x + b) ** exponent + e` from `d` on, `c x + f` below.

    This is function type 4 of ICC.1:2022, 10.18, table 68. With the defaults it is a plain power.
    """

    exponent: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    def light_of(self, signal: Numbers) -> Numbers:
        """Return the light for an array of signals."""
        black, white = self._ends()
        return (self._unscaled(signal) - black) / (white - black)

    def signal_of(self, light: Numbers) -> Numbers:
        """Return the signals for an array of light."""
        black, white = self._ends()
        unscaled = light * (white - black) + black if (black, white) != (0.0, 1.0) else light
        power = (np.maximum(unscaled - self.e, 0.0) ** (1.0 / self.exponent) - self.b) / self.a
        if not self.d:
            return np.asarray(power)
        # If the curve jumps at `d`, all light within the jump maps to `d`.
        line = np.minimum((unscaled - self.f) / self.c, self.d)
        return np.where(unscaled < self.c * self.d + self.f, line, np.maximum(power, self.d))

    def _unscaled(self, signal: Numbers) -> Numbers:
        power = np.maximum(self.a * signal + self.b, 0.0) ** self.exponent + self.e
        return np.where(signal < self.d, self.c * signal + self.f, power) if self.d else np.asarray(power)

    def _ends(self) -> tuple[float, float]:
        black, white = self._unscaled(np.array([0.0, 1.0]))
        return float(black), float(white)


@dataclass(frozen=True)
class Sampled:
    """A piecewise linear curve through equidistant samples from black to white; created by `sampled`.

    Attributes:
        samples: the light as bytes of float64 (so that the curve is hashable), strictly increasing from 0 to 1.
    """

    samples: bytes = field(repr=False)

    def light_of(self, signal: Numbers) -> Numbers:
        """Return the light for an array of signals."""
        values = np.frombuffer(self.samples)
        light = np.interp(signal * (len(values) - 1), np.arange(len(values)), values)
        return np.where(signal > 1, np.maximum(signal, 1.0) ** self._exponent, light)

    def signal_of(self, light: Numbers) -> Numbers:
        """Return the signals for an array of light."""
        values = np.frombuffer(self.samples)
        signal = np.interp(light, values, np.arange(len(values))) / (len(values) - 1)
        return np.where(light > 1, np.maximum(light, 1.0) ** (1 / self._exponent), signal)

    @property
    def _exponent(self) -> float:
        """The exponent for extrapolation above white, which profiles do not define: that of a power through the middle."""
        values = np.frombuffer(self.samples)
        middle = float(np.interp(0.5, np.linspace(0, 1, len(values)), values))
        return min(max(math.log(middle) / math.log(0.5), 0.25), 4.0)


#: A transfer curve and its inverse.
Curve = Segmented | Sampled


def _camera(slope: float, alpha: float, beta: float) -> Segmented:
    """Return the inverse of `alpha * L ** 0.45 - (alpha - 1)`, with `slope * L` up to `beta`."""
    return Segmented(1 / 0.45, 1 / alpha, (alpha - 1) / alpha, 1 / slope, slope * beta)


#: The identity, for signals that are linear light.
STRAIGHT = Segmented(1.0)
#: sRGB: IEC 61966-2-1, 5.2.
SRGB_CURVE = Segmented(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

# ITU-R BT.709, item 1.2, with the more precise constants of ITU-T H.273. This is the curve of a camera: its inverse gives the
# light of the scene. Displays use a power of 2.4 for such pictures (BT.1886).
_BT709 = ("BT.709", _camera(4.5, 1.099296826809442, 0.018053968510807))

#: Transfer characteristics of ITU-T H.273, table 3, by number: name and curve. 2 means "unspecified".
CODE_POINTS: dict[int, tuple[str, Segmented]] = {
    **dict.fromkeys((1, 6, 11, 12, 14, 15), _BT709),
    4: ("gamma 2.2", Segmented(2.2)),
    5: ("gamma 2.8", Segmented(2.8)),
    7: ("SMPTE 240M", _camera(4, 1.111572195921731, 0.022821585529445)),
    8: ("linear", STRAIGHT),
    13: ("sRGB", SRGB_CURVE),
    17: ("SMPTE ST 428-1", Segmented(2.6)),  # ignores that white is at 48/52.37 of the light of the full signal
}

#: Names of the unsupported transfer characteristics.
UNSUPPORTED_CODE_POINTS = {9: "logarithmic", 10: "logarithmic", 16: "PQ", 18: "HLG"}


def is_near(curve: Curve, other: Curve) -> bool:
    """Return whether two curves differ by less than 0.001 everywhere."""
    signal = np.linspace(0, 1, 256)
    return bool(np.abs(curve.light_of(signal) - other.light_of(signal)).max() < 0.001)


def usable(curve: Segmented) -> Curve | None:
    """Return the curve if it is strictly increasing in 16 bits, else its sampled version; None if it is decreasing."""
    if not all(map(math.isfinite, astuple(curve))) or not curve.exponent:
        return None
    curve = replace(curve, d=max(curve.d, 0.0))
    with np.errstate(all="ignore"):
        samples = curve.light_of(np.linspace(0, 1, SAMPLES))
        rises = bool((np.diff(samples) > 0).all())
    invertible = curve.exponent > 0 and curve.a > 0 and (not curve.d or curve.c > 0)
    return curve if invertible and rises else sampled(samples)


def sampled(samples: NDArray[Any]) -> Curve | None:
    """Return the curve through two or more equidistant samples; None if they decrease, or are all equal.

    Decreases as small as the noise of a measurement or the rounding of a parameter are flattened.
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
