"""`filter_picture` with a task: alpha, depth, scale and delta, range, and the count of clipped samples."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import ndimage

from imgconv.images.image import Image
from imgconv.running.picture_path import filter_picture

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])


def sharpened(channel: np.ndarray) -> np.ndarray:
    """Return the exact, unclipped result by SciPy (`mirror` is reflect101)."""
    return ndimage.correlate(channel.astype(np.int64), SHARPEN, mode="mirror")


def test_alpha_keep_filters_colour_only(make_task, photo, alpha) -> None:
    result = filter_picture(Image(np.dstack([photo, alpha])), make_task(alpha="keep")).image
    assert result.pixels.shape == (90, 131, 4)
    assert result.pixels.dtype == np.uint8
    assert np.array_equal(result.pixels[:, :, 3], alpha)
    for channel in range(3):
        assert np.array_equal(result.pixels[:, :, channel], np.clip(sharpened(photo[:, :, channel]), 0, 255))


@pytest.mark.parametrize("shape", [(77, 64), (77, 64, 1)])
def test_a_grey_image_keeps_its_shape(make_task, grey, shape) -> None:
    result = filter_picture(Image(grey.reshape(shape)), make_task()).image
    assert result.pixels.shape == shape


def test_the_input_image_is_not_changed(make_task, photo, alpha) -> None:
    image = Image(np.dstack([photo, alpha]))
    before = image.pixels.copy()
    filter_picture(image, make_task("box:size=5", depth="16", delta=Fraction(3)))
    assert np.array_equal(image.pixels, before)


def test_metadata_is_kept(make_task, photo) -> None:
    image = Image(photo, format="something", pages=7)
    result = filter_picture(image, make_task()).image
    assert (result.metadata, result.format, result.pages) == (image.metadata, image.format, image.pages)


def test_a_change_of_depth_rounds_once(make_task, grey) -> None:
    # An intermediate rounding to 8 bits would leave only multiples of 257.
    result = filter_picture(Image(grey), make_task("box:size=3", depth="16")).image
    sums = ndimage.correlate(grey.astype(np.int64), np.ones((3, 3), np.int64), mode="mirror")
    expected = np.rint(sums * 257 / 9)
    assert np.abs(result.pixels - expected).max() <= 1
    assert np.mean(result.pixels % 257 == 0) < 0.5


@pytest.mark.parametrize("level", [0, 1, 127, 128, 254, 255])
def test_alpha_survives_16_bits_and_back(make_task, level) -> None:
    pixels = np.full((5, 6, 4), level, np.uint8)
    deep = filter_picture(Image(pixels), make_task("identity", depth="16", alpha="keep")).image
    assert np.all(deep.pixels == level * 257)
    back = filter_picture(deep, make_task("identity", depth="8", alpha="keep")).image
    assert np.array_equal(back.pixels, pixels)


@pytest.mark.parametrize("stride", [2, (3, 1), (1, 4)])
def test_a_stride_applies_to_alpha(make_task, photo, alpha, stride) -> None:
    down, across = stride if isinstance(stride, tuple) else (stride, stride)
    result = filter_picture(Image(np.dstack([photo, alpha])), make_task(options={"stride": stride}, alpha="keep")).image
    assert np.array_equal(result.pixels[:, :, 3], alpha[::down, ::across])
    assert np.array_equal(result.pixels[:, :, 0], np.clip(sharpened(photo[:, :, 0]), 0, 255)[::down, ::across])


# Even-sized and asymmetric, so that an alpha shifted against the colour would be noticed.
IMPULSE = "[0 0 0 0; 0 0 0 1]"


@pytest.mark.parametrize("mode", ["same", "valid", "full"])
@pytest.mark.parametrize("anchor", [None, (0, 0), (1, 3), (0, 2)])
def test_alpha_follows_the_anchor_in_every_mode(make_task, photo, mode, anchor) -> None:
    more = {} if anchor is None else {"anchor": anchor}
    row, column = anchor or (1, 2)
    # An impulse at the anchor is the identity, so equal colour and alpha must stay equal.
    taps = np.zeros((2, 4), int)
    taps[row, column] = 1
    text = "[" + "; ".join(" ".join(map(str, line)) for line in taps.tolist()) + "]"
    image = Image(np.dstack([photo[:, :, :1]] * 4))
    result = filter_picture(image, make_task(text, options={"mode": mode, "border": "replicate", **more}, alpha="keep")).image
    rows, columns = {"same": (90, 131), "valid": (89, 128), "full": (91, 134)}[mode]
    assert result.pixels.shape == (rows, columns, 4)
    assert np.array_equal(result.pixels[:, :, 0], result.pixels[:, :, 3])
    assert len(np.unique(result.pixels[:, :, 3])) > 50


def test_a_shifting_kernel_does_not_shift_alpha(make_task, photo, alpha) -> None:
    result = filter_picture(
        Image(np.dstack([photo, alpha])), make_task(IMPULSE, options={"border": "wrap"}, alpha="keep")
    ).image
    assert np.array_equal(result.pixels[:, :, 3], alpha)
    assert np.array_equal(result.pixels[:, :, 1], np.roll(photo[:, :, 1], -1, axis=1))


def test_scale_delta_and_range_do_not_change_alpha(make_task, photo, alpha) -> None:
    task = make_task("identity", scale=Fraction(1, 2), delta=Fraction(10), range_policy="offset", alpha="keep")
    result = filter_picture(Image(np.dstack([photo, alpha])), task).image
    assert np.array_equal(result.pixels[:, :, 3], alpha)
    expected = np.clip(np.rint(photo / 2 + 10 + 128), 0, 255)
    assert np.array_equal(result.pixels[:, :, :3], expected)


def test_scale_then_delta_are_applied_before_rounding(make_task) -> None:
    pixels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    result = filter_picture(Image(pixels), make_task("identity", scale=Fraction(1, 4), delta=Fraction(1, 4))).image
    assert np.array_equal(result.pixels, np.rint(pixels / 4 + 0.25))


def test_delta_is_in_levels_of_the_image(make_task) -> None:
    result = filter_picture(Image(np.full((4, 4), 20, np.uint8)), make_task("identity", delta=Fraction(10), depth="16")).image
    assert np.all(result.pixels == 30 * 257)


def test_clipped_samples_are_counted_without_alpha(make_task, photo, alpha) -> None:
    exact = np.dstack([sharpened(photo[:, :, c]) for c in range(3)])
    expected = int(np.count_nonzero((exact < 0) | (exact > 255)))
    assert expected > 0
    for pixels in (photo, np.dstack([photo, alpha])):
        clipped = filter_picture(Image(pixels), make_task(count=True, alpha="keep")).clipped
        assert clipped == expected
