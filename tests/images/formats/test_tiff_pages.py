"""Pages of TIFF: which directories are pages; each has pixels and metadata of its own."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from imgconv.errors import ReadError
from tests.cases import each
from tests.images.formats.tiff_files import Entries, described, made, opened

STACK = np.random.default_rng(0).integers(0, 65_535, (5, 7, 9), np.uint16)


def test_pages_of_different_kinds(photo) -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=True) as writer:
        writer.write(photo, photometric="rgb", extratags=[(274, 3, 1, 6, True)], description="first")
        writer.write(photo[:9, :, 0].astype(np.float32), photometric="minisblack", compression="zstd", description="second")
        writer.write(photo[:, :20, 1] > 99, photometric="minisblack")
    pages = opened(file.getvalue())
    assert pages.count == 3
    assert pages.timing is None
    first, second, third = (pages.page(index) for index in (0, 1, 2))
    assert np.array_equal(first.pixels[:, :, ::-1], photo)
    assert (first.metadata.orientation, second.metadata.orientation) == (6, 1)
    assert b"first" in first.metadata.exif
    assert b"second" in second.metadata.exif
    assert b"first" not in second.metadata.exif
    assert second.coding.compression == "zstd"
    assert np.array_equal(second.pixels, photo[:9, :, 0])
    assert third.coding.bits == 1
    assert np.array_equal(third.pixels > 0, photo[:, :20, 1] > 99)
    assert {first.pages, second.pages, third.pages} == {3}


def kind(value: int, tag: int = 254) -> Entries:
    return described(3, 4) | {tag: (4, value)}


SMALL, MASK, OLD_SMALL = kind(1), kind(4) | {262: (3, 4)}, kind(2, 255)
WHOLE = described(7, 9)


@each("order", "<>")
@each("big", [False, True])
@each(
    "entries, count, shape",
    [
        ([WHOLE, SMALL, MASK, OLD_SMALL], 1, (7, 9)),
        ([SMALL, WHOLE, SMALL, kind(2), kind(0)], 3, (7, 9)),
        ([MASK, OLD_SMALL, WHOLE], 1, (7, 9)),
        ([SMALL, MASK], 1, (3, 4)),
    ],
)
def test_smaller_copies_and_masks_are_not_pages(entries, count, shape, order, big) -> None:
    data = made([(found, [bytes(63)]) for found in entries], order, big)
    pages = opened(data)
    assert pages.count == count
    assert pages.page(0).pixels.shape == shape
    assert pages.open_page(0).header.shape == shape


def test_a_raw_file_is_not_mistaken_for_its_thumbnail() -> None:
    data = made([(SMALL | {330: (4, [8])}, [bytes(12)])])
    with pytest.raises(ReadError, match="contains only a reduced copy of its picture"):
        opened(data)


@pytest.mark.parametrize("order", "<>")
def test_what_imagej_writes_behind_one_directory(order) -> None:
    pixels = STACK.astype(order + "u2").tobytes()
    words = b"ImageJ=1.53t\nimages=5\nslices=5\nunit=micron\nspacing=0.5\nloop=false\n\0"
    entries = described(7, 9, 16, t270=(2, words), t279=(4, 126))
    data = made([(entries, [pixels])], order)
    pages = opened(data)
    assert pages.count == 5
    for index in range(5):
        image = pages.page(index)
        assert np.array_equal(image.pixels, STACK[index])
        assert b"spacing=0.5" in image.metadata.exif
        assert b"images" not in image.metadata.exif
        assert b"slices" not in image.metadata.exif
    # What is cut short is missed. Before the pixels there is nothing but the directory's place, 8 bytes.
    entries[273] = (4, 600)
    moved = made([(entries, [b""])], order).ljust(600, b"\0") + pixels
    assert opened(moved).count == 5
    short = opened(moved[: 600 + 3 * 126 + 5])
    assert np.array_equal(short.page(2).pixels, STACK[2])
    with pytest.raises(ReadError, match="page 4: is damaged or truncated"):
        short.page(3)


def test_an_imagej_file_with_a_directory_for_each_page() -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, STACK, imagej=True)
    pages = opened(file.getvalue())
    assert pages.count == 5
    assert all(np.array_equal(pages.page(index).pixels, STACK[index]) for index in range(5))


def test_the_end_of_a_chain_that_was_cut_off_is_missed() -> None:
    data = made([(WHOLE, [bytes([n]) * 63]) for n in range(3)])
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        last = file.pages[2].offset
    pages = opened(data[:last])
    assert pages.count == 3
    assert pages.page(1).pixels[0, 0] == 1
    with pytest.raises(ReadError, match=r"^in.tif: page 3: is damaged or truncated"):
        pages.page(2)


def test_a_chain_in_a_circle_ends() -> None:
    data = bytearray(made([(WHOLE, [bytes(63)]), (WHOLE, [bytes(63)])]))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        first = file.pages[0].offset
    data[-4:] = first.to_bytes(4, "little")
    assert opened(bytes(data)).count == 2


@pytest.mark.parametrize("data", [b"II*\0", b"II*\0\0\0\0\0", b"II*\0\xff\xff\xff\xff", b"MM\0+\0\x08\0\0" + bytes(8)])
def test_a_file_without_a_page(data) -> None:
    with pytest.raises(ReadError, match=r"^in\.tif: is damaged or truncated"):
        opened(data).page(0)


def test_the_pages_of_pillow(photo) -> None:
    frames = [Pillow.fromarray(photo[: 10 + n]) for n in range(4)]
    file = io.BytesIO()
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_lzw")
    pages = opened(file.getvalue())
    assert pages.count == 4
    assert all(np.array_equal(pages.page(n).pixels[:, :, ::-1], np.asarray(frames[n])) for n in range(4))
