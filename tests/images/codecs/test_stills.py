"""Stills that OpenCV reads wrong: made from the specifications, and read as Pillow and libvips read them where they do."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import imagecodecs
import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow

from imgconv.errors import ReadError
from imgconv.images.codecs.stills import KINDS, read_still
from tests.images.codecs.pictures import (
    COLOURS,
    COLUMNS,
    GREY,
    NUMBERS,
    ROWS,
    assert_same,
    by_pillow,
    packed,
    read,
    red_first,
    still,
)

# PNG


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(samples: np.ndarray, bits: int, colour: int, *extra: bytes) -> bytes:
    rows = [packed(row, bits) if bits < 8 else row.tobytes() for row in samples.astype(">u2" if bits == 16 else "u1")]
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], bits, colour, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_one_shade_of_a_png_that_is_transparent(bits) -> None:
    shade, full = (1 << bits) - 2 if bits > 1 else 1, (1 << bits) - 1
    samples = np.array([[0, shade, full, 1], [shade, 0, 1, full]])
    found = read(png(samples, bits, 0, chunk(b"tRNS", struct.pack(">H", shade))))
    most = 65_535 if bits == 16 else 255
    assert_same(found, np.dstack([samples * most // full, (samples != shade) * most]).astype(f"u{max(1, bits // 8)}"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_with_alpha_of_a_png_stays_grey(dtype) -> None:
    samples = NUMBERS.integers(0, np.iinfo(dtype).max + 1, (ROWS, COLUMNS, 2), dtype)
    data = png(samples, 8 * samples.itemsize, 4)
    assert_same(read(data), samples)
    assert still(data).has_alpha


@pytest.mark.parametrize("transparent", [b"", b"\x80\0"])
def test_other_pngs(transparent) -> None:
    extra = [chunk(b"tRNS", transparent)] if transparent else []
    for data in (
        png(GREY, 8, 0),
        png(COLOURS.astype(np.uint16) * 257, 16, 2),
        png(COLOURS % 2, 8, 2, chunk(b"tRNS", struct.pack(">3H", 1, 0, 1))),
        png(GREY % 4, 2, 3, chunk(b"PLTE", bytes(range(12))), *extra),
        png(np.dstack([COLOURS, GREY]).astype(np.uint16) * 257, 16, 6),
    ):
        assert_same(read(data), np.squeeze(pyvips.Image.new_from_buffer(data, "").numpy()))


# AVIF, GIF, and what is left to OpenCV


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_grey_with_alpha_of_an_avif(bits) -> None:
    samples = NUMBERS.integers(0, 1 << bits, (16, 24, 2)).astype(np.uint8 if bits == 8 else np.uint16)
    found = read(imagecodecs.avif_encode(samples, level=100, bitspersample=bits))
    full = 255 if bits == 8 else 65_535
    assert_same(found, np.rint(samples * (full / ((1 << bits) - 1))).astype(samples.dtype))


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_other_avifs(channels, bits) -> None:
    samples = NUMBERS.integers(0, 1 << bits, (16, 24, channels)).astype(np.uint8 if bits == 8 else np.uint16)
    samples = samples[:, :, 0] if channels == 1 else samples
    full = 255 if bits == 8 else 65_535
    data = imagecodecs.avif_encode(samples, level=100, bitspersample=bits)
    assert_same(read(data), np.rint(samples * (full / ((1 << bits) - 1))).astype(samples.dtype))
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert_same(read(data), np.rint(red_first(stored) * (full / ((1 << bits) - 1))).astype(samples.dtype))


def test_what_opencv_reads_right_is_left_to_it() -> None:
    grey, colours = np.tile(GREY, (4, 4)), np.tile(COLOURS, (4, 4, 1))
    for kind, pixels, options in (
        ("WEBP", np.dstack([colours, grey]), {"lossless": True, "exact": True}),
        ("JPEG", colours, {}),
        ("BMP", grey, {}),
        ("TIFF", colours, {}),
    ):
        file = io.BytesIO()
        Pillow.fromarray(pixels).save(file, kind, **options)
        assert still(file.getvalue()) is None
        found = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_UNCHANGED)
        assert_same(red_first(found), by_pillow(file.getvalue()), tolerance=1 if kind == "JPEG" else 0)


@pytest.mark.parametrize("transparency", [None, 3])
def test_a_gif_of_one_picture(transparency) -> None:
    file = io.BytesIO()
    picture = Pillow.fromarray(GREY % 8)
    picture.putpalette(COLOURS.tobytes())
    picture.save(file, "GIF", **({} if transparency is None else {"transparency": transparency}))
    found = read(file.getvalue())
    with Pillow.open(io.BytesIO(file.getvalue())) as image:
        expected = np.array(image.convert("RGB" if transparency is None else "RGBA"))
    if transparency is not None:
        assert (expected[:, :, 3] == 0).any()
        expected[expected[:, :, 3] == 0] = 0  # nobody sees what colour it has
    assert_same(found, expected)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("data", [b"", b"\0" * 5, b"\xff" * 400])
def test_nothing_of_a_format_is_no_fault_but_a_read_error(kind, data) -> None:
    try:
        fault = "x: " if read_still(memoryview(data), kind, "x") is None else "it is something"
    except ReadError as error:
        fault = str(error)
    assert fault.startswith("x: ")
