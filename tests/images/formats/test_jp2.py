"""JPEG 2000 written by OpenJPEG and Pillow: depths, palettes, colour spaces, and damaged files."""

from __future__ import annotations

import io
import os
import struct
import time

import cv2
import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.errors import ReadError
from imgconv.images.colour.mixing import cmyk_to_rgb
from imgconv.images.files import decode, read_header, read_image, write_image
from imgconv.images.image import Image
from tests.cases import each

DOWN, ACROSS = np.mgrid[:40, :56]
GREY = np.minimum(4 * ACROSS + DOWN, 255).astype(np.uint8)
COLOURS = np.dstack([GREY, 255 - GREY, np.minimum(6 * DOWN, 255).astype(np.uint8)])  # RGB
RGBA = np.dstack([COLOURS, GREY // 3])


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 2 or pixels.shape[2] == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]


def encoded(pixels: np.ndarray, bits: int | None = None, boxes: str = "jp2") -> bytes:
    return imagecodecs.jpeg2k_encode(pixels, level=0, bitspersample=bits, codecformat=boxes, reversible=True)


def save(pixels: np.ndarray, mode: str, **options: object) -> bytes:
    file = io.BytesIO()
    Pillow.frombytes(mode, pixels.shape[1::-1], pixels.tobytes()).save(file, "JPEG2000", **options)
    return file.getvalue()


def with_boxes(data: bytes, *added: bytes, space: int = 16) -> bytes:
    """Return a JPEG 2000 with another enumerated colour space, and further boxes in its header."""
    at = data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, at)
    inner = data[at + 8 : at + size]
    colr = inner.index(b"colr") + 7
    inner = inner[:colr] + struct.pack(">I", space) + inner[colr + 4 :] + b"".join(added)
    return data[:at] + struct.pack(">I4s", 8 + len(inner), b"jp2h") + inner + data[at + size :]


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


@each("boxes", ["jp2", "j2k"])
@each("dtype", ["uint8", "uint16", "int8", "int16"])
@each("channels", [1, 2, 3, 4])
def test_samples_of_every_type_are_exact(channels, dtype, boxes, tmp_path) -> None:
    bits, signed = 8 * np.dtype(dtype).itemsize, dtype.startswith("i")
    stacked = RGBA[:, :, -channels:] if channels == 2 else RGBA[:, :, :channels]
    samples = (stacked.astype(np.int64) * (257 if bits == 16 else 1) - (1 << (bits - 1)) * signed).astype(dtype)
    samples = samples[:, :, 0] if channels == 1 else samples
    path = tmp_path / "in.jp2"
    path.write_bytes(encoded(samples, boxes=boxes))
    image, header = read_image(path), read_header(path)
    assert (header.shape, header.dtype, header.has_alpha) == (samples.shape, samples.dtype, channels in (2, 4))
    assert image.pixels.dtype == samples.dtype
    assert np.array_equal(to_rgb(image.pixels), samples)
    assert (image.format, image.has_alpha, image.colours) == ("jp2", channels in (2, 4), 3 if channels > 2 else 1)


@pytest.mark.parametrize("bits", [1, 4, 7, 9, 10, 12, 15])
@pytest.mark.parametrize("pixels", [GREY, COLOURS], ids=["grey", "colours"])
def test_few_bits_are_scaled_to_white(pixels, bits) -> None:
    full, largest = (1 << bits) - 1, 255 if bits < 9 else 65_535
    samples = (pixels.astype(np.uint32) * full // 255).astype(np.uint8 if bits < 9 else np.uint16)
    found = decode(encoded(samples, bits, "j2k"))
    assert np.array_equal(to_rgb(found.pixels), np.rint(samples * (largest / full)).astype(samples.dtype))
    assert found.coding.bits == bits


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_written_files_are_read_by_other_libraries(channels, dtype, tmp_path) -> None:
    pixels = np.ascontiguousarray(RGBA[:, :, :channels].squeeze()).astype(dtype) * dtype(257 if dtype == np.uint16 else 1)
    path = tmp_path / "out.jp2"
    assert write_image(path, Image(pixels)) == ()
    expected = pixels[:, :, [0, 0, 0, 1]] if channels == 2 else pixels
    assert np.array_equal(read_image(path).pixels, expected)
    assert np.array_equal(to_rgb(imagecodecs.jpeg2k_decode(path.read_bytes())), expected)
    assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), expected)


@pytest.mark.parametrize("bits", [4, 8])
def test_a_palette_is_expanded(bits) -> None:
    table = np.random.default_rng(1).integers(0, 256, (16, 3), np.uint8)
    columns = b"".join(struct.pack(">HBB", 0, 1, column) for column in range(3))
    palette = box(b"pclr", struct.pack(">HB3B", 16, 3, 7, 7, 7) + table.tobytes())
    data = with_boxes(encoded(GREY // 16, bits), palette, box(b"cmap", columns))
    assert np.array_equal(to_rgb(decode(data).pixels), table[GREY // 16])
    with pytest.raises(ReadError, match="x: is damaged"):  # a palette without channel mapping
        decode(with_boxes(encoded(GREY // 16, bits), palette), "x")


def test_luma_and_chroma_match_pillow() -> None:
    data = with_boxes(save(np.dstack([GREY, GREY // 2 + 60, 200 - GREY // 3]), "RGB", mct=0), space=18)
    with Pillow.open(io.BytesIO(data)) as image:
        assert np.abs(to_rgb(decode(data).pixels).astype(int) - np.asarray(image)).max() <= 1


def test_cmyk_is_converted() -> None:
    found = decode(save(RGBA, "CMYK"))
    expected, _, note = cmyk_to_rgb(RGBA, b"")
    assert np.array_equal(to_rgb(found.pixels), expected)
    assert (found.notes, found.has_alpha) == ((note,), False)


@pytest.mark.parametrize(("kind", "alpha"), [(1, True), (2, True), (0xFFFF, False), (0, False)])
def test_alpha_follows_the_channel_definition(kind, alpha) -> None:
    definition = struct.pack(">H12H", 4, 0, 0, 1, 1, 0, 2, 2, 0, 3, 3, kind, 0)
    found = decode(with_boxes(encoded(RGBA), box(b"cdef", definition)))
    assert np.array_equal(to_rgb(found.pixels), RGBA)
    assert (found.has_alpha, found.colours) == (alpha, 3)


MIXED = bytearray(encoded(RGBA, boxes="j2k"))
MIXED[42 + 9] = 0  # 1 bit of the last component


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (imagecodecs.jpeg2k_encode(GREY.astype(np.uint32) << 16, level=0, bitspersample=24), "with 24 bits per sample"),
        (imagecodecs.jpeg2k_encode(GREY.astype(np.int32) << 4, level=0, bitspersample=20), "with 20 signed bits per sample"),
        (with_boxes(save(COLOURS, "RGB"), space=14), "colour space other than grey, RGB or CMYK"),
        (encoded(np.dstack([RGBA, GREY])), "with 5 components is not supported"),
        (bytes(MIXED), "components differ in depth"),
    ],
    ids=["bits", "signed bits", "space", "components", "mixed"],
)
def test_unsupported_files_are_an_error(data, complaint) -> None:
    with pytest.raises(ReadError, match=f"x: a JPEG 2000 .*{complaint}"):
        decode(data, "x")


def test_huge_boxes_are_skipped(tmp_path) -> None:
    data, size, path = encoded(COLOURS), 6 << 30, tmp_path / "in.jp2"
    with open(path, "wb") as file:  # sparse file
        file.write(data[:32] + struct.pack(">I4sQ", 1, b"free", size))
        file.seek(32 + size)
        file.write(data[32:])
    start = time.process_time()
    assert read_header(path).shape == COLOURS.shape
    os.truncate(path, size)
    with pytest.raises(ReadError, match=r"in\.jp2: is damaged or truncated: recognized as JPEG 2000"):
        read_header(path)
    with pytest.raises(ReadError, match="x: is damaged or truncated"):
        decode(data[:12] + b"\0\0\0\x08free" * 1_000_000, "x")
    assert time.process_time() - start < 2


DAMAGED = {
    "codestream": encoded(COLOURS, boxes="j2k"),
    "boxes": save(RGBA, "RGBA"),
    "signed": encoded(GREY.view(np.int8), boxes="j2k"),
    "palette": with_boxes(encoded(GREY // 16), box(b"pclr", struct.pack(">HB3B", 16, 3, 7, 7, 7) + bytes(48))),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_truncated_file_is_a_read_error(kind) -> None:
    data = DAMAGED[kind]
    for end in (*range(1, len(data), max(1, len(data) // 60)), len(data) - 3):
        with pytest.raises(ReadError, match="x: "):
            decode(data[:end], "x")


@pytest.mark.parametrize("kind", DAMAGED)
@given(places=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), max_size=4), cut=st.floats(0, 1))
def test_a_damaged_file_gives_a_picture_or_a_read_error(kind, places, cut) -> None:
    data = bytearray(DAMAGED[kind])
    for place, change in places:
        data[place % min(len(data), 300)] ^= change
    data = data[: int(len(data) * cut)] if cut < 0.9 else data
    message = "x: "
    try:
        assert decode(bytes(data), "x", max_pixels=1 << 22).pixels.size
    except ReadError as error:
        message = str(error)
    assert message.startswith("x: ")
    assert "\n" not in message
