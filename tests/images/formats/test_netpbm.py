"""PBM, PGM, PPM and PFM: binary files in windows and strips, and plain (text) files."""

from __future__ import annotations

import struct
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imgconv
from imgconv.errors import ReadError
from imgconv.images.file_bytes import FileBytes
from imgconv.images.files import decode
from imgconv.images.formats import registry
from imgconv.images.formats.picture import Picture
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header
from tests.images.formats.pictures import COLUMNS, NUMBERS, ROWS, by_pillow, page, read


def noise(dtype: str, *shape: int) -> np.ndarray:
    """Return random pixels over the range of a type."""
    if dtype == "bool":
        return np.random.default_rng(7).random(shape) < 0.5
    limits = np.iinfo(dtype)
    return np.random.default_rng(7).integers(limits.min, limits.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (7, 5, 3), (1, 1, 3), (2000, 300, 3)])
def test_written_files_equal_those_of_opencv(file_with, dtype, shape) -> None:
    pixels = noise(dtype, *shape)
    data = file_with("pnm", Metadata(), pixels)
    assert data == cv2.imencode(".pnm", pixels)[1].tobytes()
    assert np.array_equal(decode(data).pixels, pixels)
    assert np.array_equal(decode(file_with("pnm", Metadata(), pixels[::2, ::3])).pixels, pixels[::2, ::3])
    assert np.array_equal(by_pillow(data) if len(shape) == 2 else pixels, pixels)


@pytest.mark.parametrize("shape", [(1, 1), (7, 8), (7, 13)])
def test_bitmaps_match_pillow(file_with, shape) -> None:
    pixels = noise("bool", *shape)
    data = file_with("pbm", Metadata(), pixels)
    assert np.array_equal(read(data), pixels * np.uint8(255))
    assert np.array_equal(read(data), by_pillow(data))
    assert decode(data).coding == Coding(bits=1)


@pytest.mark.parametrize(("dtype", "shape"), [("uint8", (50, 9, 3)), ("uint16", (50, 9)), ("bool", (50, 9))])
@pytest.mark.parametrize("heights", [(50,), (1,) * 50, (7, 40, 3)])
def test_strips_of_any_height_give_the_same_file(file_with, dtype, shape, heights) -> None:
    pixels = noise(dtype, *shape)
    strips = iter(np.split(pixels, np.cumsum(heights)[:-1]))
    picture = Picture(Header.of(*shape[:2], *(shape[2:] or (1,)), dtype), strips)
    pieces = registry.format_named("pnm").encode(picture, Coding(), "out")
    assert b"".join(map(bytes, pieces)) == file_with("pnm", Metadata(), pixels)


CASES = {
    "ppm": noise("uint8", 300, 900, 3),
    "ppm of 16 bits": noise("uint16", 300, 900, 3),
    "pgm": noise("uint8", 300, 900),
    "pbm": noise("bool", 300, 901),
    "pfm": noise("uint8", 300, 300, 3).astype(np.float32),
}
WINDOWS = [
    np.s_[:, :],
    np.s_[7:9, 3:4],
    np.s_[290:, :-1],
    np.s_[-3:-1, ::5],
    np.s_[5:200:7, ::-1],
    np.s_[::-1, :],
    np.s_[4:4, :],
]


@pytest.mark.parametrize("kind", CASES)
def test_windows_read_only_their_rows(file_with, kind, monkeypatch) -> None:
    data = file_with(kind[:3], Metadata(), CASES[kind])
    expected, found = decode(data).pixels, page(data)
    counts: list[int] = []
    original = FileBytes.block
    monkeypatch.setattr(FileBytes, "block", lambda self, start, count: counts.append(count) or original(self, start, count))
    for window in WINDOWS:
        counts.clear()
        pixels = found.read(*window)
        assert np.array_equal(pixels, expected[window])
        assert pixels.dtype == expected.dtype
        rows = range(300)[window[0]]
        row_count = max(rows) - min(rows) + 1 if rows else 0
        assert sum(counts) <= row_count * len(data) / 300 + 1


def test_a_window_of_a_large_file_is_read(tmp_path) -> None:
    path, side = tmp_path / "in.pgm", 30_000
    with open(path, "wb") as file:
        file.write(b"P5 30000 30000 255\n")
        file.seek(19 + 29_999 * side)
        file.write(bytes([7]) * side)  # the file is sparse
    found = imgconv.open_image(path).open_page(0)
    assert found.read(slice(29_998, None), slice(2, 5)).tolist() == [[0, 0, 0], [7, 7, 7]]


def test_whitespace_and_comments_in_the_header() -> None:
    data = b"P5 # a comment\n# another\r\t3\n\n2 #x\n255\n" + bytes(range(6))
    assert read(data).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("greatest", "stored", "expected"),
    [
        (255, [0, 7, 255], [0, 7, 255]),
        (15, [0, 7, 15], [0, 119, 255]),
        (1, [0, 1, 1], [0, 255, 255]),
        (1023, [0, 511, 1023], [0, 32735, 65535]),
        (4095, [0, 1, 4095], [0, 16, 65535]),
        (15, [200, 16, 15], [255, 255, 255]),
    ],
)
def test_levels_are_scaled_to_white(greatest, stored, expected) -> None:
    data = b"P5 3 1 %d\n" % greatest + struct.pack("3B" if greatest < 256 else ">3H", *stored)
    assert read(data).tolist() == [expected]
    assert page(data).read(slice(None), slice(1, None)).tolist() == [expected[1:]]
    if max(stored) <= greatest:
        assert read(b"P2 3 1 %d\n%d %d %d\n" % (greatest, *stored)).tolist() == [expected]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P1\n3 2\n1 0 1 0 1 0\n", [[0, 255, 0], [255, 0, 255]]),
        (b"P2\n#x\n2 1\n255\n7\n200\n", [[7, 200]]),
        (b"P3 1 2 255 1 2 3 4 5 6\n", [[[1, 2, 3]], [[4, 5, 6]]]),
    ],
)
def test_plain_files_are_read(data, expected) -> None:
    assert read(data).tolist() == expected
    assert np.array_equal(page(data).read(slice(0, 1)), decode(data).pixels[:1])


@pytest.mark.parametrize(
    "data",
    [b"P5 3 3 0\n", b"P5 3 3 65536\n", b"P5 -3 3 255\n", b"P5", b"P5 3 3", b"P5 0 3 255\n", b"P5 3 0 255\n", b"P4 0 2\n"],
)
def test_invalid_headers_are_an_error(data) -> None:
    with pytest.raises(ReadError, match=r"in\.pgm: .*damaged"):
        decode(data, "in.pgm")


@pytest.mark.parametrize(
    "data",
    [b"P6 2 2 255\n" + bytes(11), b"P4 9 2\n" + bytes(3), b"P2 2 1 255\n7", b"Pf 2 2 -1\n" + bytes(15),
     b"P5 2000000000 2000000000 65535\n" + bytes(99)],
)  # fmt: skip
def test_truncated_data_is_an_error(data) -> None:
    with pytest.raises(ReadError, match=r"x\.pic: "):
        decode(data, "x.pic", sys.maxsize)
    with pytest.raises(ReadError, match=r"x\.pic: "):
        page(data).read(slice(0, 1))


@pytest.mark.parametrize("scale", ["-2.5", "4", "+0.5", "-1e-2", "-1.0", "1"])
@pytest.mark.parametrize("kind", ["Pf", "PF"])
def test_the_scale_of_a_pfm_does_not_change_the_values(kind, scale) -> None:
    values = NUMBERS.normal(size=(ROWS, COLUMNS, 3)[: 2 + (kind == "PF")]).astype(np.float32)
    order = "<f4" if scale.startswith("-") else ">f4"
    data = f"{kind}\n{COLUMNS} {ROWS}\n{scale}\n".encode() + values[::-1].astype(order).tobytes()
    assert np.array_equal(read(data), values)
    if kind == "Pf":
        assert np.array_equal(by_pillow(data), values)


@pytest.mark.parametrize("scale", ["1.2.3", ".", "-e5"])
def test_an_invalid_scale_is_an_error(scale) -> None:
    with pytest.raises(ReadError, match="recognized as PFM"):
        decode(f"Pf\n2 1\n{scale}\n".encode() + bytes(8))


@given(
    st.binary(max_size=60).map(lambda b: b"P6 " + b)
    | st.from_regex(rb"\AP[1-6fF]\s\d{1,2}\s\d{1,2}\s\d{1,5}\s[\x00-\xff]{0,40}")
)
def test_random_bytes_give_an_image_or_a_read_error(data) -> None:
    try:
        image: Image | None = decode(data, "x")
    except ReadError:
        image = None
    assert image is None or image.pixels.shape == page(data).header.shape
