"""Stills of simple formats that OpenCV reads wrong: made from the specifications, and as Pillow reads them."""

from __future__ import annotations

import struct
from itertools import pairwise

import cv2
import numpy as np
import pytest

from imgconv.errors import ReadError
from tests.images.codecs.pictures import (
    COLOURS,
    COLUMNS,
    GREY,
    NUMBERS,
    ROWS,
    assert_same,
    by_pillow,
    packed,
    read,
    red_first,
    still,
)

# BMP


def bmp(header: bytes, table: bytes, rows: list[bytes]) -> bytes:
    body, start = b"".join(row + bytes(-len(row) % 4) for row in rows[::-1]), 14 + len(header) + len(table)
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + header + table + body


def bmp_header(bits: int, masks: tuple[int, ...] = (), size: int = 40) -> bytes:
    fields = struct.pack("<IiiHHIIiiII", size, COLUMNS, ROWS, 1, bits, 3 if masks else 0, 0, 0, 0, 0, 0)
    return (fields + struct.pack(f"<{len(masks)}I", *masks)).ljust(size, b"\0")


def spread(values: np.ndarray, masks: tuple[int, ...]) -> np.ndarray:
    shifts = [(mask & -mask).bit_length() - 1 for mask in masks]
    planes = [((values & m) >> s) * 255 / (m >> s) for m, s in zip(masks, shifts, strict=True)]
    return np.rint(np.dstack(planes)).astype(np.uint8)


@pytest.mark.parametrize("bits", [1, 4, 8, 24])
def test_a_bmp_of_os_2_has_its_colours(bits) -> None:
    table, numbers = NUMBERS.integers(0, 256, (1 << min(bits, 8), 3), np.uint8), GREY.astype(int) % (1 << min(bits, 8))
    header = struct.pack("<IHHHH", 12, COLUMNS, ROWS, 1, bits)
    if bits == 24:
        data, expected = bmp(header, b"", [row[:, ::-1].tobytes() for row in COLOURS]), COLOURS
    else:
        data, expected = bmp(header, table[:, ::-1].tobytes(), [packed(row, bits) for row in numbers]), table[numbers]
    assert_same(read(data), expected)
    assert still(data).coding.bits == (bits if bits < 8 else None)


def test_greys_in_the_table_of_a_bmp_of_os_2_are_grey() -> None:
    table = np.repeat(NUMBERS.integers(0, 256, (16, 1), np.uint8), 3, axis=1)
    data = bmp(struct.pack("<IHHHH", 12, COLUMNS, ROWS, 1, 4), table.tobytes(), [packed(row, 4) for row in GREY % 16])
    assert_same(read(data), table[GREY % 16, 0])


FIFTEEN, SIXTEEN = (0x7C00, 0x3E0, 0x1F), (0xF800, 0x7E0, 0x1F)


@pytest.mark.parametrize(("named", "masks"), [((), FIFTEEN), (FIFTEEN, FIFTEEN), (SIXTEEN, SIXTEEN)])
def test_a_bmp_of_16_bits_reaches_white(named, masks) -> None:
    values = NUMBERS.integers(0, 1 << 16, (ROWS, COLUMNS)).astype("<u2")
    values[2, 3] = 0x7FFF if masks is FIFTEEN else 0xFFFF
    found = read(bmp(bmp_header(16, named), b"", [row.tobytes() for row in values]))
    assert_same(found, spread(values.astype(np.int64), masks), tolerance=1)
    assert found[2, 3].tolist() == [255, 255, 255]


BGR = (0xFF0000, 0xFF00, 0xFF)


@pytest.mark.parametrize("size", [40, 108])
@pytest.mark.parametrize("alpha", [0, 0xFF000000])
def test_alpha_of_a_bmp_is_what_it_says(size, alpha) -> None:
    values = NUMBERS.integers(0, 1 << 32, (ROWS, COLUMNS), np.uint32).astype("<u4")
    if size == 40:
        header, masks = bmp_header(32, BGR), BGR
    else:
        header, masks = bmp_header(32, (*BGR, alpha), size), (*BGR, alpha) if alpha else BGR
    assert_same(read(bmp(header, b"", [row.tobytes() for row in values])), spread(values.astype(np.int64), masks))


def test_a_usual_bmp_is_left_to_opencv() -> None:
    assert still(bmp(bmp_header(24), b"", [row[:, ::-1].tobytes() for row in COLOURS])) is None


def test_a_bmp_of_other_bits_is_refused() -> None:
    with pytest.raises(ReadError, match=r"x\.pic: a BMP of 16 bits a pixel that is damaged"):
        still(bmp(bmp_header(16, (0xF00, 0xF0, 0xF), 52), b"", [bytes(2 * COLUMNS)] * ROWS))


# Sun raster


def runs(data: bytes) -> bytes:
    out, at = b"", 0
    for end in [i for i, (a, b) in enumerate(pairwise(data), 1) if a != b] + [len(data)]:
        count, value = end - at, data[at : at + 1]
        single = b"\x80\0" if value == b"\x80" else value
        out += single * count if count < 3 else bytes([0x80, count - 1]) + value
        at = end
    return out


def sun(bits: int, kind: int, rows: list[bytes], table: bytes = b"", columns: int = COLUMNS) -> bytes:
    body = b"".join(row + bytes(len(row) % 2) for row in rows)
    body = runs(body) if kind == 2 else body
    return struct.pack(">8I", 0x59A66A95, columns, len(rows), bits, len(body), kind, bool(table), len(table)) + table + body


FLAT = np.repeat(COLOURS[:, :1], COLUMNS, axis=1)
FLAT[1, 2] = 0x80


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_grey_of_a_sun_raster(kind) -> None:
    assert_same(read(sun(8, kind, [row.tobytes() for row in FLAT[:, :, 0]])), FLAT[:, :, 0])


@pytest.mark.parametrize("kind", [0, 1, 3])
def test_black_and_white_of_a_sun_raster(kind) -> None:
    data = sun(1, kind, [packed(row, 1) for row in GREY > 127])
    assert_same(read(data), np.where(GREY > 127, np.uint8(0), np.uint8(255)))
    assert_same(read(data), by_pillow(data))


def test_colours_of_a_sun_raster() -> None:
    assert_same(read(sun(24, 2, [row[:, ::-1].tobytes() for row in FLAT])), FLAT)
    assert_same(read(sun(24, 3, [row.tobytes() for row in COLOURS])), COLOURS)
    padded = np.dstack([GREY, COLOURS])
    assert_same(read(sun(32, 3, [row.tobytes() for row in padded])), COLOURS)
    table = NUMBERS.integers(0, 256, (3, 256), np.uint8)
    assert_same(read(sun(8, 3, [row.tobytes() for row in GREY], table.tobytes())), np.moveaxis(table[:, GREY], 0, -1))


def test_a_sun_raster_that_opencv_reads_is_left_to_it() -> None:
    for data in (sun(24, 1, [r[:, ::-1].tobytes() for r in COLOURS]), sun(8, 1, [r.tobytes() for r in GREY], bytes(range(48)))):
        assert still(data) is None
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None


def test_runs_of_a_sun_raster_with_an_odd_row_are_refused() -> None:
    with pytest.raises(ReadError, match="a Sun raster of runs, of 8 bits a pixel and 7 columns, cannot be read"):
        still(sun(8, 2, [row[:7].tobytes() for row in GREY], columns=7))


# Radiance HDR, PFM, PAM

#: How the stored pixels lie, (first axis, second axis), and how to get them from a picture with x to the right and y down.
TURNS = {
    ("-Y", "+X"): lambda p: p,
    ("-Y", "-X"): lambda p: p[:, ::-1],
    ("+Y", "+X"): lambda p: p[::-1],
    ("+Y", "-X"): lambda p: p[::-1, ::-1],
    ("+X", "-Y"): lambda p: p.swapaxes(0, 1),
    ("+X", "+Y"): lambda p: p[::-1].swapaxes(0, 1),
    ("-X", "-Y"): lambda p: p[:, ::-1].swapaxes(0, 1),
    ("-X", "+Y"): lambda p: p[::-1, ::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("axes", TURNS)
@pytest.mark.parametrize("exposure", ["", "EXPOSURE=2.0\n"])
def test_a_radiance_hdr_begins_in_any_corner(axes, exposure) -> None:
    light = np.dstack([COLOURS, np.full((ROWS, COLUMNS), 130, np.uint8)])
    stored = TURNS[axes](light)
    size = f"{axes[0]} {stored.shape[0]} {axes[1]} {stored.shape[1]}\n"
    data = f"#?RADIANCE\n{exposure}FORMAT=32-bit_rle_rgbe\n\n{size}".encode() + stored.tobytes()
    expected = (COLOURS * np.float32(2.0 ** (130 - 136))).astype(np.float32)
    found = still(data)
    if axes == ("-Y", "+X"):
        assert found is None
    else:
        assert np.array_equal(red_first(found.pixels), expected)
        assert found.pixels.dtype == np.float32


@pytest.mark.parametrize("scale", ["-2.5", "4", "+0.5", "-1e-2"])
@pytest.mark.parametrize("kind", ["Pf", "PF"])
def test_the_scale_of_a_pfm_leaves_the_values(kind, scale) -> None:
    values = NUMBERS.normal(size=(ROWS, COLUMNS, 3)[: 2 + (kind == "PF")]).astype(np.float32)
    order = "<f4" if scale.startswith("-") else ">f4"
    data = f"{kind}\n{COLUMNS} {ROWS}\n{scale}\n".encode() + values[::-1].astype(order).tobytes()
    assert np.array_equal(read(data), values)
    if kind == "Pf":
        assert np.array_equal(by_pillow(data), values)


@pytest.mark.parametrize("scale", ["-1.0", "1", "-1", "1.2.3", ".", "-e5"])
def test_a_usual_pfm_and_one_that_is_none_is_left_to_opencv(scale) -> None:
    assert still(f"Pf\n2 1\n{scale}\n".encode() + bytes(8)) is None


TUPLES = {1: "GRAYSCALE", 2: "GRAYSCALE_ALPHA", 3: "RGB", 4: "RGB_ALPHA"}


@pytest.mark.parametrize("greatest", [1, 15, 255, 256, 1023, 65_535])
@pytest.mark.parametrize("channels", TUPLES)
def test_pam(channels, greatest) -> None:
    samples = NUMBERS.integers(0, greatest + 1, (ROWS, COLUMNS, channels))
    samples[0, 0] = greatest
    fields = f"# made here\nWIDTH {COLUMNS}\nHEIGHT {ROWS}\nDEPTH {channels}\nMAXVAL {greatest}\nTUPLTYPE {TUPLES[channels]}\n"
    data = f"P7\n{fields}ENDHDR\n".encode() + samples.astype("u1" if greatest < 256 else ">u2").tobytes()
    full = 255 if greatest < 256 else 65_535
    expected = np.rint(samples * (full / greatest)).astype(np.uint8 if full == 255 else np.uint16)
    assert_same(read(data), expected[:, :, 0] if channels == 1 else expected)
    with pytest.raises(ReadError, match=r"x\.pic: is cut short"):
        still(data[:-1])


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [("WIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255", "5 channels"), ("WIDTH 0\nHEIGHT 1\nDEPTH 1\nMAXVAL 255", "makes no sense")],
)
def test_a_pam_that_cannot_be_kept(fields, complaint) -> None:
    with pytest.raises(ReadError, match=complaint):
        still(f"P7\n{fields}\nENDHDR\n".encode() + bytes(16))
