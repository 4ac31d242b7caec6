"""Regions and masks: the part that changes, the rest, and the errors."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

import imgconv
from imgconv.errors import UsageError
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata
from imgconv.running.picture_path import filter_picture
from imgconv.running.regions import Part, Region, as_mask
from tests.running.levels import KERNEL

REGIONS = [(0, 0, 90, 131), (20, 30, 40, 50), (0, 0, 1, 1), (89, 130, 1, 1), (0, 100, 90, 31), (50, 0, 7, 131)]
MODES = {"replicate": "nearest", "reflect": "reflect", "reflect101": "mirror", "wrap": "wrap"}


def composed(before, after, region):
    row, column, rows, columns = region
    result = before.copy()
    result[row : row + rows, column : column + columns] = after[row : row + rows, column : column + columns]
    return result


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("border", MODES)
def test_only_the_region_changes_and_the_kernel_reads_its_surroundings(photo, region, border) -> None:
    weights = np.array([[0, -1, 2, 0], [-1, 5, -1, 3], [2, -1, 0, -3]])
    sums = [ndimage.correlate(photo[..., c].astype(float), weights, mode=MODES[border]) for c in range(3)]
    expected = composed(photo, np.clip(np.dstack(sums), 0, 255).astype(np.uint8), region)
    text = "[" + "; ".join(" ".join(map(str, row)) for row in weights) + "]"
    found = imgconv.filter_image(Image(photo), text, border=border, region=region).pixels
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("region", REGIONS)
def test_a_chain_in_a_region_is_that_of_the_whole_image(photo, region) -> None:
    levels = Image(photo.astype(np.float64))
    chosen = imgconv.parse_filter("crisp")
    expected = composed(levels.pixels, imgconv.filter_image(levels, chosen).pixels, region)
    np.testing.assert_allclose(imgconv.filter_image(levels, chosen, region=region).pixels, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_mask_blends(grey, dtype) -> None:
    image = grey.astype(dtype)
    mask = np.linspace(0, 1, grey.size).reshape(grey.shape)
    blurred = ndimage.uniform_filter(grey.astype(float), 3, mode="mirror")
    blurred = np.rint(blurred) if dtype != "float32" else blurred
    expected = image + (blurred - image) * mask
    found = imgconv.filter_image(Image(image), "box", mask=mask).pixels
    assert found.dtype == dtype
    np.testing.assert_allclose(found, np.rint(expected) if dtype != "float32" else expected, atol=1e-4)


def test_a_mask_within_a_region(photo) -> None:
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[10:50] = 255
    region = (30, 20, 40, 60)
    filtered = imgconv.filter_image(Image(photo), KERNEL).pixels
    expected = composed(photo, np.where(mask[..., None] > 0, filtered, photo), region)
    np.testing.assert_array_equal(imgconv.filter_image(Image(photo), KERNEL, mask=mask, region=region).pixels, expected)


def test_the_rest_is_converted_to_the_depth(photo) -> None:
    result = imgconv.filter_image(Image(photo), "box", depth="16", region=(10, 10, 20, 20)).pixels
    assert result.dtype == np.uint16
    assert np.array_equal(result[40:], photo[40:].astype(np.uint16) * 257)


def test_the_rest_is_converted_to_grey(photo) -> None:
    result = imgconv.filter_image(Image(photo), "box", gray=True, region=(10, 10, 20, 20)).pixels
    assert np.abs(result[40:].astype(int) - cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)[40:]).max() <= 1


@pytest.mark.parametrize("mode", ["weighted", "straight", "keep"])
def test_colour_under_transparent_pixels_of_the_rest_is_kept(photo, alpha, mode) -> None:
    pixels = np.dstack([photo, np.where(alpha < 128, 0, alpha).astype(np.uint8)])
    result = imgconv.filter_image(Image(pixels), "gaussian:sigma=2", alpha=mode, region=(40, 50, 20, 30)).pixels
    whole = imgconv.filter_image(Image(pixels), "gaussian:sigma=2", alpha=mode).pixels
    expected = composed(pixels, whole, (40, 50, 20, 30))
    assert np.abs(result.astype(int) - expected).max() <= 1
    assert np.array_equal(result[:40], pixels[:40])


def test_missing_values_outside_of_the_mask_stay(grey) -> None:
    levels = grey.astype(np.float32)
    levels[5, 5] = levels[40, 40] = np.nan
    mask = np.zeros(grey.shape)
    mask[30:50, 30:50] = 1
    result = imgconv.filter_image(Image(levels), "box:size=5", fill=True, mask=mask).pixels
    assert np.isnan(result[5, 5])
    assert np.isfinite(result[40, 40])


@pytest.mark.parametrize("fill", [False, True])
def test_no_data_levels_are_not_blended(grey, fill) -> None:
    levels = grey.astype(np.float32)
    levels[20:30, 20:30] = -9999
    result = imgconv.filter_image(Image(levels, nodata=-9999.0), "box", fill=fill, mask=np.full(grey.shape, 0.5)).pixels
    assert {*np.unique(result[result < 0])} == {-9999}
    assert np.array_equal(result < 0, ndimage.binary_erosion(levels < 0, np.ones((3, 3))) if fill else levels < 0)


def test_the_orientation_is_applied_after_the_region(photo, make_task) -> None:
    image = Image(photo, Metadata().oriented(6))
    task = make_task(KERNEL, part=Part(Region(10, 20, 30, 40)), strip=True)
    expected = composed(photo, imgconv.filter_image(Image(photo), KERNEL).pixels, (10, 20, 30, 40))
    assert np.array_equal(filter_picture(image, task).image.pixels, np.rot90(expected, -1))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"region": (80, 0, 20, 20)}, r"`region` 80,0,20,20 .* is not inside the image of 90 x 131 pixels"),
        ({"region": (-1, 0, 5, 5)}, "is not inside the image"),
        ({"region": (0, 0, 0, 5)}, "is not inside the image"),
        ({"region": (1, 2, 3)}, "region is four whole numbers"),
        ({"region": "1234"}, "region is four whole numbers"),
        ({"mask": np.zeros((3, 3))}, r"`mask` has 3 x 3 pixels, the image 90 x 131"),
        ({"mask": np.full((90, 131), 2.0)}, "from 0 to 1"),
        ({"mask": np.full((90, 131), np.nan)}, "from 0 to 1"),
        ({"region": (0, 0, 5, 5), "stride": 2}, "need a result of the size of the image, 90 x 131, found 45 x 66"),
        ({"region": (0, 0, 5, 5), "mode": "full"}, "use mode same and stride 1"),
    ],
)
def test_parts_that_do_not_fit_are_errors(photo, options, words) -> None:
    with pytest.raises(UsageError, match=words):
        imgconv.filter_image(Image(photo), KERNEL, **options)


def test_the_mask_of_an_image_is_its_alpha_or_its_grey_level(photo, alpha) -> None:
    assert np.array_equal(as_mask(Image(np.dstack([photo, alpha]))), alpha / 255)
    assert np.array_equal(as_mask(Image(alpha)), alpha / 255)
    levels = cv2.cvtColor(photo.astype(np.float32), cv2.COLOR_BGR2GRAY) / 255
    np.testing.assert_allclose(as_mask(Image(photo)), levels, atol=1e-5)
