"""Animations made from the specifications and by other programs, as libvips, OpenCV and Pillow read them."""

from __future__ import annotations

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow

from imgconv.errors import ReadError
from imgconv.images.codecs.animation import open_animation
from imgconv.images.counting import count_pages
from tests.images.codecs.animations import (
    COLUMNS,
    COUNT,
    ROWS,
    apng,
    by_libvips,
    by_opencv,
    by_pillow,
    chunk,
    gif,
    seen,
    with_alpha,
)


def opened(data: bytes, kind: str, max_pixels: int = 1 << 24):
    return open_animation(memoryview(data), kind, "x.pic", max_pixels)


def frames(data: bytes, kind: str) -> list[np.ndarray]:
    """Return the pixels of all frames, once they have been found to be alike."""
    pages = opened(data, kind)
    images = [pages.page(index) for index in range(pages.count)]
    assert {(i.pixels.shape, i.pixels.dtype, i.format, i.pages) for i in images} == {
        (images[0].pixels.shape, images[0].pixels.dtype, kind, pages.count)
    }
    assert pages.count == len(pages.timing.durations) == count_pages(memoryview(data), kind)
    return [image.pixels for image in images]


def assert_seen(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(seen(one), seen(other))


# GIF


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("disposals", "transparent", "whole"),
    [
        ((0, 1), 0, True),
        ((0, 1), 0.5, True),
        ((1, 0, 3), 0.5, True),
        ((2,), 1, True),
        ((2,), 1, False),
        ((3, 2, 1, 0), 1, True),
        ((3, 2, 1, 0), 1, False),
    ],
    ids=str,
)
def test_a_gif_is_composed_as_libvips_composes_it(disposals, transparent, whole, seed) -> None:
    data = gif(np.random.default_rng(seed), disposals, transparent=transparent, whole=whole)
    found = frames(data, "gif")
    assert_seen(found, by_libvips(data))
    assert (found[0].shape[2] == 4) == any((with_alpha(frame)[:, :, 3] < 255).any() for frame in found)


def test_what_a_gif_clears_is_transparent_as_in_browsers() -> None:
    # libvips, Pillow and OpenCV fill it with the colour of the background unless the frame had a transparent one.
    data = gif(np.random.default_rng(1), (2,), transparent=0, whole=True)
    first, second, *_ = frames(data, "gif")
    assert (first[:, :, 3] == 255).all()
    assert (second[:, :, 3] == 0).any()


@pytest.mark.parametrize(("stored", "played"), [(None, 1), (0, 0), (1, 2), (7, 8)])
def test_how_often_a_gif_is_played(stored, played) -> None:
    data = gif(np.random.default_rng(0), (1,), transparent=0, whole=True, loop=stored)
    assert opened(data, "gif").timing == (tuple(range(0, 30 * COUNT, 30)), played)
    # libvips says nothing of what is played for ever, as it is by default.
    image = pyvips.Image.new_from_buffer(data, "", n=-1)
    assert (image.get("loop") if "loop" in image.get_fields() else 0) == played


def test_gifs_of_other_programs(photo) -> None:
    moved = [np.roll(photo, 3 * i, axis=1)[:, :, ::-1] for i in range(4)]
    strip = pyvips.Image.new_from_array(np.vstack(moved)).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", len(photo))
    file = io.BytesIO()
    first, *rest = (Pillow.fromarray(frame) for frame in moved)
    first.save(file, "GIF", save_all=True, append_images=rest)
    for data in (strip.gifsave_buffer(), strip.gifsave_buffer(interlace=True), file.getvalue()):
        found = frames(data, "gif")
        assert found[0].shape == (*photo.shape[:2], 3)
        assert_seen(found, by_pillow(data))
        assert_seen(found, by_libvips(data))


# PNG


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("extra", [False, True])
@pytest.mark.parametrize("colour", [3, 4, 6])
def test_an_animated_png_is_composed_as_opencv_composes_it(colour, extra, seed) -> None:
    data = apng(np.random.default_rng(seed), colour, extra=extra)
    assert_seen(frames(data, "png"), by_opencv(data))
    assert frames(data, "png")[0].shape == (ROWS, COLUMNS, 2 if colour == 4 else 4)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("colour", [0, 2, 4, 6])
def test_16_bits_of_an_animated_png_are_kept(colour, seed) -> None:
    narrow = frames(apng(np.random.default_rng(seed), colour, extra=True), "png")
    wide = frames(apng(np.random.default_rng(seed), colour, 16, extra=True), "png")
    for one, other in zip(narrow, wide, strict=True):
        assert other.dtype == np.uint16
        assert np.array_equal(one.astype(np.uint16) * 257, other)


@pytest.mark.parametrize("colour", [0, 2, 3, 4, 6])
def test_whole_frames_of_an_animated_png(colour) -> None:
    data = apng(np.random.default_rng(4), colour, plain=True, partial=True)
    assert_seen(frames(data, "png"), by_pillow(data))
    assert_seen(frames(data, "png"), by_opencv(data))


def over(above: np.ndarray, below: np.ndarray, full: int) -> np.ndarray:
    """Return one pixel over another: PNG, third edition, 13.16, for the colour, and for alpha what is not let through twice."""
    a, b = above[-1] / full, below[-1] / full
    alpha = a + b * (1 - a)
    colour = (above[:-1] * a + below[:-1] * b * (1 - a)) / alpha if alpha else above[:-1] * 0.0
    return np.append(colour, alpha * full)


@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_of_an_animated_png_is_mixed_by_the_definition(bits) -> None:
    numbers = np.random.default_rng(5)
    full = (1 << bits) - 1
    below, above = numbers.integers(0, full + 1, (2, ROWS, COLUMNS, 4))
    below[0, :, 3], above[1, :, 3], above[2, :, 3] = 0, 0, full
    stored = [frame[:, :, [2, 1, 0, 3]].astype(">u2" if bits == 16 else np.uint8) for frame in (below, above)]
    body = [zlib.compress(b"".join(b"\0" + row.tobytes() for row in frame)) for frame in stored]
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", COLUMNS, ROWS, bits, 6, 0, 0, 0)) + chunk(b"acTL", struct.pack(">II", 2, 0))
    control = struct.pack(">IIIIHHB", COLUMNS, ROWS, 0, 0, 1, 10, 0)
    first = chunk(b"fcTL", bytes(4) + control + b"\0") + chunk(b"IDAT", body[0])
    second = chunk(b"fcTL", struct.pack(">I", 1) + control + b"\1") + chunk(b"fdAT", struct.pack(">I", 2) + body[1])
    _, found = frames(b"\x89PNG\r\n\x1a\n" + head + first + second + chunk(b"IEND", b""), "png")
    expected = [over(a, b, full) for a, b in zip(above.reshape(-1, 4), below.reshape(-1, 4), strict=True)]
    visible = np.array(expected)[:, 3] > 0
    assert np.abs(found.reshape(-1, 4)[visible] - np.array(expected)[visible]).max() <= 0.5 + 1e-6


def test_times_of_an_animated_png_are_fractions_and_a_picture_that_is_no_frame_is_told_of() -> None:
    pages = opened(apng(np.random.default_rng(0), 2, extra=True), "png")
    assert pages.timing.durations == tuple(1000 * (i + 1) / 60 for i in range(COUNT))
    assert pages.timing.loop == 3
    assert [len(pages.page(index).notes) for index in range(COUNT)] == [1] + [0] * (COUNT - 1)


# WebP and AVIF


def moving(photo: np.ndarray, alpha: bool) -> list[np.ndarray]:
    """Return frames of a photograph, red first."""
    found = [np.roll(photo, 3 * i, axis=1)[:, :, ::-1] for i in range(5)]
    return [np.dstack([f, np.roll(f[:, :, 0], i, axis=0)]) for i, f in enumerate(found)] if alpha else found


def saved(pictures: list[np.ndarray], kind: str, **options) -> bytes:
    file = io.BytesIO()
    first, *rest = map(Pillow.fromarray, pictures)
    first.save(file, kind, save_all=True, append_images=rest, **options)
    return file.getvalue()


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 60, "minimize_size": True, "loop": 4}, {"allow_mixed": True}]
)
def test_webp(photo, options, alpha) -> None:
    data = saved(moving(photo, alpha), "WEBP", duration=[10, 20, 35, 999, 1], **options)
    found = frames(data, "webp")
    assert opened(data, "webp").timing == ((10, 20, 35, 999, 1), options.get("loop", 0))
    assert found[0].shape[2] == 3 + alpha
    assert_seen(found, by_pillow(data))
    assert_seen(found, by_libvips(data))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_avif(photo, channels) -> None:
    pictures = moving(photo, channels == 4) if channels > 1 else [f[:, :, 0] for f in moving(photo, False)]
    data = saved(pictures, "AVIF", duration=[10, 20, 35, 999, 1])
    found = frames(data, "avif")
    assert opened(data, "avif").timing == ((10, 20, 35, 999, 1), 0)
    assert (1 if found[0].ndim == 2 else found[0].shape[2]) == channels
    assert_seen(found, by_pillow(data))
    assert_seen(found, by_opencv(data))


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_avif_of_more_than_8_bits(photo, channels, bits) -> None:
    pictures = np.array(moving(photo, True), np.uint16)[..., :channels] << (bits - 8)
    data = imagecodecs.avif_encode(pictures if channels > 1 else pictures[..., 0], level=95, bitspersample=bits)
    expected = imagecodecs.avif_decode(data).reshape(pictures.shape)[..., [[0], [0, 1], [2, 1, 0], [2, 1, 0, 3]][channels - 1]]
    if channels == 2:
        with pytest.raises(ReadError, match=f"an animation in grey with alpha of {bits} bits a sample cannot be read"):
            opened(data, "avif")
        return
    pages = opened(data, "avif")
    for index in (0, 1, 2, 3, 4, 1, 4, 0):
        image = pages.page(index)
        assert image.pixels.dtype == np.uint16
        assert image.coding.bits == bits
        assert np.array_equal(image.pixels.reshape(expected.shape[1:]), np.rint(expected[index] * (65_535 / ((1 << bits) - 1))))
