"""Animations in every format: frames, durations, loops and metadata, also read by libvips, OpenCV and Pillow."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image as Pillow

import imgconv
from imgconv.errors import WriteError
from imgconv.images.files import write_pages
from imgconv.images.image import Coding
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Timing
from tests.cases import each
from tests.images.formats.animations import (
    ANIMATED,
    by_libvips,
    by_opencv,
    by_pillow,
    encode_frames,
    frames,
    open_pages,
    visible,
    with_alpha,
)

READERS = {"imgconv": frames, "Pillow": by_pillow, "OpenCV": by_opencv, "libvips": by_libvips}
#: Animation formats that libvips does not decode.
UNSUPPORTED = {("png", "libvips"), ("avif", "libvips")}
LOSSLESS = [kind for kind in ANIMATED if kind != "avif"]


def moving(channels: int, dtype: str = "uint8") -> list[np.ndarray]:
    """Return frames of 200 colours, 23 x 30, with a moving patch; the second to fourth are equal; alpha is binary."""
    numbers = np.random.default_rng(3)
    full = np.iinfo(dtype).max
    palette = numbers.integers(0, full + 1, (200, channels), dtype)
    start = palette[numbers.integers(0, 200, (23, 30))]
    found = []
    for step in (0, 1, 1, 1, 2, 3):
        frame = start.copy()
        frame[step : step + 7, 3 * step : 3 * step + 8] = palette[step]
        if channels in (2, 4):
            frame[:, :, -1] = np.roll(np.where(start[:, :, 0] % 3, full, 0), step, axis=1)
            frame[frame[:, :, -1] == 0, :-1] = 77  # all formats but GIF keep the colour of transparent pixels
        found.append(frame if channels > 1 else frame[:, :, 0])
    return found


# Pixels


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_frames_are_read_back_exactly(kind, channels) -> None:
    pictures = moving(channels)
    data = encode_frames(pictures, kind)
    for library, read in READERS.items():
        if (kind, library) not in UNSUPPORTED:
            found = read(data)
            assert len(found) == len(pictures), library
            for one, other in zip(found, pictures, strict=True):
                expected, one = (visible(other), visible(one)) if kind == "gif" else (with_alpha(other), with_alpha(one))
                assert np.array_equal(one, expected), library


@pytest.mark.parametrize("kind", LOSSLESS)
@settings(max_examples=25)
@given(
    pictures=arrays.arrays(
        np.uint8,
        st.tuples(st.integers(2, 4), st.integers(1, 5), st.integers(1, 6), st.just(4)),
        elements=st.sampled_from([0, 9, 255]),
    )
)
def test_small_random_frames_are_exact(kind, pictures) -> None:
    if kind == "gif":
        pictures[..., 3] = np.where(pictures[..., 3] < 128, 0, 255)
    data = encode_frames(list(pictures), kind)
    for read in (frames, by_pillow, by_opencv):
        assert all(np.array_equal(visible(one), visible(other)) for one, other in zip(read(data), pictures, strict=True))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_avif_frames_are_close(channels) -> None:
    pictures = moving(channels)
    data = encode_frames(pictures, "avif")
    for found in (by_pillow(data), frames(data)):
        errors = [np.abs(with_alpha(a).astype(int) - with_alpha(b)).mean() for a, b in zip(found, pictures, strict=True)]
        assert max(errors) < 1


@pytest.mark.parametrize("kind", ["webp", "avif"])
def test_lower_quality_gives_smaller_files_and_larger_errors(kind, photo) -> None:
    pictures = [photo, np.roll(photo, 5, axis=1), photo]
    sizes, errors = [], []
    for quality in (20, 60, 95):
        data = encode_frames(pictures, kind, coding=Coding(quality=quality))
        sizes.append(len(data))
        found = by_pillow(data)
        errors.append(np.mean([np.abs(a.astype(int) - with_alpha(b)).mean() for a, b in zip(found, pictures, strict=True)]))
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 2 * errors[-1]


# Durations and loop counts


@each("loop", [0, 1, 2, 5])
@each("kind", ANIMATED)
def test_the_loop_count_is_stored(kind, loop) -> None:
    data = encode_frames(moving(3), kind, loop=loop)
    assert open_pages(data).timing.loop == loop
    if kind != "avif":
        assert cv2.imdecodeanimation(np.frombuffer(data, np.uint8).reshape(1, -1))[1].loop_count == loop
    if kind in ("webp", "gif"):
        image = pyvips.Image.new_from_buffer(data, "", n=-1)
        assert (image.get("loop") if "loop" in image.get_fields() else 0) == loop


@pytest.mark.parametrize("kind", ANIMATED)
def test_durations_are_stored(kind) -> None:
    durations = [int(kind == "avif"), 10, 20, 40, 1000, 65_000]  # AVIF does not support a duration of 0
    data = encode_frames(moving(3), kind, durations)
    assert open_pages(data).timing.durations == tuple(durations)
    with Pillow.open(io.BytesIO(data)) as image:
        for index, duration in enumerate(durations):
            image.seek(index)
            image.load()
            assert image.info.get("duration", 0) == duration


@pytest.mark.parametrize(("kind", "stored"), [("gif", (20, 30, 10, 0)), ("webp", (17, 25, 0, 0)), ("avif", (17, 25, 1, 1))])
def test_durations_are_rounded_to_the_unit_of_the_format(kind, stored) -> None:
    data = encode_frames(moving(3)[:4], kind, [1000 / 60, 25.4, 0.3, 0])
    assert open_pages(data).timing.durations == stored


@pytest.mark.parametrize(
    ("kind", "durations", "loop", "message"),
    [
        ("gif", (10, 655_360), 0, "a frame duration is 655.36 s; the maximum for GIF is 655.35 s"),
        ("webp", (10, 1 << 24), 0, "a frame duration is 16777.2 s; the maximum for WebP"),
        ("png", (10, 1e9), 0, "a frame duration is 1e.06 s; the maximum for PNG"),
        ("png", (10, -1), 0, "a frame duration is -1 ms"),
        ("gif", (10, float("nan")), 0, "a frame duration is nan ms"),
        ("gif", (10, float("inf")), 0, "a frame duration is inf ms"),
        ("png", (10, 10), -1, "the loop count is -1"),
    ],
)
def test_invalid_durations_and_loop_counts_are_an_error(kind, durations, loop, message) -> None:
    with pytest.raises(WriteError, match=rf"out\.pic: {message}"):
        encode_frames(moving(3)[:2], kind, durations, loop)


# Write errors


@pytest.mark.parametrize("kind", ANIMATED)
def test_frames_of_different_shapes_are_an_error(kind) -> None:
    first, second, *_ = moving(3)
    with pytest.raises(WriteError, match=r"out\.pic: frame 2 is 22 x 30 x 3 uint8, but frame 1 is 23 x 30 x 3 uint8"):
        encode_frames([first, second[1:]], kind)
    for count in (3, 4):
        with pytest.raises(WriteError, match=rf"out\.pic: there are 2 frames, but {count} durations"):
            encode_frames([first, second], kind, [40] * count)


@pytest.mark.parametrize("kind", ANIMATED)
def test_16_bit_animations_are_an_error_and_write_nothing(kind, tmp_path) -> None:
    images = map(imgconv.Image, moving(3, "uint16"))
    with pytest.raises(WriteError, match=r"cannot store .*16-bit pixels; choose `depth` 8, or another format \(\.tif\)"):
        write_pages(tmp_path / "out.pic", images, 6, Timing((40,) * 6), format=kind)
    assert not list(tmp_path.iterdir())
    assert len(list(images)) == 5


# Metadata


@pytest.mark.parametrize("kind", ANIMATED)
def test_metadata_of_an_animation_is_kept(kind, profile) -> None:
    exif = Metadata().oriented(6).exif
    blocks = {"comment": "a cat"} if kind == "gif" else {"exif": exif, "icc": profile, "xmp": b"<x:xmpmeta/>"}
    data = encode_frames(moving(3), kind, **blocks)
    with Pillow.open(io.BytesIO(data)) as image:
        assert image.n_frames == 6
        if kind == "gif":
            assert image.info["comment"] == b"a cat"
        else:
            assert image.info["icc_profile"] == profile
            assert image.getexif().get(274, 1) == (1 if kind == "avif" else 6)
            assert image.info["xmp"] == b"<x:xmpmeta/>"
    found = open_pages(data).page(4)
    if kind == "avif":  # AVIF animations are written upright
        assert (found.metadata.icc, found.metadata.xmp) == (profile, b"<x:xmpmeta/>")
        assert np.abs(found.pixels.astype(int) - np.rot90(moving(3)[4], -1)).mean() < 1.5
    else:
        assert found.metadata.only(set(blocks)) == Metadata(**blocks)
