"""GIF: frame composition compared with libvips and Pillow, palettes, alpha, comments and XMP."""

from __future__ import annotations

import contextlib
import io
import struct
import time

import cv2
import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow

import imgconv
from imgconv.errors import ReadError
from imgconv.images.files import decode
from imgconv.images.metadata import Metadata
from tests.cases import each
from tests.images.formats.animations import (
    COLUMNS,
    COUNT,
    ROWS,
    by_libvips,
    by_pillow,
    encode_frames,
    frames,
    gif,
    gif_codes,
    open_pages,
    random_place,
    visible,
)

XMP_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def save(**options) -> bytes:
    file = io.BytesIO()
    Pillow.new("P", (9, 7)).save(file, "GIF", **options)
    return file.getvalue()


def metadata(data: bytes) -> Metadata:
    return open_pages(data).open_page(0).metadata


# Reading


def test_a_file_without_a_trailer_is_read_with_a_note() -> None:
    data = gif(np.random.default_rng(3), (1,), transparent=0, whole=False)
    expected, found = open_pages(data), open_pages(data[:-1])
    assert found.count == expected.count == COUNT
    for index in range(COUNT):
        assert np.array_equal(found.page(index).pixels, expected.page(index).pixels)
    assert expected.page(0).notes == ()
    # 3Bh here is the label of an extension, not the trailer.
    for cut in (found, open_pages(data[:-1] + b"!;\x01a\0")):
        assert cut.page(0).notes == ("the file ends without a trailer; frames may be missing",)


@each("seed", range(6))
@each(
    "disposals, transparent, whole",
    [
        ((0, 1), 0, True),
        ((0, 1), 0.5, True),
        ((1, 3), 0.5, True),
        ((2,), 1, False),
        ((3, 2, 1), 1, True),
        ((3, 2, 1), 1, False),
    ],
)
def test_composed_frames_match_libvips(disposals, transparent, whole, seed) -> None:
    data = gif(np.random.default_rng(seed), disposals, transparent=transparent, whole=whole)
    found, expected = frames(data), by_libvips(data)
    assert len(found) == len(expected) == COUNT
    assert all(np.array_equal(visible(one), visible(other)) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("transparent", [0, 1])
def test_grey_and_colour_frames_match_libvips(transparent) -> None:
    numbers = np.random.default_rng(0)
    data = b"GIF89a" + struct.pack("<HHBBB", COLUMNS, ROWS, 0xF7, 0, 0) + np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes()
    for index in range(4):
        top, left, rows, columns = random_place(numbers, whole=index == 0)
        colours = numbers.integers(0, 256, 768, np.uint8).tobytes() if index == 2 else b""
        data += struct.pack("<2sBBHBB", b"!\xf9", 4, 1 << 2 | transparent, 3, 3, 0)
        data += struct.pack("<BHHHHB", 0x2C, left, top, columns, rows, 0x87 * bool(colours)) + colours
        data += gif_codes(numbers.integers(0, 8, (rows, columns)))
    found, expected = frames(data + b";"), by_libvips(data + b";")
    assert all(np.array_equal(visible(one), visible(other)) for one, other in zip(found, expected, strict=True))


def test_a_frame_beyond_the_canvas_is_an_error() -> None:
    first, second = (struct.pack("<BHHHHB", 0x2C, left, 0, 4, 4, 0) + gif_codes(np.zeros((4, 4), int)) for left in (0, 1))
    head = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0)
    assert len(frames(head + first + first + b";")) == 2
    with pytest.raises(ReadError, match="frame 2 extends beyond the picture of 4 x 4 pixels"):
        open_pages(head + first + second + b";")


@pytest.mark.parametrize(("stored", "loops"), [(None, 1), (0, 0), (1, 2), (7, 8)])
def test_the_loop_count_is_read(stored, loops) -> None:
    data = gif(np.random.default_rng(0), (1,), transparent=0, whole=True, loop=stored)
    assert open_pages(data).timing == (tuple(range(0, 30 * COUNT, 30)), loops)
    # libvips sets no loop count for an endless animation.
    image = pyvips.Image.new_from_buffer(data, "", n=-1)
    assert (image.get("loop") if "loop" in image.get_fields() else 0) == loops


def test_files_of_libvips_and_pillow_are_read(photo) -> None:
    shifted = [np.roll(photo, 3 * i, axis=1)[:, :, ::-1] for i in range(4)]
    strip = pyvips.Image.new_from_array(np.vstack(shifted)).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", len(photo))
    file = io.BytesIO()
    first, *rest = (Pillow.fromarray(frame) for frame in shifted)
    first.save(file, "GIF", save_all=True, append_images=rest)
    for data in (strip.gifsave_buffer(), strip.gifsave_buffer(interlace=True), file.getvalue()):
        found = frames(data)
        assert found[0].shape == photo.shape
        for read in (by_pillow, by_libvips):
            assert all(np.array_equal(visible(one), visible(other)) for one, other in zip(found, read(data), strict=True))


@pytest.mark.parametrize("size", [0x21, 0x2C, 0x3B])
def test_a_block_length_may_equal_a_marker(size) -> None:
    file = io.BytesIO()
    first, *rest = (Pillow.new("L", (8, 9), shade) for shade in (1, 2, 3))
    first.save(file, "GIF", save_all=True, append_images=rest, comment=b";,!" * (size // 3) + b"," * (size % 3))
    assert b"!\xfe" + bytes([size]) in file.getvalue()
    assert open_pages(file.getvalue()).count == 3


@pytest.mark.parametrize(("options", "channels"), [({}, 3), ({"transparency": 0}, 4), ({"transparency": 5}, 3)])
def test_a_single_frame_is_a_still_image(options, channels) -> None:
    pages = open_pages(save(duration=70, **options))
    assert (pages.count, pages.timing, pages.page(0).pixels.shape) == (1, None, (7, 9, channels))


def test_a_size_of_zero_is_an_error() -> None:
    for size in (b"\0\0\x07\0", b"\x09\0\0\0"):
        with pytest.raises(ReadError, match="recognized as GIF"):
            decode(save().replace(struct.pack("<HH", 9, 7), size))


@pytest.mark.parametrize(
    "blocks",
    [b"!\xfe\0" * 3_000_000, (b"!\xfe" + b"\x01a" * 40_000 + b"\0") * 100, (b"!\xfe" + b"\xff" * 256 * 40_000 + b"\0")],
    ids=["empty comments", "comments of one byte", "a long comment"],
)
def test_a_malicious_file_is_read_quickly(blocks) -> None:
    start = time.process_time()
    with contextlib.suppress(ReadError):
        metadata(save()[:-1] + blocks + b";")
    assert time.process_time() - start < 5


# Writing with 256 colours


def test_palettes_are_more_accurate_than_those_of_opencv(photographs, tmp_path) -> None:
    for name in ("astronaut.png", "coffee.png", "rocket.jpg"):
        photograph = cv2.imread(str(photographs / name))[100:300, 100:340]
        by_opencv = cv2.imencode(".gif", photograph, [cv2.IMWRITE_GIF_DITHER, 3])[1].tobytes()
        imgconv.write_image(tmp_path / "out.gif", photograph)
        found = [encode_frames([photograph, photograph], "gif"), (tmp_path / "out.gif").read_bytes(), by_opencv]
        *errors, other = (np.abs(by_pillow(data)[0][:, :, :3].astype(int) - photograph).mean() for data in found)
        assert max(errors) < other


def test_grey_is_stored_exactly(photographs) -> None:
    camera = cv2.imread(str(photographs / "camera.png"), cv2.IMREAD_GRAYSCALE)[100:200, 100:220]
    for picture in (camera, np.dstack([camera] * 3)):
        data = encode_frames([picture, picture[::-1]], "gif")
        assert np.array_equal(by_pillow(data)[1][:, :, :3], np.dstack([camera[::-1]] * 3))


def test_alpha_is_opaque_from_128(tmp_path) -> None:
    alpha = np.array([[0, 127, 128, 255]] * 2, np.uint8)
    picture = np.dstack([np.full((2, 4), value, np.uint8) for value in (10, 20, 30)] + [alpha])
    (note,) = imgconv.write_image(tmp_path / "out.gif", picture)
    assert "alpha as opaque (from 128) or transparent" in note
    for data in (encode_frames([picture, picture], "gif"), (tmp_path / "out.gif").read_bytes()):
        assert all(found[0].tolist() == [[0] * 4] * 2 + [[10, 20, 30, 255]] * 2 for found in map(visible, by_pillow(data)))


# Comments and XMP


@pytest.mark.parametrize("comment", ["a bird", "grün", "x" * 255, "y" * 1000])
def test_comments_are_read_and_written(comment) -> None:
    assert metadata(save(comment=comment.encode())).comment == comment
    data = encode_frames([np.zeros((7, 9, 3), np.uint8)], "gif", comment=comment)
    assert Pillow.open(io.BytesIO(data)).info["comment"] == comment.encode()
    assert metadata(data).comment == comment


def test_comments_may_be_latin_1_and_the_first_is_read() -> None:
    assert metadata(save(comment="grün".encode("latin-1"))).comment == "grün"
    assert metadata(save()[:-1] + b"\x21\xfe\0\x21\xfe\x03one\0\x21\xfe\x03two\0;").comment == "one"


@pytest.mark.parametrize("length", [1, 5, 300, 70_000])
@pytest.mark.parametrize("letter", [b"a", b"\xc3\xbf", b"\x01", b"\xff"])
def test_xmp_of_any_bytes_but_nul_is_stored(length, letter) -> None:
    blocks = {"xmp": letter * length, "comment": "behind"}
    data = encode_frames([np.zeros((7, 9, 3), np.uint8)] * 2, "gif", loop=4, **blocks)
    assert metadata(data) == Metadata(**blocks)
    assert XMP_TRAILER in data
    assert data.index(b"NETSCAPE2.0") < data.index(b"behind")
    with Pillow.open(io.BytesIO(data)) as found:
        assert (found.n_frames, found.info["loop"], found.info["comment"]) == (2, 3, b"behind")
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None


def test_xmp_with_nul_bytes_is_reported(tmp_path) -> None:
    image = imgconv.Image(np.zeros((7, 9, 3), np.uint8), Metadata(xmp="<a/>".encode("utf-16")))
    (note,) = imgconv.write_image(tmp_path / "out.gif", image)
    assert note == "left out XMP: GIF stores it only as UTF-8"
    assert decode((tmp_path / "out.gif").read_bytes()).metadata == Metadata()


def test_xmp_without_its_trailer_is_ignored() -> None:
    assert metadata(save()[:-1] + b"\x21\xff\x0bXMP DataXMP\x05<xml>\0;").xmp == b""
