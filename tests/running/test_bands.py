"""Images with bands: channels that are neither colour nor alpha."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.errors import UsageError
from imgconv.images.image import Image
from imgconv.running.picture_path import filter_picture
from tests.running.levels import KERNEL


def bands(photo, grey, count, **roles) -> Image:
    planes = [photo[:77, :64, 0], photo[:77, :64, 1], photo[:77, :64, 2], grey, grey[::-1], grey[:, ::-1]]
    return Image(np.dstack(planes[:count]), **roles)


@pytest.mark.parametrize(
    ("count", "roles"), [(2, {"has_alpha": False}), (4, {"has_alpha": False, "colours": 3}), (5, {}), (6, {"colours": 3})]
)
def test_every_band_is_filtered_separately(filtered, photo, grey, count, roles) -> None:
    image = bands(photo, grey, count, **roles)
    found = filtered(image)
    for c in range(count):
        assert np.array_equal(found[:, :, c], filtered(np.ascontiguousarray(image.pixels[:, :, c])))


def test_bands_are_weighted_by_declared_alpha(make_task, filtered, photo, grey) -> None:
    image = bands(photo, grey, 6, has_alpha=True, colours=3)
    result = filter_picture(image, make_task(KERNEL)).image
    assert (result.has_alpha, result.colours) == (True, 3)
    for c in range(5):
        pair = filtered(np.ascontiguousarray(image.pixels[:, :, [c, 5]]))
        assert np.array_equal(result.pixels[:, :, [c, 5]], pair)


@pytest.mark.parametrize(
    ("count", "roles", "channels", "filtered_channels"),
    [
        (4, {"has_alpha": False, "colours": 3}, (3, 0), [3, 2]),
        (5, {}, (0, 3), [0, 3]),
        (5, {"has_alpha": True, "colours": 3}, (3, "alpha"), [3, 4]),
        (5, {"has_alpha": True, "colours": 1}, ("alpha",), [4]),
        (4, {}, ("alpha",), [3]),
    ],
)
def test_channel_3_is_a_band_or_alpha(filtered, photo, grey, count, roles, channels, filtered_channels) -> None:
    image = bands(photo, grey, count, **roles)
    all_filtered, found = filtered(image, alpha="straight"), filtered(image, alpha="straight", channels=channels)
    for c in range(count):
        assert np.array_equal(found[:, :, c], (all_filtered if c in filtered_channels else image.pixels)[:, :, c])


@pytest.mark.parametrize("option", ["gray", "luma", "linear"])
@pytest.mark.parametrize(
    ("count", "roles"), [(2, {"has_alpha": False}), (3, {"colours": 1}), (5, {"has_alpha": True}), (5, {"colours": 3})]
)
def test_gray_luma_and_linear_reject_bands(filtered, photo, grey, option, count, roles) -> None:
    with pytest.raises(UsageError, match=f"`{option}` requires a colour or grey image"):
        filtered(bands(photo, grey, count, **roles), **{option: True})


@pytest.mark.parametrize("channels", [(5,), (-1,), ("red",), (0, 4, "alpha")])
def test_missing_bands_are_an_error(filtered, photo, grey, channels) -> None:
    with pytest.raises(UsageError, match="`channels`: the image has"):
        filtered(bands(photo, grey, 5), channels=channels)
