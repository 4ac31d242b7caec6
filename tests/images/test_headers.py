"""What a header says, held against the pixels that `read_image` gives of the same file."""

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
from tests.images.header_files import CASES, HDR, tagged

MOST_READ = 1 << 16


@functools.cache
def content(name: str) -> bytes:
    return CASES[name]()


def header_or_error(path) -> Header | ReadError:
    """Return the header of a file, or the error, which has to be one line that names the file."""
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
    """Return how many bytes have been read of the files that `read_header` opened since it was last called."""
    counts: list[int] = []
    real = FileBytes._read_into
    monkeypatch.setattr(
        FileBytes, "_read_into", lambda self, content, start: counts.append(len(content)) or real(self, content, start)
    )

    def read() -> int:
        total = sum(counts)
        counts.clear()
        return total

    return read


# The same as the pixels


@each("name", CASES)
def test_the_header_says_what_the_pixels_are(name, tmp_path, bytes_read) -> None:
    (tmp_path / "in").write_bytes(content(name))
    bytes_read()  # those of the case before
    read_header(tmp_path / "in")
    assert 0 < bytes_read() <= 2 * MOST_READ
    assert_same(tmp_path / "in")


def test_real_files(photographs) -> None:
    paths = [p for p in photographs.iterdir() if p.suffix in (".png", ".jpg", ".gif", ".tif")]
    readable = [p for p in paths if p.name != "multipage_rgb.tif"]  # in planes
    assert len(readable) > 25
    for path in readable:
        assert_same(path)


@pytest.mark.parametrize(
    ("shape", "colour"), [((7, 5), (7, 5)), ((7, 5, 2), (7, 5, 1)), ((7, 5, 3), (7, 5, 3)), ((7, 5, 4), (7, 5, 3))]
)
def test_alpha_is_no_colour(shape, colour) -> None:
    assert Header.of(*shape, *(() if len(shape) > 2 else (1,)), "uint8").colour_shape == colour


@pytest.mark.parametrize(
    "make",
    [
        *(tagged(np.ones((7, 5), dtype), "minisblack") for dtype in ("uint64", "int64", "complex64")),
        lambda: HDR.replace(b"-Y 2 +X 3", b"-Y 2 +Y 3"),
        lambda: HDR.replace(b"-Y 2 +X 3", b"+Y 2 +X 3"),
        lambda: b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n\0",
    ],
)
def test_what_is_refused_later_is_refused_now(make, tmp_path) -> None:
    (tmp_path / "in").write_bytes(make())
    for read in (read_image, read_header):
        with pytest.raises(ReadError):
            read(tmp_path / "in")


# Broken files


@each("name", CASES)
def test_a_file_that_is_cut_short(name, tmp_path) -> None:
    path = tmp_path / "in"
    path.write_bytes(content(name))
    for size in (*range(min(200, len(content(name)) - 1), 64, -2), *range(min(64, len(content(name)) - 1), -1, -1)):
        os.truncate(path, size)
        found = header_or_error(path)
        assert size > 6 or isinstance(found, ReadError)


@settings(deadline=None)  # the first of each kind is made on the way
@given(st.data(), st.sampled_from(sorted(CASES)))
def test_a_file_with_some_bits_turned(tmp_path_factory, data, name) -> None:
    changed = bytearray(content(name))
    for position in data.draw(st.lists(st.integers(0, min(len(changed), 700) - 1), min_size=1, max_size=8)):
        changed[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "turned"
    path.write_bytes(changed)
    header_or_error(path)


STARTS = [b"RIFF\0\0\0\0WEBP", b"\0\0\0\x10ftypavif", *(start for f in all_formats() for start in f.signatures)]


@given(st.sampled_from(STARTS), st.integers(1, 12), st.binary(max_size=300))
def test_any_bytes_behind_a_signature(tmp_path_factory, start, kept, more) -> None:
    path = tmp_path_factory.getbasetemp() / "made-up"
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
def test_the_error_says_what_is_wrong(data, words, tmp_path) -> None:
    (tmp_path / "in").write_bytes(data)
    error = header_or_error(tmp_path / "in")
    assert isinstance(error, ReadError)
    assert words in str(error)


@pytest.mark.parametrize(
    ("name", "words"),
    [("nowhere.png", "no such file"), ("folder", "is a folder"), ("file/in.png", "not a folder"), ("a\0b.png", r"a\\x00b\.png"),
     ("two\nlines.png", r"two\\nlines\.png: no such file"), ("x" * 300, "too long")],
)  # fmt: skip
def test_files_that_are_not_there(tmp_path, name, words) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ReadError, match=words) as caught:
        read_header(f"{tmp_path}/{name}")
    assert len(str(caught.value).splitlines()) == 1


# Large files, and files that only claim to be large

SIDE = 100_000
ENTRIES = ((256, 4, SIDE), (257, 4, SIDE), (258, 3, 16), (262, 3, 1), (277, 3, 1))


def huge_tiff(order: str, big: bool) -> bytes:
    code = order + ("HHQQ" if big else "HHII")
    # A number of 16 bits stands at the beginning of a place for 32 or 64.
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
    "tiff": (huge_tiff("<", False), 0),
    "tiff MM": (huge_tiff(">", False), 0),
    "bigtiff": (huge_tiff("<", True), 0),
    "bigtiff MM": (huge_tiff(">", True), 0),
    "bmp": (b"BM" + struct.pack("<12xIiiHHI20x", 40, SIDE, SIDE, 1, 24, 0), 30 << 30),
    "jp2 behind a box of gigabytes": (JP2[:32] + box(b"free", 5 << 30), 5 << 30),
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_the_size_makes_no_difference(name, tmp_path, bytes_read) -> None:
    start, size = HUGE[name]
    path = tmp_path / "in"
    path.write_bytes(start)
    if size:
        os.truncate(path, size)  # a hole, which takes no room on the disk
    begin = time.process_time()
    found = header_or_error(path)
    assert time.process_time() - begin < 1
    assert bytes_read() <= MOST_READ
    assert isinstance(found, ReadError) if name == "jp2 behind a box of gigabytes" else found.shape[:2] == (SIDE, SIDE)


def test_a_box_of_gigabytes_is_stepped_over(tmp_path, bytes_read) -> None:
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
def test_a_file_that_was_made_to_keep_us_busy_does_not(data, tmp_path) -> None:
    (tmp_path / "in").write_bytes(data)
    begin = time.process_time()
    assert isinstance(header_or_error(tmp_path / "in"), ReadError)
    assert time.process_time() - begin < 2


# Streams, which cannot be read twice and are read whole


def test_standard_input(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content("png LA")), isatty=lambda: False, closed=False))
    assert read_header("-") == Header.of(40, 33, 2, "uint8")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no fifos")
def test_a_fifo(tmp_path) -> None:
    os.mkfifo(tmp_path / "in")
    writer = threading.Thread(target=(tmp_path / "in").write_bytes, args=(content("tiff I raw"),))
    writer.start()
    assert read_header(tmp_path / "in") == Header.of(40, 33, 1, "int32")
    writer.join()
