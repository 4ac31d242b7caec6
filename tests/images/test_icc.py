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
LIGHT = profiles.rgb(para(0, 1.0))  # its levels are light


def by_littlecms(profile: bytes) -> np.ndarray:
    """Return the light that LittleCMS gives red, green and blue at LEVELS: three columns."""
    pixels = np.repeat(LEVELS.astype(np.float32)[np.newaxis, :, np.newaxis], 3, axis=2)
    found = imagecodecs.cms_transform(pixels, profile, LIGHT, colorspace="rgb", outcolorspace="rgb", outdtype=np.float32)
    return found[0].astype(np.float64)


def rounded(function) -> list[int]:
    return [round(65535 * function(x)) for x in np.linspace(0, 1, 37)]


#: Curves that run from 0 to 1: where LittleCMS and we have to agree as they are.
CURVES = {
    "nothing": curv([]),
    "exponent": curv([461]),
    "exponent below one": curv([128]),
    "two samples": curv([0, 65535]),
    "three samples": curv([0, 20000, 65535]),
    "37 samples": curv(rounded(lambda x: x**1.9)),
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


#: Those that stand still somewhere, if only by rounding, and are given a 4096th of a straight line.
STANDING = {"256 samples", "4096 samples", "para 1, flat at first", "para 2, flat at first"}


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_is_what_littlecms_makes_of_it(name: str) -> None:
    profile = profiles.rgb(CURVES[name])
    found = icc.parse(profile)
    assert found is not None
    assert found.curves[0] == found.curves[1] == found.curves[2]
    expected = by_littlecms(profile)[:, 1]
    expected = (expected - expected[0]) / (expected[-1] - expected[0])
    difference = np.abs(found.curves[1].light_of(LEVELS) - expected).max()
    assert difference < (3e-4 if name in STANDING else 2e-5)  # LittleCMS has 16 bits of a table


def test_each_channel_has_its_own_curve_as_in_littlecms() -> None:
    profile = profiles.rgb(para(0, 1.4), CURVES["37 samples"], CURVES["para 3"])
    found = icc.parse(profile)
    assert found is not None
    ours = np.stack([curve.light_of(LEVELS) for curve in found.curves], -1)
    assert np.abs(ours - by_littlecms(profile)).max() < 2e-4  # the matrices there and back leave a little in the others


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_the_inverse_of_a_curve_gives_the_signal_back(curve: bytes) -> None:
    found = icc.parse(profiles.grey(curve))
    assert found is not None
    assert np.abs(found.curves[0].signal_of(found.curves[0].light_of(LEVELS)) - LEVELS).max() < 1e-9


def test_a_curve_that_does_not_begin_at_black_is_stretched() -> None:
    found = icc.parse(profiles.grey(curv([6554, 40000, 60000])))
    assert found is not None
    light = found.curves[0].light_of(np.array([0, 0.25, 0.5, 1]))
    assert light == pytest.approx([0, (40000 - 6554) / 2 / (60000 - 6554), (40000 - 6554) / (60000 - 6554), 1])


def test_a_curve_that_stands_still_keeps_its_levels_apart() -> None:
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
        # The curve of sRGB, whose two parts no longer meet where its parameters are rounded to three places.
        para(3, 2.4, 0.948, 0.052, 0.0774, 0.04045),
    ],
    ids=["samples", "para"],
)
def test_a_curve_that_falls_by_next_to_nothing_is_levelled(curve: bytes) -> None:
    found = icc.parse(profiles.grey(curve))
    assert found is not None
    light = found.curves[0].light_of(LEVELS)
    assert np.diff(light).min() > 0
    assert np.abs(light - by_littlecms(profiles.rgb(curve))[:, 1]).max() < 6e-4


#: Curves that have no inverse, or make no sense.
REFUSED = {
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


@each("curve", REFUSED.values())
def test_a_curve_without_an_inverse_is_none(curve: bytes) -> None:
    found = icc.parse(profiles.grey(curve))
    assert found == icc.Profile("GRAY")
    # One of three: the others are no use alone.
    assert icc.parse(profiles.rgb(curv([]), curve, curv([]))).curves == ()


def test_the_order_of_the_curves_is_red_green_blue() -> None:
    found = icc.parse(profiles.rgb(curv([256]), curv([512]), curv([768])))
    assert found.curves == (Segmented(1.0), Segmented(2.0), Segmented(3.0))


def test_what_a_profile_has_beside_curves() -> None:
    found = icc.parse(profiles.rgb(curv([]), cicp=profiles.cicp(16)))
    assert (found.space, found.cicp) == ("RGB", bytes((9, 16, 0, 1)))
    assert icc.parse(profiles.cmyk()) == icc.Profile("CMYK")
    assert icc.parse(profiles.without_curves()) == icc.Profile("RGB")
    # Grey connected by Lab: the curve would be that of lightness.
    assert icc.parse(profiles.grey(curv([512]), b"Lab ")) == icc.Profile("GRAY")


SYSTEM = sorted(Path("/usr/share/color/icc").rglob("*.ic[cm]"))


@pytest.mark.skipif(not SYSTEM, reason="no profiles are installed on this system")
def test_profiles_of_the_system() -> None:
    for path in SYSTEM:
        data = path.read_bytes()
        found = icc.parse(data)
        assert found is not None, path
        about = ImageCms.ImageCmsProfile(io.BytesIO(data)).profile
        assert found.space == about.xcolor_space.strip(), path


def test_any_beginning_of_a_profile_is_none_or_less_of_it() -> None:
    whole = profiles.rgb(CURVES["37 samples"], para(0, 2.0), CURVES["para 3"])
    for length in range(len(whole)):
        found = icc.parse(whole[:length])
        assert found is None or found.space == "RGB"


@pytest.mark.parametrize("seed", range(2))
def test_a_damaged_profile_raises_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    for whole in (
        profiles.rgb(CURVES["37 samples"], para(0, 2.0), CURVES["para 4"]),
        profiles.grey(CURVES["para 2"]),
        profiles.cmyk(),
    ):
        for _ in range(150):
            data = bytearray(whole)
            for at in random.integers(0, len(data), random.integers(1, 6)):
                data[at] = random.choice([0, 1, 127, 128, 255, data[at] ^ (1 << random.integers(8))])
            found = icc.parse(bytes(data))
            for curve in found.curves if found else ():
                light = curve.light_of(LEVELS)
                assert np.isfinite(light).all()
                assert np.diff(light).min() >= 0
                assert np.abs(curve.signal_of(light) - LEVELS).max() < 1e-4


@pytest.mark.parametrize("count", [1001, 0xFFFFFFFF])
def test_a_table_of_tags_that_cannot_be_is_no_profile(count: int) -> None:
    data = bytearray(profiles.rgb(curv([])))
    data[128:132] = count.to_bytes(4, "big")
    assert icc.parse(bytes(data) + bytes(20_000)) is None
