"""From stored levels to light and back.

A filter averages numbers. Levels are not proportional to light, so an average of levels is darker than what an eye or a
lens would make of the same patch; `linear` gives numbers that are, `encoded` makes levels of them again. Both count in
levels of the image's own type: black stays 0 and white stays white (255, 65535, 1.0).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.depth import full_scale, sum_dtype
from imgconv.errors import UsageError
from imgconv.images import icc
from imgconv.images.curves import Curve, HybridLogGamma, PerceptualQuantizer, Segmented, is_near
from imgconv.images.metadata import Metadata
from imgconv.images.tables import FINEST, light_into, lines_of, signal_into, table_of
from imgconv.opencv import load_cv2

# Values worked on at a time: a strip and what is computed on the way stay in the second-level cache.
_STRIP = 1 << 15


@dataclass(frozen=True)
class Transfer:
    """The way between the levels of a picture and light.

    Attributes:
        name: what to call it.
        curves: one for all channels, or one for each: blue, green, red.
        note: a line for the user on what was assumed; mostly empty.
    """

    name: str
    curves: tuple[Curve, ...]
    note: str = ""

    @property
    def is_identity(self) -> bool:
        """Whether the levels are proportional to light already."""
        return set(self.curves) == {_STRAIGHT}

    def of_planes(self, planes: Sequence[int]) -> Transfer:
        """Return the transfer of some channels of the picture, by their places, 0 being blue."""
        return self if len(self.curves) == 1 else replace(self, curves=tuple(self.curves[plane] for plane in planes))

    def curves_for(self, shape: tuple[int, ...]) -> tuple[Curve, ...]:
        """Return the curves for pixels of a shape: one, or as many as it has channels.

        Of one channel that is not one of three, but mixed of them, it is green's, which is the most of it.

        Raises:
            UsageError: there are curves, but for another number of channels.
        """
        channels = shape[2] if len(shape) == 3 else 1
        if len(self.curves) in (1, channels):
            return self.curves
        if channels == 1:
            return self.curves[len(self.curves) // 2 :][:1]
        raise UsageError(
            f"{self.name}: curves for {len(self.curves)} channels, and {channels} of them; choose them by of_planes"
        )


_STRAIGHT = Segmented(1.0)

#: Levels that are light.
LINEAR = Transfer("linear", (_STRAIGHT,))
#: IEC 61966-2-1.
SRGB = Transfer("sRGB", (icc.SRGB_CURVE,))


def _camera(slope: float, alpha: float, beta: float) -> Segmented:
    """Return the inverse of `alpha * L ** 0.45 - (alpha - 1)`, with `slope * L` up to `beta`."""
    return Segmented(1 / 0.45, 1 / alpha, (alpha - 1) / alpha, 1 / slope, slope * beta)


# ITU-R BT.709, item 1.2, with the constants to more places, as ITU-T H.273 gives them. It is the curve of cameras: what
# comes back is the light of the scene. A display shows such pictures with a power of 2.4 (BT.1886).
_BT709 = Transfer("BT.709", (_camera(4.5, 1.099296826809442, 0.018053968510807),))

# Transfer characteristics of ITU-T H.273, table 3, by number. 2 is unspecified; 9 and 10 are logarithms that reach no black.
_CODE_POINTS = {
    **dict.fromkeys((1, 6, 11, 12, 14, 15), _BT709),
    4: Transfer("gamma 2.2", (Segmented(2.2),)),
    5: Transfer("gamma 2.8", (Segmented(2.8),)),
    7: Transfer("SMPTE 240M", (_camera(4, 1.111572195921731, 0.022821585529445),)),
    8: LINEAR,
    13: SRGB,
    16: Transfer("PQ", (PerceptualQuantizer(),)),
    # SMPTE ST 428-1; its white lies at 48/52.37 of the full signal's light, and is not asked for here.
    17: Transfer("SMPTE ST 428-1", (Segmented(2.6),)),
    18: Transfer("HLG", (HybridLogGamma(),), "HLG gives the light of the scene: what a display adds (its OOTF) is left out"),
}

_KNOWN = (SRGB, LINEAR, _BT709, _CODE_POINTS[4], Transfer("gamma 1.8", (Segmented(1.8),)))


def transfer_of(metadata: Metadata, dtype: DTypeLike, channels: int) -> Transfer:
    """Return how the levels of a picture become light.

    What says so first counts: the code points of H.273 (cICP), the colour profile. Where neither
    does, integers are taken as sRGB and floating-point numbers as light already. Whether the code points say that levels
    are of narrow range is not looked at: what is decoded from video (AVIF) is of full range by then.

    Args:
        metadata: of the picture.
        dtype: of its pixels.
        channels: of colour, without alpha: 1 or 3.
    """
    if len(metadata.cicp) == 4 and metadata.cicp[1] in _CODE_POINTS:
        return _CODE_POINTS[metadata.cicp[1]]
    note = ""
    if metadata.icc:
        profile = icc.parsed(metadata.icc)
        if profile is not None:
            return _of_profile(profile, channels)
        note = "the colour profile is damaged, and not looked at to find the light of the levels"
    return replace(_usual(dtype), note=note)


def _of_profile(profile: icc.Profile, channels: int) -> Transfer:
    if len(profile.cicp) == 4 and profile.cicp[1] in _CODE_POINTS:
        return _CODE_POINTS[profile.cicp[1]]
    curves = profile.curves[::-1] if len(set(profile.curves)) > 1 else profile.curves[:1]
    if not curves or len(curves) > channels:
        why = "curves for other channels" if curves else "no curves that can be turned round"
        return replace(SRGB, note=f"the colour profile has {why}; the curve of sRGB is used instead")
    alike = (known.name for known in _KNOWN if all(is_near(curve, known.curves[0]) for curve in curves))
    return Transfer(next(alike, "the colour profile's curves"), curves)


def _usual(dtype: DTypeLike) -> Transfer:
    return LINEAR if np.dtype(dtype).kind == "f" else SRGB


def linear(pixels: NDArray[Any], transfer: Transfer) -> NDArray[Any]:
    """Return the light of pixels, in levels of their full scale.

    Args:
        pixels: colour without alpha, (H, W) or (H, W, C), blue, green, red; integers or floating point. Below zero the
            curve is turned round the origin.
        transfer: as `transfer_of` gives it.

    Returns:
        A new array of the same shape: float32 for 8 and 16 bits, float16 and float32, else float64. So are 16 bits of
        a curve so flat somewhere that float32 would not keep their levels apart.
    """
    if transfer.is_identity:
        return pixels.astype(sum_dtype(pixels.dtype))
    full, curves = full_scale(pixels.dtype), transfer.curves_for(pixels.shape)
    if pixels.dtype.kind not in "iu" or pixels.dtype.itemsize > 2:
        return _by_strips(pixels, sum_dtype(pixels.dtype), [functools.partial(light_into, c, full) for c in curves])
    kept = all(lines_of(curve, full).keeps_levels for curve in curves)
    tables = [table_of(curve, pixels.dtype, "float32" if kept else "float64") for curve in curves]
    if pixels.dtype.itemsize == 2:
        steps = [functools.partial(_look_up, table) for table in tables]
        return _by_strips(pixels.view(np.uint16), tables[0].dtype, steps)
    codes = np.ascontiguousarray(pixels).view(np.uint8)
    found = load_cv2().LUT(codes, np.stack(tables, axis=-1)[np.newaxis])  # one row, as many channels as there are curves
    return np.asarray(found).reshape(pixels.shape)


def encoded(values: NDArray[Any], transfer: Transfer, full: float) -> NDArray[Any]:
    """Return the levels of light: the inverse of `linear`, neither rounded nor clipped.

    Beyond white the curve's formula goes on, below black it is turned round the origin, so that it is left to whoever
    rounds what becomes of such levels. Every level of 8 and 16 bits, made `linear`, comes back as itself when it is
    rounded. In float32, light between them is off by less than 0.05 of 65 535 levels, or 0.0002 of 255, where a formula
    is the curve; where a profile's samples are, by less than a level.

    Args:
        values: float32 or float64, (H, W) or (H, W, C), blue, green, red, in levels.
        transfer: as for `linear`.
        full: the level of white.

    Returns:
        The same shape and type; `values` itself where the transfer is the identity.
    """
    if transfer.is_identity:
        return values
    steps: list[_Step] = []
    for curve in transfer.curves_for(values.shape):
        if values.dtype == np.float32 and full <= FINEST and lines_of(curve, full).keeps_levels:
            steps.append(lines_of(curve, full).follow)
        else:
            steps.append(functools.partial(signal_into, curve, full))
    return _by_strips(values, values.dtype, steps)


_Step = Callable[[NDArray[Any], NDArray[Any]], None]


def _by_strips(values: NDArray[Any], dtype: DTypeLike, steps: Sequence[_Step]) -> NDArray[Any]:
    """Return what the steps, one for all channels or one for each, put into their second argument for the first."""
    out = np.empty(values.shape, dtype)
    rows = max(1, _STRIP // max(1, math.prod(values.shape[1:])))
    for start in range(0, len(values), rows):
        strip, made = values[start : start + rows], out[start : start + rows]
        if len(steps) == 1:
            steps[0](np.ascontiguousarray(strip).reshape(-1), made.reshape(-1))
            continue
        for channel, step in enumerate(steps):
            plane = np.empty(strip.shape[:2], dtype)
            step(np.ascontiguousarray(strip[:, :, channel]).reshape(-1), plane.reshape(-1))
            made[:, :, channel] = plane
    return out


def _look_up(table: NDArray[Any], codes: NDArray[Any], out: NDArray[Any]) -> None:
    table.take(codes, out=out, mode="wrap")  # no code lies outside, and this is the fastest way not to check
