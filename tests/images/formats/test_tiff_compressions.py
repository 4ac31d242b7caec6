"""Compressions that imgconv reads but does not write, compared with Pillow, tifffile and libtiff."""

from __future__ import annotations

import io
import itertools
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from imgconv.errors import ReadError
from tests.cases import each
from tests.images.formats import tiff_files
from tests.images.formats.tiff_files import build, page, page_tags


def read_rgb(data: bytes) -> np.ndarray:
    return tiff_files.to_rgb(page(data).pixels)


def compression_of(data: bytes) -> int:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return int(file.pages[0].compression)


@pytest.mark.parametrize("name", ["group3", "group4", "tiff_ccitt"])
def test_fax_compressions(save, photo, name) -> None:
    bits = photo[:, :, 1] > 120
    data = save(bits, "TIFF", compression=name)
    assert compression_of(data) in (2, 3, 4)
    assert np.array_equal(read_rgb(data), bits * np.uint8(255))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "YCbCr"])
def test_jpeg_of_libtiff_matches_pillow(photo, mode) -> None:
    image = Pillow.fromarray(photo).convert(mode)
    file = io.BytesIO()
    image.save(file, "TIFF", compression="jpeg")
    assert compression_of(file.getvalue()) == 7
    with Pillow.open(file) as found:
        expected = np.asarray(found.convert("RGB") if mode == "YCbCr" else found)
    assert np.array_equal(read_rgb(file.getvalue()), expected)


@pytest.mark.parametrize("tile", [None, (32, 48)])
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_jpeg_of_tifffile_matches_libtiff(photo, channels, separate, tile) -> None:
    pixels = photo[:, :, :channels].astype(np.uint8)
    stored = np.ascontiguousarray(np.moveaxis(pixels, 2, 0) if separate else pixels)
    file = io.BytesIO()
    arrangement = "separate" if separate else "contig"
    kind = "rgb" if channels == 3 else "minisblack"
    stored = stored.reshape(photo.shape[:2]) if channels == 1 else stored
    options = {} if channels == 1 else {"planarconfig": arrangement}
    tifffile.imwrite(file, stored, photometric=kind, compression="jpeg", tile=tile, rowsperstrip=16, **options)
    found = read_rgb(file.getvalue()).reshape(pixels.shape)
    assert np.abs(found.astype(int) - pixels).mean() < 4
    if channels != 2:  # libtiff returns the first channel twice
        by_libtiff = imagecodecs.tiff_decode(file.getvalue())
        if by_libtiff.shape == pixels.shape[2:] + pixels.shape[:2]:  # imagecodecs returns planes since 2026.10
            by_libtiff = np.moveaxis(by_libtiff, 0, 2)
        assert np.array_equal(found, by_libtiff.reshape(found.shape))


def test_jpeg_of_12_bits_is_scaled() -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, (16, 24), np.uint16)
    strip = imagecodecs.jpeg8_encode(pixels, bitspersample=12, lossless=True)
    data = build([(page_tags(16, 24, 12, t259=(3, 7)), [bytes(strip)])])
    assert np.array_equal(read_rgb(data), np.rint(pixels * (65_535 / 4095)))


@each("tile", [None, (32, 48)])
@each(
    "name, dtype, channels",
    [
        *itertools.product(["jpeg2000"], ["uint8", "uint16"], [1, 3, 4]),
        *itertools.product(["webp"], ["uint8"], [3, 4]),
        *itertools.product(["lerc"], ["uint8", "uint16", "float32"], [1, 3]),
        *itertools.product(["lzma"], ["uint8", "float32"], [1, 3]),
    ],
)
def test_lossless_compressions_are_exact(photo, name, dtype, channels, tile) -> None:
    pixels = np.dstack([photo, photo[:, ::-1, 0]])[:, :, :channels].astype(dtype) * (1 if dtype == "uint8" else 7)
    pixels = pixels[:, :, 0] if channels == 1 else pixels
    file = io.BytesIO()
    lossless = {"lossless": True} if name == "webp" else None
    kind = "rgb" if channels > 1 else "minisblack"
    tifffile.imwrite(file, pixels, photometric=kind, compression=name, compressionargs=lossless, tile=tile, rowsperstrip=16)
    assert np.array_equal(read_rgb(file.getvalue()), pixels)


def test_alternative_numbers_of_compressions() -> None:
    pixels = np.arange(99, dtype=np.uint8).reshape(9, 11)
    for number, encode in (
        (32946, imagecodecs.zlib_encode),
        (34926, imagecodecs.zstd_encode),
        (33005, imagecodecs.jpeg2k_encode),
    ):
        data = build([(page_tags(9, 11, t259=(3, number)), [bytes(encode(pixels))])])
        assert np.array_equal(read_rgb(data), pixels)


# Strips with pictures of another size


def jpeg() -> tuple[bytes, int]:
    data = imagecodecs.jpeg8_encode(np.zeros((16, 24, 3), np.uint8))
    return data, data.find(b"\xff\xc0") + 5


def jpeg_2000() -> tuple[bytes, int]:
    data = imagecodecs.jpeg2k_encode(np.zeros((16, 24, 3), np.uint8), codecformat="J2K")
    return data, data.find(b"\xff\x4f\xff\x51") + 8


def lerc() -> tuple[bytes, int]:
    return imagecodecs.lerc_encode(np.zeros((16, 24, 3), np.uint8)), 14


@pytest.mark.parametrize(("number", "make", "code"), [(7, jpeg, ">HH"), (34712, jpeg_2000, ">II"), (34887, lerc, "<II")])
def test_a_picture_larger_than_its_strip_is_an_error(number, make, code) -> None:
    strip, at = make()
    entries = page_tags(16, 24, 8, 3, 6 if number == 7 else 2, t259=(3, number))
    assert read_rgb(build([(entries, [bytes(strip)])])).shape == (16, 24, 3)
    changed = bytearray(strip)
    struct.pack_into(code, changed, at, 60_000, 60_000)
    with pytest.raises(ReadError, match="a strip or tile has 60000 x 60000 pixels, more than 16 x 24"):
        read_rgb(build([(entries, [bytes(changed)])]))


def test_a_truncated_jpeg_strip_is_an_error() -> None:
    strip, _ = jpeg()
    with pytest.raises(ReadError, match="has too few pixels"):
        read_rgb(build([(page_tags(16, 24, 8, 3, 6, t259=(3, 7)), [strip[: len(strip) - 9]])]))


def test_a_webp_larger_than_its_strip_is_an_error() -> None:
    strip = imagecodecs.webp_encode(np.zeros((40, 30, 3), np.uint8), lossless=True)
    with pytest.raises(ReadError, match="has 40 x 30 pixels, more than 16 x 24"):
        read_rgb(build([(page_tags(16, 24, 8, 3, 2, t259=(3, 50_001)), [strip])]))
