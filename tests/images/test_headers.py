"""`read_header` agrees with the pixels of `read_image`, reads little, and survives damaged files."""

from __future__ import annotations

import functools
import io
import os
import struct
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgconv.errors import ReadError
from imgconv.images.file_bytes import FileBytes
from imgconv.images.files import read_header, read_image
from imgconv.images.formats.registry import all_formats
from imgconv.images.pages import Header
from tests.cases import each
from tests.images.header_files import CASES, HDR, tiff

MOST_READ = 1 << 16


@functools.cache
def content(name: str) -> bytes:
    return CASES[name]()


def header_or_error(path) -> Header | ReadError:
    """Return the header of a file, or the error, whose message must be one line that names the file."""
    try:
        found = read_header(path)
    except ReadError as error:
        return one_line(error, path)
    assert len(found.shape) in (2, 3)
    assert all(side > 0 for side in found.shape)
    return found


def one_line(error: ReadError, path) -> ReadError:
    assert str(error).startswith(f"{path}: ")
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 400
    return error


def assert_same(path) -> None:
    header, image = read_header(path), read_image(path)
    assert header.colour_shape == image.colour.shape
    assert header.dtype == image.pixels.dtype
    assert header.dtype.isnative
    assert header.shape == image.pixels.shape
    assert (header.has_alpha, header.colours) == (image.has_alpha, image.colours)


@pytest.fixture
def bytes_read(monkeypatch):
    """Return a function that returns the number of bytes read from files since its last call."""
    counts: list[int] = []
    original = FileBytes._read_into
    monkeypatch.setattr(
        FileBytes, "_read_into", lambda self, content, start: counts.append(len(content)) or original(self, content, start)
    )

    def read() -> int:
        total = sum(counts)
        counts.clear()
        return total

    return read


# Agreement with the pixels


@each("name", CASES)
def test_the_header_agrees_with_the_pixels(name, tmp_path, bytes_read) -> None:
    (tmp_path / "in").write_bytes(content(name))
    bytes_read()  # reset the count
    read_header(tmp_path / "in")
    assert 0 < bytes_read() <= 2 * MOST_READ
    assert_same(tmp_path / "in")


def test_headers_of_real_files_agree_with_the_pixels(photographs) -> None:
    paths = [p for p in photographs.iterdir() if p.suffix in (".png", ".jpg", ".gif", ".tif")]
    readable = [p for p in paths if p.name != "multipage_rgb.tif"]  # separate planes
    assert len(readable) > 25
    for path in readable:
        assert_same(path)


@pytest.mark.parametrize(
    ("shape", "colour"), [((7, 5), (7, 5)), ((7, 5, 2), (7, 5, 1)), ((7, 5, 3), (7, 5, 3)), ((7, 5, 4), (7, 5, 3))]
)
def test_colour_shape_excludes_alpha(shape, colour) -> None:
    assert Header.of(*shape, *(() if len(shape) > 2 else (1,)), "uint8").colour_shape == colour


@pytest.mark.parametrize(
    "make",
    [
        *(tiff(np.ones((7, 5), dtype), "minisblack") for dtype in ("uint64", "int64", "complex64")),
        lambda: HDR.replace(b"-Y 2 +X 3", b"-Y 2 +Y 3"),
        lambda: HDR.replace(b"-Y 2 +X 3", b"+Y 2 +X 3"),
        lambda: b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n\0",
    ],
)
def test_unreadable_pixels_are_also_an_error_of_read_header(make, tmp_path) -> None:
    (tmp_path / "in").write_bytes(make())
    for read in (read_image, read_header):
        with pytest.raises(ReadError):
            read(tmp_path / "in")


# Damaged files


@each("name", CASES)
def test_a_truncated_file_gives_a_header_or_an_error(name, tmp_path) -> None:
    path = tmp_path / "in"
    path.write_bytes(content(name))
    for size in (*range(min(200, len(content(name)) - 1), 64, -2), *range(min(64, len(content(name)) - 1), -1, -1)):
        os.truncate(path, size)
        found = header_or_error(path)
        assert size > 6 or isinstance(found, ReadError)


@settings(deadline=None)  # the first use of a case generates its file
@given(st.data(), st.sampled_from(sorted(CASES)))
def test_a_file_with_flipped_bits_gives_a_header_or_an_error(tmp_path_factory, data, name) -> None:
    changed = bytearray(content(name))
    for position in data.draw(st.lists(st.integers(0, min(len(changed), 700) - 1), min_size=1, max_size=8)):
        changed[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "flipped"
    path.write_bytes(changed)
    header_or_error(path)


STARTS = [b"RIFF\0\0\0\0WEBP", b"\0\0\0\x10ftypavif", *(start for f in all_formats() for start in f.signatures)]


@given(st.sampled_from(STARTS), st.integers(1, 12), st.binary(max_size=300))
def test_random_bytes_after_a_signature_give_a_header_or_an_error(tmp_path_factory, start, kept, more) -> None:
    path = tmp_path_factory.getbasetemp() / "random"
    path.write_bytes(start[:kept] + more)
    header_or_error(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"hello, world\n" * 9, "is not an image in a supported format"),
        (b"<svg></svg>", "is not an image"),
        (content("jpeg RGB")[:100], "recognized as JPEG"),
        (b"P6 0 0 255\n", "is damaged: its header gives 0 x 0 pixels"),
        (b"Pf\n9999999999 1\n-1.0\n" + bytes(8), "its header gives 1 x 9999999999 pixels"),
        (b"P7\n", "is PAM, which is not supported; convert it to PPM or PNG"),
    ],
)  # fmt: skip
def test_the_error_names_the_problem(data, words, tmp_path) -> None:
    (tmp_path / "in").write_bytes(data)
    error = header_or_error(tmp_path / "in")
    assert isinstance(error, ReadError)
    assert words in str(error)


@pytest.mark.parametrize(
    ("name", "words"),
    [("nowhere.png", "no such file"), ("folder", "is a folder"), ("file/in.png", "not a folder"), ("a\0b.png", r"a\\x00b\.png"),
     ("two\nlines.png", r"two\\nlines\.png: no such file"), ("x" * 300, "too long")],
)  # fmt: skip
def test_a_missing_or_invalid_path_is_a_read_error(tmp_path, name, words) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ReadError, match=words) as caught:
        read_header(f"{tmp_path}/{name}")
    assert len(str(caught.value).splitlines()) == 1


# Large files, and small files that claim large sizes

SIDE = 100_000
ENTRIES = ((256, 4, SIDE), (257, 4, SIDE), (258, 3, 16), (262, 3, 1), (277, 3, 1))


def tiff_of_claimed_size(order: str, big: bool) -> bytes:
    code = order + ("HHQQ" if big else "HHII")
    # A 16-bit value is stored in the first bytes of the value field.
    shift = (48 if big else 16) if order == ">" else 0
    rows = [(t, 16 if big else 4, 1, value) if kind == 4 else (t, kind, 1, value << shift) for t, kind, value in ENTRIES]
    start = b"II" if order == "<" else b"MM"
    head = struct.pack(order + "HHHQQ", 43, 8, 0, 16, len(rows)) if big else struct.pack(order + "HIH", 42, 8, len(rows))
    return start + head + b"".join(struct.pack(code, *row) for row in rows) + bytes(8)


def box(name: bytes, size: int) -> bytes:
    return struct.pack(">I4sQ", 1, name, size)


JP2 = content("jp2 RGB")
HUGE = {
    "pgm": (b"P5 100000 100000 65535\n", 0),
    "tiff": (tiff_of_claimed_size("<", False), 0),
    "tiff MM": (tiff_of_claimed_size(">", False), 0),
    "bigtiff": (tiff_of_claimed_size("<", True), 0),
    "bigtiff MM": (tiff_of_claimed_size(">", True), 0),
    "bmp": (b"BM" + struct.pack("<12xIiiHHI20x", 40, SIDE, SIDE, 1, 24, 0), 30 << 30),
    "jp2 after a huge box": (JP2[:32] + box(b"free", 5 << 30), 5 << 30),
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_large_claimed_sizes_cost_neither_time_nor_reads(name, tmp_path, bytes_read) -> None:
    start, size = HUGE[name]
    path = tmp_path / "in"
    path.write_bytes(start)
    if size:
        os.truncate(path, size)  # sparse file
    begin = time.process_time()
    found = header_or_error(path)
    assert time.process_time() - begin < 1
    assert bytes_read() <= MOST_READ
    assert isinstance(found, ReadError) if name == "jp2 after a huge box" else found.shape[:2] == (SIDE, SIDE)


def test_a_huge_box_is_skipped(tmp_path, bytes_read) -> None:
    path, size = tmp_path / "in.jp2", 6 << 30
    with open(path, "wb") as file:
        file.write(JP2[:32] + box(b"free", size))
        file.seek(32 + size)
        file.write(JP2[32:])
    assert read_header(path).shape == (40, 33, 3)
    assert bytes_read() <= MOST_READ


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8\xff\xe0" + bytes(9_000_000), JP2[:12] + b"\0\0\0\x08free" * 1_000_000,
     b"P5 " + b"#\n" * 900_000,
     b"#?RGBE" + b"\n\n-Y " * 900_000, b"BM" + b"\xff" * 900_000, b"II+\0\x08\0\0\0\x10" + bytes(7) + b"\xff" * 900_000],
    ids=["jpeg", "jp2", "pgm", "hdr", "bmp", "bigtiff"],
)  # fmt: skip
def test_malicious_headers_are_rejected_quickly(data, tmp_path) -> None:
    (tmp_path / "in").write_bytes(data)
    begin = time.process_time()
    assert isinstance(header_or_error(tmp_path / "in"), ReadError)
    assert time.process_time() - begin < 2


# Streams: read once and completely


def test_a_header_is_read_from_standard_input(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content("png LA")), isatty=lambda: False, closed=False))
    assert read_header("-") == Header.of(40, 33, 2, "uint8")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no fifos")
def test_a_header_is_read_from_a_fifo(tmp_path) -> None:
    os.mkfifo(tmp_path / "in")
    writer = threading.Thread(target=(tmp_path / "in").write_bytes, args=(content("tiff I raw"),))
    writer.start()
    assert read_header(tmp_path / "in") == Header.of(40, 33, 1, "int32")
    writer.join()
