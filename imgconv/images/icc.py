"""What an ICC profile says of its colours: the space, the curves to light, the colorants (ICC.1:2022).

A profile comes out of a file, and may have been made to break its readers: every offset and count is a claim, and what
does not hold is as good as not there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from imgconv.images.curves import SAMPLES, Curve, Segmented, is_near, sampled, usable

_HEADER = 128
_MOST_TAGS = 1000

# Parameters of each function type of a `para`, in their order (ICC.1:2022, 10.18, table 68).
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}

#: IEC 61966-2-1, 5.2: the curve of sRGB.
SRGB_CURVE = Segmented(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

# Red, green and blue of sRGB as X, Y, Z under D50, as the profiles of the ICC have them (color.org, sRGB2014.icc).
_SRGB_COLORANTS = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
_NEAR = 0.002


@dataclass(frozen=True)
class Profile:
    """What is used of a colour profile.

    Attributes:
        space: the device's colour space, as the header has it, without its blanks: `RGB`, `GRAY`, `CMYK`, `Lab`.
        curves: from signal to light: one for grey, three (red, green, blue); none where the profile has not got them,
            or one of them falls, or cannot be read.
        colorants: X, Y, Z of red, green and blue; none where they are missing.
        cicp: the four code points of ITU-T H.273, where the profile has them.
    """

    space: str
    curves: tuple[Curve, ...] = ()
    colorants: tuple[tuple[float, float, float], ...] = ()
    cicp: bytes = b""


def parsed(profile: bytes) -> Profile | None:
    """Return what a profile says, or None when it is no profile, or its table of tags makes no sense."""
    if len(profile) < _HEADER + 4 or profile[36:40] != b"acsp":
        return None
    tags = _tags(profile)
    if tags is None:
        return None
    space = profile[16:20].decode("latin-1").strip()
    names = {"RGB": (b"rTRC", b"gTRC", b"bTRC"), "GRAY": (b"kTRC",)}.get(space, ())
    # Where grey is connected by Lab, its curve gives lightness, not light.
    if space == "GRAY" and profile[20:24] != b"XYZ ":
        names = ()
    curves = tuple(curve for curve in (_curve(tags.get(name, b"")) for name in names) if curve)
    colorants = tuple(xyz for xyz in (_xyz(tags.get(name, b"")) for name in (b"rXYZ", b"gXYZ", b"bXYZ")) if xyz)
    cicp = tags.get(b"cicp", b"")
    return Profile(
        space,
        curves if len(curves) == len(names) else (),
        colorants if len(colorants) == 3 else (),
        cicp[8:12] if cicp[:4] == b"cicp" and len(cicp) >= 12 else b"",
    )


def is_srgb(profile: bytes) -> bool:
    """Return whether a profile is that of sRGB, whoever made it: by its curves and its colorants."""
    found = parsed(profile)
    if found is None or found.space != "RGB" or not found.curves or not found.colorants:
        return False
    near = all(is_near(curve, SRGB_CURVE) for curve in found.curves)
    return near and bool(np.allclose(found.colorants, _SRGB_COLORANTS, rtol=0, atol=_NEAR))


def _tags(profile: bytes) -> dict[bytes, bytes] | None:
    """Return the content of each tag, those left out that lie outside of the data; None when there are too many."""
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    if count > _MOST_TAGS or _HEADER + 4 + 12 * count > len(profile):
        return None
    tags: dict[bytes, bytes] = {}
    for name, offset, size in struct.iter_unpack(">4sII", profile[_HEADER + 4 : _HEADER + 4 + 12 * count]):
        if offset + size <= len(profile) and name in _USED:
            tags.setdefault(name, profile[offset : offset + size])
    return tags


_USED = {b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"rXYZ", b"gXYZ", b"bXYZ", b"cicp"}


def _curve(tag: bytes) -> Curve | None:
    if tag[:4] == b"curv" and len(tag) >= 12:
        return _table(tag)
    if tag[:4] == b"para" and len(tag) >= 12:
        return _formula(tag)
    return None


def _table(tag: bytes) -> Curve | None:
    """Return the curve of a `curv` (10.6): nothing (the identity), an exponent, or samples."""
    (count,) = struct.unpack_from(">I", tag, 8)
    if count > SAMPLES or 12 + 2 * count > len(tag):
        return None
    if count == 0:
        return Segmented(1.0)
    samples = np.frombuffer(tag, ">u2", count, 12)
    return usable(Segmented(int(samples[0]) / 256)) if count == 1 else sampled(samples)


def _formula(tag: bytes) -> Curve | None:
    """Return the curve of a `para` (10.18)."""
    (kind,) = struct.unpack_from(">H", tag, 8)
    count = _PARAMETERS.get(kind)
    if count is None or 12 + 4 * count > len(tag):
        return None
    numbers = [number / 65536 for number in struct.unpack_from(f">{count}i", tag, 12)]
    if kind in (1, 2):
        exponent, a, b = numbers[:3]
        rest = numbers[3] if kind == 2 else 0.0
        # From -b/a on, which is where the power begins; below it the curve is flat.
        return usable(Segmented(exponent, a, b, 0.0, max(-b / a, 0.0) if a else 0.0, rest, rest))
    return usable(Segmented(*numbers))


def _xyz(tag: bytes) -> tuple[float, float, float] | None:
    if tag[:4] != b"XYZ " or len(tag) < 20:
        return None
    x, y, z = struct.unpack_from(">3i", tag, 8)
    return x / 65536, y / 65536, z / 65536
