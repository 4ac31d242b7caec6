"""Truncated files, flipped bits and false sizes: an image or a one-line error, quickly and with little memory."""

from __future__ import annotations

import functools
import io
import logging
import random
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
import tifffile

from imgconv import Image, ReadError
from imgconv.images.metadata import Metadata
from imgconv.opencv import opencv_threads
from tests.images.formats.tiff_files import bit_rows, build, encode, open_pages, page_tags

RNG = np.random.default_rng(0)
RGB = np.add.outer(np.arange(40), np.arange(33))[:, :, np.newaxis].astype(np.uint8) * np.array([1, 2, 3], np.uint8)
MOST_PIXELS = 1 << 24


def tiff(pixels: np.ndarray, **options: object) -> Callable[[], bytes]:
    def make() -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, **{"photometric": "rgb", **options})
        return file.getvalue()

    return make


def written_by_imgconv() -> bytes:
    exif = build([({271: (2, b"Maker\0"), 274: (3, 6), 273: (4, None), 279: (4, None)}, [])])
    image = Image(RGB, Metadata(exif=exif, xmp=b"<x/>", icc=bytes(200), resolution=(72.0, 72.0)))
    return encode([image] * 3)


SEEDS = {
    **{f"strips {c}": tiff(RGB, compression=c, rowsperstrip=16) for c in (None, "lzw", "deflate", "zstd", "packbits", "jpeg")},
    **{f"tiles {c}": tiff(RGB, compression=c, tile=(16, 16)) for c in (None, "lzw", "jpeg", "jpeg2000", "webp", "lerc")},
    "planes": tiff(np.moveaxis(RGB, 2, 0).astype("u2"), planarconfig="separate", compression="lzw", predictor=2, byteorder=">"),
    "floats": tiff((RGB / 255).astype("f4"), compression="deflate", predictor=3, bigtiff=True),
    "imagej": tiff(np.zeros((5, 7, 9), np.uint16), photometric="minisblack", imagej=True),
    "bits": lambda: build([(page_tags(7, 11, 12, 3, 2), [bit_rows(RNG.integers(0, 4096, (7, 11, 3)), 12)])], ">"),
    "ycbcr": lambda: build([(page_tags(7, 11, 8, 3, 6, t530=(3, [1, 1])), [bytes(range(231))])]),
    "palette": lambda: build([(page_tags(7, 11, 8, 1, 3, t320=(3, list(range(768)))), [bytes(range(77))])]),
    "own": written_by_imgconv,
}  # fmt: skip


@functools.cache
def seed_file(name: str) -> bytes:
    return SEEDS[name]()


def read(data: bytes) -> list[Image | ReadError]:
    """Return pages or errors; assert that headers match the pages, and that errors have one line with the file name."""
    found: list[Image | ReadError] = []
    try:
        pages = open_pages(data, MOST_PIXELS)
        for index in range(min(pages.count, 4)):
            try:
                page = pages.open_page(index)
                assert isinstance(page.metadata, Metadata)
                image = page.image()
                assert (page.header.shape, page.header.dtype) == (image.pixels.shape, image.pixels.dtype)
                assert 1 <= image.metadata.orientation <= 8
                found.append(image)
            except ReadError as error:
                found.append(error)
    except ReadError as error:
        found.append(error)
    for error in found:
        assert isinstance(error, Image) or (str(error).startswith("in.tif: ") and len(str(error).splitlines()) == 1)
        assert isinstance(error, Image) or len(str(error)) < 400
    return found


@pytest.mark.parametrize("name", SEEDS)
def test_undamaged_files_are_read(name) -> None:
    assert all(isinstance(found, Image) for found in read(seed_file(name)))


@pytest.mark.parametrize("name", SEEDS)
def test_a_truncated_file_is_an_error(name) -> None:
    """If only data after the last pixel is missing, all pages are read."""
    data = seed_file(name)
    intact = [image.pixels for image in read(data)]
    for size in sorted({*range(0, len(data), max(1, len(data) // 30)), len(data) - 1}):
        found = read(data[:size])
        if all(isinstance(image, Image) for image in found):
            assert len(found) == len(intact)
            assert all(np.array_equal(image.pixels, pixels) for image, pixels in zip(found, intact, strict=True))


@pytest.mark.parametrize("name", SEEDS)
def test_flipped_bits_give_an_image_or_an_error(name, capfd) -> None:
    data, rng = seed_file(name), random.Random(name)
    for _ in range(30):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 2, 4, 8))):
            # Directories are near the start or the end.
            near = rng.randrange(min(400, len(data)))
            at = rng.choice((rng.randrange(len(data)), near, len(data) - 1 - near))
            changed[at] = rng.choice((changed[at] ^ (1 << rng.randrange(8)), 0, 255))
        read(bytes(changed))
    assert capfd.readouterr() == ("", "")


# Small files that claim large sizes

COMPRESSED_ZEROS = imagecodecs.zlib_encode(bytes(50_000_000))
TILES = {322: (4, 1 << 30), 323: (4, 1 << 30)}
CLAIMS = {
    "strips": page_tags(4000, 4000, 8, 3, 2, t278=(4, 1)),
    "lzw": page_tags(4000, 4000, 8, 3, 2, t259=(3, 5)),
    "zstd": page_tags(4000, 4000, 8, 3, 2, t259=(3, 50_000)),
    "fax": page_tags(4000, 4000, 1, t259=(3, 4)),
    "tiles": {**page_tags(40, 40, t259=(3, 5)), **TILES},
    "a bomb": page_tags(20, 30, t259=(3, 8)),
    "pixels": page_tags(60_000, 60_000, 8, 3, 2),
    "values": page_tags(7, 9) | {258: (3, [8] * 5000), 339: (3, [1] * 5000)},
    "offsets": page_tags(7, 9, t273=(16, [1 << 63, (1 << 64) - 1]), t279=(16, [1 << 63, (1 << 64) - 1]), t278=(4, 4)),
    "a table": page_tags(1_000_000, 1, t259=(3, 5), t278=(4, 1)),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_false_claims_cost_neither_time_nor_memory(claim) -> None:
    data = build([(CLAIMS[claim], [COMPRESSED_ZEROS[:40_000]])], big=claim == "offsets")
    tracemalloc.start()
    begin = time.process_time()
    found = read(data)
    seconds, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if claim not in ("values", "fax"):  # "values" is valid, and fax data has no checks
        assert isinstance(found[0], ReadError)
    assert seconds < 3
    assert peak < 100 << 20  # NumPy reserves 4000 x 4000 x 3 pixels without touching them


def test_a_chain_of_empty_directories_is_rejected_quickly() -> None:
    chain = b"".join(struct.pack("<HI", 0, 8 + 6 * (n + 1)) for n in range(100_000))
    begin = time.process_time()
    assert isinstance(read(b"II*\0\x08\0\0\0" + chain)[0], ReadError)
    assert time.process_time() - begin < 3


def test_directories_that_refer_to_each_other_are_read() -> None:
    entries = page_tags(7, 9) | {34665: (4, 8), 34853: (4, 8), 330: (4, [8] * 1000)}
    data = bytearray(build([(entries, [bytes(63)])]))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        offset = file.pages[0].offset
        for tag in (34665, 34853):
            struct.pack_into("<I", data, file.pages[0].tags[tag].offset + 8, offset)
    image = read(bytes(data))[0]
    assert isinstance(image, Image)
    assert len(image.metadata.exif) < 4 * len(data)


def overlapping_directories() -> bytes:
    """Return 640 KB of TIFF whose 65,000 directories of 4,000 entries overlap."""
    entries, number = 4000, 65_000
    data = bytearray(struct.pack("<2sHI", b"II", 42, 8)) + struct.pack("<HH", entries, 0) * number
    data += bytes(max(0, 8 + 2 + 12 * entries + 4 * number + 8 - len(data)))
    for i in range(number):
        struct.pack_into("<I", data, 8 + 4 * i + 2 + 12 * entries, 8 + 4 * (i + 1))
    return bytes(data)


def overlapping_values() -> bytes:
    """Return a TIFF of 1.4 MB with 4,000 entries that each span the file, of tags that tifffile reads eagerly."""
    entries = {258: (3, [8]), 339: (3, [1])}
    data = bytearray(build([(page_tags(7, 9) | entries | {n: (4, [1, 2]) for n in range(60_000, 64_000)}, [bytes(63)])]))
    data += bytes(1 << 20)
    at = data.find(struct.pack("<HHI", 60_000, 4, 2))
    for n in range(4000):
        struct.pack_into("<HHII", data, at + 12 * n, 273, 4, 1 << 18, 64)
    return bytes(data)


def stack_of_microscope() -> bytes:
    """Return a TIFF whose private MetaMorph tags claim ten thousand texts for each of ten thousand planes."""
    private = {33628: (4, [4, 9000] * 10_000), 33629: (5, [1] * 20_000), 33630: (5, [1, 1]), 33631: (4, [0])}
    return build([(page_tags(7, 9) | private, [bytes(63)])])


@pytest.mark.parametrize(
    "data",
    [b"II*\0\x08\0\0\0\0\0\x08\0\0\0", overlapping_directories(), overlapping_values(), stack_of_microscope()],
    ids=["circle", "directories", "values", "microscope"],
)
def test_malicious_directories_are_read_quickly(data) -> None:
    start = time.process_time()
    read(data)
    assert time.process_time() - start < 5


def test_a_chain_of_100000_pages_is_opened_quickly() -> None:
    chain = b"".join(struct.pack("<HHHIII", 1, 256, 3, 1, 1, 8 + 18 * (n + 1)) for n in range(100_000))
    start = time.process_time()
    with pytest.raises(ReadError, match=r"in\.tif: page 1: "):
        open_pages(b"II*\0\x08\0\0\0" + chain)
    assert time.process_time() - start < 3


def test_logging_is_unchanged(caplog) -> None:
    """Log messages of tifffile are suppressed, and its logger is unchanged afterwards."""
    logger = logging.getLogger("tifffile")
    before = (logger.level, logger.disabled, list(logger.handlers), list(logger.filters))
    data = build([(page_tags(7, 9) | {60_000: (2, b"text\0\0\0\0"), 700: (99, None)}, [bytes(63)])])
    data = data.replace(struct.pack("<HH", 60_000, 2), struct.pack("<HH", 60_000, 77))
    assert isinstance(read(data)[0], Image)
    assert (logger.level, logger.disabled, list(logger.handlers), list(logger.filters)) == before
    assert not caplog.records
    with tifffile.TiffFile(io.BytesIO(data)):
        assert caplog.records


@pytest.mark.parametrize(("tag", "number", "offset"), [(258, 3, 3), (259, 3, 5), (262, 513, 5), (257, 8, 40), (277, 2, 40)])
def test_a_damaged_entry_is_a_read_error(tag, number, offset) -> None:
    file = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
    tifffile.imwrite(file, pixels, photometric="rgb", metadata=None)
    data = bytearray(file.getvalue())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    [entry] = [at for at in range(start + 2, start + 2 + 12 * count, 12) if struct.unpack_from("<H", data, at) == (tag,)]
    struct.pack_into("<II", data, entry + 4, number, offset)
    with pytest.raises(ReadError, match=r"^in\.tif: is damaged or truncated: recognized as TIFF, but") as caught:
        open_pages(bytes(data)).page(0)
    assert "not supported between" not in str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_strips_are_decoded_serially_if_threads_cannot_start(error, monkeypatch) -> None:
    file = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (1000, 1000, 3), np.uint8)
    tifffile.imwrite(file, pixels, photometric="rgb", compression="lzw", rowsperstrip=50)
    expected = open_pages(file.getvalue()).page(0).pixels

    def start(thread: threading.Thread) -> None:
        raise error

    monkeypatch.setattr(threading.Thread, "start", start)
    with opencv_threads(8):
        assert np.array_equal(open_pages(file.getvalue()).page(0).pixels, expected)
