"""From one space of colours to another: inks to red, green and blue; colours to grey."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import full_scale, sum_dtype
from imgconv.images import icc

#: Parts of blue, green and red in a grey. Of encoded levels: ITU-R BT.601, 2.5.1 (luma; OpenCV and Pillow have the same).
LUMA = (0.114, 0.587, 0.299)
#: Of linear light: ITU-R BT.709, item 3.2 (luminance under the primaries of sRGB).
LUMINANCE = (0.0722, 0.7152, 0.2126)

# Values worked on at a time: what is computed on the way stays in the second-level cache.
_STRIP = 1 << 15

# The bytes of a profile's header that say when it was made (ICC.1:2022, 7.2.9), and 1 January 2000.
_MADE = slice(24, 36)
_A_DAY = bytes((7, 208, 0, 1, 0, 1)) + bytes(6)


def grey(pixels: NDArray[Any], linear: bool) -> NDArray[Any]:
    """Return the grey of colours; where blue, green and red are equal, exactly that.

    Args:
        pixels: (H, W, 3), blue, green, red.
        linear: whether they are light (luminance is returned), or encoded levels (luma).

    Returns:
        (H, W), float32 for 8 and 16 bits, float16 and float32, else float64; not rounded.
    """
    blue, _, red = LUMINANCE if linear else LUMA
    out = np.empty(pixels.shape[:2], sum_dtype(pixels.dtype))
    rows = max(1, _STRIP // (3 * pixels.shape[1]))
    with np.errstate(invalid="ignore"):  # infinity less infinity
        for start in range(0, len(out), rows):
            b, g, r = (pixels[start : start + rows, :, channel].astype(out.dtype) for channel in range(3))
            # Differences to green, which are 0 in a grey: the parts themselves do not sum to 1 in binary.
            made = out[start : start + rows]
            np.add(g, (b - g) * out.dtype.type(blue), out=made)
            made += (r - g) * out.dtype.type(red)
            if np.isnan(made).any():  # of one infinite channel, or of several, the grey is infinite
                np.copyto(made, b + g + r, where=np.isnan(made))
    return out


@functools.cache
def srgb_profile() -> bytes:
    """Return an ICC profile of sRGB, by LittleCMS; the same bytes on every day."""
    import imagecodecs

    profile = bytearray(imagecodecs.cms_profile("srgb"))
    profile[_MADE] = _A_DAY
    return bytes(profile)


def cmyk_to_rgb(inks: NDArray[Any], profile: bytes) -> tuple[NDArray[Any], bytes, str]:
    """Return what inks on paper look like, as red, green and blue.

    With a profile it is converted to sRGB as browsers and Photoshop do: relative colorimetric, so that the paper becomes
    white and every colour that sRGB has is kept, and with black point compensation, so that the darkest ink becomes black
    and shadows, which would all be cut off at the darkest ink otherwise, keep their steps.

    Args:
        inks: (H, W, 4), cyan, magenta, yellow, black; uint8 or uint16, the full scale being 100 % of an ink.
        profile: an ICC profile of them, or nothing.

    Returns:
        (H, W, 3), red, green, blue, of the same type; the profile of them, empty where there was none to convert by; a
        line for the user on what was done.
    """
    if not profile:
        return _plain(inks), b"", "CMYK without a colour profile: turned into RGB by (1 - C)(1 - K), so its colours are a guess"
    found = icc.parsed(profile)
    if found is None:
        made, fault = None, "is damaged"
    elif found.space != "CMYK":
        made, fault = None, f"is not for CMYK but for {_printable(found.space)}"
    else:
        made, fault = _managed(inks, profile), "cannot be used"
    if made is not None:
        return made, srgb_profile(), "CMYK turned into sRGB by its colour profile"
    return _plain(inks), b"", f"the colour profile {fault}: CMYK turned into RGB by (1 - C)(1 - K), so its colours are a guess"


def _printable(space: str) -> str:
    return space if space.isalnum() and space.isascii() else "something else"


def _managed(inks: NDArray[Any], profile: bytes) -> NDArray[Any] | None:
    """Return the colours that the profile gives inks, in sRGB; None when LittleCMS makes nothing of it."""
    import imagecodecs

    try:
        made = imagecodecs.cms_transform(
            np.ascontiguousarray(inks),
            profile,
            srgb_profile(),
            colorspace="cmyk",
            planar=False,
            outcolorspace="rgb",
            outplanar=False,
            outdtype=inks.dtype,
            intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
            # LittleCMS looks colours up in a grid that it makes of the profile: the finer one, it costs little.
            flags=imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION | imagecodecs.CMS.FLAGS.HIGHRESPRECALC,
        )
    except MemoryError:
        raise
    except Exception:  # whatever it is that a damaged profile makes the library raise
        return None
    return made if made.shape == (*inks.shape[:2], 3) and made.dtype == inks.dtype else None


def _plain(inks: NDArray[Any]) -> NDArray[Any]:
    """Return (1 - C)(1 - K) and so on, rounded; the full scale is odd, so there are no ties."""
    full = int(full_scale(inks.dtype))
    wide = np.uint16 if inks.dtype.itemsize == 1 else np.uint32  # just holds full * full + full // 2
    out = np.empty((*inks.shape[:2], 3), inks.dtype)
    rows = max(1, _STRIP // math.prod(inks.shape[1:]))
    for start in range(0, len(out), rows):
        light: NDArray[Any] = (full - inks[start : start + rows]).astype(wide)
        product: NDArray[Any] = light[:, :, :3] * light[:, :, 3:]
        product += full // 2
        product //= full
        out[start : start + rows] = product
    return out
