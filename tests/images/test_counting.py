"""How many pages: as other programs wrote them, and of files made to break the count."""

from __future__ import annotations

import io
import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.images.counting import count_pages
from imgconv.images.decoding import decode


def frames(count: int) -> list[Pillow.Image]:
    noise = np.random.default_rng(5).integers(0, 256, (count, 8, 9, 3), np.uint8)
    return [Pillow.fromarray(frame) for frame in noise]


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_frames_written_by_pillow(kind, count) -> None:
    first, *rest = frames(count)
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=rest)
    image = decode(file.getvalue())
    assert image.pages == count
    assert image.pixels.shape[:2] == (8, 9)


@pytest.mark.parametrize("size", [0x21, 0x2C, 0x3B])
def test_a_block_of_a_gif_may_begin_with_any_byte(size) -> None:
    file = io.BytesIO()
    first, *rest = frames(3)
    first.save(file, "GIF", save_all=True, append_images=rest, comment=b";,!" * (size // 3) + b"," * (size % 3))
    assert b"!\xfe" + bytes([size]) in file.getvalue()
    assert count_pages(memoryview(file.getvalue()), "gif") == 3


def test_what_is_a_still_first_is_one() -> None:
    file = io.BytesIO()
    first, *rest = frames(3)
    first.save(file, "AVIF", save_all=True, append_images=rest)
    data = file.getvalue().replace(b"ftypavis", b"ftypavif", 1)
    with Pillow.open(io.BytesIO(data)) as image:
        assert image.n_frames == count_pages(memoryview(data), "avif") == 1


def test_a_still_image_is_one_page(photographs) -> None:
    for name in ("camera.png", "retina.jpg"):
        assert decode((photographs / name).read_bytes()).pages == 1


HEADS = {
    "gif": [b"GIF89a\x01\0\x01\0\x80\0\0" + bytes(6)],
    "png": [b"\x89PNG\r\n\x1a\n"],
    "webp": [b"RIFF\xff\xff\xff\xffWEBP"],
    "avif": [b"\0\0\0\x0cftypavif", b"\0\0\0\x0cftypavif\0\0\0\0moov\0\0\0\0trak"],
}
CASES = [(kind, head) for kind, heads in HEADS.items() for head in (*heads, b"")]
WORDS = st.sampled_from(
    [
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\x08\0\0\0",
        b"acTL",
        b"ANMF",
        b"IDAT",
        b"\x2c",
        b"\x21\xf9",
        b"moov",
        b"trak",
        b"stsz",
    ]
)


@pytest.mark.parametrize(("kind", "head"), CASES)
@given(tail=st.lists(WORDS | st.binary(max_size=6), max_size=40).map(b"".join))
def test_random_bytes_are_counted_without_a_fault(kind, head, tail) -> None:
    assert count_pages(memoryview(head + tail), kind) >= 1


@given(data=st.binary(max_size=200))
def test_a_format_without_pages_has_one(data) -> None:
    assert count_pages(memoryview(data), "jpeg") == count_pages(memoryview(data), "") == 1


HOSTILE = {
    "sub-blocks of one byte": ("gif", HEADS["gif"][0] + b"\x21\xff" + b"\x01\0" * 4_000_000),
    "images of nothing": ("gif", HEADS["gif"][0] + (b"\x2c" + bytes(11)) * 500_000),
    "empty chunks of PNG": ("png", HEADS["png"][0] + (b"\0\0\0\0aaaa" + bytes(4)) * 500_000),
    "empty chunks of WebP": ("webp", HEADS["webp"][0] + b"ANMF\0\0\0\0" * 800_000),
    "a box within a box": ("avif", b"".join(struct.pack(">I4s", 8 * (9000 - i), b"moov") for i in range(9000))),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_files_made_to_take_for_ever_do_not(case) -> None:
    kind, data = HOSTILE[case]
    start = time.process_time()
    assert count_pages(memoryview(data), kind) >= 1
    assert time.process_time() - start < 10
