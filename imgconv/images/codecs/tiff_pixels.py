"""The samples of a TIFF as pixels: full range, blue first, alpha straight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import full_scale
from imgconv.images import samples as meanings
from imgconv.images.samples import Samples
from imgconv.opencv import load_cv2

#: Takes samples, (H, W, samples), and puts what they become into pixels, (H, W) or (H, W, channels).
Finish: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], None]

_Step: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]

# XYZ as seen under D50 to linear sRGB, adapted to D65 after Bradford, as http://brucelindbloom.com/Eqn_RGB_XYZ_Matrix.html has
# it; and the white of D50 in ICC profiles (ICC.1:2022, 7.2.16).
_FROM_D50 = np.array(
    [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])

# Types that OpenCV moves about, by their size.
_MOVED_AS = {1: np.uint8, 2: np.uint16, 4: np.float32}


def finish_of(page: Samples) -> Finish:
    """Return what makes pixels of the samples of a page; inks stay inks."""
    steps = list(_steps(page))
    place = _copy if page.photometric == meanings.INKS else put

    def finish(samples: NDArray[Any], pixels: NDArray[Any]) -> None:
        for step in steps:
            samples = step(samples)
        place(samples, pixels)

    return finish


def _copy(samples: NDArray[Any], pixels: NDArray[Any]) -> None:
    pixels[...] = samples


def put(samples: NDArray[Any], pixels: NDArray[Any]) -> None:
    """Copy pixels, red and blue in each other's place: it goes both ways.

    Args:
        samples: (H, W, C), of any type.
        pixels: where they go: (H, W, C), or (H, W) of one channel; of the same type.
    """
    if pixels.ndim == 2:
        pixels[...] = samples[:, :, 0]
    elif pixels.shape[2] < 3:
        pixels[...] = samples
    elif pixels.itemsize > 4:
        pixels[...] = samples[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    else:  # OpenCV is faster, and does not look at what it moves
        cv2 = load_cv2()
        plain = _MOVED_AS[pixels.itemsize]
        into = pixels.view(plain)
        code = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        found = cv2.cvtColor(np.require(samples, requirements="A").view(plain), code, dst=into)
        if found is not into:
            into[...] = found


def interleaved(planes: NDArray[Any]) -> NDArray[Any]:
    """Return planes, (C, H, W), as pixels, (H, W, C)."""
    if planes.itemsize > 4:
        return np.ascontiguousarray(np.moveaxis(planes, 0, 2))
    plain = _MOVED_AS[planes.itemsize]
    found: NDArray[Any] = load_cv2().merge([plane.view(plain) for plane in planes])
    return found.view(planes.dtype)


def _steps(page: Samples) -> Iterator[_Step]:
    if page.colour_map is not None:
        colours = page.colour_map
        yield lambda samples: colours[samples[:, :, 0]]
        return
    greatest = (1 << page.bits) - 1
    if page.kind == meanings.UNSIGNED and greatest < full_scale(page.stored):
        yield _widening(greatest, page.stored)
    if page.photometric == meanings.WHITE_IS_ZERO:
        yield _inverted
    if page.photometric in (meanings.CIE_LAB, meanings.ICC_LAB):
        signed = page.photometric == meanings.CIE_LAB
        yield lambda samples: _from_lab(samples, signed=signed)
    if page.is_premultiplied:
        yield _straightened


def _widening(greatest: int, dtype: np.dtype[Any]) -> _Step:
    """Return what stretches values up to `greatest` over the whole of a type, so that white stays white."""
    table = np.rint(np.arange(greatest + 1) * (full_scale(dtype) / greatest)).astype(dtype)
    return lambda samples: np.asarray(table[np.minimum(samples, greatest)])


def _inverted(samples: NDArray[Any]) -> NDArray[Any]:
    """Return samples whose first one is white where it was black; what is beside it is alpha."""
    changed = samples.copy()
    light = samples[:, :, 0]
    changed[:, :, 0] = 1 - light if samples.dtype.kind == "f" else ~light
    return changed


def _straightened(samples: NDArray[Any]) -> NDArray[Any]:
    """Return samples whose colour has been divided by alpha, the last of them.

    Rounded, so that it gives the samples again when it is multiplied by alpha and rounded. Where nothing is to be seen, floats
    stay what they are: there is light without a surface.
    """
    changed, alpha = samples.copy(), samples[:, :, -1]
    if samples.dtype.kind == "f":
        for channel in range(samples.shape[2] - 1):
            np.divide(samples[:, :, channel], alpha, out=changed[:, :, channel], where=alpha != 0)
        return changed
    wide = np.float32 if samples.itemsize == 1 else np.float64
    shares = wide(full_scale(samples.dtype)) / np.maximum(alpha, 1).astype(wide)
    for channel in range(samples.shape[2] - 1):
        changed[:, :, channel] = np.rint(np.clip(samples[:, :, channel], 0, alpha) * shares)
    return changed


def _from_lab(samples: NDArray[Any], *, signed: bool) -> NDArray[Any]:
    """Return L*a*b*, seen under D50, as sRGB of the same type: red, green, blue; what sRGB has no colour for is clipped.

    Args:
        samples: (H, W, 3), uint8 or uint16.
        signed: whether a* and b* are numbers with a sign, as in CIELab, and not shifted by half of their range, as in ICCLab.
    """
    full, scale = full_scale(samples.dtype), float(256 ** (samples.itemsize - 1))
    wide = samples.astype(np.float64)
    sides = samples[:, :, 1:].view(f"i{samples.itemsize}") / scale if signed else wide[:, :, 1:] / scale - 128
    # ICCLab is encoded as in version 2 of ICC profiles, where 16-bit numbers reach 100 at FF00 (Adobe's technical note 4).
    lightness = wide[:, :, 0] * (100 / (full if signed or scale == 1 else 65_280))
    middle = (lightness + 16) / 116
    thirds = np.stack((middle + sides[:, :, 0] / 500, middle, middle - sides[:, :, 1] / 200), axis=-1)
    # CIE 15:2004, 8.2.1.1, turned round.
    xyz = np.where(thirds > 6 / 29, thirds**3, (thirds - 4 / 29) * (108 / 841)) * _D50
    linear = np.clip(xyz @ _FROM_D50.T, 0, 1)
    # IEC 61966-2-1
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    found: NDArray[Any] = np.rint(encoded * full).astype(samples.dtype)
    return found
