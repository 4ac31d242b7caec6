"""Colour profiles for pictures whose file says otherwise which colours it means: by code points, or by gamma and primaries.

Profiles are what nearly every format can carry.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The four bytes of a PNG's cICP that mean sRGB: its primaries and curve, no matrix, full range (PNG, third edition, 11.3.2.6).
SRGB_CODE_POINTS = b"\x01\x0d\x00\x01"

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)

#: White, red, green, blue as x and y (ITU-T H.273, table 2).
_PRIMARIES = {
    1: (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060),
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}

# Curves from stored values to light: a power; or a power above, a line below: ((x + a) / (1 + a))**g, x / c.
_Curve = float | tuple[float, float, float]
_SRGB = (2.4, 0.055, 12.92)
_BT_709 = (1 / 0.45, 0.099296826809442, 4.5)

#: The same by H.273's transfer characteristics, table 3. PQ and HLG are no such curves.
_CURVES: dict[int, _Curve] = {1: _BT_709, 4: 2.2, 5: 2.8, 6: _BT_709, 8: 1.0, 13: _SRGB, 14: _BT_709, 15: _BT_709}

_SAMPLES = 1024  # of a curve that is not a power

# Nearer than this to a gamma of 1/2.2, or to the primaries of sRGB, and a PNG means sRGB; its numbers are rounded.
_NEAR_GAMMA, _NEAR_PRIMARIES = 0.003, 0.002
_LEAST_GAMMA, _GREATEST_GAMMA = 0.05, 20.0  # of what makes sense

# Where a profile says when it was made: the same always, so that the same picture makes the same file.
_DATE, _MADE = slice(24, 36), struct.pack(">6H", 2026, 1, 1, 0, 0, 0)


def of_code_points(cicp: bytes, colours: int) -> bytes:
    """Return a profile that means what code points mean; nothing for sRGB, for PQ and HLG, and for what is unknown.

    Args:
        cicp: as in a PNG's cICP.
        colours: 1 for a profile of grey, 3 for one of RGB.
    """
    if len(cicp) != 4 or cicp == SRGB_CODE_POINTS:
        return b""
    primaries, curve = _PRIMARIES.get(cicp[0]), _CURVES.get(cicp[1])
    return _profile(primaries, curve, colours) if primaries and curve else b""


def of_gamma(gamma: float, primaries: Sequence[float] = (), colours: int = 3) -> bytes:
    """Return a profile of what the chunks gAMA and cHRM of a PNG say; nothing where that is sRGB, or makes no sense.

    Args:
        gamma: the exponent from light to stored values, 0 where there is none.
        primaries: white, red, green, blue, x and y of each; nothing where there are none.
        colours: 1 for a profile of grey, 3 for one of RGB.
    """
    srgb = _PRIMARIES[1]
    if primaries and max(abs(p - s) for p, s in zip(primaries, srgb, strict=True)) < _NEAR_PRIMARIES:
        primaries = ()
    if not gamma or abs(gamma - 1 / 2.2) < _NEAR_GAMMA:
        return _profile(primaries, 2.2 if gamma else _SRGB, colours) if primaries and colours != 1 else b""
    return _profile(primaries or srgb, 1 / gamma, colours) if _LEAST_GAMMA < gamma < _GREATEST_GAMMA else b""


def _profile(primaries: Sequence[float], curve: _Curve, colours: int) -> bytes:
    import imagecodecs

    points = [(x, y, 1.0) for x, y in np.reshape(primaries, (4, 2)).tolist()]
    if not all(0 <= x <= 1 and 0 < y <= 1 for x, y, _ in points):
        return b""
    options: dict[str, Any] = {"gamma": curve} if isinstance(curve, float) else {"transferfunction": _sampled(*curve)}
    if colours != 1:
        options["primaries"] = [number for point in points[1:] for number in point]
    try:
        made = bytearray(imagecodecs.cms_profile("gray" if colours == 1 else "rgb", whitepoint=points[0], **options))
    except Exception:  # primaries on one line
        return b""
    made[_DATE] = _MADE
    return bytes(made)


def _sampled(power: float, shift: float, slope: float) -> NDArray[np.uint16]:
    """Return a curve of two parts, where they meet found by itself."""
    values = np.linspace(0, 1, _SAMPLES)
    bent = ((values + shift) / (1 + shift)) ** power
    # The line lies below the bent part next to black, above it afterwards.
    joint = shift / (power - 1)
    found: NDArray[np.uint16] = np.rint(65_535 * np.where(values < joint, values / slope, bent)).astype(np.uint16)
    return found
