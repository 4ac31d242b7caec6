"""Pixels of TIFF files written by tifffile or built here: every type, layout and bit depth."""

from __future__ import annotations

import io

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile

from imgconv.errors import ReadError
from tests.cases import each
from tests.images.formats.tiff_files import (
    COLUMNS,
    DTYPES,
    ROWS,
    bit_rows,
    build,
    by_tifffile,
    noise,
    open_pages,
    page,
    page_tags,
    to_rgb,
)

KINDS = {1: "minisblack", 2: "minisblack", 3: "rgb", 4: "rgb"}


@each("compression", [None, "lzw", "deflate", "zstd", "packbits"])
@each("samples", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_in_every_layout(dtype, samples, compression) -> None:
    pixels = noise(dtype, samples)
    for separate, tile, order in ((False, None, ">"), (False, (16, 32), "<"), (True, None, "<"), (True, (16, 32), ">")):
        if separate and samples == 1:
            continue
        stored = np.ascontiguousarray(np.moveaxis(pixels, 2, 0)) if separate else pixels
        data = by_tifffile(
            stored,
            photometric=KINDS[samples],
            planarconfig=("separate" if separate else "contig") if samples > 1 else None,
            extrasamples=[2] if samples in (2, 4) else None,
            compression=compression,
            predictor=compression in ("lzw", "deflate", "zstd"),
            tile=tile,
            rowsperstrip=None if tile else 5,
            byteorder=order,
            bigtiff=separate,
        )
        image = page(data)
        assert np.array_equal(to_rgb(image.pixels), pixels)
        assert image.coding.compression == (compression or "none")
        assert image.coding.bits is None
        assert image.notes == ()
        assert image.pages == 1


@each("order", "<>")
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 7, 10, 12, 14, 15])
@each("samples, photometric", [(1, 0), (1, 1), (2, 1), (3, 2), (4, 2)])
def test_unusual_bit_depths_are_scaled_to_white(bits, samples, photometric, order) -> None:
    values = np.random.default_rng(bits).integers(0, 1 << bits, (7, 11, samples))
    values[0, :2] = [[0], [(1 << bits) - 1]]
    dtype = np.uint8 if bits <= 8 else np.uint16
    full = np.iinfo(dtype).max
    expected = np.rint(values * (full / ((1 << bits) - 1))).astype(dtype)
    if photometric == 0:
        expected = full - expected
    image = page(build([(page_tags(7, 11, bits, samples, photometric), [bit_rows(values, bits)])], order))
    assert np.array_equal(to_rgb(image.pixels), expected[:, :, 0] if samples == 1 else expected)
    assert {0, full} <= set(image.pixels[0].flat)
    assert image.coding.bits == bits


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_unusual_bit_depths_are_close_to_opencv(bits) -> None:
    """OpenCV shifts the bits, so its white is slightly darker."""
    values = np.random.default_rng(1).integers(0, 1 << bits, (7, 11, 3))
    data = build([(page_tags(7, 11, bits, 3, 2), [bit_rows(values, bits)])])
    shifted = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.abs(page(data).pixels.astype(int) - shifted).max() <= 1 << (16 - bits)


@pytest.mark.parametrize("dtype", DTYPES)
def test_white_is_zero_is_inverted(dtype) -> None:
    pixels = noise(dtype, 1)
    expected = 1 - pixels if pixels.dtype.kind == "f" else ~pixels
    image = page(by_tifffile(pixels, photometric="miniswhite"))
    assert np.array_equal(image.pixels, expected)


@pytest.mark.parametrize("order", "<>")
def test_24_bit_floats_are_read(order) -> None:
    pixels = np.random.default_rng(6).random((7, 11)).astype(np.float32)
    data = build([(page_tags(7, 11, 24, t339=(3, 3)), [bytes(imagecodecs.float24_encode(pixels, byteorder=order))])], order)
    assert np.allclose(page(data).pixels, pixels, rtol=2e-5)


@pytest.mark.parametrize("compression", [1, 5])
def test_omitted_strips_have_the_nodata_value(compression) -> None:
    """GDAL omits empty strips; tag 42113 gives their value, by default 0."""
    strips = [bytes([1]) * 33, b"", bytes([2]) * 33, b"", bytes([3]) * 22]
    strips = [imagecodecs.lzw_encode(strip) if strip and compression == 5 else strip for strip in strips]
    for no_data, value in ((b"7\0", 7), (None, 0), (b"-9999\0", 0), (b"word\0", 0), (b"nan\0", 0)):
        entries = page_tags(14, 11, t278=(4, 3), t259=(3, compression), t42113=(2, no_data))
        pixels = page(build([(entries, strips)])).pixels
        assert pixels[:, 5].tolist() == [1] * 3 + [value] * 3 + [2] * 3 + [value] * 3 + [3] * 2


def test_the_size_of_a_single_strip_may_be_missing() -> None:
    pixels = noise("uint8", 3)
    for size in (None, 0):
        entries = page_tags(ROWS, COLUMNS, 8, 3, 2, t279=(4, size))
        assert np.array_equal(to_rgb(page(build([(entries, [pixels.tobytes()])])).pixels), pixels)


def test_fill_order_2_is_read() -> None:
    values = np.random.default_rng(7).integers(0, 2, (7, 11, 1))
    bits = bytes(int(f"{byte:08b}"[::-1], 2) for byte in bit_rows(values, 1))
    assert np.array_equal(page(build([(page_tags(7, 11, 1, t266=(3, 2)), [bits])])).pixels, values[:, :, 0] * 255)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (page_tags(3, 4, 8, 0, 1), "is damaged or truncated: recognized as TIFF, but cannot be decoded"),
        (page_tags(3, 4, 8, 3, 6), "is YCbCr with subsampled colour"),
        (page_tags(3, 4, 32, 3, 32845, t259=(3, 34676)), r"\(LogLuv\), which is not supported; save it as RGB"),
        (page_tags(3, 4, 64), "is a TIFF with 1 sample per pixel of 64 bits, which is not supported; save it as RGB or grey"),
        (page_tags(3, 4, 32, t339=(3, 6)), "of 32 bits, complex, which is not supported"),
        (page_tags(3, 4, 12, t339=(3, 2)), "of 12 bits, signed, which is not supported"),
        (page_tags(3, 4, 16, 1, 32803), r"of 16 bits \(a colour filter array\), which is not supported"),
        (page_tags(3, 4, 8, 2, 2), "a TIFF with 2 samples per pixel of 8 bits each, which is not supported"),
        (page_tags(3, 4, 8, 3, 2, t258=(3, [5, 6, 5])), "has samples of different types"),
        (page_tags(3, 4, 8, 4, 5, t332=(3, 2)), r"\(CMYK\), which is not supported"),
        (page_tags(3, 4, 8, 1, 3), "which is not supported; save it as RGB or grey"),
        (page_tags(3, 4, t259=(3, 50_002)), "has compression 50002, which is not supported; save it with LZW or Deflate"),
        (page_tags(3, 4, t259=(3, 5), t317=(3, 9)), "with predictor 9, which is not supported"),
        (page_tags(0, 4), "is damaged: its header gives 0 x 4 pixels"),
    ],
)  # fmt: skip
def test_errors_name_the_reason(entries, words) -> None:
    data = build([(entries, [bytes(999)])])
    with pytest.raises(ReadError, match=f"^in.tif: .*{words}") as caught:
        page(data)
    assert len(str(caught.value).splitlines()) == 1


def test_a_page_above_max_pixels_is_an_error() -> None:
    data = build([(page_tags(30, 40), [bytes(1200)])])
    assert open_pages(data, 1200).page(0).pixels.shape == (30, 40)
    with pytest.raises(ReadError, match="has 30 x 40 pixels"):
        open_pages(data, 1199).page(0)


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("compression", [None, "lzw"])
def test_a_window_reads_only_its_strips_or_tiles(compression, tile) -> None:
    """Damage outside of the window does not matter."""
    pixels = noise("uint16", 3, 64, 48)
    data = bytearray(by_tifffile(pixels, photometric="rgb", compression=compression, tile=tile, rowsperstrip=16))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        last = file.pages[0].dataoffsets[-1]
    intact = open_pages(bytes(data)).open_page(0)
    rows, columns = slice(5, 30), slice(3, 20)
    assert np.array_equal(to_rgb(intact.read(rows, columns)), pixels[rows, columns])
    truncated = open_pages(bytes(data[: last + 9])).open_page(0)
    assert np.array_equal(to_rgb(truncated.read(rows, columns)), pixels[rows, columns])
    assert truncated.read(slice(9, 9)).shape == (0, 48, 3)
    with pytest.raises(ReadError, match=r"^in\.tif: is damaged or truncated"):
        truncated.read(slice(40, None))
    with pytest.raises(ReadError, match=r"^in\.tif: is damaged or truncated"):
        truncated.image()
