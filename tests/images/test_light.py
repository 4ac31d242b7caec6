from __future__ import annotations

import cv2
import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2xyz

from imgconv.errors import UsageError
from imgconv.images.colour.transfer import LINEAR, SRGB, Transfer, encoded, linear, transfer_of
from imgconv.images.metadata import Metadata
from tests.cases import each
from tests.images import profiles
from tests.images.profiles import curv, para

FULL = {"uint8": 255, "uint16": 65535, "int8": 127, "int16": 32767}


def of_code(code: int) -> Transfer:
    return transfer_of(Metadata(cicp=bytes((9, code, 0, 1))), np.uint8, 3)


def of_profile(*curves: bytes, channels: int = 3) -> Transfer:
    return transfer_of(Metadata(icc=profiles.rgb(*curves)), np.uint8, channels)


#: Every transfer of H.273, and profiles with ordinary and difficult curves.
TRANSFERS = {
    **{f"H.273 {code}": of_code(code) for code in (1, 4, 5, 7, 8, 13, 17)},
    "three": of_profile(
        para(0, 1.8), curv([0, 9000, 30000, 65535]), para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    ),
    "4096 samples": of_profile(curv([round(65535 * (x / 4095) ** 2.4) for x in range(4096)])),
    "flat at black": of_profile(curv([0] * 9 + [round(65535 * (x / 90) ** 2) for x in range(91)])),
    "flat at white": of_profile(curv([round(65535 * (x / 90) ** 2) for x in range(91)] + [65535] * 9)),
    "one of three flat at white": of_profile(para(0, 1.8), curv([0, 40000, 65535, 65535]), para(0, 2.2)),
    "a step": of_profile(curv([0, 0, 65535, 65535])),
    "steep": of_profile(para(0, 0.2)),
    "exponent 10": of_profile(para(0, 10.0)),
    "exponent 200": of_profile(curv([200 * 256])),
    "black above zero": of_profile(para(2, 2.2, 0.9, 0.1, 0.02)),
}


def test_all_profiles_are_used_without_notes() -> None:
    assert {transfer.note for name, transfer in TRANSFERS.items() if "H.273" not in name} == {""}
    assert [len(transfer.curves) for transfer in TRANSFERS.values()].count(3) == 2


def levels(dtype: str) -> np.ndarray:
    """Return every level of a type, in an image of three different channels."""
    limits = np.iinfo(dtype)
    each = np.arange(limits.min, limits.max + 1).astype(dtype)
    return np.stack([each, each[::-1], np.roll(each, 77)], -1).reshape(2, -1, 3)


@each("dtype", FULL)
@pytest.mark.parametrize("transfer", TRANSFERS.values(), ids=TRANSFERS)
def test_every_level_survives_the_round_trip(transfer: Transfer, dtype: str) -> None:
    pixels = levels(dtype)
    light = linear(pixels, transfer)
    signal = encoded(light, transfer, FULL[dtype])
    assert light.shape == signal.shape == pixels.shape
    assert light.dtype == signal.dtype
    assert np.array_equal(np.rint(signal), pixels)
    # Black and white are fixed, and the order of levels is kept.
    assert light[pixels == 0].tolist() == [0.0] * 3
    assert light[pixels == FULL[dtype]].tolist() == [FULL[dtype]] * 3
    for channel in range(3):
        order = np.argsort(pixels[:, :, channel], axis=None)
        assert (np.diff(light[:, :, channel].ravel()[order]) > 0).all()


@pytest.mark.parametrize("transfer", TRANSFERS.values(), ids=TRANSFERS)
def test_floats_survive_the_round_trip(transfer: Transfer) -> None:
    pixels = np.linspace(-1.5, 1.5, 30_003, dtype=np.float32).reshape(3, -1, 1).repeat(3, axis=2)
    signal = encoded(linear(pixels, transfer), transfer, 1.0)
    assert signal.dtype == np.float32
    # In the flattest parts of a curve, float32 light has 1/4096 of the resolution of float32 levels.
    assert np.abs(signal - pixels).max() < 2**-12


@pytest.mark.parametrize("name", ["H.273 1", "H.273 4", "H.273 13", "three", "4096 samples"])
@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_float32_is_close_to_float64(name: str, white: float) -> None:
    random = np.random.default_rng(3)
    light_there = (white * random.random((40, 51, 3)) ** [[[1, 4, 9]]]).astype(np.float32)
    found = encoded(light_there, TRANSFERS[name], white)
    exact = encoded(light_there.astype(np.float64), TRANSFERS[name], white)
    assert found.dtype == np.float32
    assert exact.dtype == np.float64
    assert not np.array_equal(found, exact)
    assert np.abs(found - exact).max() <= {"three": 1 / 65535, "4096 samples": 0.1 / 255}.get(name, 0.05 / 65535) * white


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_srgb_matches_scikit_image(dtype: str) -> None:
    white = FULL[dtype]
    grey = np.arange(white + 1).reshape(16, -1).astype(dtype)
    expected = rgb2xyz(np.repeat(grey[:, :, np.newaxis], 3, axis=2) / white)[:, :, 1]  # luminance
    found = linear(grey, SRGB)
    assert found.dtype == np.float32
    assert np.allclose(found, expected * white, rtol=2e-6, atol=0)
    assert np.allclose(linear((grey / white).astype(np.float64), SRGB), expected, rtol=1e-6, atol=0)


# Light at signals of 0.05, 0.3, 0.7, 0.9, by colour-science 0.4.7 (`eotf_sRGB` etc.) or as a power.
@pytest.mark.parametrize(
    ("code", "expected", "tolerance"),
    [
        (1, (0.0111111111, 0.105236675, 0.492415034, 0.808962584), 1.2e-3),  # colour-science uses the rounded 1.099 of BT.709
        (4, (0.05**2.2, 0.3**2.2, 0.7**2.2, 0.9**2.2), 1e-9),
        (5, (0.05**2.8, 0.3**2.8, 0.7**2.8, 0.9**2.8), 1e-9),
        (7, (0.0125, 0.109906417, 0.497047513, 0.810987699), 3e-4),  # colour-science uses 1.1115
        (13, (0.0039359395, 0.0732389559, 0.447988412, 0.787412289), 1e-8),
    ],
)
def test_curves_match_the_standards(code: int, expected: tuple[float, ...], tolerance: float) -> None:
    found = linear(np.array([[0.05, 0.3, 0.7, 0.9]]), of_code(code))
    assert found[0] == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize(("code", "slope", "power"), [(1, 4.5, 0.45), (7, 4.0, 0.45), (13, 12.92, 1 / 2.4)])
def test_line_and_power_are_continuous(code: int, slope: float, power: float) -> None:
    """The constants make value and slope continuous; those of sRGB are rounded to 3 places."""
    [curve] = of_code(code).curves
    rounded = 2e-2 if code == 13 else 1e-9
    below, above = (curve.light_of(np.array([curve.d * (1 + side), curve.d * (1 + 2 * side)])) for side in (-1e-6, 1e-6))
    assert curve.light_of(np.array([curve.d * 0.5]))[0] == pytest.approx(curve.d * 0.5 / slope)
    assert below[0] == pytest.approx(above[0], rel=4e-6)
    assert (below[0] - below[1]) == pytest.approx(above[1] - above[0], rel=rounded + 1e-4)
    assert 1 / curve.exponent == pytest.approx(power)


def test_an_18_percent_grey_card() -> None:
    assert encoded(np.array([[0.18]]), of_code(1), 1.0)[0, 0] == pytest.approx(0.409, abs=5e-4)  # BT.709


def test_a_mixture_of_black_and_white_is_188() -> None:
    """Half the light of white (a fine pattern of black and white) is 188 of 255 in sRGB, not 128."""
    board = (np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8)
    mixed = cv2.blur(linear(board, SRGB), (2, 2))
    assert set(np.rint(encoded(mixed, SRGB, 255.0)).ravel()) == {188.0}


@each("transfer", TRANSFERS.values())
@each("dtype", ["float32", "float64"])
def test_out_of_range_values_are_extrapolated(transfer: Transfer, dtype: str) -> None:
    values = np.linspace(-300, 1000, 131).reshape(1, -1, 1).repeat(3, axis=2).astype(dtype)
    found = encoded(values, transfer, 255.0)
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=1) > 0).all()
    assert np.array_equal(found, -encoded(-values, transfer, 255.0))  # odd symmetry
    assert ((found > 255) == (values > 255)).all()


def test_the_formula_is_used_above_white() -> None:
    found = encoded(np.array([[4 * 255.0, -255.0]]), SRGB, 255.0)[0] / 255
    assert found == pytest.approx([1.055 * 4 ** (1 / 2.4) - 0.055, -1])
    assert encoded(np.array([[4e9]], np.float32), of_code(4), 4294967295.0)[0, 0] == pytest.approx(
        4294967295 * (4e9 / 4294967295) ** (1 / 2.2), rel=1e-6
    )
    assert encoded(np.array([[4.0]], np.float32), of_code(4), 1.0)[0, 0] == pytest.approx(4 ** (1 / 2.2))


def test_negative_levels_are_mirrored() -> None:
    pixels = np.array([[-128, -127, -9, 0, 9, 127]], np.int8)
    found = linear(pixels, SRGB)[0]
    expected = 127 * rgb2xyz(np.full((1, 1, 3), 9 / 127))[0, 0, 1]
    assert found[1:] == pytest.approx([-127, -expected, 0, expected, 127], rel=1e-5)
    assert found[0] < -127


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("uint8", "float32"),
        ("int8", "float32"),
        ("uint16", "float32"),
        ("float16", "float32"),
        ("float32", "float32"),
        ("uint32", "float64"),
        ("int32", "float64"),
        ("float64", "float64"),
    ],
)
@pytest.mark.parametrize("transfer", [SRGB, LINEAR], ids=["sRGB", "linear"])
def test_types(dtype: str, expected: str, transfer: Transfer) -> None:
    white = 1 if dtype.startswith("f") else np.iinfo(dtype).max
    pixels = np.array([[0, white // 3, white]], dtype)
    found = linear(pixels, transfer)
    assert found.dtype == expected
    assert found[0, [0, 2]].tolist() == [0, float(white)]
    assert not np.shares_memory(found, pixels)
    assert encoded(found, transfer, float(white)) == pytest.approx(pixels.astype(expected), rel=1e-6)


def test_nan_and_infinities_are_kept() -> None:
    special = np.array([[np.nan, np.inf, -np.inf, -0.0, 1e-45, 3e38]])
    for transfer in TRANSFERS.values():
        for values in (special[:, :3], special[:, :3].astype(np.float32)):
            many = values[:, :, np.newaxis].repeat(3, axis=2)
            light, signal = linear(many, transfer), encoded(many, transfer, 1.0)
            assert np.isnan(light[:, 0]).all()
            assert np.isnan(signal[:, 0]).all()
            assert light[0, 1:, 0].tolist() == signal[0, 1:, 0].tolist() == [np.inf, -np.inf]
    for values in (special, special.astype(np.float32)):
        found = encoded(values, SRGB, 255.0)[0, 3:]
        assert not np.isnan(found).any()
        assert found[:2] == pytest.approx([0, 0], abs=1e-40)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("transfer", [SRGB, TRANSFERS["three"]], ids=["one curve", "three curves"])
def test_strips_and_views_give_the_same_values(dtype: str, transfer: Transfer) -> None:
    random = np.random.default_rng(5)
    pixels = (random.random((13, 4001, 4)) * (FULL.get(dtype) or 1)).astype(dtype)
    view = pixels[::2, ::-1, :3]  # BGR of BGRA pixels
    assert not view.flags.c_contiguous
    light = linear(view, transfer)
    white = FULL.get(dtype) or 1
    for row, column in ((0, 0), (3, 2500), (6, 4000)):
        pixel = view[row : row + 1, column : column + 1]
        assert np.array_equal(linear(pixel.copy(), transfer), light[row : row + 1, column : column + 1])
        wide = encoded(light, transfer, white)[row : row + 1, column : column + 1]
        assert np.array_equal(encoded(linear(pixel, transfer), transfer, white), wide)
    assert np.array_equal(encoded(light[::-1], transfer, white), encoded(light, transfer, white)[::-1])
    plane = linear(view[:, :, :1], SRGB)
    assert plane.shape == (7, 4001, 1)
    assert np.array_equal(plane[:, :, 0], linear(view[:, :, 0], SRGB))


def test_each_channel_has_its_own_curve() -> None:
    """The curves of the profile are in RGB order, the pixels in BGR order."""
    profile = profiles.rgb(para(0, 1.5), para(0, 2.0), para(0, 2.5))
    pixels = np.array([[[40, 120, 200], [90, 10, 250]]], np.uint8)
    found = linear(pixels, transfer_of(Metadata(icc=profile), np.uint8, 3))
    flat = imagecodecs.cms_transform(
        (pixels[:, :, ::-1] / np.float32(255)).astype(np.float32),
        profile,
        profiles.rgb(para(0, 1.0)),
        colorspace="rgb",
        outcolorspace="rgb",
        outdtype=np.float32,
    )
    assert found == pytest.approx(flat[:, :, ::-1] * 255, abs=0.02)
    assert found[0, 0] == pytest.approx(255 * (pixels[0, 0] / 255) ** [2.5, 2.0, 1.5], rel=1e-5)


def test_of_planes_selects_curves() -> None:
    three = TRANSFERS["three"]
    pixels = levels("uint8")
    light = linear(pixels, three)
    signal = light[:, :, [2, 0]]
    assert np.array_equal(linear(pixels[:, :, [2, 0]], three.of_planes([2, 0])), signal)
    assert np.array_equal(np.rint(encoded(signal, three.of_planes([2, 0]), 255.0)), pixels[:, :, [2, 0]])
    assert np.array_equal(linear(pixels[:, :, 0], three.of_planes([0])), light[:, :, 0])
    # A grey mixture uses the curve of green.
    for plane in (pixels[:, :, 1], pixels[:, :, 1:2]):
        assert np.array_equal(linear(plane, three), light[:, :, 1].reshape(plane.shape))
    assert SRGB.of_planes([1]) == SRGB
    with pytest.raises(UsageError, match="expected 3 channels, one per curve, found 2"):
        linear(pixels[:, :, :2], three)


@given(st.floats(0, 4, width=32), st.sampled_from(["H.273 1", "H.273 13", "exponent 10"]))
def test_linear_inverts_encoded(value: float, name: str) -> None:
    values = np.array([[value]])
    assert linear(encoded(values, TRANSFERS[name], 1.0), TRANSFERS[name])[0, 0] == pytest.approx(value, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("dtype", FULL)
def test_curves_of_the_standards_use_float32(dtype: str) -> None:
    for name, transfer in TRANSFERS.items():
        assert "H.273" not in name or linear(levels(dtype), transfer).dtype == np.float32
