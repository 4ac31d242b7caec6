"""Profiles from code points, gamma and primaries: LittleCMS (through Pillow) compared with the formulas."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from imgconv.images.colour import profiles

D65 = (0.3127, 0.3290)
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT_2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))

# Low saturation, so that all colours lie within sRGB.
COLOURS = np.random.default_rng(7).integers(110, 170, (1, 200, 3), np.uint8)


def to_xyz(primaries) -> np.ndarray:
    """Return the matrix from RGB to XYZ for a white of D65 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([D65[0] / D65[1], 1, (1 - sum(D65)) / D65[1]])
    return columns * np.linalg.solve(columns, white)


def srgb_to_light(v: np.ndarray) -> np.ndarray:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def srgb_from_light(v: np.ndarray) -> np.ndarray:
    return np.where(v <= 0.0031308, v * 12.92, 1.055 * np.maximum(v, 0) ** (1 / 2.4) - 0.055)


def bt_709_to_light(v: np.ndarray) -> np.ndarray:
    return np.where(v < 0.081, v / 4.5, ((v + 0.099) / 1.099) ** (1 / 0.45))


def converted_by_littlecms(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """Return pixels converted to sRGB by LittleCMS."""
    target = ImageCms.createProfile("sRGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    picture = Pillow.fromarray(pixels)
    # The tables of the optimized transform are too coarse for dark levels of linear grey.
    options = {"renderingIntent": 1, "outputMode": "RGB", "flags": ImageCms.Flags.NOOPTIMIZE}
    return np.asarray(ImageCms.profileToProfile(picture, source, target, **options)).astype(int)


def expected(pixels: np.ndarray, primaries, to_light) -> np.ndarray:
    light = to_light(pixels / 255) @ to_xyz(primaries).T @ np.linalg.inv(to_xyz(SRGB)).T
    return np.rint(np.clip(srgb_from_light(light), 0, 1) * 255).astype(int)


@pytest.mark.parametrize(
    ("cicp", "primaries", "to_light"),
    [
        (b"\x0c\x0d\0\1", P3, srgb_to_light),
        (b"\x09\x01\0\1", BT_2020, bt_709_to_light),
        (b"\x09\x0e\0\1", BT_2020, bt_709_to_light),
        (b"\x01\x08\0\1", SRGB, lambda v: v),
        (b"\x0c\x04\0\1", P3, lambda v: v**2.2),
        (b"\x01\x05\0\1", SRGB, lambda v: v**2.8),
    ],
)
def test_profiles_of_code_points_match_the_formulas(cicp, primaries, to_light) -> None:
    found = converted_by_littlecms(COLOURS, profiles.of_code_points(cicp, 3))
    assert np.abs(found - expected(COLOURS, primaries, to_light)).max() <= 1
    greys = np.arange(256, dtype=np.uint8)[np.newaxis]
    found = converted_by_littlecms(greys, profiles.of_code_points(cicp, 1))
    assert np.abs(found - np.rint(srgb_from_light(to_light(greys / 255))[..., np.newaxis] * 255)).max() <= 1


@pytest.mark.parametrize("gamma", [1.0, 0.5, 1 / 1.8, 1 / 2.6])
def test_profiles_of_gamma_and_primaries_match_the_formulas(gamma) -> None:
    found = converted_by_littlecms(COLOURS, profiles.of_gamma(gamma))
    assert np.abs(found - expected(COLOURS, SRGB, lambda v: v ** (1 / gamma))).max() <= 1
    numbers = [*D65, *np.ravel(P3)]
    found = converted_by_littlecms(COLOURS, profiles.of_gamma(gamma, numbers))
    assert np.abs(found - expected(COLOURS, P3, lambda v: v ** (1 / gamma))).max() <= 1


def test_primaries_without_gamma_have_the_curve_of_srgb() -> None:
    found = converted_by_littlecms(COLOURS, profiles.of_gamma(0, [*D65, *np.ravel(P3)]))
    assert np.abs(found - expected(COLOURS, P3, srgb_to_light)).max() <= 1


def test_another_white_point_maps_white_to_white() -> None:
    numbers = [0.3457, 0.3585, *np.ravel(SRGB)]
    white = np.full((1, 1, 3), 255, np.uint8)
    assert converted_by_littlecms(white, profiles.of_gamma(1.0, numbers)).min() >= 254


@pytest.mark.parametrize(
    "cicp", [profiles.SRGB_CODE_POINTS, b"\x09\x10\0\1", b"\x09\x12\0\1", b"\x02\x02\0\1", b"\x7b\x0d\0\1", b"", b"x"]
)
def test_unsupported_code_points_give_no_profile(cicp) -> None:
    assert profiles.of_code_points(cicp, 3) == b""


@pytest.mark.parametrize(
    "primaries",
    [(0.0,) * 8, (*D65, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3), (*D65, 40_000.0, 1, 1, 1, 1, 1), (*D65, 0.6, 0.3, 0.3, 0.6, 0.1, 0.0)],
)
def test_invalid_primaries_give_no_profile(primaries) -> None:
    assert profiles.of_gamma(0.45455, primaries) == b""


@pytest.mark.parametrize("gamma", [1e-5, 0.01, 40.0, 42_949.0])
def test_invalid_gammas_give_no_profile(gamma) -> None:
    assert profiles.of_gamma(gamma) == profiles.of_gamma(gamma, (), 1) == b""


def test_profiles_are_reproducible_and_short(monkeypatch) -> None:
    first = profiles.of_code_points(b"\x0c\x0d\0\1", 3)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert first[24:36] == b"\x07\xd0\0\1\0\1" + bytes(6)
    assert profiles.of_code_points(b"\x0c\x0d\0\1", 3) == first
    assert len(first) < 8000
    assert int.from_bytes(first[:4], "big") == len(first)
