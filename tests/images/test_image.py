"""`Image`: channels, alpha, bands, and replacement of pixels."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.errors import UsageError
from imgconv.images.image import Image


@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (3, 0), (3, 4, 0), (2, 3, 4, 1)])
def test_an_invalid_shape_is_an_error(shape) -> None:
    with pytest.raises(UsageError) as caught:
        Image(np.zeros(shape, np.uint8))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(("channels", "colours"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_colour_and_alpha_are_views(channels, colours) -> None:
    pixels = np.arange(4 * 5 * channels, dtype=np.uint8).reshape(4, 5, channels)
    image = Image(pixels)
    assert image.has_alpha == (channels in (2, 4))
    assert np.array_equal(image.colour, pixels[:, :, :colours])
    assert np.shares_memory(image.colour, pixels)
    if image.has_alpha:
        assert image.alpha is not None
        assert np.array_equal(image.alpha, pixels[:, :, -1])
        assert np.shares_memory(image.alpha, pixels)
    else:
        assert image.alpha is None


@pytest.mark.parametrize("bands", [2, 5, 12])
def test_bands_without_alpha(bands) -> None:
    pixels = np.arange(4 * 5 * bands, dtype=np.uint8).reshape(4, 5, bands)
    image = Image(pixels, has_alpha=False)
    assert (image.has_alpha, image.colours, image.alpha, image.is_opaque) == (False, 1, None, True)
    assert np.array_equal(image.colour, pixels)
    with_alpha = image.with_colour(pixels[:, :, :-1], pixels[:, :, -1])
    assert (with_alpha.has_alpha, with_alpha.colours) == (True, 1)
    assert np.array_equal(with_alpha.pixels, pixels)
    assert np.array_equal(image.with_colour(pixels + 1).pixels, pixels + 1)
    assert image.stripped().pixels.shape == pixels.shape


def test_colours_with_further_bands() -> None:
    image = Image(np.zeros((4, 5, 6), np.uint8), has_alpha=True, colours=3)
    assert (image.colour.shape, image.colours) == ((4, 5, 5), 3)
    assert image.with_colour(image.colour + 1, image.alpha).colours == 3
    assert image.with_colour(image.colour[:, :, 0]).colours == 1


@pytest.mark.parametrize(
    ("shape", "has_alpha", "colours"),
    [
        ((4, 5), True, 0),
        ((4, 5, 1), True, 0),
        ((4, 5, 2), False, 3),
        ((4, 5, 3), True, 3),
        ((4, 5, 4), None, 2),
        ((4, 5), None, 3),
    ],
)
def test_invalid_channel_roles_are_an_error(shape, has_alpha, colours) -> None:
    with pytest.raises(UsageError, match="an image "):
        Image(np.zeros(shape, np.uint8), has_alpha=has_alpha, colours=colours)


def test_grey_without_a_third_axis() -> None:
    image = Image(np.zeros((4, 5), np.uint8))
    assert image.colour.shape == (4, 5)
    assert image.alpha is None
    assert image.is_opaque


@pytest.mark.parametrize(("dtype", "full"), [("uint8", 255), ("uint16", 65535), ("int16", 32767), ("float32", 1.0)])
def test_is_opaque_if_alpha_is_full_everywhere(dtype, full) -> None:
    pixels = np.full((4, 5, 4), full, dtype)
    assert Image(pixels).is_opaque
    pixels[3, 4, 3] = full * 0.9
    assert not Image(pixels).is_opaque


@pytest.mark.parametrize(
    ("of", "to", "before", "after"),
    [("uint8", "uint16", [0, 1, 128, 255], [0, 257, 32896, 65535]), ("uint16", "uint8", [0, 128, 129, 65535], [0, 0, 1, 255]),
     ("uint8", "float32", [0, 255], [0, 1]), ("float32", "uint8", [-1, 0.5, 1, 7], [0, 128, 255, 255])],
)  # fmt: skip
def test_alpha_is_converted_to_the_type_of_the_colour(of, to, before, after) -> None:
    alpha = np.array([before], of)
    image = Image(np.zeros((1, len(before), 3), of)).with_colour(np.zeros((1, len(before), 3), to), alpha)
    assert image.pixels.dtype == to
    assert image.pixels[:, :, 3].tolist() == [after]


def test_alpha_of_another_size_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"2 x 3.*4 x 5"):
        Image(np.zeros((4, 5), np.uint8)).with_colour(np.zeros((4, 5), np.uint8), np.zeros((2, 3), np.uint8))


def test_replaced_keeps_the_other_attributes() -> None:
    image = Image(np.zeros((4, 5), np.uint8), format="png", pages=3)
    other = image.replaced(np.ones((2, 2), np.uint16))
    assert (other.format, other.pages, other.pixels.tolist()) == ("png", 3, [[1, 1], [1, 1]])
    assert image.pixels.shape == (4, 5)
