"""The samples of a page as pixels: at full range, blue first, alpha last and straight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import full_scale
from imgconv.images.formats.opencv_codec import swapped
from imgconv.images.formats.tiff import samples as meanings
from imgconv.images.formats.tiff.samples import Samples
from imgconv.opencv import load_cv2

#: Turns samples into pixels, and writes these into an array.
Finish: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], None]

_Step: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]

# XYZ under D50 to linear sRGB, adapted to D65 after Bradford: http://brucelindbloom.com/Eqn_RGB_XYZ_Matrix.html. The white of
# D50 is that of ICC profiles (ICC.1:2022, 7.2.16).
_FROM_D50 = np.array(
    [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])


def finish_of(page: Samples, profile: bytes) -> Finish:
    """Return the function that writes the pixels of samples, (H, W, samples), into an array, (H, W) or (H, W, channels).

    Args:
        page: the samples.
        profile: the colour profile of the page, for CMYK.
    """
    steps = list(_steps(page, profile))
    has_colour = page.header.colours == 3

    def finish(samples: NDArray[Any], pixels: NDArray[Any]) -> None:
        for step in steps:
            samples = step(samples)
        if has_colour:
            swapped(samples, pixels)
        else:
            pixels[...] = samples if pixels.ndim == 3 else samples[:, :, 0]

    return finish


def _steps(page: Samples, profile: bytes) -> Iterator[_Step]:
    """Yield what has to be done to the samples, in this order."""
    if page.colour_map is not None:
        colours = page.colour_map
        yield lambda samples: np.asarray(colours[samples[:, :, 0]])
        return
    greatest = (1 << page.bits) - 1
    if page.kind == meanings.UNSIGNED and greatest < full_scale(page.stored):
        yield _widening(greatest, page.stored)
    if page.photometric == meanings.WHITE_IS_ZERO:
        yield _inverted
    elif page.photometric in meanings.LABS:
        yield lambda samples: _from_lab(samples, signed=page.photometric == meanings.CIE_LAB)
    elif page.photometric == meanings.CMYK:
        from imgconv.images.colour.mixing import cmyk_to_rgb

        yield lambda inks: cmyk_to_rgb(inks, profile)[0]
    elif page.photometric == meanings.YCBCR and page.compression != meanings.JPEG:
        yield _from_ycbcr
    if page.alpha is not None:
        order = [*range(page.samples)]
        order.append(order.pop(page.alpha))
        if order != sorted(order):
            yield lambda samples: samples[:, :, order]
    if page.is_premultiplied:
        yield lambda samples: _straightened(samples, page.header.colours)


def _straightened(samples: NDArray[Any], colours: int) -> NDArray[Any]:
    """Return samples whose first ones, the colour, have been divided by the last one, alpha.

    Rounded so that multiplying by alpha and rounding gives the samples again. Floating-point colour without coverage stays as
    it is: it adds light.
    """
    changed, alpha = samples.copy(), samples[:, :, -1]
    if samples.dtype.kind == "f":
        for channel in range(colours):
            np.divide(samples[:, :, channel], alpha, out=changed[:, :, channel], where=alpha != 0)
        return changed
    wide = np.float32 if samples.itemsize == 1 else np.float64
    shares = wide(full_scale(samples.dtype)) / np.maximum(alpha, 1).astype(wide)
    for channel in range(colours):
        changed[:, :, channel] = np.rint(np.clip(samples[:, :, channel], 0, alpha) * shares)
    return changed


def _widening(greatest: int, dtype: np.dtype[Any]) -> _Step:
    """Return the step that scales samples from 0 to `greatest` to the full range of a type."""
    table = np.rint(np.arange(greatest + 1) * (full_scale(dtype) / greatest)).astype(dtype)
    return lambda samples: np.asarray(table[np.minimum(samples, greatest)])


def _inverted(samples: NDArray[Any]) -> NDArray[Any]:
    """Return samples whose first one is 0 for white as samples in which it is 0 for black."""
    changed = samples.copy()
    changed[:, :, 0] = 1 - samples[:, :, 0] if samples.dtype.kind == "f" else ~samples[:, :, 0]
    return changed


def _from_ycbcr(samples: NDArray[Any]) -> NDArray[Any]:
    cv2 = load_cv2()
    found: NDArray[Any] = cv2.cvtColor(np.ascontiguousarray(samples[:, :, [0, 2, 1]]), cv2.COLOR_YCrCb2RGB)
    return found


def _from_lab(samples: NDArray[Any], *, signed: bool) -> NDArray[Any]:
    """Return L*a*b* under D50 as sRGB of the same type: red, green, blue. Colours outside of sRGB are clipped.

    Args:
        samples: (H, W, 3), uint8 or uint16.
        signed: whether a* and b* are signed numbers, as in CIELab, or shifted by half of their range, as in ICCLab.
    """
    full, scale = full_scale(samples.dtype), float(256 ** (samples.itemsize - 1))
    wide = samples.astype(np.float64)
    sides = samples[:, :, 1:].view(f"i{samples.itemsize}") / scale if signed else wide[:, :, 1:] / scale - 128
    # ICCLab is encoded as in version 2 of ICC profiles, where 16-bit numbers reach 100 at FF00 (Adobe's technical note 4).
    lightness = wide[:, :, 0] * (100 / (full if signed or scale == 1 else 65_280))
    middle = (lightness + 16) / 116
    thirds = np.stack((middle + sides[:, :, 0] / 500, middle, middle - sides[:, :, 1] / 200), axis=-1)
    # The inverse of CIE 15:2004, 8.2.1.1.
    xyz = np.where(thirds > 6 / 29, thirds**3, (thirds - 4 / 29) * (108 / 841)) * _D50
    linear = np.clip(xyz @ _FROM_D50.T, 0, 1)
    # IEC 61966-2-1
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    found: NDArray[Any] = np.rint(encoded * full).astype(samples.dtype)
    return found
