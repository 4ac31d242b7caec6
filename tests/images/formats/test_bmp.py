"""BMP: files built from the specification, partly compared with Pillow."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from imgconv.errors import ReadError
from imgconv.images.files import decode
from tests.images.formats.pictures import COLOURS, COLUMNS, GREY, NUMBERS, ROWS, assert_same, by_pillow, packed, read

BGR_ROWS = [row[:, ::-1].tobytes() for row in COLOURS]


def bmp(header: bytes, table: bytes, rows: list[bytes]) -> bytes:
    body, start = b"".join(row + bytes(-len(row) % 4) for row in rows[::-1]), 14 + len(header) + len(table)
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + header + table + body


def bmp_header(bits: int, masks: tuple[int, ...] = (), size: int = 40, rows: int = ROWS) -> bytes:
    fields = struct.pack("<IiiHHIIiiII", size, COLUMNS, rows, 1, bits, 3 if masks else 0, 0, 0, 0, 0, 0)
    return (fields + struct.pack(f"<{len(masks)}I", *masks)).ljust(size, b"\0")


def scaled_to_8_bits(values: np.ndarray, masks: tuple[int, ...]) -> np.ndarray:
    shifts = [(mask & -mask).bit_length() - 1 for mask in masks]
    planes = [((values & m) >> s) * 255 / (m >> s) for m, s in zip(masks, shifts, strict=True)]
    return np.rint(np.dstack(planes)).astype(np.uint8)


@pytest.mark.parametrize("size", [40, 108, 124])
def test_24_and_32_bits_are_read(size) -> None:
    assert_same(read(bmp(bmp_header(24, size=size), b"", BGR_ROWS)), COLOURS)
    assert_same(read(bmp(bmp_header(24, size=size, rows=-ROWS), b"", BGR_ROWS[::-1])), COLOURS)
    padded = [row.tobytes() for row in np.dstack([COLOURS[:, :, ::-1], GREY])]
    assert_same(read(bmp(bmp_header(32, size=size), b"", padded)), COLOURS)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("os_2", [False, True])
def test_palettes_are_read(bits, grey, os_2) -> None:
    table, numbers = NUMBERS.integers(0, 256, (1 << bits, 3), np.uint8), GREY.astype(int) % (1 << bits)
    table = np.repeat(table[:, :1], 3, axis=1) if grey else table
    header = struct.pack("<IHHHH", 12, COLUMNS, ROWS, 1, bits) if os_2 else bmp_header(bits)
    entries = b"".join(entry[::-1].tobytes() + b"\0" * (not os_2) for entry in table)
    data = bmp(header, entries, [packed(row, bits) for row in numbers])
    assert_same(read(data), table[numbers, 0] if grey else table[numbers])


def test_os_2_headers_are_read() -> None:
    assert_same(read(bmp(struct.pack("<IHHHH", 12, COLUMNS, ROWS, 1, 24), b"", BGR_ROWS)), COLOURS)


FIFTEEN, SIXTEEN = (0x7C00, 0x3E0, 0x1F), (0xF800, 0x7E0, 0x1F)


@pytest.mark.parametrize(("header_masks", "masks"), [((), FIFTEEN), (FIFTEEN, FIFTEEN), (SIXTEEN, SIXTEEN)])
def test_16_bits_are_scaled_to_white(header_masks, masks) -> None:
    values = NUMBERS.integers(0, 1 << 16, (ROWS, COLUMNS)).astype("<u2")
    values[2, 3] = 0x7FFF if masks is FIFTEEN else 0xFFFF
    found = read(bmp(bmp_header(16, header_masks), b"", [row.tobytes() for row in values]))
    assert_same(found, scaled_to_8_bits(values.astype(np.int64), masks), tolerance=1)
    assert found[2, 3].tolist() == [255, 255, 255]


BGR, ALPHA = (0xFF0000, 0xFF00, 0xFF), 0xFF000000


@pytest.mark.parametrize(
    ("size", "masks"),
    [
        (40, BGR),
        (40, (0xFF000000, 0xFF0000, 0xFF00)),
        (52, BGR),
        (56, BGR),
        (56, (*BGR, ALPHA)),
        (108, (*BGR, ALPHA)),
        (108, BGR),
        (108, (0xFF, 0xFF00, 0xFF0000)),
        (108, (0xFF00, 0xFF0000, 0xFF000000, 0xFF)),
        (124, (0xFF, 0xFF00, 0xFF0000, ALPHA)),
        (124, (0x3FF00000, 0xFFC00, 0x3FF)),
    ],
)
def test_32_bit_masks_are_read(size, masks) -> None:
    values = NUMBERS.integers(0, 1 << 32, (ROWS, COLUMNS), np.uint32).astype("<u4")
    data = bmp(bmp_header(32, masks, size), b"", [row.tobytes() for row in values])
    assert_same(read(data), scaled_to_8_bits(values.astype(np.int64), masks), tolerance=0x3FF in masks)
    assert decode(data).has_alpha == (len(masks) == 4)


PALETTE = bytes(range(16)) * 4
RUNS = b"".join(bytes([COLUMNS, n % 16, 0, 0]) for n in range(ROWS)) + b"\0\1"


@pytest.mark.parametrize(("bits", "runs"), [(8, RUNS), (4, RUNS), (8, b"\0\5abcde\0\0\0" * ROWS + b"\0\1")])
def test_run_length_encoding_matches_pillow(bits, runs) -> None:
    header = struct.pack("<IiiHHIIiiII", 40, COLUMNS, ROWS, 1, bits, 1 if bits == 8 else 2, len(runs), 0, 0, 16, 0)
    data = struct.pack("<2sIHHI", b"BM", 118 + len(runs), 0, 0, 118) + header + PALETTE + runs
    assert_same(read(data), by_pillow(data))


def test_unsupported_masks_are_an_error() -> None:
    with pytest.raises(ReadError, match=r"x\.pic: cannot be read \(Unsupported BMP bitfields layout\)"):
        decode(bmp(bmp_header(16, (0xF00, 0xF0, 0xF), 52), b"", [bytes(2 * COLUMNS)] * ROWS), "x.pic")
