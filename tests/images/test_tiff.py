"""The directories of TIFF and EXIF: what other programs wrote, and what nobody should have."""

from __future__ import annotations

import io
import struct
import time

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.errors import ReadError
from imgconv.images import tiff
from imgconv.images.decoding import decode
from imgconv.images.image import Image
from imgconv.images.reading import read_image
from imgconv.images.writing import write_image

ORIENTATION = 274


def written(byteorder: str, bigtiff: bool) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, byteorder=byteorder, bigtiff=bigtiff) as writer:
        for page in range(3):
            writer.write(
                np.full((4, 5 + page), page, np.uint16), metadata=None, extratags=[(ORIENTATION, "H", 1, page + 2, True)]
            )
    return file.getvalue()


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_what_tifffile_wrote(byteorder, bigtiff) -> None:
    data = memoryview(written(byteorder, bigtiff))
    layout = tiff.layout_of(data)
    assert layout is not None
    assert (layout.order, layout.big) == (byteorder, bigtiff)
    offsets = list(tiff.directories(data, layout))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert offsets == [page.offset for page in file.pages]
        for offset, page in zip(offsets, file.pages, strict=True):
            entries = tiff.entries(data, layout, offset)
            for tag in (256, 257, 258, 277, ORIENTATION):
                value = page.tags[tag].value
                assert entries[tag].values == (value if isinstance(value, tuple) else (value,))
    assert [tiff.entries(data, layout, offset)[ORIENTATION].values for offset in offsets] == [(2,), (3,), (4,)]


@pytest.mark.parametrize(
    "data", [b"", b"II", b"II*\0", b"XX*\0\x08\0\0\0", b"II*\0\x08\0\0", b"MM*\0\0\0\0\x08", b"II\x2c\0" + bytes(9)]
)
def test_what_is_no_tiff(data) -> None:
    assert tiff.layout_of(memoryview(data)) is None
    assert tiff.with_short(data, ORIENTATION, 6) == data


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("value", [1, 6, 65535])
def test_a_value_that_is_there_is_overwritten_in_place(byteorder, value) -> None:
    data = written(byteorder, False)
    changed = tiff.with_short(data, ORIENTATION, value)
    assert len(changed) == len(data)
    assert sum(a != b for a, b in zip(data, changed, strict=True)) <= 2
    with tifffile.TiffFile(io.BytesIO(changed)) as file:
        assert file.pages[0].tags[ORIENTATION].value == value
        assert file.pages[1].tags[ORIENTATION].value == 3


@pytest.mark.parametrize("tag", [200, 266, 60000])
def test_a_value_that_is_not_there_is_put_in_its_place(tag) -> None:
    data = written("<", False)
    changed = tiff.with_short(data, tag, 7)
    with tifffile.TiffFile(io.BytesIO(changed)) as file:
        assert len(file.pages) == 3
        assert file.pages[0].tags[tag].value == 7
        assert file.pages[0].tags[ORIENTATION].value == 2
        codes = [entry.code for entry in file.pages[0].tags]
        assert codes == sorted(codes)
        assert np.array_equal(file.pages[0].asarray(), np.full((4, 5), 0))


def test_exif_of_pillow() -> None:
    exif = Pillow.Exif()
    exif[ORIENTATION] = 5
    data = memoryview(exif.tobytes()[6:])
    layout = tiff.layout_of(data)
    assert layout is not None
    assert tiff.entries(data, layout, layout.first)[ORIENTATION].values == (5,)


NUMBERS = st.sampled_from([0, 1, 2, 8, 12, 255, 65535, 2**31, 2**32 - 1])


@given(
    st.sampled_from([b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"]),
    st.lists(NUMBERS.map(lambda n: struct.pack("<I", n)) | st.binary(max_size=8), max_size=60).map(b"".join),
    st.integers(0, 2**64),
)
def test_random_bytes_are_read_within_bounds(head, tail, offset) -> None:
    data = memoryview(head + tail)
    layout = tiff.layout_of(data)
    if layout is None:
        assert len(data) < 16
        return
    offsets = list(tiff.directories(data, layout))
    assert len(offsets) == len(set(offsets)) <= len(data)
    for at in (*offsets, offset):
        for entry in tiff.entries(data, layout, at).values():
            assert 0 < len(entry.values) <= 16
            assert 0 <= entry.position < len(data)
    assert isinstance(tiff.with_short(bytes(data), ORIENTATION, 6), bytes)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("compression", [1, 5, 8])
def test_a_tiff_is_compressed_as_the_one_that_it_comes_from(tmp_path, dtype, compression) -> None:
    pixels = (np.random.default_rng(0).random((20, 30, 3)) * 200).astype(dtype)
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="rgb", compression=compression)
    notes = write_image(tmp_path / "out.tif", read_image(tmp_path / "in.tif"))
    assert not notes
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].compression.value == compression
    assert np.array_equal(cv2.imread(str(tmp_path / "out.tif"), cv2.IMREAD_UNCHANGED), pixels[..., ::-1])


def test_a_picture_of_another_format_is_compressed(tmp_path) -> None:
    write_image(tmp_path / "out.tif", Image(np.zeros((20, 30), np.uint8)))
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].compression.value == 5


def overlapping_directories() -> bytes:
    """Return 640 KB of TIFF whose 65,000 directories lie on top of each other, of 30,000 entries each."""
    entries, directories = 30_000, 65_000
    data = bytearray(struct.pack("<2sHI", b"II", 42, 8)) + struct.pack("<HH", entries, 0) * directories
    data += bytes(max(0, 8 + 2 + 12 * entries + 4 * directories + 8 - len(data)))
    for i in range(directories):
        struct.pack_into("<I", data, 8 + 4 * i + 2 + 12 * entries, 8 + 4 * (i + 1))
    return bytes(data)


@pytest.mark.parametrize("data", [b"II*\0\x08\0\0\0\0\0\x08\0\0\0", overlapping_directories()], ids=["circle", "heap"])
def test_directories_made_to_take_for_ever_do_not(data) -> None:
    start = time.process_time()
    with pytest.raises(ReadError):
        decode(data)
    assert time.process_time() - start < 10
