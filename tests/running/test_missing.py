"""Missing values: excluded from every sum, kept in place, or filled."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from imgconv.images.image import Image
from imgconv.running.picture_path import filter_picture
from tests.running.levels import KERNEL, as_type, scipy_sum


def test_a_missing_value_is_excluded_from_sums_and_kept(filtered, grey) -> None:
    pixels = grey.copy()
    pixels[10:14, 20:29] = 7
    missing = pixels == 7
    found = filtered(pixels, nodata=7)
    assert np.all(found[missing] == 7)
    counts = scipy_sum(~missing)
    expected = scipy_sum(np.where(missing, 0, pixels))[~missing] / counts[~missing]
    assert np.abs(found[~missing] - expected).max() <= 0.501


def test_missing_values_are_filled_from_their_neighbours(filtered, grey) -> None:
    pixels = grey.copy()
    pixels[10:30, 20:49] = 0
    pixels[pixels == 0] = 0
    missing = pixels == 0
    found = filtered(pixels, "box:size=5", nodata=0, fill=True, depth="32f")
    inside = ndimage.binary_erosion(missing, np.ones((5, 5)))
    assert inside.any()
    assert not found[inside].any()  # no neighbour has a value
    counts = ndimage.uniform_filter((~missing).astype(float), 5, mode="mirror")
    expected = ndimage.uniform_filter(np.where(missing, 0.0, pixels), 5, mode="mirror")
    np.testing.assert_allclose(found[~inside], (expected[~inside] / counts[~inside]) / 255, atol=1e-6)


@pytest.mark.parametrize("text", [KERNEL, "sobel_x", "edges"])
def test_nan_is_kept_in_place_unless_filled(filtered, grey, text) -> None:
    pixels = as_type(grey, "float32")
    pixels[12, 30] = np.nan
    found = filtered(pixels, text)
    assert np.array_equal(np.isnan(found), np.isnan(pixels))
    filled = filtered(pixels, KERNEL, fill=True)
    assert not np.isnan(filled).any()


def test_each_channel_has_its_own_missing_values(filtered, photo) -> None:
    pixels = as_type(photo, "float32")
    pixels[5, 9, 0] = pixels[40, 50, 2] = np.nan
    found = filtered(pixels)
    assert np.array_equal(np.isnan(found), np.isnan(pixels))
    assert np.array_equal(found[:, :, 0], filtered(pixels[:, :, 0].copy()), equal_nan=True)


@pytest.mark.parametrize(
    ("dtype", "nodata", "depth", "stored", "note"),
    [
        ("float32", -9999.0, None, -9999, None),
        ("float32", -9999.0, "16f", -10000, "missing values are stored as -10000 in float16"),
        ("float32", -9999.0, "8", 0, "missing values are stored as 0 in uint8"),
        ("float32", None, "16", 0, "missing values are stored as 0 in uint16"),
        ("float32", None, "16f", np.nan, None),
        ("uint8", 255.0, "32f", 1, "missing values are stored as 1 in float32"),
        ("uint8", 0.0, "32f", 0, None),
    ],
)
def test_missing_values_are_converted_to_another_depth(make_task, grey, dtype, nodata, depth, stored, note) -> None:
    pixels = as_type(grey, dtype)
    pixels[9:12, 4:9] = np.nan if nodata is None else nodata
    result = filter_picture(Image(pixels), make_task("box", depth=depth, nodata=nodata)).image
    assert np.array_equal(result.pixels[10, 5], np.array(stored, result.pixels.dtype), equal_nan=True)
    assert result.notes == ((note,) if note else ())


def test_missing_values_left_by_fill_are_reported(make_task, grey) -> None:
    pixels = as_type(grey, "float32")
    pixels[10:20, 30:42] = np.nan
    result = filter_picture(Image(pixels), make_task("box:size=5", fill=True)).image
    left = int(np.isnan(result.pixels).sum())
    assert left == 6 * 8
    assert result.notes == (f"{left} missing values are left: no valid pixel is within reach of the kernel",)


def test_the_nodata_value_of_a_file_is_used(make_task, grey) -> None:
    pixels = grey.copy()
    pixels[5:9, 5:9] = 7
    declared = filter_picture(Image(pixels, nodata=7.0), make_task("box")).image
    assert np.array_equal(declared.pixels, filter_picture(Image(pixels), make_task("box", nodata=7.0)).image.pixels)
    assert not np.array_equal(declared.pixels, filter_picture(Image(pixels), make_task("box")).image.pixels)


def test_missing_values_do_not_affect_stretching(make_task, grey) -> None:
    pixels = as_type(grey, "float32") / 2 + 0.5
    pixels[10:14, 20:29] = -9999  # inside the gap the sum is 0
    missing = pixels == -9999
    without = make_task("sharpen", nodata=-9999.0, depth="32f")
    values = filter_picture(Image(pixels), without).image.pixels[~missing]
    stretched = filter_picture(Image(pixels), make_task("sharpen", nodata=-9999.0, range_policy="stretch")).image.pixels
    np.testing.assert_allclose(stretched[~missing], (values - values.min()) / np.ptp(values), atol=1e-6)
    assert np.all(stretched[missing] == -9999)


def test_missing_values_are_neither_counted_as_clipped_nor_range_errors(make_task, grey) -> None:
    pixels = (grey // 2 + 64).astype(np.uint8)
    pixels[10:14, 20:29] = 0
    # The difference is 0 at missing values; the delta moves it out of the range.
    options = {"nodata": 0.0, "delta": -1, "count": True}
    assert filter_picture(Image(pixels), make_task("identity", range_policy="error", **options)).clipped == 0
    high = np.where(pixels == 0, 0, 255).astype(np.uint8)
    result = filter_picture(Image(high), make_task("identity", **(options | {"delta": 1})))
    assert result.clipped == np.count_nonzero(high)
