"""PNG: sample depths, headers, damaged files, and animations."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

import imgconv
from imgconv.errors import ReadError, WriteError
from imgconv.images.files import decode, read_header
from imgconv.images.image import Coding
from tests.cases import each
from tests.images.formats.animations import (
    COLUMNS,
    COUNT,
    ROWS,
    apng,
    by_opencv,
    by_pillow,
    chunk,
    encode_frames,
    frames,
    open_pages,
    visible,
)
from tests.images.formats.png_files import metadata, save, with_chunks

# Pixels


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pixels_are_read_back_exactly(dtype, channels, tmp_path) -> None:
    if dtype == "bool" and channels > 1:
        return
    pixels = np.random.default_rng(2).integers(0, 2 if dtype == "bool" else np.iinfo(dtype).max + 1, (13, 17, channels))
    pixels = pixels.astype(dtype).squeeze()
    path = tmp_path / "out.png"
    for compression in (None, "9"):
        assert imgconv.write_image(path, pixels, coding=Coding(compression=compression)) == ()
        expected = pixels * np.uint8(255) if dtype == "bool" else pixels
        found, header = imgconv.read_image(path), read_header(path)
        assert np.array_equal(found.pixels, expected)
        assert (header.shape, header.dtype, header.has_alpha) == (expected.shape, expected.dtype, channels in (2, 4))
        if channels != 2:
            assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), expected)


@pytest.mark.parametrize(
    ("mode", "options", "channels"),
    [("1", {"transparency": 0}, 2), ("L", {"transparency": 5}, 2), ("I;16", {}, 1), ("RGB", {"transparency": (1, 2, 3)}, 4),
     ("P", {"bits": 4}, 3), ("P", {"transparency": b"\0\x80\xff"}, 4), ("LA", {}, 2), ("RGBA", {}, 4)],
)  # fmt: skip
def test_transparency_and_palettes_match_pillow(mode, options, channels) -> None:
    data = save(mode, **options)
    image = decode(data)
    assert (1 if image.pixels.ndim == 2 else image.pixels.shape[2]) == channels == open_pages(data).open_page(0).header.channels
    with Pillow.open(io.BytesIO(data)) as found:
        expected = np.asarray(found if mode == "I;16" else found.convert({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]))
    assert np.array_equal(image.pixels if channels < 3 else image.pixels[:, :, [2, 1, 0, 3][:channels]], expected)


@pytest.mark.parametrize(("mode", "options", "bits"), [
    ("1", {}, 1), ("P", {"bits": 1}, 1), ("P", {"bits": 2}, 2), ("P", {"bits": 4}, 4), ("P", {}, None), ("L", {}, None),
    ("RGBA", {}, None), ("I;16", {}, None),
])  # fmt: skip
def test_bits_below_8_are_reported(mode, options, bits) -> None:
    assert open_pages(save(mode, **options)).open_page(0).coding == Coding(bits=bits)


# Headers and damage


def test_the_header_of_a_large_file_is_read_quickly(tmp_path) -> None:
    plain, path = save("RGB", transparency=(1, 2, 3)), tmp_path / "in.png"
    large = chunk(b"prVt", bytes(3_000_000))
    path.write_bytes(plain[:16] + struct.pack(">II", 100_000, 90_000) + plain[24:33] + 5 * large + plain[33:])
    os.truncate(path, 20 << 30)  # sparse file
    start = time.process_time()
    assert read_header(path).shape == (90_000, 100_000, 4)
    assert time.process_time() - start < 1
    with pytest.raises(ReadError, match=r"in\.png: has 90000 x 100000 pixels \(9000 megapixels\), .*; raise `max_pixels`"):
        imgconv.read_image(path)


@pytest.mark.parametrize("size", [(0, 6), (8, 0), (1 << 31, 1 << 31), ((1 << 32) - 1,) * 2])
def test_invalid_sizes_are_an_error(size) -> None:
    plain = save("RGB")
    with pytest.raises(ReadError, match=r"x\.pic: (is damaged\b.*PNG|is damaged: its header gives|has \d+ x \d+ pixels)"):
        decode(plain[:16] + struct.pack(">II", *size) + plain[24:], "x.pic")


BOMB = zlib.compress(bytes(1 << 24) * 4)
HOSTILE = {
    "zeros": [bytes(9_000_000)],
    "empty chunks": [chunk(b"aaaa", b"") * 700_000],
    "empty texts": [chunk(b"tEXt", b"") * 700_000],
    "a bomb in each text": [chunk(b"iCCP", b"a\0\0" + BOMB), *(chunk(b"zTXt", b"%d\0\0" % i + BOMB) for i in range(200))],
    "whitespace": [chunk(b"tEXt", b"Raw profile type exif\0" + b" " * 9_000_000)],
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("at_the_end", [False, True])
def test_a_malicious_file_is_read_quickly(case, at_the_end) -> None:
    data = with_chunks(*HOSTILE[case], at_the_end=at_the_end)
    start = time.process_time()
    with contextlib.suppress(ReadError):
        assert metadata(data).icc == b""
    assert time.process_time() - start < 5


# Animations


@each("seed", range(8))
@each("extra", [False, True])
@each("colour", [3, 4, 6])
def test_composed_frames_match_opencv(colour, extra, seed) -> None:
    data = apng(np.random.default_rng(seed), colour, extra=extra)
    found = frames(data)
    assert found[0].shape == (ROWS, COLUMNS, 2 if colour == 4 else 4)
    assert all(np.array_equal(visible(one), visible(other)) for one, other in zip(found, by_opencv(data), strict=True))


@pytest.mark.parametrize("colour", [0, 2, 3, 4, 6])
def test_full_frames_match_pillow_and_opencv(colour) -> None:
    data = apng(np.random.default_rng(4), colour, plain=True)
    for read in (by_pillow, by_opencv):
        assert all(np.array_equal(visible(one), visible(other)) for one, other in zip(frames(data), read(data), strict=True))


def composed(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return one pixel over another: colour as in PNG, third edition, 13.16; alpha as a + b (1 - a)."""
    a, b = above[-1] / 255, below[-1] / 255
    alpha = a + b * (1 - a)
    colour = (above[:-1] * a + below[:-1] * b * (1 - a)) / alpha if alpha else above[:-1] * 0.0
    return np.append(colour, alpha * 255)


@pytest.mark.parametrize(("channels", "colour"), [(2, 4), (4, 6)])
def test_alpha_is_blended_by_the_definition(channels, colour) -> None:
    below, above = np.random.default_rng(5).integers(0, 256, (2, ROWS, COLUMNS, channels))
    below[0, :, -1], above[1, :, -1], above[2, :, -1] = 0, 0, 255
    order = [0, 1] if channels == 2 else [2, 1, 0, 3]
    body = [zlib.compress(b"".join(b"\0" + r.astype(np.uint8).tobytes() for r in f[:, :, order])) for f in (below, above)]
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", COLUMNS, ROWS, 8, colour, 0, 0, 0)) + chunk(b"acTL", struct.pack(">II", 2, 0))
    control = struct.pack(">IIIIHHB", COLUMNS, ROWS, 0, 0, 1, 10, 0)
    first = chunk(b"fcTL", bytes(4) + control + b"\0") + chunk(b"IDAT", body[0])
    second = chunk(b"fcTL", struct.pack(">I", 1) + control + b"\1") + chunk(b"fdAT", struct.pack(">I", 2) + body[1])
    _, found = frames(b"\x89PNG\r\n\x1a\n" + head + first + second + chunk(b"IEND", b""))
    pairs = zip(above.reshape(-1, channels), below.reshape(-1, channels), strict=True)
    expected = np.array([composed(a, b) for a, b in pairs])
    mask = expected[:, -1] > 0
    assert np.abs(found.reshape(-1, channels)[mask] - expected[mask]).max() <= 0.51  # Pillow rounds with 7 extra bits


def test_durations_are_read_and_a_dropped_default_image_is_reported() -> None:
    pages = open_pages(apng(np.random.default_rng(0), 2, extra=True))
    assert pages.timing.durations == tuple(1000 * (i + 1) / 60 for i in range(COUNT))
    assert pages.timing.loop == 3
    assert [len(pages.page(index).notes) for index in range(COUNT)] == [1] + [0] * (COUNT - 1)


def test_durations_are_stored_as_fractions_of_a_second() -> None:
    durations = (1000 / 60, 1001 / 30, 0.1, 12_345_678.0, 0, 65_535_000)
    data = encode_frames([np.zeros((2, 3), np.uint8)] * 6, "png", durations)
    assert open_pages(data).timing.durations == pytest.approx(durations, rel=1e-5)
    assert struct.unpack_from(">HH", data, data.index(b"fcTL") + 24) == (1, 60)


def test_an_animation_of_1_bit_is_exact() -> None:
    pictures = list(np.random.default_rng(1).random((4, 9, 11)) > 0.5)
    data = encode_frames(pictures, "png", coding=Coding(bits=1))
    assert data[24] == 1  # bits per sample
    for read in (frames, by_pillow, by_opencv):
        found = [frame if frame.ndim == 2 else frame[:, :, 0] for frame in read(data)]
        assert all(np.array_equal(one, np.uint8(255) * other) for one, other in zip(found, pictures, strict=True))


def test_an_animation_of_one_frame_is_a_still_image() -> None:
    data = with_chunks(
        chunk(b"acTL", struct.pack(">II", 1, 0)), chunk(b"fcTL", struct.pack(">6I2H2x", 0, 8, 6, 0, 0, 0, 1, 10))
    )
    pages = open_pages(data)
    assert (pages.count, pages.timing) == (1, None)
    assert np.array_equal(pages.page(0).pixels, decode(save("RGB")).pixels)


def test_the_only_frame_may_differ_from_the_default_image() -> None:
    data = with_chunks(chunk(b"acTL", struct.pack(">II", 1, 0)))
    frame = chunk(b"fcTL", struct.pack(">6I2H2x", 0, 8, 6, 0, 0, 0, 1, 10))
    frame += chunk(b"fdAT", struct.pack(">I", 1) + zlib.compress(bytes([0] + [7, 8, 9] * 8) * 6))
    pages = open_pages(data[:-12] + frame + data[-12:])
    assert (pages.count, pages.timing) == (1, None)
    image = pages.page(0)
    assert np.array_equal(image.pixels, np.broadcast_to(np.uint8([9, 8, 7]), (6, 8, 3)))
    assert image.notes == (
        "left out the fallback picture for programs without animation support: it is not a frame of the animation",
    )


def test_compression_levels_of_1_bit(tmp_path) -> None:
    pixels = np.zeros((999, 999), bool)
    sizes = []
    for level in ("0", "9"):
        imgconv.write_image(tmp_path / "out.png", pixels, coding=Coding(compression=level))
        sizes.append((tmp_path / "out.png").stat().st_size)
    assert sizes[0] > 999 * 999 / 8 > 20 * sizes[1]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_picture_too_wide_for_libpng_is_an_error(channels, tmp_path, capfd) -> None:
    pixels = np.zeros((1, 1_000_001, channels), np.uint8)
    with pytest.raises(WriteError, match=r"PNG cannot store 1 x 1000001 pixels, at most 1000000 per side"):
        imgconv.write_image(tmp_path / "out.png", pixels)
    assert capfd.readouterr() == ("", "")


def test_an_animation_of_16_bits_is_an_error() -> None:
    with pytest.raises(
        ReadError, match=r"x\.pic: an animated PNG with 16 bits per sample is not supported; save its frames in 8 bits"
    ):
        open_pages(apng(np.random.default_rng(0), 2, 16))


def test_missing_frames_are_a_read_error() -> None:
    data = apng(np.random.default_rng(0), 2).replace(struct.pack(">II", COUNT, 3), struct.pack(">II", COUNT + 1, 3))
    with pytest.raises(ReadError, match=r"is damaged or truncated: it has 6 of 7 frames"):
        open_pages(data)
