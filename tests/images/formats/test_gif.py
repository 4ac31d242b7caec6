"""GIF: what Pillow and libvips compose, colours, alpha, comments and XMP."""

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
    frames,
    gif,
    gif_codes,
    opened,
    place,
    seen,
    written,
)

XMP_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def saved(**options) -> bytes:
    file = io.BytesIO()
    Pillow.new("P", (9, 7)).save(file, "GIF", **options)
    return file.getvalue()


def metadata(data: bytes) -> Metadata:
    return opened(data).open_page(0).metadata


# Reading


def test_a_file_without_a_trailer_is_read_with_a_note() -> None:
    data = gif(np.random.default_rng(3), (1,), transparent=0, whole=False)
    expected, found = opened(data), opened(data[:-1])
    assert found.count == expected.count == COUNT
    for index in range(COUNT):
        assert np.array_equal(found.page(index).pixels, expected.page(index).pixels)
    assert expected.page(0).notes == ()
    # An extension may have the number of the trailer as its label.
    for cut in (found, opened(data[:-1] + b"!;\x01a\0")):
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
def test_frames_are_composed_as_libvips_composes_them(disposals, transparent, whole, seed) -> None:
    data = gif(np.random.default_rng(seed), disposals, transparent=transparent, whole=whole)
    found, expected = frames(data), by_libvips(data)
    assert len(found) == len(expected) == COUNT
    assert all(np.array_equal(seen(one), seen(other)) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("transparent", [0, 1])
def test_grey_frames_beside_frames_in_colour(transparent) -> None:
    numbers = np.random.default_rng(0)
    data = b"GIF89a" + struct.pack("<HHBBB", COLUMNS, ROWS, 0xF7, 0, 0) + np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes()
    for index in range(4):
        top, left, rows, columns = place(numbers, whole=index == 0)
        colours = numbers.integers(0, 256, 768, np.uint8).tobytes() if index == 2 else b""
        data += struct.pack("<2sBBHBB", b"!\xf9", 4, 1 << 2 | transparent, 3, 3, 0)
        data += struct.pack("<BHHHHB", 0x2C, left, top, columns, rows, 0x87 * bool(colours)) + colours
        data += gif_codes(numbers.integers(0, 8, (rows, columns)))
    found, expected = frames(data + b";"), by_libvips(data + b";")
    assert all(np.array_equal(seen(one), seen(other)) for one, other in zip(found, expected, strict=True))


def test_a_frame_beyond_the_picture_is_rejected() -> None:
    first, second = (struct.pack("<BHHHHB", 0x2C, left, 0, 4, 4, 0) + gif_codes(np.zeros((4, 4), int)) for left in (0, 1))
    head = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0)
    assert len(frames(head + first + first + b";")) == 2
    with pytest.raises(ReadError, match="frame 2 extends beyond the picture of 4 x 4 pixels"):
        opened(head + first + second + b";")


@pytest.mark.parametrize(("stored", "played"), [(None, 1), (0, 0), (1, 2), (7, 8)])
def test_the_loop_count(stored, played) -> None:
    data = gif(np.random.default_rng(0), (1,), transparent=0, whole=True, loop=stored)
    assert opened(data).timing == (tuple(range(0, 30 * COUNT, 30)), played)
    # libvips has no loop count for an animation that is played forever.
    image = pyvips.Image.new_from_buffer(data, "", n=-1)
    assert (image.get("loop") if "loop" in image.get_fields() else 0) == played


def test_files_of_other_programs(photo) -> None:
    moved = [np.roll(photo, 3 * i, axis=1)[:, :, ::-1] for i in range(4)]
    strip = pyvips.Image.new_from_array(np.vstack(moved)).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", len(photo))
    file = io.BytesIO()
    first, *rest = (Pillow.fromarray(frame) for frame in moved)
    first.save(file, "GIF", save_all=True, append_images=rest)
    for data in (strip.gifsave_buffer(), strip.gifsave_buffer(interlace=True), file.getvalue()):
        found = frames(data)
        assert found[0].shape == photo.shape
        for read in (by_pillow, by_libvips):
            assert all(np.array_equal(seen(one), seen(other)) for one, other in zip(found, read(data), strict=True))


@pytest.mark.parametrize("size", [0x21, 0x2C, 0x3B])
def test_a_block_may_begin_with_any_byte(size) -> None:
    file = io.BytesIO()
    first, *rest = (Pillow.new("L", (8, 9), shade) for shade in (1, 2, 3))
    first.save(file, "GIF", save_all=True, append_images=rest, comment=b";,!" * (size // 3) + b"," * (size % 3))
    assert b"!\xfe" + bytes([size]) in file.getvalue()
    assert opened(file.getvalue()).count == 3


@pytest.mark.parametrize(("options", "channels"), [({}, 3), ({"transparency": 0}, 4), ({"transparency": 5}, 3)])
def test_one_picture(options, channels) -> None:
    pages = opened(saved(duration=70, **options))
    assert (pages.count, pages.timing, pages.page(0).pixels.shape) == (1, None, (7, 9, channels))


def test_sizes_that_cannot_be() -> None:
    for size in (b"\0\0\x07\0", b"\x09\0\0\0"):
        with pytest.raises(ReadError, match="recognized as GIF"):
            decode(saved().replace(struct.pack("<HH", 9, 7), size))


@pytest.mark.parametrize(
    "blocks",
    [b"!\xfe\0" * 3_000_000, (b"!\xfe" + b"\x01a" * 40_000 + b"\0") * 100, (b"!\xfe" + b"\xff" * 256 * 40_000 + b"\0")],
    ids=["comments of nothing", "comments of one byte", "a long comment"],
)
def test_a_file_made_to_take_forever_does_not(blocks) -> None:
    start = time.process_time()
    with contextlib.suppress(ReadError):
        metadata(saved()[:-1] + blocks + b";")
    assert time.process_time() - start < 5


# Writing: 256 colours


def test_many_colours_are_nearer_than_opencvs(photographs, tmp_path) -> None:
    for name in ("astronaut.png", "coffee.png", "rocket.jpg"):
        photograph = cv2.imread(str(photographs / name))[100:300, 100:340]
        still = cv2.imencode(".gif", photograph, [cv2.IMWRITE_GIF_DITHER, 3])[1].tobytes()
        imgconv.write_image(tmp_path / "out.gif", photograph)
        found = [written([photograph, photograph], "gif"), (tmp_path / "out.gif").read_bytes(), still]
        *errors, other = (np.abs(by_pillow(data)[0][:, :, :3].astype(int) - photograph).mean() for data in found)
        assert max(errors) < other


def test_grey_is_exact(photographs) -> None:
    camera = cv2.imread(str(photographs / "camera.png"), cv2.IMREAD_GRAYSCALE)[100:200, 100:220]
    for picture in (camera, np.dstack([camera] * 3)):
        data = written([picture, picture[::-1]], "gif")
        assert np.array_equal(by_pillow(data)[1][:, :, :3], np.dstack([camera[::-1]] * 3))


def test_alpha_is_on_from_128(tmp_path) -> None:
    alpha = np.array([[0, 127, 128, 255]] * 2, np.uint8)
    picture = np.dstack([np.full((2, 4), value, np.uint8) for value in (10, 20, 30)] + [alpha])
    (note,) = imgconv.write_image(tmp_path / "out.gif", picture)
    assert "alpha as opaque (from 128) or transparent" in note
    for data in (written([picture, picture], "gif"), (tmp_path / "out.gif").read_bytes()):
        assert all(found[0].tolist() == [[0] * 4] * 2 + [[10, 20, 30, 255]] * 2 for found in map(seen, by_pillow(data)))


# Comments and XMP


@pytest.mark.parametrize("comment", ["a bird", "grün", "x" * 255, "y" * 1000])
def test_comments(comment) -> None:
    assert metadata(saved(comment=comment.encode())).comment == comment
    data = written([np.zeros((7, 9, 3), np.uint8)], "gif", comment=comment)
    assert Pillow.open(io.BytesIO(data)).info["comment"] == comment.encode()
    assert metadata(data).comment == comment


def test_a_comment_in_latin_1_and_the_first_of_several() -> None:
    assert metadata(saved(comment="grün".encode("latin-1"))).comment == "grün"
    assert metadata(saved()[:-1] + b"\x21\xfe\0\x21\xfe\x03one\0\x21\xfe\x03two\0;").comment == "one"


@pytest.mark.parametrize("length", [1, 5, 300, 70_000])
@pytest.mark.parametrize("letter", [b"a", b"\xc3\xbf", b"\x01", b"\xff"])
def test_xmp_of_any_bytes_but_nul(length, letter) -> None:
    blocks = {"xmp": letter * length, "comment": "behind"}
    data = written([np.zeros((7, 9, 3), np.uint8)] * 2, "gif", loop=4, **blocks)
    assert metadata(data) == Metadata(**blocks)
    assert XMP_TRAILER in data
    assert data.index(b"NETSCAPE2.0") < data.index(b"behind")
    with Pillow.open(io.BytesIO(data)) as found:
        assert (found.n_frames, found.info["loop"], found.info["comment"]) == (2, 3, b"behind")
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None


def test_xmp_that_gif_cannot_store_is_named(tmp_path) -> None:
    image = imgconv.Image(np.zeros((7, 9, 3), np.uint8), Metadata(xmp="<a/>".encode("utf-16")))
    (note,) = imgconv.write_image(tmp_path / "out.gif", image)
    assert note == "left out XMP: GIF stores it only as UTF-8"
    assert decode((tmp_path / "out.gif").read_bytes()).metadata == Metadata()


def test_xmp_without_its_trailer_is_left_out() -> None:
    assert metadata(saved()[:-1] + b"\x21\xff\x0bXMP DataXMP\x05<xml>\0;").xmp == b""
