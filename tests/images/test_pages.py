"""How many pages: as other programs wrote them, and of files made to break the count."""

from __future__ import annotations

import io
import struct
import time

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.images.decoding import decode
from imgconv.images.pages import count_pages


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


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_pages_written_by_tifffile(bigtiff, byteorder, count) -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=bigtiff, byteorder=byteorder) as writer:
        for page in range(count):
            writer.write(np.full((4, 5), page + 1, np.uint8), metadata=None, contiguous=False)
    image = decode(file.getvalue())
    assert image.pages == count
    assert np.all(image.pixels == 1)


def test_a_still_image_is_one_page(photographs) -> None:
    for name in ("camera.png", "retina.jpg"):
        assert decode((photographs / name).read_bytes()).pages == 1


HEADS = {
    "tiff": [b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"],
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


def overlapping_directories() -> bytes:
    """Return 640 KB of TIFF whose 65,000 directories lie on top of each other, of 30,000 entries each."""
    entries, directories = 30_000, 65_000
    data = bytearray(struct.pack("<2sHI", b"II", 42, 8)) + struct.pack("<HH", entries, 0) * directories
    data += bytes(max(0, 8 + 2 + 12 * entries + 4 * directories + 8 - len(data)))
    for i in range(directories):
        struct.pack_into("<I", data, 8 + 4 * i + 2 + 12 * entries, 8 + 4 * (i + 1))
    return bytes(data)


HOSTILE = {
    "a directory that follows itself": ("tiff", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"),
    "directories on top of each other": ("tiff", overlapping_directories()),
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
