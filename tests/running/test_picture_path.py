"""Alpha, linear light, grey and selected channels, compared with SciPy and the formulas of the standards."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy import ndimage
from skimage import color

import imgconv
from imgconv.errors import UsageError
from imgconv.images.image import Image
from imgconv.images.pages import Header
from imgconv.running.picture_path import PicturePath, filter_picture
from tests.cases import each
from tests.running.levels import KERNEL, as_type, full_scale, scipy_sum

DTYPES = ("uint8", "uint16", "float32")


def to_linear(levels: np.ndarray) -> np.ndarray:
    """Return linear light of sRGB levels from 0 to 1 (IEC 61966-2-1)."""
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def from_linear(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.abs(light) ** (1 / 2.4) - 0.055)


@pytest.fixture
def transparent(photo, alpha):
    """The photograph with transparent and opaque areas and ramps in its alpha."""
    alpha = alpha.copy()
    alpha[20:40, 30:60] = 0
    alpha[60:, 90:] = 255
    return np.dstack([photo, alpha])


@pytest.mark.parametrize("dtype", DTYPES)
def test_colour_is_weighted_by_alpha_and_alpha_is_filtered(filtered, transparent, dtype) -> None:
    pixels = as_type(transparent, dtype)
    found = filtered(pixels).astype(float)
    weight = pixels[:, :, 3] / full_scale(dtype)
    weights = scipy_sum(weight)
    tolerance = {"uint8": 0.501, "uint16": 0.51, "float32": 1e-6}[dtype]  # half a level plus the error of float32
    assert np.abs(found[:, :, 3] - weights * full_scale(dtype)).max() <= tolerance
    visible = weights > 0.01
    for c in range(3):
        expected = scipy_sum(pixels[:, :, c] * weight)[visible] / weights[visible]
        assert np.abs(found[visible, c] - expected).max() <= tolerance * 1.01


def test_grey_is_weighted_by_alpha(filtered, transparent) -> None:
    grey = transparent[:, :, [1, 3]]
    assert np.array_equal(filtered(grey), filtered(transparent)[:, :, [1, 3]])


def test_transparent_colours_do_not_affect_the_result(filtered, transparent) -> None:
    alternative = transparent.copy()
    alternative[transparent[:, :, 3] == 0] = (0, 0, 255, 0)
    found, same = filtered(transparent, "gaussian:sigma=4"), filtered(alternative, "gaussian:sigma=4")
    assert np.array_equal(found, same)
    # With straight alpha the hidden colours do affect the result.
    options = {"alpha": "straight"}
    assert not np.array_equal(
        filtered(transparent, "gaussian:sigma=4", **options), filtered(alternative, "gaussian:sigma=4", **options)
    )


def test_transparent_pixels_do_not_affect_the_range(filtered, make_task, transparent) -> None:
    pixels = np.dstack([transparent[:, :, :3] // 2 + 100, transparent[:, :, 3]])
    values = filtered(pixels, depth="32f")
    visible = filtered(pixels)[:, :, 3] > 0
    assert not visible.all()
    stretched = filtered(pixels, depth="32f", range_policy="stretch")
    colours = values[visible, :3]
    np.testing.assert_allclose(stretched[visible, :3], (colours - colours.min()) / np.ptp(colours), atol=1e-5)
    task = make_task(KERNEL, delta=-90, range_policy="error", count=True)  # below 0 only where transparent
    assert filter_picture(Image(pixels), task).clipped == 0


@pytest.mark.parametrize("text", ["laplacian", "sobel_x", "edges"])
def test_an_edge_kernel_keeps_alpha_and_ignores_its_edges(filtered, transparent, text) -> None:
    assert np.array_equal(filtered(transparent, text)[:, :, 3], transparent[:, :, 3])
    even = transparent.copy()
    even[:, :, :3] = 90
    expected = 128 if text == "edges:output=x" else 0
    assert np.all(filtered(even, text)[:, :, :3] == expected)


def test_the_four_alpha_modes(filtered, transparent) -> None:
    colour = imgconv.correlate(np.ascontiguousarray(transparent[:, :, :3]), KERNEL)
    coverage = imgconv.correlate(np.ascontiguousarray(transparent[:, :, 3]), KERNEL)
    assert np.array_equal(filtered(transparent, alpha="drop"), colour)
    assert np.array_equal(filtered(transparent, alpha="keep"), np.dstack([colour, transparent[:, :, 3]]))
    straight = filtered(transparent, alpha="straight")
    assert np.array_equal(straight[:, :, :3], colour)
    assert np.abs(straight[:, :, 3].astype(int) - coverage).max() <= 1
    assert np.mean(straight[:, :, 3] != coverage) < 0.01  # float32 rounds some ties differently
    assert np.array_equal(filtered(transparent, alpha="weighted")[:, :, 3], straight[:, :, 3])


@pytest.mark.parametrize("text", ["sharpen", "gaussian:sigma=2", "edges"])
def test_opaque_alpha_changes_no_bit(filtered, photo, text) -> None:
    opaque = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    found = filtered(opaque, text)
    assert np.all(found[:, :, 3] == 255)
    assert np.array_equal(found[:, :, :3], filtered(photo, text))


def test_scale_and_delta_apply_to_colour_only(filtered, transparent) -> None:
    plain, changed = filtered(transparent, depth="32f"), filtered(transparent, depth="32f", scale="1/2", delta=10)
    visible = plain[:, :, 3] > 0.01
    np.testing.assert_allclose(changed[visible, :3], plain[visible, :3] / 2 + 10 / 255, atol=1e-6)
    assert np.array_equal(changed[:, :, 3], plain[:, :, 3])


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("depth", [None, "16", "32f"])
def test_linear_uses_the_curve_of_srgb(filtered, photo, dtype, depth) -> None:
    pixels = as_type(photo, dtype)
    found = filtered(pixels, linear=True, depth=depth)
    white = full_scale(found.dtype)
    expected = np.dstack([from_linear(scipy_sum(to_linear(pixels[:, :, c] / full_scale(dtype)))) for c in range(3)]) * white
    allowed = 0.51 if found.dtype.kind == "u" and white == 255 else 2e-5 * white
    assert np.abs(found - expected).max() <= allowed
    assert np.abs(expected - filtered(pixels, depth=depth)).max() > 0.02 * white  # `linear` makes a difference


def test_the_identity_in_linear_light_changes_nothing(filtered, photo) -> None:
    assert np.array_equal(filtered(photo, "identity", linear=True), photo)
    assert np.array_equal(filtered(as_type(photo, "uint16"), "identity", linear=True), as_type(photo, "uint16"))


def test_a_border_value_is_converted_to_linear_light(filtered) -> None:
    even = np.full((9, 11), 200, np.uint8)
    options = {"border": "constant", "border_value": 200}
    assert np.all(filtered(even, "gaussian:sigma=2", linear=True, options=options) == 200)


def test_linear_does_not_convert_alpha(filtered, transparent) -> None:
    assert np.array_equal(filtered(transparent, linear=True)[:, :, 3], filtered(transparent)[:, :, 3])


def test_floats_are_already_linear(filtered, photo) -> None:
    pixels = as_type(photo, "float32")
    assert np.array_equal(filtered(pixels, linear=True), filtered(pixels))


def test_linear_does_not_convert_directions(filtered, photo) -> None:
    found = filtered(photo, "edges:output=direction", linear=True, depth="32f")
    light = to_linear(photo / 255).astype(np.float32)
    expected = imgconv.find_edges(light, "scharr", "direction")
    turned = np.abs(found - expected)
    assert np.quantile(np.minimum(turned, 360 - turned), 0.99) < 0.01


def test_gray_is_the_luma_of_pillow(filtered, photo) -> None:
    found = filtered(photo, "identity", gray=True)
    alternative = np.asarray(Pillow.fromarray(photo[:, :, ::-1].copy()).convert("L"))
    assert found.shape == photo.shape[:2]
    assert np.abs(found.astype(int) - alternative).max() <= 1
    assert np.array_equal(filtered(found, gray=True), filtered(found))


def test_linear_gray_is_luminance(filtered, photo) -> None:
    found = filtered(photo, "identity", gray=True, linear=True)
    xyz = color.rgb2xyz(photo[:, :, ::-1])
    np.testing.assert_allclose(found, from_linear(xyz[:, :, 1]) * 255, atol=0.6)


def test_luma_filters_y_and_keeps_cb_and_cr(filtered, photo) -> None:
    found = filtered(photo, "gaussian:sigma=3", luma=True, depth="32f").astype(float)
    ycc, before = color.rgb2ycbcr(found[:, :, ::-1]), color.rgb2ycbcr(photo[:, :, ::-1])
    assert np.abs(ycc[:, :, 1:] - before[:, :, 1:]).max() < 0.01
    expected = ndimage.correlate(before[:, :, 0], imgconv.parse_kernel("gaussian:sigma=3").weights, mode="mirror")
    assert np.abs(ycc[:, :, 0] - expected).max() < 0.01
    assert np.abs(ycc[:, :, 0] - before[:, :, 0]).max() > 20


@pytest.mark.parametrize(("channels", "filtered_channels"), [((0,), [2]), ((1, 2), [1, 0]), ((0, 2), [2, 0])])
def test_channels_are_numbered_from_red_and_the_others_are_kept(filtered, transparent, channels, filtered_channels) -> None:
    found = filtered(transparent, alpha="straight", channels=channels)
    full_result = filtered(transparent, alpha="straight")
    for c in range(4):
        assert np.array_equal(found[:, :, c], full_result[:, :, c] if c in filtered_channels else transparent[:, :, c])


def test_alpha_can_be_the_only_filtered_channel(filtered, transparent) -> None:
    found = filtered(transparent, channels=(3,))
    assert np.array_equal(found[:, :, :3], transparent[:, :, :3])
    assert np.array_equal(found[:, :, 3], filtered(transparent)[:, :, 3])


def test_a_border_value_per_channel_follows_the_selected_channels(filtered, photo) -> None:
    options = {"border": "constant", "border_value": (10, 20, 30)}
    full_result = filtered(photo, options=options)
    found = filtered(photo, options=options, channels=(0,))
    assert np.array_equal(found[:, :, 2], full_result[:, :, 2])
    weighted = np.dstack([photo, np.full(photo.shape[:2], 254, np.uint8)])
    assert np.abs(filtered(weighted, options=options)[5:, :, :3].astype(int) - full_result[5:]).max() <= 1


def test_channel_0_of_a_grey_image_is_the_whole_image(filtered, grey) -> None:
    assert np.array_equal(filtered(grey, channels=(0,)), filtered(grey))
    with_alpha = np.dstack([grey, grey[::-1]])
    assert np.array_equal(filtered(with_alpha, channels=(0,))[:, :, 0], filtered(with_alpha)[:, :, 0])
    assert np.array_equal(filtered(with_alpha, channels=(0,))[:, :, 1], grey[::-1])
    assert np.array_equal(filtered(with_alpha, channels=(0, 3)), filtered(with_alpha))
    assert np.array_equal(filtered(with_alpha, channels=(3,), linear=True)[:, :, 0], grey)


@pytest.mark.parametrize("channels", [(1,), (2,), (3,), (0, 3)])
def test_missing_channels_are_an_error(filtered, grey, channels) -> None:
    with pytest.raises(UsageError, match="`channels`: the image"):
        filtered(grey, channels=channels)


@pytest.mark.parametrize(
    "options", [{"stride": 2}, {"mode": "valid"}, {"mode": "full"}, {"stride": (3, 2), "mode": "valid"}], ids=str
)
def test_stride_and_mode_keep_channels_and_missing_values_aligned(filtered, transparent, options) -> None:
    for fields in ({}, {"linear": True}, {"luma": True}, {"channels": (1,)}, {"nodata": 3.0}, {"gray": True}):
        full_result = filtered(transparent, "[0 0 0; 0 0 1]", alpha="keep", **fields)
        found = filtered(transparent, "[0 0 0; 0 0 1]", alpha="keep", options={**options, "border": "replicate"}, **fields)
        if options.get("mode", "same") == "same":
            assert np.array_equal(found[:, :-1], full_result[::2, ::2][:, :-1])
        assert found.shape[:2] == imgconv.correlate(transparent, "[0 0 0; 0 0 1]", **options).shape[:2]


def test_depths_of_1_bit_and_float16(filtered, grey) -> None:
    bilevel = filtered(grey, "identity", depth="1")
    assert bilevel.dtype == bool
    assert np.array_equal(bilevel, grey > 127)
    half = filtered(grey, "identity", depth="16f")
    assert half.dtype == np.float16
    assert np.array_equal(half, (grey / np.float32(255)).astype(np.float16))


def test_plans_are_those_that_are_executed(make_task, transparent) -> None:
    for fields in ({}, {"linear": True}, {"luma": True}, {"gray": True}, {"channels": (0,)}, {"alpha": "keep"}):
        task = make_task(KERNEL, **fields, count=True)
        opaque = transparent.copy()
        opaque[:, :, 3] = 255
        (actual,) = filter_picture(Image(opaque), task).plans
        (planned,) = PicturePath.of(Header.of(*transparent.shape[:2], 4, "uint8"), task).plans()
        assert (actual.method, actual.job.shape, actual.job.dtype) == (planned.method, planned.job.shape, planned.job.dtype)


def test_abs_of_a_complex_result_is_linear_light(make_task, photo) -> None:
    task = make_task("[1 2j]:scale=1/3", range_policy="abs", linear=True)
    found = filter_picture(Image(photo), task).image.pixels.astype(float)
    for c in range(3):
        light = to_linear(photo[:, :, c] / 255)
        magnitude = np.hypot(np.pad(light, ((0, 0), (1, 0)), "reflect")[:, :-1], 2 * light) / 3
        assert np.abs(found[:, :, c] - np.clip(from_linear(magnitude), 0, 1) * 255).max() <= 0.51
    grey = make_task("[1 2j]", luma=True)
    with pytest.raises(UsageError, match="cannot hold a complex result"):
        filter_picture(Image(photo), grey)


@each("fields", [{}, {"alpha": "drop"}, {"gray": True}, {"luma": True}, {"depth": "16"}, {"channels": (1,)}])
@each("options", [{}, {"stride": (2, 3)}, {"mode": "full"}, {"mode": "valid", "dilation": 2}])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_output_header_describes_the_result(make_task, transparent, fields, options, channels) -> None:
    if channels < 3 and fields == {"channels": (1,)}:
        fields = {"channels": (0,)}
    image, task = Image(np.squeeze(transparent[:, :, -channels:])), make_task(KERNEL, options=options, **fields)
    header = PicturePath.of(Header.of_image(image), task).output_header
    found = Header.of_image(filter_picture(image, task).image)
    facts = [(h.shape[:2], h.channels, h.dtype, h.has_alpha, h.colours) for h in (header, found)]
    assert facts[0] == facts[1]
