"""The parts of an ICC profile (ICC.1:2022) that imgconv uses: the colour space and the transfer curves.

Offsets and counts in a profile are checked before use. Invalid tags are treated as missing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from imgconv.images.colour.curves import SAMPLES, Curve, Segmented, sampled, usable

_HEADER = 128
_MOST_TAGS = 1000

# Tags of the transfer curves, by colour space.
_CURVE_TAGS = {"RGB": (b"rTRC", b"gTRC", b"bTRC"), "GRAY": (b"kTRC",)}

# Number of parameters of each function type of a `para` tag (10.18, table 68).
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}


@dataclass(frozen=True)
class Profile:
    """The contents of a colour profile.

    Attributes:
        space: the device colour space in the header, without padding: `RGB`, `GRAY`, `CMYK`, `Lab`.
        curves: the curves from signal to light: one for grey, three for red, green and blue. Empty if the profile has no
            curves, or if one is decreasing or cannot be read.
        cicp: the four code points of ITU-T H.273, or b"".
    """

    space: str
    curves: tuple[Curve, ...] = ()
    cicp: bytes = b""


def parse(profile: bytes) -> Profile | None:
    """Return the contents of a profile; None if the data are not a profile or its tag table is damaged."""
    if len(profile) < _HEADER + 4 or profile[36:40] != b"acsp":
        return None
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    if count > _MOST_TAGS or _HEADER + 4 + 12 * count > len(profile):
        return None
    tags: dict[bytes, bytes] = {}
    for tag, offset, size in struct.iter_unpack(">4sII", profile[_HEADER + 4 : _HEADER + 4 + 12 * count]):
        if offset + size <= len(profile):
            tags.setdefault(tag, profile[offset : offset + size])
    space = profile[16:20].decode("latin-1").strip()
    # The curve of a grey profile with the connection space Lab gives lightness, not light.
    names = () if space == "GRAY" and profile[20:24] != b"XYZ " else _CURVE_TAGS.get(space, ())
    curves = tuple(curve for curve in (_curve(tags.get(name, b"")) for name in names) if curve)
    cicp = tags.get(b"cicp", b"")
    cicp = cicp[8:12] if cicp[:4] == b"cicp" and len(cicp) >= 12 else b""
    return Profile(space, curves if len(curves) == len(names) else (), cicp)


def _curve(tag: bytes) -> Curve | None:
    if len(tag) >= 12 and tag[:4] == b"curv":
        return _table(tag)
    return _formula(tag) if len(tag) >= 12 and tag[:4] == b"para" else None


def _table(tag: bytes) -> Curve | None:
    """Return the curve of a `curv` tag (10.6): the identity (0 numbers), a power (1), or samples (2 or more)."""
    (count,) = struct.unpack_from(">I", tag, 8)
    if count > SAMPLES or 12 + 2 * count > len(tag):
        return None
    if count == 0:
        return Segmented(1.0)
    samples = np.frombuffer(tag, ">u2", count, 12)
    return usable(Segmented(int(samples[0]) / 256)) if count == 1 else sampled(samples)


def _formula(tag: bytes) -> Curve | None:
    """Return the curve of a `para` tag (10.18)."""
    (kind,) = struct.unpack_from(">H", tag, 8)
    count = _PARAMETERS.get(kind)
    if count is None or 12 + 4 * count > len(tag):
        return None
    numbers = [number / 65536 for number in struct.unpack_from(f">{count}i", tag, 12)]
    if kind in (1, 2):
        exponent, a, b, offset = (*numbers, 0.0)[:4]
        # Below -b/a the curve is constant.
        return usable(Segmented(exponent, a, b, 0.0, max(-b / a, 0.0) if a else 0.0, offset, offset))
    return usable(Segmented(*numbers))
