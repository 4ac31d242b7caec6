"""Animations written here, as libvips, OpenCV and Pillow read them."""

from __future__ import annotations

import io
import struct
import weakref

import cv2
import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image as Pillow

from imgconv.errors import WriteError
from imgconv.images.codecs.animating import encode_animation
from imgconv.images.codecs.animation import ANIMATED, open_animation
from imgconv.images.coding import Coding
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Timing
from tests.images.codecs.animations import by_libvips, by_opencv, by_pillow, seen, with_alpha

READERS = {"Pillow": by_pillow, "OpenCV": by_opencv, "libvips": by_libvips}
#: What libvips's wheel has no decoder of animations for.
NOT_READ = {("png", "libvips"), ("avif", "libvips")}
LOSSLESS = sorted(ANIMATED - {"avif"})


def written(pictures, kind: str, durations=None, loop: int = 0, coding: Coding | None = None, **metadata) -> bytes:
    timing = Timing(tuple(durations or [40] * len(pictures)), loop)
    pieces = encode_animation(map(Image, pictures), timing, kind, coding or Coding(), Metadata(**metadata), "out.pic")
    return b"".join(bytes(piece) for piece in pieces)


def moving(channels: int, dtype: str = "uint8") -> list[np.ndarray]:
    """Return frames of 200 colours, 23 x 30, in which a patch moves, two of them alike; alpha is off or full."""
    numbers = np.random.default_rng(3)
    full = np.iinfo(dtype).max
    palette = numbers.integers(0, full + 1, (200, channels), dtype)
    start = palette[numbers.integers(0, 200, (23, 30))]
    found = []
    for step in (0, 1, 1, 2, 3):
        frame = start.copy()
        frame[step : step + 7, 3 * step : 3 * step + 8] = palette[step]
        if channels in (2, 4):
            frame[:, :, -1] = np.roll(np.where(start[:, :, 0] % 3, full, 0), step, axis=1)
            frame[frame[:, :, -1] == 0, :-1] = 77  # what nobody sees is kept, but in a GIF
        found.append(frame if channels > 1 else frame[:, :, 0])
    return found


def ours(data: bytes, kind: str) -> list[np.ndarray]:
    pages = open_animation(memoryview(data), kind, "x")
    return [with_alpha(pages.page(index).pixels) for index in range(pages.count)]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", LOSSLESS)
def test_frames_are_read_back_as_they_were(kind, channels) -> None:
    pictures = moving(channels)
    data = written(pictures, kind)
    for program, read in {"ours": lambda data: ours(data, kind), **READERS}.items():
        if (kind, program) not in NOT_READ:
            found = read(data)
            assert len(found) == len(pictures), program
            for one, other in zip(found, pictures, strict=True):
                expected, one = (seen(other), seen(one)) if kind == "gif" else (with_alpha(other), one)
                assert np.array_equal(one, expected), program


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_of_a_png(channels) -> None:
    pictures = moving(channels, "uint16")
    data = written(pictures, "png")
    for read in (lambda data: ours(data, "png"), by_opencv):
        assert all(np.array_equal(one, with_alpha(other)) for one, other in zip(read(data), pictures, strict=True))


def test_black_and_white_of_a_png() -> None:
    pictures = [frame > 100 for frame in moving(1)]
    data = written(pictures, "png", coding=Coding(bits=1))
    assert data[24] == 1  # bits a sample
    for read in (lambda data: ours(data, "png"), by_pillow, by_opencv):
        found = [frame[:, :, 0] for frame in read(data)]
        assert all(np.array_equal(one, np.uint8(255) * other) for one, other in zip(found, pictures, strict=True))


SMALL = arrays.arrays(
    np.uint8,
    st.tuples(st.integers(2, 4), st.integers(1, 5), st.integers(1, 6), st.just(4)),
    elements=st.sampled_from([0, 9, 255]),
)


@pytest.mark.parametrize("kind", LOSSLESS)
@settings(max_examples=25)
@given(pictures=SMALL)
def test_whatever_comes_and_goes(kind, pictures) -> None:
    if kind == "gif":
        pictures[..., 3] = np.where(pictures[..., 3] < 128, 0, 255)
    data = written(list(pictures), kind)
    for read in (lambda data: ours(data, kind), by_pillow, by_opencv):
        assert all(np.array_equal(seen(one), seen(other)) for one, other in zip(read(data), pictures, strict=True))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_avif_is_near(channels) -> None:
    pictures = moving(channels)
    data = written(pictures, "avif")
    for found in (by_pillow(data), ours(data, "avif")):
        errors = [np.abs(a.astype(int) - with_alpha(b)).mean() for a, b in zip(found, pictures, strict=True)]
        assert max(errors) < 1


def test_avif_without_loss_is_for_grey() -> None:
    pictures = moving(1)
    data = written(pictures, "avif", coding=Coding(lossless=True))
    assert all(np.array_equal(a[:, :, 0], b) for a, b in zip(by_pillow(data), pictures, strict=True))
    with pytest.raises(WriteError, match=r"out\.pic: an AVIF animation in colour cannot be written without loss"):
        written(moving(3), "avif", coding=Coding(lossless=True))


@pytest.mark.parametrize("kind", ["webp", "avif"])
def test_quality_is_followed(kind, photo) -> None:
    pictures = [photo, np.roll(photo, 5, axis=1), photo]
    sizes, errors = [], []
    for quality in (20, 60, 95):
        data = written(pictures, kind, coding=Coding(quality=quality))
        sizes.append(len(data))
        errors.append(
            np.mean([np.abs(a.astype(int) - with_alpha(b)).mean() for a, b in zip(by_pillow(data), pictures, strict=True)])
        )
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 2 * errors[-1]


# GIF: 256 colours


def test_a_gif_of_many_colours_is_nearer_than_opencvs_stills(photographs) -> None:
    for name in ("astronaut.png", "coffee.png", "rocket.jpg"):
        photograph = cv2.imread(str(photographs / name))[100:300, 100:340]
        found, _ = by_pillow(written([photograph, photograph], "gif"))
        still = cv2.imencode(".gif", photograph, [cv2.IMWRITE_GIF_DITHER, 3])[1]
        with Pillow.open(io.BytesIO(still.tobytes())) as image:
            others = np.asarray(image.convert("RGB"))[:, :, ::-1]
        error, other = (np.abs(pixels[:, :, :3].astype(int) - photograph).mean() for pixels in (found, others))
        assert error < other


def test_grey_of_a_gif_is_exact(photographs) -> None:
    camera = cv2.imread(str(photographs / "camera.png"), cv2.IMREAD_GRAYSCALE)[100:200, 100:220]
    for picture in (camera, np.dstack([camera] * 3)):
        data = written([picture, picture[::-1]], "gif")
        assert np.array_equal(by_pillow(data)[1][:, :, :3], np.dstack([camera[::-1]] * 3))


def test_alpha_of_a_gif_is_on_from_128() -> None:
    picture = np.dstack(
        [np.full((2, 4), value, np.uint8) for value in (10, 20, 30)] + [np.array([[0, 127, 128, 255]] * 2, np.uint8)]
    )
    assert by_pillow(written([picture, picture], "gif"))[1][0, :, 3].tolist() == [0, 0, 255, 255]


# Times


@pytest.mark.parametrize("loop", [0, 1, 2, 5])
@pytest.mark.parametrize("kind", sorted(ANIMATED))
def test_how_often_it_is_played(kind, loop) -> None:
    data = written(moving(3), kind, loop=loop)
    assert open_animation(memoryview(data), kind, "x").timing.loop == loop
    if kind == "avif":
        at = data.index(b"tkhd")
        length = struct.unpack_from(">Q", data, at + 4 + 28)[0]
        assert length == (loop * 5 * 40 or (1 << 64) - 1)
    else:
        assert cv2.imdecodeanimation(np.frombuffer(data, np.uint8).reshape(1, -1))[1].loop_count == loop
    if kind in ("webp", "gif"):
        image = pyvips.Image.new_from_buffer(data, "", n=-1)
        assert (image.get("loop") if "loop" in image.get_fields() else 0) == loop


@pytest.mark.parametrize("kind", sorted(ANIMATED))
def test_how_long_frames_are_shown(kind) -> None:
    durations = [int(kind == "avif"), 10, 40, 1000, 65_000]  # AVIF knows no time that is none
    data = written(moving(3), kind, durations)
    assert open_animation(memoryview(data), kind, "x").timing.durations == tuple(durations)
    with Pillow.open(io.BytesIO(data)) as image:
        for index, duration in enumerate(durations):
            image.seek(index)
            image.load()
            assert image.info.get("duration", 0) == duration


@pytest.mark.parametrize(("kind", "stored"), [("gif", (20, 30, 10, 0)), ("webp", (17, 25, 0, 0)), ("avif", (17, 25, 1, 1))])
def test_times_that_a_format_has_not_are_rounded(kind, stored) -> None:
    data = written(moving(3)[:4], kind, [1000 / 60, 25.4, 0.3, 0])
    assert open_animation(memoryview(data), kind, "x").timing.durations == stored


def test_png_has_fractions_of_a_second() -> None:
    durations = (1000 / 60, 1001 / 30, 0.1, 12_345_678.0)
    data = written(moving(3)[:4], "png", durations)
    assert open_animation(memoryview(data), "png", "x").timing.durations == pytest.approx(durations, rel=1e-5)
    assert struct.unpack_from(">HH", data, data.index(b"fcTL") + 24) == (1, 60)


@pytest.mark.parametrize(
    ("kind", "duration", "message"),
    [
        ("gif", 655_360, "GIF cannot show a frame for 655.36 s, at most for 655.35 s"),
        ("webp", 1 << 24, "WebP cannot show a frame for 16777.2 s"),
        ("png", 1e9, "PNG cannot show a frame for 1e.06 s"),
        ("png", -1, "a frame cannot be shown for -1 ms"),
        ("avif", float("nan"), "a frame cannot be shown for nan ms"),
    ],
)
def test_times_that_cannot_be(kind, duration, message) -> None:
    with pytest.raises(WriteError, match=rf"out\.pic: {message}"):
        written(moving(3)[:2], kind, [10, duration])


# What goes along, and what does not


@pytest.mark.parametrize("kind", sorted(ANIMATED))
def test_metadata(kind, profile) -> None:
    exif = Metadata().oriented(6).exif
    blocks = {"comment": "a cat"} if kind == "gif" else {"exif": exif, "icc": profile, "xmp": b"<x:xmpmeta/>"}
    data = written(moving(3), kind, **blocks)
    with Pillow.open(io.BytesIO(data)) as image:
        assert image.n_frames == 5
        if kind == "gif":
            assert image.info["comment"] == b"a cat"
        else:
            assert image.info["icc_profile"] == profile
            assert image.getexif().get(274, 1) == (1 if kind == "avif" else 6)
            assert image.info["xmp"] == b"<x:xmpmeta/>"
    found = open_animation(memoryview(data), kind, "x").page(3)
    if kind == "avif":  # it is turned
        assert (found.metadata.icc, found.metadata.xmp) == (profile, b"<x:xmpmeta/>")
        assert np.abs(found.pixels.astype(int) - np.rot90(moving(3)[3], -1)).mean() < 1.5
    else:
        assert found.metadata.only(set(blocks)) == Metadata(**blocks)


@pytest.mark.parametrize("kind", sorted(ANIMATED))
def test_frames_that_are_not_alike_are_refused(kind) -> None:
    first, second, *_ = moving(3)
    with pytest.raises(WriteError, match=r"out\.pic: frame 2 is 22 x 30 x 3 uint8, the first one 23 x 30 x 3 uint8"):
        written([first, second[1:]], kind)
    for count in (1, 3):
        with pytest.raises(WriteError, match=r"out\.pic: there are 2 frames.* durations for"):
            written([first, second], kind, [40] * count)


@pytest.mark.parametrize("kind", ["gif", "webp", "avif"])
def test_16_bits_are_refused_where_they_would_be_cut(kind) -> None:
    with pytest.raises(WriteError, match=r"out\.pic: "):
        written(moving(3, "uint16"), kind)


@pytest.mark.parametrize("kind", sorted(ANIMATED))
def test_no_more_than_a_few_frames_are_in_memory(kind) -> None:
    alive: weakref.WeakValueDictionary[int, np.ndarray] = weakref.WeakValueDictionary()
    most = 0

    def frames():
        nonlocal most
        for index in range(12):
            pixels = np.random.default_rng(index).integers(0, 256, (24, 30, 3), np.uint8)
            alive[index] = pixels
            most = max(most, len(alive))
            yield Image(pixels)
            del pixels

    pieces = encode_animation(frames(), Timing((40,) * 12), kind, Coding(), Metadata(), "out.pic")
    assert not alive
    assert sum(len(piece) for piece in pieces)
    assert most <= 4
