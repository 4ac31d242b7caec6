"""Pages of TIFF: which directories are pages, and the pixels and metadata of each."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from imgconv.errors import ReadError
from tests.cases import each
from tests.images.formats.tiff_files import Entries, build, open_pages, page_tags

STACK = np.random.default_rng(0).integers(0, 65_535, (5, 7, 9), np.uint16)


def test_pages_of_different_types_are_read(photo) -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=True) as writer:
        writer.write(photo, photometric="rgb", extratags=[(274, 3, 1, 6, True)], description="first")
        writer.write(photo[:9, :, 0].astype(np.float32), photometric="minisblack", compression="zstd", description="second")
        writer.write(photo[:, :20, 1] > 99, photometric="minisblack")
    pages = open_pages(file.getvalue())
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


def page_of_kind(value: int, tag: int = 254) -> Entries:
    return page_tags(3, 4) | {tag: (4, value)}


SMALL, MASK, OLD_SMALL = page_of_kind(1), page_of_kind(4) | {262: (3, 4)}, page_of_kind(2, 255)
FULL = page_tags(7, 9)


@each("order", "<>")
@each("big", [False, True])
@each(
    "entries, count, shape",
    [
        ([FULL, SMALL, MASK, OLD_SMALL], 1, (7, 9)),
        ([SMALL, FULL, SMALL, page_of_kind(2), page_of_kind(0)], 3, (7, 9)),
        ([MASK, OLD_SMALL, FULL], 1, (7, 9)),
        ([SMALL, MASK], 1, (3, 4)),
    ],
)
def test_reduced_copies_and_masks_are_not_pages(entries, count, shape, order, big) -> None:
    data = build([(found, [bytes(63)]) for found in entries], order, big)
    pages = open_pages(data)
    assert pages.count == count
    assert pages.page(0).pixels.shape == shape
    assert pages.open_page(0).header.shape == shape


def test_a_raw_file_with_a_thumbnail_is_an_error() -> None:
    data = build([(SMALL | {330: (4, [8])}, [bytes(12)])])
    with pytest.raises(ReadError, match="contains only a reduced copy of its picture"):
        open_pages(data)


@pytest.mark.parametrize("order", "<>")
def test_an_imagej_stack_with_one_directory_is_read(order) -> None:
    pixels = STACK.astype(order + "u2").tobytes()
    words = b"ImageJ=1.53t\nimages=5\nslices=5\nunit=micron\nspacing=0.5\nloop=false\n\0"
    entries = page_tags(7, 9, 16, t270=(2, words), t279=(4, 126))
    data = build([(entries, [pixels])], order)
    pages = open_pages(data)
    assert pages.count == 5
    for index in range(5):
        image = pages.page(index)
        assert np.array_equal(image.pixels, STACK[index])
        assert b"spacing=0.5" in image.metadata.exif
        assert b"images" not in image.metadata.exif
        assert b"slices" not in image.metadata.exif
    # A truncated file lacks its last pages. The pixels are moved to a fixed offset behind the directory.
    entries[273] = (4, 600)
    moved = build([(entries, [b""])], order).ljust(600, b"\0") + pixels
    assert open_pages(moved).count == 5
    short = open_pages(moved[: 600 + 3 * 126 + 5])
    assert np.array_equal(short.page(2).pixels, STACK[2])
    with pytest.raises(ReadError, match="page 4: is damaged or truncated"):
        short.page(3)


def test_an_imagej_stack_with_many_directories_is_read() -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, STACK, imagej=True)
    pages = open_pages(file.getvalue())
    assert pages.count == 5
    assert all(np.array_equal(pages.page(index).pixels, STACK[index]) for index in range(5))


def test_a_truncated_chain_keeps_the_complete_pages() -> None:
    data = build([(FULL, [bytes([n]) * 63]) for n in range(3)])
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        last = file.pages[2].offset
    pages = open_pages(data[:last])
    assert pages.count == 3
    assert pages.page(1).pixels[0, 0] == 1
    with pytest.raises(ReadError, match=r"^in.tif: page 3: is damaged or truncated"):
        pages.page(2)


def test_a_circular_chain_ends() -> None:
    data = bytearray(build([(FULL, [bytes(63)]), (FULL, [bytes(63)])]))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        first = file.pages[0].offset
    data[-4:] = first.to_bytes(4, "little")
    assert open_pages(bytes(data)).count == 2


@pytest.mark.parametrize("data", [b"II*\0", b"II*\0\0\0\0\0", b"II*\0\xff\xff\xff\xff", b"MM\0+\0\x08\0\0" + bytes(8)])
def test_a_file_without_pages_is_an_error(data) -> None:
    with pytest.raises(ReadError, match=r"^in\.tif: is damaged or truncated"):
        open_pages(data).page(0)


def test_pages_of_pillow_are_read(photo) -> None:
    frames = [Pillow.fromarray(photo[: 10 + n]) for n in range(4)]
    file = io.BytesIO()
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_lzw")
    pages = open_pages(file.getvalue())
    assert pages.count == 4
    assert all(np.array_equal(pages.page(n).pixels[:, :, ::-1], np.asarray(frames[n])) for n in range(4))
