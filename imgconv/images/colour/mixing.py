"""Conversions between colour spaces: CMYK to RGB, colour to grey."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import full_scale, sum_dtype

#: Weights of blue, green and red in the luma of stored levels: ITU-R BT.601, 2.5.1 (as in OpenCV and Pillow).
LUMA = (0.114, 0.587, 0.299)
#: Weights in the luminance of linear light: ITU-R BT.709, item 3.2 (for the primaries of sRGB).
LUMINANCE = (0.0722, 0.7152, 0.2126)

# Values per strip. A strip and its intermediate results fit into the second-level cache.
_STRIP = 1 << 15

_FORMULA = "converted to RGB by (1 - C)(1 - K), so its colours are approximate"


def grey(pixels: NDArray[Any], linear: bool) -> NDArray[Any]:
    """Return the luminance of linear light, or the luma of stored levels. Grey pixels keep their value exactly.

    Args:
        pixels: (H, W, 3), blue, green, red.
        linear: whether the pixels are linear light.

    Returns:
        (H, W), float32 for 8 and 16 bits, float16 and float32, else float64; not rounded.
    """
    blue, _, red = LUMINANCE if linear else LUMA
    out = np.empty(pixels.shape[:2], sum_dtype(pixels.dtype))
    rows = max(1, _STRIP // (3 * pixels.shape[1]))
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        for start in range(0, len(out), rows):
            b, g, r = (pixels[start : start + rows, :, channel].astype(out.dtype) for channel in range(3))
            # In grey pixels the differences to green are 0. A weighted sum would be inexact: binary weights do not sum to 1.
            strip = out[start : start + rows]
            np.add(g, (b - g) * out.dtype.type(blue), out=strip)
            strip += (r - g) * out.dtype.type(red)
            if np.isnan(strip).any():  # the result for infinite channels is infinite, not infinity minus infinity
                np.copyto(strip, b + g + r, where=np.isnan(strip))
    return out


def cmyk_to_rgb(inks: NDArray[Any], profile: bytes) -> tuple[NDArray[Any], bytes, str]:
    """Return CMYK converted to RGB.

    With a profile, pixels are converted to sRGB as in browsers and Photoshop. Relative colorimetric intent makes paper white
    and preserves the colours inside sRGB. Black point compensation makes the darkest ink black, so that shadows are not
    clipped.

    Args:
        inks: (H, W, 4), cyan, magenta, yellow, black; uint8 or uint16, where full scale is 100 % ink.
        profile: the ICC profile of the inks, or b"".

    Returns:
        The pixels, (H, W, 3), red, green, blue, of the same type; their ICC profile, or b"" if no profile was used; a note
        on the conversion.
    """
    from imgconv.images.colour import icc, profiles

    if not profile:
        return _by_formula(inks), b"", f"CMYK without a colour profile: {_FORMULA}"
    found = icc.parse(profile)
    if found is None:
        reason = "is damaged"
    elif found.space != "CMYK":
        readable = found.space.isalnum() and found.space.isascii()
        reason = f"is for {found.space if readable else 'another colour space'}, not for CMYK"
    else:
        pixels = _by_profile(inks, profile, profiles.srgb())
        if pixels is not None:
            return pixels, profiles.srgb(), "CMYK converted to sRGB by its colour profile"
        reason = "cannot be used"
    return _by_formula(inks), b"", f"the colour profile {reason}: CMYK {_FORMULA}"


def _by_profile(inks: NDArray[Any], profile: bytes, srgb: bytes) -> NDArray[Any] | None:
    """Return CMYK converted to sRGB by an ICC profile; None if LittleCMS cannot use the profile."""
    import imagecodecs

    try:
        pixels = imagecodecs.cms_transform(
            np.ascontiguousarray(inks),
            profile,
            srgb,
            colorspace="cmyk",
            planar=False,
            outcolorspace="rgb",
            outplanar=False,
            outdtype=inks.dtype,
            intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
            # LittleCMS interpolates in a grid computed from the profile. The finer grid costs little.
            flags=imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION | imagecodecs.CMS.FLAGS.HIGHRESPRECALC,
        )
    except MemoryError:
        raise
    except Exception:  # damaged profiles raise exceptions of several types
        return None
    return pixels if pixels.shape == (*inks.shape[:2], 3) and pixels.dtype == inks.dtype else None


def _by_formula(inks: NDArray[Any]) -> NDArray[Any]:
    """Return (1 - C)(1 - K) and so on, rounded. There are no ties, because the full scale is odd."""
    full = int(full_scale(inks.dtype))
    wide = np.uint16 if inks.dtype.itemsize == 1 else np.uint32  # can hold full * full + full // 2
    out = np.empty((*inks.shape[:2], 3), inks.dtype)
    rows = max(1, _STRIP // math.prod(inks.shape[1:]))
    for start in range(0, len(out), rows):
        light: NDArray[Any] = (full - inks[start : start + rows]).astype(wide)
        product: NDArray[Any] = light[:, :, :3] * light[:, :, 3:]
        product += full // 2
        product //= full
        out[start : start + rows] = product
    return out
