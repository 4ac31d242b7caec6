"""Conversion of the samples of a page to pixels: full range, blue first, alpha last, not premultiplied."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import COMPRESSION, PHOTOMETRIC

from imgconv.depth import full_scale
from imgconv.images.formats.opencv_codec import scaled, swapped
from imgconv.images.formats.tiff.samples import LABS, Samples
from imgconv.opencv import load_cv2

# XYZ under D50 to linear sRGB, with Bradford adaptation to D65: http://brucelindbloom.com/Eqn_RGB_XYZ_Matrix.html. The D50
# white is that of ICC profiles (ICC.1:2022, 7.2.16).
_FROM_D50 = np.array(
    [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])


def write_pixels(samples: NDArray[Any], page: Samples, profile: bytes, pixels: NDArray[Any]) -> None:
    """Convert samples to pixels, and write them into an array.

    Args:
        samples: (H, W, samples), in the data type of the page.
        page: the description of the samples.
        profile: the colour profile of the page, for CMYK.
        pixels: the output array, (H, W) or (H, W, channels).
    """
    if page.colour_map is not None:
        samples = page.colour_map[samples[:, :, 0]]
    elif page.dtype.kind == "u" and page.directory.bitspersample < 8 * page.dtype.itemsize:
        samples = _levels(page.directory.bitspersample, page.dtype)[samples]
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        samples = _inverted(samples)
    elif page.photometric in LABS:
        samples = _from_lab(samples, signed=page.photometric == PHOTOMETRIC.CIELAB)
    elif page.photometric == PHOTOMETRIC.SEPARATED:
        from imgconv.images.colour.mixing import cmyk_to_rgb

        samples = cmyk_to_rgb(samples, profile)[0]
    elif page.photometric == PHOTOMETRIC.YCBCR and page.directory.compression != COMPRESSION.JPEG:
        cv2 = load_cv2()
        samples = cv2.cvtColor(np.ascontiguousarray(samples[:, :, [0, 2, 1]]), cv2.COLOR_YCrCb2RGB)
    if page.alpha is not None and page.alpha != page.count - 1:
        samples = samples[:, :, [*range(page.alpha), *range(page.alpha + 1, page.count), page.alpha]]
    if page.is_premultiplied:
        samples = _unpremultiplied(samples, page.header.colours)
    if page.header.colours == 3:
        pixels[...] = swapped(samples)
    else:
        pixels[...] = samples if pixels.ndim == 3 else samples[:, :, 0]


@functools.cache
def _levels(bits: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the lookup table that scales samples of fewer bits than their type to full range."""
    return scaled(np.arange(np.iinfo(dtype).max + 1, dtype=dtype), bits)


def _unpremultiplied(samples: NDArray[Any], colours: int) -> NDArray[Any]:
    """Return samples with the first ones, the colour, divided by the last one, alpha.

    The rounding is such that multiplying by alpha and rounding restores the samples. Floating-point colour where alpha is 0
    is kept, because it represents added light.
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


def _inverted(samples: NDArray[Any]) -> NDArray[Any]:
    """Return samples with the first one inverted, so that 0 is black instead of white."""
    changed = samples.copy()
    changed[:, :, 0] = 1 - samples[:, :, 0] if samples.dtype.kind == "f" else ~samples[:, :, 0]
    return changed


def _from_lab(samples: NDArray[Any], *, signed: bool) -> NDArray[Any]:
    """Return L*a*b* under D50 converted to sRGB of the same type: red, green, blue. Colours outside of sRGB are clipped.

    Args:
        samples: (H, W, 3), uint8 or uint16.
        signed: whether a* and b* are signed, as in CIELab, instead of offset by half of their range, as in ICCLab.
    """
    from imgconv.images.colour.curves import SRGB_CURVE

    full, scale = full_scale(samples.dtype), float(256 ** (samples.itemsize - 1))
    wide = samples.astype(np.float64)
    sides = samples[:, :, 1:].view(f"i{samples.itemsize}") / scale if signed else wide[:, :, 1:] / scale - 128
    # ICCLab is encoded as in ICC profiles of version 2, where L* = 100 is FF00 in 16 bits (Adobe's technical note 4).
    lightness = wide[:, :, 0] * (100 / (full if signed or scale == 1 else 65_280))
    middle = (lightness + 16) / 116
    thirds = np.stack((middle + sides[:, :, 0] / 500, middle, middle - sides[:, :, 1] / 200), axis=-1)
    # Inverse of CIE 15:2004, 8.2.1.1.
    xyz = np.where(thirds > 6 / 29, thirds**3, (thirds - 4 / 29) * (108 / 841)) * _D50
    found: NDArray[Any] = np.rint(SRGB_CURVE.signal_of(np.clip(xyz @ _FROM_D50.T, 0, 1)) * full).astype(samples.dtype)
    return found
