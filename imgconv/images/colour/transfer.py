"""Conversion of stored levels to linear light, and back.

Stored levels are not proportional to light, so their average is darker than the average of the light. `linear` converts
levels to values proportional to light, `encoded` converts back. Both keep the scale of the image's type: black is 0, and
white is full scale (255, 65535, 1.0).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.depth import full_scale, sum_dtype
from imgconv.errors import UsageError
from imgconv.images.colour import icc
from imgconv.images.colour.curves import CODE_POINTS, SRGB_CURVE, STRAIGHT, UNSUPPORTED_CODE_POINTS, Curve, Segmented, is_near
from imgconv.images.colour.tables import FINEST, apply_lines, evaluate, lines_of, table_of
from imgconv.images.metadata import Metadata
from imgconv.opencv import load_cv2

# Values per strip. A strip and its intermediate results fit into the second-level cache.
_STRIP = 1 << 15


@dataclass(frozen=True)
class Transfer:
    """The transfer curves of a picture, from stored levels to linear light.

    Attributes:
        name: the name in messages.
        curves: one curve for all channels, or one for each of blue, green and red.
        note: a line for the user on assumptions that were made, or "".
    """

    name: str
    curves: tuple[Curve, ...]
    note: str = ""

    @property
    def is_identity(self) -> bool:
        """Whether the stored levels are proportional to light."""
        return set(self.curves) == {STRAIGHT}

    def of_planes(self, planes: Sequence[int]) -> Transfer:
        """Return the transfer of selected channels, by index; 0 is blue."""
        return self if len(self.curves) == 1 else replace(self, curves=tuple(self.curves[plane] for plane in planes))

    def curves_for(self, shape: tuple[int, ...]) -> tuple[Curve, ...]:
        """Return the curves for pixels of a given shape: one for all channels, or one per channel.

        For a single channel mixed from three, the curve of green is used, because green has the largest weight.

        Raises:
            UsageError: the number of curves does not match the number of channels.
        """
        channels = shape[2] if len(shape) == 3 else 1
        if len(self.curves) in (1, channels):
            return self.curves
        if channels == 1:
            return self.curves[len(self.curves) // 2 :][:1]
        raise UsageError(
            f"{self.name}: expected {len(self.curves)} channels, one per curve, found {channels}; select curves with of_planes"
        )


#: The identity, for pixels that are linear light.
LINEAR = Transfer("linear", (STRAIGHT,))
#: The transfer curve of sRGB (IEC 61966-2-1).
SRGB = Transfer("sRGB", (SRGB_CURVE,))

# Curves that messages call by name.
_NAMED = [*(CODE_POINTS[code] for code in (13, 8, 1, 4)), ("gamma 1.8", Segmented(1.8))]


def transfer_of(metadata: Metadata, dtype: DTypeLike, channels: int) -> Transfer:
    """Return the transfer curves of a picture.

    The code points of ITU-T H.273 (cICP) have precedence over the colour profile. Without either, integers are treated as
    sRGB and floating-point numbers as linear light. PQ, HLG and logarithmic curves are not supported and reported in the
    note. The range flag of the code points is ignored, because decoders of video (AVIF) return full range.

    Args:
        metadata: the metadata of the picture.
        dtype: the data type of its pixels.
        channels: number of colour channels without alpha, 1 or 3.
    """
    usual = LINEAR if np.dtype(dtype).kind == "f" else SRGB
    profile = icc.parse(metadata.icc) if metadata.icc else None
    for code_points in (metadata.cicp, profile.cicp if profile else b""):
        code = code_points[1] if len(code_points) == 4 else 0
        if code in CODE_POINTS:
            name, curve = CODE_POINTS[code]
            return Transfer(name, (curve,))
        if code in UNSUPPORTED_CODE_POINTS:
            unsupported = UNSUPPORTED_CODE_POINTS[code]
            return replace(usual, note=f"the transfer curve {unsupported} is not supported; {usual.name} is used instead")
    if profile is not None:
        return _of_profile(profile, channels)
    note = "the colour profile is damaged and is ignored in the conversion to linear light"
    return replace(usual, note=note if metadata.icc else "")


def _of_profile(profile: icc.Profile, channels: int) -> Transfer:
    curves = profile.curves[::-1] if len(set(profile.curves)) > 1 else profile.curves[:1]
    if not curves or len(curves) > channels:
        reason = "curves for other channels" if curves else "no curves that can be inverted"
        return replace(SRGB, note=f"the colour profile has {reason}; the curve of sRGB is used instead")
    names = (name for name, known in _NAMED if all(is_near(curve, known) for curve in curves))
    return Transfer(next(names, "the colour profile's curves"), curves)


def linear(pixels: NDArray[Any], transfer: Transfer) -> NDArray[Any]:
    """Return the linear light of pixels, on the scale of their type.

    Args:
        pixels: colour without alpha, (H, W) or (H, W, C), blue, green, red; integers or floating point. Below 0 the curve
            is continued by f(-x) = -f(x).
        transfer: the transfer curves, see `transfer_of`.

    Returns:
        A new array of the same shape: float32 for 8 and 16 bits, float16 and float32, else float64. Integers also become
        float64 if the curve is so flat or steep that float32 cannot keep the levels distinct.
    """
    if transfer.is_identity:
        return pixels.astype(sum_dtype(pixels.dtype))
    full, curves = full_scale(pixels.dtype), transfer.curves_for(pixels.shape)
    if pixels.dtype.kind not in "iu" or pixels.dtype.itemsize > 2:
        return _by_strips(pixels, sum_dtype(pixels.dtype), [partial(evaluate, curve.light_of, full) for curve in curves])
    kind = "float32" if all(lines_of(curve, full) is not None for curve in curves) else "float64"
    tables = [table_of(curve, pixels.dtype, kind) for curve in curves]
    if pixels.dtype.itemsize == 1:  # OpenCV takes half the time
        codes = np.ascontiguousarray(pixels).view(np.uint8)
        return np.asarray(load_cv2().LUT(codes, np.stack(tables, axis=-1)[np.newaxis])).reshape(pixels.shape)
    return _by_strips(pixels.view(np.uint16), kind, [partial(_look_up, table) for table in tables])


def encoded(values: NDArray[Any], transfer: Transfer, full: float) -> NDArray[Any]:
    """Return the levels of linear light: the inverse of `linear`, neither rounded nor clipped.

    Above white the curve is extrapolated; below black it is continued by f(-x) = -f(x). Rounding restores every level of 8
    and 16 bits that `linear` converted. In float32, light between levels deviates by less than 0.05 of 65 535 levels, or
    0.0002 of 255, if the curve is a formula, and by less than a level if it is sampled.

    Args:
        values: light on the scale of levels, float32 or float64, (H, W) or (H, W, C), blue, green, red.
        transfer: as for `linear`.
        full: the level of white.

    Returns:
        An array of the same shape and type; `values` itself if the transfer is the identity.
    """
    if transfer.is_identity:
        return values
    steps: list[_Step] = []
    for curve in transfer.curves_for(values.shape):
        lines = lines_of(curve, full) if values.dtype == np.float32 and full <= FINEST else None
        steps.append(partial(evaluate, curve.signal_of, full) if lines is None else partial(apply_lines, lines))
    return _by_strips(values, values.dtype, steps)


_Step = Callable[[NDArray[Any], NDArray[Any]], None]


def _by_strips(values: NDArray[Any], dtype: DTypeLike, steps: Sequence[_Step]) -> NDArray[Any]:
    """Apply one step to all channels, or one step to each, strip by strip. A step writes its result into an output array."""
    out = np.empty(values.shape, dtype)
    rows = max(1, _STRIP // max(1, math.prod(values.shape[1:])))
    for start in range(0, len(values), rows):
        strip, result = values[start : start + rows], out[start : start + rows]
        if len(steps) == 1:
            steps[0](strip, result)
        else:
            for channel, step in enumerate(steps):
                plane = np.empty(strip.shape[:2], dtype)
                step(np.ascontiguousarray(strip[:, :, channel]), plane)
                result[:, :, channel] = plane
    return out


def _look_up(table: NDArray[Any], codes: NDArray[Any], out: NDArray[Any]) -> None:
    table.take(codes, out=out, mode="wrap")  # no code is out of range; this is the fastest mode
