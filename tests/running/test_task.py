"""What a task makes of pixels: alpha beside the colour, depth, range, the count of what was clipped."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import ndimage

from imgconv.errors import RangeError
from imgconv.images.image import Image
from imgconv.running.treatment import Treatment

#: Alpha beside the colour, neither weighting the other.
KEEP = Treatment(alpha="keep")

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])


def sharpened(channel: np.ndarray) -> np.ndarray:
    """Return the exact result, unclipped, as SciPy has it (`mirror` is reflect101)."""
    return ndimage.correlate(channel.astype(np.int64), SHARPEN, mode="mirror")


def test_colour_is_filtered_and_alpha_is_not(make_task, photo, alpha) -> None:
    result = make_task(treatment=KEEP).run(Image(np.dstack([photo, alpha]))).image
    assert result.pixels.shape == (90, 131, 4)
    assert result.pixels.dtype == np.uint8
    assert np.array_equal(result.pixels[:, :, 3], alpha)
    for channel in range(3):
        assert np.array_equal(result.pixels[:, :, channel], np.clip(sharpened(photo[:, :, channel]), 0, 255))


def test_grey_with_alpha(make_task, grey) -> None:
    alpha = grey[::-1, ::-1]
    result = make_task(treatment=KEEP).run(Image(np.dstack([grey, alpha]))).image
    assert result.pixels.shape == (77, 64, 2)
    assert np.array_equal(result.pixels[:, :, 0], np.clip(sharpened(grey), 0, 255))
    assert np.array_equal(result.pixels[:, :, 1], alpha)


@pytest.mark.parametrize("shape", [(77, 64), (77, 64, 1)])
def test_a_grey_image_keeps_its_shape(make_task, grey, shape) -> None:
    result = make_task().run(Image(grey.reshape(shape))).image
    assert result.pixels.shape == shape


def test_the_image_that_is_given_is_not_changed(make_task, photo, alpha) -> None:
    image = Image(np.dstack([photo, alpha]))
    before = image.pixels.copy()
    make_task("box:size=5", depth="16", delta=Fraction(3)).run(image)
    assert np.array_equal(image.pixels, before)


def test_metadata_go_along(make_task, photo) -> None:
    image = Image(photo, format="something", pages=7)
    result = make_task().run(image).image
    assert (result.metadata, result.format, result.pages) == (image.metadata, image.format, image.pages)


@pytest.mark.parametrize(
    ("dtype", "depth", "white"),
    [
        (np.uint8, "16", 65535),
        (np.uint8, "32f", 1.0),
        (np.uint16, "8", 255),
        (np.uint16, "32f", 1.0),
        (np.float32, "8", 255),
        (np.float32, "16", 65535),
        (np.float64, "16", 65535),
    ],
)
def test_white_stays_white_and_black_black(make_task, dtype, depth, white) -> None:
    full = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    pixels = np.zeros((12, 9, 4), dtype)
    pixels[:, 5:] = full  # white and opaque; the left is black and transparent
    result = make_task("box:size=3", depth=depth, treatment=KEEP).run(Image(pixels)).image
    assert result.pixels.dtype.name == {"8": "uint8", "16": "uint16", "32f": "float32"}[depth]
    assert np.all(result.pixels[:, 7:] == white)
    assert np.all(result.pixels[:, :3] == 0)
    assert np.all(result.pixels[:, 5:, 3] == white)
    assert np.all(result.pixels[:, :5, 3] == 0)


def test_a_change_of_depth_rounds_once(make_task, grey) -> None:
    # Through 8 bits on the way, only multiples of 257 could come out.
    result = make_task("box:size=3", depth="16").run(Image(grey)).image
    sums = ndimage.correlate(grey.astype(np.int64), np.ones((3, 3), np.int64), mode="mirror")
    expected = np.rint(sums * 257 / 9)
    assert np.abs(result.pixels - expected).max() <= 1
    assert np.mean(result.pixels % 257 == 0) < 0.5


@pytest.mark.parametrize("level", [0, 1, 127, 128, 254, 255])
def test_every_level_of_alpha_has_its_own_in_sixteen_bits_and_comes_back(make_task, level) -> None:
    pixels = np.full((5, 6, 4), level, np.uint8)
    deep = make_task("identity", depth="16", treatment=KEEP).run(Image(pixels)).image
    assert np.all(deep.pixels == level * 257)
    back = make_task("identity", depth="8", treatment=KEEP).run(deep).image
    assert np.array_equal(back.pixels, pixels)


@pytest.mark.parametrize("stride", [2, (3, 1), (1, 4)])
def test_a_stride_takes_the_same_places_of_alpha(make_task, photo, alpha, stride) -> None:
    down, across = stride if isinstance(stride, tuple) else (stride, stride)
    result = make_task(options={"stride": stride}, treatment=KEEP).run(Image(np.dstack([photo, alpha]))).image
    assert np.array_equal(result.pixels[:, :, 3], alpha[::down, ::across])
    assert np.array_equal(result.pixels[:, :, 0], np.clip(sharpened(photo[:, :, 0]), 0, 255)[::down, ::across])


# Not symmetric, even, its anchor not in the middle: alpha taken from another place than the colour would show.
IMPULSE = "[0 0 0 0; 0 0 0 1]"


@pytest.mark.parametrize("mode", ["same", "valid", "full"])
@pytest.mark.parametrize("anchor", [None, (0, 0), (1, 3), (0, 2)])
def test_alpha_lies_where_the_anchor_is_in_every_mode(make_task, photo, mode, anchor) -> None:
    given = {} if anchor is None else {"anchor": anchor}
    row, column = anchor or (1, 2)
    # An impulse at the anchor is the identity: then colour and alpha, which are alike here, have to stay alike.
    taps = np.zeros((2, 4), int)
    taps[row, column] = 1
    text = "[" + "; ".join(" ".join(map(str, line)) for line in taps.tolist()) + "]"
    image = Image(np.dstack([photo[:, :, :1]] * 4))
    result = make_task(text, options={"mode": mode, "border": "replicate", **given}, treatment=KEEP).run(image).image
    rows, columns = {"same": (90, 131), "valid": (89, 128), "full": (91, 134)}[mode]
    assert result.pixels.shape == (rows, columns, 4)
    assert np.array_equal(result.pixels[:, :, 0], result.pixels[:, :, 3])
    assert len(np.unique(result.pixels[:, :, 3])) > 50


def test_alpha_is_not_moved_by_a_kernel_that_moves_the_colour(make_task, photo, alpha) -> None:
    result = make_task(IMPULSE, options={"border": "wrap"}, treatment=KEEP).run(Image(np.dstack([photo, alpha]))).image
    assert np.array_equal(result.pixels[:, :, 3], alpha)
    assert np.array_equal(result.pixels[:, :, 1], np.roll(photo[:, :, 1], -1, axis=1))


def test_neither_scale_nor_delta_nor_range_touch_alpha(make_task, photo, alpha) -> None:
    task = make_task("identity", scale=Fraction(1, 2), delta=Fraction(10), range_policy="offset", treatment=KEEP)
    result = task.run(Image(np.dstack([photo, alpha]))).image
    assert np.array_equal(result.pixels[:, :, 3], alpha)
    expected = np.clip(np.rint(photo / 2 + 10 + 128), 0, 255)
    assert np.array_equal(result.pixels[:, :, :3], expected)


def test_scale_comes_before_delta_and_both_before_the_rounding(make_task) -> None:
    pixels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    result = make_task("identity", scale=Fraction(1, 4), delta=Fraction(1, 4)).run(Image(pixels)).image
    assert np.array_equal(result.pixels, np.rint(pixels / 4 + 0.25))


def test_delta_is_in_levels_of_the_image(make_task) -> None:
    result = make_task("identity", delta=Fraction(10), depth="16").run(Image(np.full((4, 4), 20, np.uint8))).image
    assert np.all(result.pixels == 30 * 257)


def test_what_was_clipped_is_counted_and_alpha_is_not_among_it(make_task, photo, alpha) -> None:
    exact = np.dstack([sharpened(photo[:, :, c]) for c in range(3)])
    expected = int(np.count_nonzero((exact < 0) | (exact > 255)))
    assert expected > 0
    for pixels in (photo, np.dstack([photo, alpha])):
        clipped = make_task(count=True, treatment=KEEP).run(Image(pixels)).clipped
        assert clipped == expected


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_both_engines_count_the_same(make_task, grey, engine) -> None:
    exact = sharpened(grey)
    clipped = make_task(count=True, options={"engine": engine}).run(Image(grey)).clipped
    assert clipped == np.count_nonzero((exact < 0) | (exact > 255))


def test_counting_changes_no_pixel(make_task, photo) -> None:
    counted = make_task(count=True).run(Image(photo)).image
    plain = make_task(count=False).run(Image(photo)).image
    assert np.array_equal(counted.pixels, plain.pixels)


def test_out_of_range_can_be_an_error(make_task, photo) -> None:
    with pytest.raises(RangeError, match=r"values leave the range 0 to 255"):
        make_task(range_policy="error").run(Image(photo))
    result = make_task("identity", range_policy="error").run(Image(photo)).image
    assert np.array_equal(result.pixels, photo)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 1)])
def test_images_smaller_than_the_kernel(make_task, size) -> None:
    pixels = np.dstack([np.full(size, v, np.uint8) for v in (10, 20, 30, 40)])
    result = make_task("box:size=9").run(Image(pixels)).image
    assert np.array_equal(result.pixels, pixels)
