"""Sun raster, as far as Pillow decodes it correctly, and PAM, which is not supported."""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np
import pytest

import imgconv
from imgconv.errors import ReadError, WriteError
from imgconv.images.files import decode
from tests.images.formats.pictures import COLOURS, COLUMNS, GREY, NUMBERS, assert_same, by_pillow, packed, read


def run_length_encoded(data: bytes) -> bytes:
    encoded, at = b"", 0
    for end in [i for i, (a, b) in enumerate(pairwise(data), 1) if a != b] + [len(data)]:
        count, value = end - at, data[at : at + 1]
        single = b"\x80\0" if value == b"\x80" else value
        encoded += single * count if count < 3 else bytes([0x80, count - 1]) + value
        at = end
    return encoded


def sun(bits: int, kind: int, rows: list[bytes], table: bytes = b"", columns: int = COLUMNS) -> bytes:
    body = b"".join(row + bytes(len(row) % 2) for row in rows)
    body = run_length_encoded(body) if kind == 2 else body
    return struct.pack(">8I", 0x59A66A95, columns, len(rows), bits, len(body), kind, bool(table), len(table)) + table + body


FLAT = np.repeat(COLOURS[:, :1], COLUMNS, axis=1)
FLAT[1, 2] = 0x80


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_grey_is_read(kind) -> None:
    assert_same(read(sun(8, kind, [row.tobytes() for row in FLAT[:, :, 0]])), FLAT[:, :, 0])


@pytest.mark.parametrize("kind", [0, 1, 3])
def test_black_and_white_is_read(kind) -> None:
    data = sun(1, kind, [packed(row, 1) for row in GREY > 127])
    assert_same(read(data), np.where(GREY > 127, np.uint8(0), np.uint8(255)))
    assert_same(read(data), by_pillow(data))


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_colour_is_read(kind) -> None:
    rows = FLAT if kind == 3 else FLAT[:, :, ::-1]
    assert_same(read(sun(24, kind, [row.tobytes() for row in rows])), FLAT)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("entries", [256, 100])
def test_palettes_are_read(entries, grey) -> None:
    table = NUMBERS.integers(0, 256, (3, entries), np.uint8)
    table[1:] = table[0] if grey else table[1:]
    numbers = np.minimum(GREY, entries - 1).astype(np.uint8)
    found = read(sun(8, 1, [row.tobytes() for row in numbers], table.tobytes()))
    expected = np.moveaxis(table[:, numbers], 0, -1)
    assert_same(found, expected[:, :, 0] if grey else expected)


@pytest.mark.parametrize(
    "data",
    [
        sun(8, 2, [row[:7].tobytes() for row in GREY], columns=7),  # run-length encoded rows with a padding byte
        sun(32, 1, [bytes(4 * COLUMNS)] * 3),
        sun(32, 3, [bytes(4 * COLUMNS)] * 3),
        sun(1, 1, [packed(row, 1) for row in GREY > 127], bytes(6)),
        sun(8, 4, [row.tobytes() for row in GREY]),
    ],
)
def test_files_that_pillow_misreads_are_an_error(data) -> None:
    with pytest.raises(ReadError, match=r"x\.pic: a Sun raster of this kind \(\d+ bits per pixel\) .*; convert it to PNG"):
        decode(data, "x.pic")


def test_a_truncated_file_is_an_error() -> None:
    data = sun(24, 1, [row.tobytes() for row in COLOURS])
    for end in (5, 31, 40, len(data) - 1):
        with pytest.raises(ReadError, match=r"x\.pic: "):
            decode(data[:end], "x.pic")


def test_pam_is_an_error_with_a_remedy() -> None:
    with pytest.raises(ReadError, match=r"x\.pam: is PAM, which is not supported; convert it to PPM or PNG"):
        decode(b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n\0", "x.pam")


@pytest.mark.parametrize("extension", [".ras", ".sr", ".pam"])
def test_writing_sun_raster_and_pam_is_an_error(tmp_path, extension) -> None:
    with pytest.raises(WriteError, match=f"unknown extension {extension}"):
        imgconv.write_image(tmp_path / f"out{extension}", COLOURS)
