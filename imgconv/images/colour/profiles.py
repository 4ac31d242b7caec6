"""Colour profiles made by LittleCMS: of sRGB, of code points, of gamma and primaries. Nearly every format stores profiles."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from imgconv.images.colour.curves import CODE_POINTS, SRGB_CURVE, Segmented

#: The four bytes of a PNG's cICP chunk that mean sRGB: its primaries and curve, no matrix, full range (PNG, third edition,
#: 11.3.2.6).
SRGB_CODE_POINTS = b"\x01\x0d\x00\x01"

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)

# White, red, green, blue as x and y (ITU-T H.273, table 2).
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

_SAMPLES = 1024  # of a curve that is not a power

# A PNG with a gamma or primaries nearer than this to 1/2.2 or to those of sRGB means sRGB; its numbers are rounded.
_NEAR_GAMMA, _NEAR_PRIMARIES = 0.003, 0.002
_LEAST_GAMMA, _GREATEST_GAMMA = 0.05, 20.0  # others are not credible

# The time of creation in a profile's header (ICC.1:2022, 7.2.9) is fixed, so that the same picture gives the same file.
_CREATED = slice(24, 36)
_FIXED_TIME = bytes((7, 208, 0, 1, 0, 1)) + bytes(6)  # 1 January 2000


@functools.cache
def srgb() -> bytes:
    """Return an ICC profile of sRGB."""
    return _by_littlecms("srgb")


def of_code_points(cicp: bytes, colours: int) -> bytes:
    """Return the profile, of grey or of 3 colours, equivalent to the code points of a PNG's cICP chunk.

    Nothing is returned for sRGB, for PQ and HLG, and for unknown code points.
    """
    if len(cicp) != 4 or cicp == SRGB_CODE_POINTS or cicp[0] not in _PRIMARIES or cicp[1] not in CODE_POINTS:
        return b""
    return _profile(_PRIMARIES[cicp[0]], CODE_POINTS[cicp[1]][1], colours)


def of_gamma(gamma: float, primaries: Sequence[float] = (), colours: int = 3) -> bytes:
    """Return the profile, of grey or of 3 colours, equivalent to a PNG's gAMA and cHRM chunks.

    Nothing is returned where they mean sRGB or are not credible.

    Args:
        gamma: the exponent from light to stored values, 0 where there is none.
        primaries: white, red, green, blue, x and y of each; empty where there are none.
    """
    standard = _PRIMARIES[1]
    if primaries and max(abs(p - s) for p, s in zip(primaries, standard, strict=True)) < _NEAR_PRIMARIES:
        primaries = ()
    if not gamma or abs(gamma - 1 / 2.2) < _NEAR_GAMMA:
        curve = Segmented(2.2) if gamma else SRGB_CURVE
        return _profile(primaries, curve, colours) if primaries and colours != 1 else b""
    return _profile(primaries or standard, Segmented(1 / gamma), colours) if _LEAST_GAMMA < gamma < _GREATEST_GAMMA else b""


def _profile(primaries: Sequence[float], curve: Segmented, colours: int) -> bytes:
    points = [(x, y, 1.0) for x, y in np.reshape(primaries, (4, 2)).tolist()]
    if not all(0 <= x <= 1 and 0 < y <= 1 for x, y, _ in points):
        return b""
    options: dict[str, Any] = {"gamma": curve.exponent}
    if curve != Segmented(curve.exponent):
        samples = np.rint(65_535 * curve.light_of(np.linspace(0, 1, _SAMPLES)))
        options = {"transferfunction": samples.astype(np.uint16)}
    if colours != 1:
        options["primaries"] = [number for point in points[1:] for number in point]
    try:
        return _by_littlecms("gray" if colours == 1 else "rgb", whitepoint=points[0], **options)
    except Exception:  # the primaries lie on one line
        return b""


def _by_littlecms(kind: str, **options: Any) -> bytes:
    import imagecodecs

    profile = bytearray(imagecodecs.cms_profile(kind, **options))
    profile[_CREATED] = _FIXED_TIME
    return bytes(profile)
