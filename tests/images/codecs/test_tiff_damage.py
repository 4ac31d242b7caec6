"""Files that are cut short, bits that are turned, claims that are made up: an image or one line, soon, and no more memory."""

from __future__ import annotations

import functools
import io
import random
import struct
import time
import tracemalloc
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
import tifffile

from imgconv.errors import ReadError
from imgconv.images.codecs.tagged import open_tiff
from imgconv.images.codecs.tagging import encode_tiff
from imgconv.images.coding import Coding
from imgconv.images.headers import header_of
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata
from imgconv.images.seeking import FileBytes
from tests.images.tiff_files import bit_rows, described, made

RNG = np.random.default_rng(0)
RGB = np.add.outer(np.arange(40), np.arange(33))[:, :, np.newaxis].astype(np.uint8) * np.array([1, 2, 3], np.uint8)
MOST_PIXELS = 1 << 24


def tiff(pixels: np.ndarray, **options: object) -> Callable[[], bytes]:
    def make() -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, **{"photometric": "rgb", **options})
        return file.getvalue()

    return make


def own() -> bytes:
    exif = made([({271: (2, b"Maker\0"), 274: (3, 6), 273: (4, None), 279: (4, None)}, [])])
    image = Image(RGB, Metadata(exif=exif, xmp=b"<x/>", icc=bytes(200), resolution=(72.0, 72.0)))
    return b"".join(bytes(p) for p in encode_tiff([image] * 3, 3, Coding(), "out.tif"))


SEEDS = {
    **{f"strips {c}": tiff(RGB, compression=c, rowsperstrip=16) for c in (None, "lzw", "deflate", "zstd", "packbits", "jpeg")},
    **{f"tiles {c}": tiff(RGB, compression=c, tile=(16, 16)) for c in (None, "lzw", "jpeg", "jpeg2000", "webp", "lerc")},
    "planes": tiff(np.moveaxis(RGB, 2, 0).astype("u2"), planarconfig="separate", compression="lzw", predictor=2, byteorder=">"),
    "floats": tiff((RGB / 255).astype("f4"), compression="deflate", predictor=3, bigtiff=True),
    "imagej": tiff(np.zeros((5, 7, 9), np.uint16), photometric="minisblack", imagej=True),
    "bits": lambda: made([(described(7, 11, 12, 3, 2), [bit_rows(RNG.integers(0, 4096, (7, 11, 3)), 12)])], ">"),
    "ycbcr": lambda: made([(described(7, 11, 8, 3, 6, t530=(3, [2, 2])), [bytes(range(144))])]),
    "palette": lambda: made([(described(7, 11, 8, 1, 3, t320=(3, list(range(768)))), [bytes(range(77))])]),
    "own": own,
}  # fmt: skip


@functools.cache
def seed(name: str) -> bytes:
    return SEEDS[name]()


def read(data: bytes) -> list[Image | ReadError]:
    """Return the pages or the errors, one line each that names the file. The header has to have said the same."""
    found: list[Image | ReadError] = []
    try:
        header = header_of(FileBytes(memoryview(data)), "in.tif")
        pages = open_tiff(memoryview(data), "in.tif", MOST_PIXELS)
        for index in range(min(pages.count, 4)):
            try:
                image = pages.page(index)
                assert index or (header.shape, header.dtype) == (image.pixels.shape, image.pixels.dtype)
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
def test_the_seeds_are_sound(name) -> None:
    assert all(isinstance(found, Image) for found in read(seed(name)))


@pytest.mark.parametrize("name", SEEDS)
def test_a_file_that_is_cut_short_is_an_error(name) -> None:
    """Unless what is cut off is behind the last pixel: then all pages are there."""
    data = seed(name)
    whole = [image.pixels for image in read(data)]
    for size in sorted({*range(0, len(data), max(1, len(data) // 60)), len(data) - 1}):
        found = read(data[:size])
        if all(isinstance(image, Image) for image in found):
            assert len(found) == len(whole)
            assert all(np.array_equal(image.pixels, pixels) for image, pixels in zip(found, whole, strict=True))


@pytest.mark.parametrize("name", SEEDS)
def test_bits_that_are_turned(name, capfd) -> None:
    data, dice = seed(name), random.Random(name)
    for _ in range(60):
        changed = bytearray(data)
        for _ in range(dice.choice((1, 2, 4, 8))):
            # Directories are at the beginning or at the end.
            near = dice.randrange(min(400, len(data)))
            at = dice.choice((dice.randrange(len(data)), near, len(data) - 1 - near))
            changed[at] = dice.choice((changed[at] ^ (1 << dice.randrange(8)), 0, 255))
        read(bytes(changed))
    assert capfd.readouterr() == ("", "")


# Small files with large claims

NOTHING = imagecodecs.zlib_encode(bytes(50_000_000))
TILES = {322: (4, 1 << 30), 323: (4, 1 << 30)}
CLAIMS = {
    "strips": described(4000, 4000, 8, 3, 2, t278=(4, 1)),
    "lzw": described(4000, 4000, 8, 3, 2, t259=(3, 5)),
    "zstd": described(4000, 4000, 8, 3, 2, t259=(3, 50_000)),
    "fax": described(4000, 4000, 1, t259=(3, 4)),
    "tiles": {**described(40, 40, t259=(3, 5)), **TILES},
    "a bomb": described(20, 30, t259=(3, 8)),
    "pixels": described(60_000, 60_000, 8, 3, 2),
    "values": described(7, 9) | {258: (3, [8] * 5000), 339: (3, [1] * 5000)},
    "offsets": described(7, 9, t273=(16, [1 << 63, (1 << 64) - 1]), t279=(16, [1 << 63, (1 << 64) - 1]), t278=(4, 4)),
    "a table": described(1_000_000, 1, t259=(3, 5), t278=(4, 1)),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_claims_take_neither_time_nor_memory(claim) -> None:
    data = made([(CLAIMS[claim], [NOTHING[:40_000]])], big=claim == "offsets")
    tracemalloc.start()
    begin = time.perf_counter()
    found = read(data)
    seconds, (_, peak) = time.perf_counter() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if claim not in ("values", "fax"):  # of which one is sound, and the other has no way of being damaged
        assert isinstance(found[0], ReadError)
    assert seconds < 3
    assert peak < 100 << 20  # NumPy asks for the room of 4000 x 4000 x 3 pixels, and does not touch it


def test_a_chain_of_empty_directories() -> None:
    chain = b"".join(struct.pack("<HI", 0, 8 + 6 * (n + 1)) for n in range(100_000))
    begin = time.perf_counter()
    assert isinstance(read(b"II*\0\x08\0\0\0" + chain)[0], ReadError)
    assert time.perf_counter() - begin < 3


def test_directories_that_point_at_each_other() -> None:
    entries = described(7, 9) | {34665: (4, 8), 34853: (4, 8), 330: (4, [8] * 1000)}
    data = bytearray(made([(entries, [bytes(63)])]))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        offset = file.pages[0].offset
        for tag in (34665, 34853):
            struct.pack_into("<I", data, file.pages[0].tags[tag].offset + 8, offset)
    image = read(bytes(data))[0]
    assert isinstance(image, Image)
    assert len(image.metadata.exif) < 4 * len(data)
