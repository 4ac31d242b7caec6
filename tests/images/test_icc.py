from __future__ import annotations

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import ImageCms

from imgconv.images.colour import icc
from imgconv.images.colour.curves import Sampled, Segmented
from tests.cases import each
from tests.images import profiles
from tests.images.profiles import curv, para

LEVELS = np.linspace(0, 1, 4097)
LINEAR_RGB = profiles.rgb(para(0, 1.0))


def light_by_littlecms(profile: bytes) -> np.ndarray:
    """Return the linear light of RGB at LEVELS by LittleCMS, in three columns."""
    pixels = np.repeat(LEVELS.astype(np.float32)[np.newaxis, :, np.newaxis], 3, axis=2)
    found = imagecodecs.cms_transform(pixels, profile, LINEAR_RGB, colorspace="rgb", outcolorspace="rgb", outdtype=np.float32)
    return found[0].astype(np.float64)


def samples_of(function) -> list[int]:
    return [round(65535 * function(x)) for x in np.linspace(0, 1, 37)]


#: Curves from 0 to 1, on which LittleCMS and imgconv must agree.
CURVES = {
    "identity": curv([]),
    "exponent": curv([461]),
    "exponent below one": curv([128]),
    "two samples": curv([0, 65535]),
    "three samples": curv([0, 20000, 65535]),
    "37 samples": curv(samples_of(lambda x: x**1.9)),
    "256 samples": curv([round(65535 * (x / 255) ** 2.2) for x in range(256)]),
    "4096 samples": curv([round(65535 * (x / 4095) ** 2.4) for x in range(4096)]),
    "para 0": para(0, 2.6),
    "para 1": para(1, 2.1, 0.9, 0.1),
    "para 1, flat at first": para(1, 2.1, 1.25, -0.25),
    "para 2": para(2, 2.0, 0.8, 0.2, -0.04),
    "para 2, flat at first": para(2, 1.5, 1.1111, -0.1111, 0.0),
    "para 3": para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "para 4": para(4, 2.2, 0.9, 0.1, 0.15, 0.0444, 0.0, 0.0),
}


#: Curves with flat parts, at least by rounding; 1/4096 of a straight line is added to make them invertible.
FLAT = {"256 samples", "4096 samples", "para 1, flat at first", "para 2, flat at first"}


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_matches_littlecms(name: str) -> None:
    profile = profiles.rgb(CURVES[name])
    found = icc.parse(profile)
    assert found is not None
    assert found.curves[0] == found.curves[1] == found.curves[2]
    expected = light_by_littlecms(profile)[:, 1]
    expected = (expected - expected[0]) / (expected[-1] - expected[0])
    difference = np.abs(found.curves[1].light_of(LEVELS) - expected).max()
    assert difference < (3e-4 if name in FLAT else 2e-5)  # LittleCMS uses 16-bit tables


def test_curves_per_channel_match_littlecms() -> None:
    profile = profiles.rgb(para(0, 1.4), CURVES["37 samples"], CURVES["para 3"])
    found = icc.parse(profile)
    assert found is not None
    ours = np.stack([curve.light_of(LEVELS) for curve in found.curves], -1)
    assert np.abs(ours - light_by_littlecms(profile)).max() < 2e-4  # rounding of the matrices leaks into other channels


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_signal_of_inverts_light_of(curve: bytes) -> None:
    found = icc.parse(profiles.grey(curve))
    assert found is not None
    assert np.abs(found.curves[0].signal_of(found.curves[0].light_of(LEVELS)) - LEVELS).max() < 1e-9


def test_a_curve_is_stretched_from_0_to_1() -> None:
    found = icc.parse(profiles.grey(curv([6554, 40000, 60000])))
    assert found is not None
    light = found.curves[0].light_of(np.array([0, 0.25, 0.5, 1]))
    assert light == pytest.approx([0, (40000 - 6554) / 2 / (60000 - 6554), (40000 - 6554) / (60000 - 6554), 1])


def test_a_flat_curve_becomes_strictly_increasing() -> None:
    found = icc.parse(profiles.grey(curv([0, 0, 0, 30000, 65535, 65535])))
    assert found is not None
    assert isinstance(found.curves[0], Sampled)
    light = found.curves[0].light_of(LEVELS)
    assert np.diff(light).min() > 0
    assert light[len(light) // 3] < 3e-4


@pytest.mark.parametrize(
    "curve",
    [
        curv([0, 4000, 3990, 20000, 19995, 65535]),
        # The curve of sRGB with parameters rounded to three places, so that its two parts do not meet.
        para(3, 2.4, 0.948, 0.052, 0.0774, 0.04045),
    ],
    ids=["samples", "para"],
)
def test_a_slightly_falling_curve_becomes_increasing(curve: bytes) -> None:
    found = icc.parse(profiles.grey(curve))
    assert found is not None
    light = found.curves[0].light_of(LEVELS)
    assert np.diff(light).min() > 0
    assert np.abs(light - light_by_littlecms(profiles.rgb(curve))[:, 1]).max() < 6e-4


#: Curves without an inverse, or invalid ones.
INVALID = {
    "falls": curv([0, 30000, 20000, 65535]),
    "falls all the way": curv([65535, 0]),
    "constant": curv([7, 7, 7]),
    "exponent 0": curv([0]),
    "longer than its tag": b"curv\0\0\0\0\0\0\0\x09" + b"\0\1" * 8,
    "very long": b"curv\0\0\0\0\xff\xff\xff\xff" + bytes(100),
    "no content": b"curv",
    "unknown": b"text\0\0\0\0what",
    "para 5": para(5, *range(1, 9)),
    "para without numbers": para(3, 2.4, 1.0),
    "para 0 of exponent 0": para(0, 0.0),
    "para 0 that falls": para(0, -2.0),
    "para 1 with a of 0": para(1, 2.0, 0.0, 0.5),
    "para 1 that falls": para(1, 2.0, -1.0, 1.0),
    "para 3 with a step down": para(3, 2.4, 1.0, 0.0, 1.0, 0.5),
    "para 4 of great numbers": para(4, 32767.0, 32767.0, 32767.0, -32768.0, 0.5, 32767.0, 0.0),
}


@each("curve", INVALID.values())
def test_a_curve_without_an_inverse_is_dropped(curve: bytes) -> None:
    found = icc.parse(profiles.grey(curve))
    assert found == icc.Profile("GRAY")
    # One invalid curve of three makes the others useless.
    assert icc.parse(profiles.rgb(curv([]), curve, curv([]))).curves == ()


def test_the_order_of_the_curves_is_red_green_blue() -> None:
    found = icc.parse(profiles.rgb(curv([256]), curv([512]), curv([768])))
    assert found.curves == (Segmented(1.0), Segmented(2.0), Segmented(3.0))


def test_profiles_with_cicp_and_without_curves() -> None:
    found = icc.parse(profiles.rgb(curv([]), cicp=profiles.cicp(16)))
    assert (found.space, found.cicp) == ("RGB", bytes((9, 16, 0, 1)))
    assert icc.parse(profiles.cmyk()) == icc.Profile("CMYK")
    assert icc.parse(profiles.without_curves()) == icc.Profile("RGB")
    # With a Lab connection space the curve would be one of lightness.
    assert icc.parse(profiles.grey(curv([512]), b"Lab ")) == icc.Profile("GRAY")


SYSTEM = sorted(Path("/usr/share/color/icc").rglob("*.ic[cm]"))


@pytest.mark.skipif(not SYSTEM, reason="no profiles are installed on this system")
def test_installed_profiles_are_parsed() -> None:
    for path in SYSTEM:
        data = path.read_bytes()
        found = icc.parse(data)
        assert found is not None, path
        about = ImageCms.ImageCmsProfile(io.BytesIO(data)).profile
        assert found.space == about.xcolor_space.strip(), path


def test_a_truncated_profile_raises_nothing() -> None:
    profile = profiles.rgb(CURVES["37 samples"], para(0, 2.0), CURVES["para 3"])
    for length in range(len(profile)):
        found = icc.parse(profile[:length])
        assert found is None or found.space == "RGB"


@pytest.mark.parametrize("seed", range(2))
def test_a_damaged_profile_raises_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    for profile in (
        profiles.rgb(CURVES["37 samples"], para(0, 2.0), CURVES["para 4"]),
        profiles.grey(CURVES["para 2"]),
        profiles.cmyk(),
    ):
        for _ in range(150):
            data = bytearray(profile)
            for at in random.integers(0, len(data), random.integers(1, 6)):
                data[at] = random.choice([0, 1, 127, 128, 255, data[at] ^ (1 << random.integers(8))])
            found = icc.parse(bytes(data))
            for curve in found.curves if found else ():
                light = curve.light_of(LEVELS)
                assert np.isfinite(light).all()
                assert np.diff(light).min() >= 0
                assert np.abs(curve.signal_of(light) - LEVELS).max() < 1e-4


@pytest.mark.parametrize("count", [1001, 0xFFFFFFFF])
def test_an_impossible_tag_count_is_rejected(count: int) -> None:
    data = bytearray(profiles.rgb(curv([])))
    data[128:132] = count.to_bytes(4, "big")
    assert icc.parse(bytes(data) + bytes(20_000)) is None
