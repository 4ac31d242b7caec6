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
from imgconv.images import reading
from imgconv.images.headers import Header
from imgconv.images.reading import read_header, read_image
from tests.images.header_files import CASES, HDR, pam, tagged

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
    assert header.format == image.format
    # Whether any pixel of a GIF has its transparent colour, the header does not say.
    if header.format != "gif" or image.has_alpha:
        assert header.shape == image.pixels.shape


@pytest.fixture
def bytes_read(monkeypatch):
    """Return how many bytes have been read of the files that `read_header` opened."""
    counts: list[int] = []

    class Counted(io.FileIO):
        def read(self, size: int = -1) -> bytes:
            found = super().read(size)
            counts.append(len(found))
            return found

    monkeypatch.setattr(reading, "open", lambda path, mode, buffering: Counted(path, mode), raising=False)
    return lambda: sum(counts)


# The same as the pixels


@pytest.mark.parametrize("name", CASES)
def test_the_header_says_what_the_pixels_are(name, tmp_path, bytes_read) -> None:
    (tmp_path / "in").write_bytes(content(name))
    assert_same(tmp_path / "in")
    assert 0 < bytes_read() <= 2 * MOST_READ


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
    assert Header(shape, np.dtype("uint8"), "png").colour_shape == colour


@pytest.mark.parametrize(
    "make",
    [
        pam(5, 255, "RGB"),
        pam(3, 70_000, "RGB"),
        *(tagged(np.ones((7, 5), dtype), "minisblack") for dtype in ("uint64", "int64", "complex64")),
        tagged(np.ones((7, 5, 5), np.uint8), "minisblack", planarconfig="contig"),
        lambda: HDR.replace(b"-Y 2 +X 3", b"-Y 2 +Y 3"),
    ],
)
def test_what_is_refused_later_is_refused_now(make, tmp_path) -> None:
    (tmp_path / "in").write_bytes(make())
    for read in (read_image, read_header):
        with pytest.raises(ReadError):
            read(tmp_path / "in")


# Broken files


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_is_cut_short(name, tmp_path) -> None:
    path = tmp_path / "in"
    path.write_bytes(content(name))
    for size in range(min(200, len(content(name)) - 1), -1, -1):
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


@settings(deadline=None)  # the first of each kind is made on the way
@given(st.sampled_from(sorted({content(name)[:12] for name in CASES})), st.integers(1, 12), st.binary(max_size=300))
def test_any_bytes_behind_a_signature(tmp_path_factory, start, kept, more) -> None:
    path = tmp_path_factory.getbasetemp() / "made-up"
    path.write_bytes(start[:kept] + more)
    header_or_error(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"hello, world\n" * 9, "is not an image that OpenCV can read"),
        (b"<svg></svg>", "is not an image"),
        (content("png RGB")[:20], "is damaged or cut short: it begins like PNG"),
        (content("jpeg RGB")[:100], "begins like JPEG"),
        (content("png RGB").replace(struct.pack(">II", 33, 40), bytes(8), 1), "claims 0 x 0 pixels"),
        (content("png RGB").replace(struct.pack(">II", 33, 40), b"\xff" * 8, 1), "claims 4294967295 x 4294967295 pixels"),
        (b"Pf\n9999999999 1\n-1.0\n" + bytes(8), "claims 1 x 9999999999 pixels"),
        (pam(5, 255, "RGB")(), "has 5 channels"),
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


PNG = content("png transparent RGB")
JP2 = content("jp2 RGB")
GIF = content("gif of colours (0, None)")
HUGE = {
    "pgm": (b"P5 100000 100000 65535\n", 0),
    "tiff": (huge_tiff("<", False), 0),
    "tiff MM": (huge_tiff(">", False), 0),
    "bigtiff": (huge_tiff("<", True), 0),
    "bigtiff MM": (huge_tiff(">", True), 0),
    "png": (PNG[:16] + struct.pack(">II", SIDE, SIDE) + PNG[24:33], 0),
    "png of gigabytes": (PNG[:16] + struct.pack(">II", SIDE, SIDE) + PNG[24:], 20 << 30),
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
    begin = time.perf_counter()
    found = header_or_error(path)
    assert time.perf_counter() - begin < 1
    assert bytes_read() <= MOST_READ
    assert isinstance(found, ReadError) if name in ("png", "jp2 behind a box of gigabytes") else found.shape[:2] == (SIDE, SIDE)


def test_a_box_of_gigabytes_is_stepped_over(tmp_path, bytes_read) -> None:
    path, size = tmp_path / "in.jp2", 6 << 30
    with open(path, "wb") as file:
        file.write(JP2[:32] + box(b"free", size))
        file.seek(32 + size)
        file.write(JP2[32:])
    assert read_header(path).shape == (40, 33, 3)
    assert bytes_read() <= MOST_READ


def test_little_is_read_of_a_png_with_large_chunks(tmp_path, bytes_read) -> None:
    chunk = struct.pack(">I4s", 3_000_000, b"prVt") + bytes(3_000_004)
    (tmp_path / "in.png").write_bytes(PNG[:33] + 5 * chunk + PNG[33:])
    assert read_header(tmp_path / "in.png").shape == (40, 33, 4)
    assert bytes_read() <= MOST_READ


@pytest.mark.parametrize(
    "data",
    [PNG[:33] + bytes(9_000_000), b"\xff\xd8\xff\xe0" + bytes(9_000_000), JP2[:12] + b"\0\0\0\x08free" * 1_000_000,
     GIF[:19] + b"!\xfe\1x\0" * 1_000_000, b"P7\n" + b"\n" * 900_000, b"P5 " + b"#\n" * 900_000,
     b"#?RGBE" + b"\n\n-Y " * 900_000, b"BM" + b"\xff" * 900_000, b"II+\0\x08\0\0\0\x10" + bytes(7) + b"\xff" * 900_000],
    ids=["png", "jpeg", "jp2", "gif", "pam", "pgm", "hdr", "bmp", "bigtiff"],
)  # fmt: skip
def test_a_file_that_was_made_to_keep_us_busy_does_not(data, tmp_path) -> None:
    (tmp_path / "in").write_bytes(data)
    begin = time.perf_counter()
    assert isinstance(header_or_error(tmp_path / "in"), ReadError)
    assert time.perf_counter() - begin < 2


# Streams, which cannot be read twice and are read whole


def test_standard_input(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content("png LA")), isatty=lambda: False))
    assert read_header("-") == Header((40, 33, 2), np.dtype("uint8"), "png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no fifos")
def test_a_fifo(tmp_path) -> None:
    os.mkfifo(tmp_path / "in")
    writer = threading.Thread(target=(tmp_path / "in").write_bytes, args=(content("tiff I raw"),))
    writer.start()
    assert read_header(tmp_path / "in") == Header((40, 33), np.dtype("int32"), "tiff")
    writer.join()
