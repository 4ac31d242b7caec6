"""TIFF files written by imgconv and read by Pillow, libvips, OpenCV and tifffile."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image as Pillow

import imgconv
from imgconv import Coding, Image, WriteError
from imgconv.images.formats import registry
from imgconv.images.formats.picture import Picture
from imgconv.images.formats.tiff import encoder
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header
from tests.cases import each
from tests.images.formats.tiff_files import DTYPES, encode, noise, open_pages, page, to_rgb

COMPRESSION_TAGS = {"none": 1, "lzw": 5, "deflate": 8, "zstd": 50_000, "packbits": 32_773}
#: Types that libvips lacks, and types that Pillow supports.
NOT_IN_VIPS, IN_PILLOW = ("float16", "float64"), ("uint8",)


def assert_read_by_all(data: bytes, pixels: np.ndarray, compression: str) -> None:
    expected = to_rgb(pixels)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        first = file.pages[0]
        assert np.array_equal(first.asarray(), expected)
        assert first.compression == COMPRESSION_TAGS[compression]
        assert [sample.name for sample in first.extrasamples] == ["UNASSALPHA"] * (first.samplesperpixel in (2, 4))
    if compression != "zstd" and pixels.dtype.name not in NOT_IN_VIPS:  # libvips is built without Zstandard
        assert np.array_equal(pyvips.Image.new_from_buffer(data, "").numpy().reshape(expected.shape), expected)
    if compression != "zstd" and pixels.dtype.name in ("uint8", "uint16", "float32", "float64") and pixels.shape[2:] != (2,):
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels.shape[2:] != (4,) or pixels.dtype != np.uint8:  # libtiff premultiplies 8-bit RGBA
            assert np.array_equal(found, pixels)
    if pixels.dtype.name in IN_PILLOW:
        with Pillow.open(io.BytesIO(data)) as image:
            assert np.array_equal(np.asarray(image), expected)


@each("compression", COMPRESSION_TAGS)
@each("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_in_every_compression(dtype, channels, compression) -> None:
    pixels = noise(dtype, channels)
    data = encode(pixels, compression=compression)
    assert_read_by_all(data, pixels, compression)
    image = page(data)
    assert np.array_equal(image.pixels, pixels)
    assert (image.coding, image.notes) == (Coding(compression=compression), ())


@each("compression", ["none", "lzw"])
@each("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 30), (30, 1), (700, 500), (2, 300_000)])
def test_every_size(rows, columns, channels, compression) -> None:
    pixels = noise("uint8", channels, rows, columns)
    if rows * columns > 100_000:
        pixels = np.asarray(pixels) // 64
    assert_read_by_all(encode(pixels, compression=compression), pixels, compression)


def test_strips_have_about_half_a_megabyte() -> None:
    for compression in ("none", "lzw"):
        with tifffile.TiffFile(io.BytesIO(encode(np.zeros((900, 1500, 3), np.uint8), compression=compression))) as file:
            first = file.pages[0]
            assert len(first.dataoffsets) == 8
            assert first.rowsperstrip * 4500 <= 1 << 19
            assert first.dataoffsets[0] % 16 == 0


@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "zstd", "packbits"])
def test_one_bit_is_stored_in_one_bit(photo, compression) -> None:
    bits = photo[:, :, 1] > 120
    for pixels in (bits, bits[:, :, np.newaxis]):
        data = encode(pixels, compression=compression)
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            assert file.pages[0].bitspersample == 1
            assert np.array_equal(file.pages[0].asarray(), bits)
        if compression != "zstd":
            assert np.array_equal(pyvips.Image.new_from_buffer(data, "").numpy(), bits * np.uint8(255))
        with Pillow.open(io.BytesIO(data)) as image:
            assert image.mode == "1"
            assert np.array_equal(np.asarray(image), bits)
        assert page(data).coding == Coding(compression=compression, bits=1)


@pytest.mark.parametrize("compression", ["none", "lzw"])
def test_pixels_in_any_memory_layout(compression) -> None:
    pixels = noise("uint16", 4)
    for other in (pixels[::-1, ::2], pixels.astype(">u2"), np.asfortranarray(pixels), pixels[:, :, :3], pixels[:, :, :1]):
        data = encode(other, compression=compression)
        expected = to_rgb(other[:, :, 0] if other.shape[2] == 1 else other)
        assert np.array_equal(tifffile.imread(io.BytesIO(data)), expected)


def test_pages_are_requested_one_at_a_time() -> None:
    requested: list[int] = []

    def images():
        for n in range(4):
            requested.append(n)
            yield Image(noise("uint8", 1 + n, 10 + n, 30), Metadata(comment=f"page {n}", resolution=(100.0 + n, 200.0)))

    writer, data = registry.format_named("tiff").encoder(4, None, Coding(compression="deflate"), "out.tif"), b""
    for image in images():
        picture, _ = registry.format_named("tiff").prepare(Picture.of(image), Coding())
        for piece in writer.add(picture):
            data += bytes(piece)
            assert len(requested) <= 1 + data.count(b"page ")
    assert not writer.finish()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert len(file.pages) == 4
        for n, page in enumerate(file.pages):
            assert np.array_equal(page.asarray(), to_rgb(noise("uint8", 1 + n, 10 + n, 30)))
            assert page.tags[270].value == f"page {n}"
            assert page.resolution == (200, 100 + n)
            assert page.tags[297].value == (n, 4)
            assert page.subfiletype == 2
    with Pillow.open(io.BytesIO(data)) as image:
        assert image.n_frames == 4
    assert pyvips.Image.new_from_buffer(data, "", n=1, page=3).width == 30
    assert open_pages(data).count == 4


@pytest.mark.parametrize("compression", ["none", "lzw", "packbits"])
@pytest.mark.parametrize("heights", [[150], [1, 149], [70, 0, 71, 9], [1] * 150])
def test_input_strips_may_have_any_height(heights, compression) -> None:
    """Input strips are regrouped; at most two strips of uncompressed pixels are held in memory."""
    pixels, cuts = noise("uint16", 3, 150, 3000), np.cumsum(heights)
    requested: list[int] = []

    def strips():
        for stop, height in zip(cuts, heights, strict=True):
            requested.append(stop)
            yield pixels[stop - height : stop]

    header = Header.of(150, 3000, 3, np.uint16)
    writer, written, data = registry.format_named("tiff").encoder(1, None, Coding(compression=compression), "out.tif"), 0, b""
    for piece in writer.add(Picture(header, strips())):
        if compression == "none" and requested:
            assert requested[-1] * 18_000 <= written + (2 << 19) + max(heights) * 18_000
            written += len(piece)
        data += bytes(piece)
    assert np.array_equal(tifffile.imread(io.BytesIO(data)), to_rgb(pixels))


def test_a_missing_page_is_an_error() -> None:
    with pytest.raises(WriteError, match=r"^out\.tif: only 1 of 2 pages were written"):
        list(imgconv.write_pages("out.tif", iter([Image(noise("uint8", 1))]), 2, None))


@pytest.mark.parametrize(("dtype", "channels", "words"), [
    ("complex64", 1, "cannot store complex numbers"),
    ("uint64", 1, "cannot store uint64 pixels"),
    ("bool", 3, "cannot store colour in 1 bit"),
])  # fmt: skip
def test_unsupported_types_are_an_error(dtype, channels, words) -> None:
    with pytest.raises(WriteError, match=f"^out.tif: TIFF .*{words}") as caught:
        encode(np.zeros((3, 4, channels), dtype))
    assert len(str(caught.value).splitlines()) == 1


def test_a_failing_codec_is_a_write_error(monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no\nroom")

    monkeypatch.setattr(np, "packbits", fail)
    with pytest.raises(WriteError, match=r"^out.tif: the image cannot be written as TIFF \(no room\)$"):
        encode(noise("uint8", 1) > 9)


@pytest.mark.parametrize("compression", ["none", "lzw"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_file_beyond_the_classic_limit_is_a_bigtiff(monkeypatch, count, compression) -> None:
    pixels = noise("uint16", 3, 60, 50)
    images = [Image(pixels, Metadata(comment="big", exif=b"MM\0*\0\0\0\x08\0\0\0\0\0\0"))] * count
    assert encode(images, compression=compression)[2] == 42
    monkeypatch.setattr(encoder, "_CLASSIC_END", 15_000)
    data = encode(images, compression=compression)
    assert data[2] == 43
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert [np.array_equal(page.asarray(), to_rgb(pixels)) for page in file.pages] == [True] * count
        assert file.pages[count - 1].description == "big"
    assert np.array_equal(pyvips.Image.new_from_buffer(data, "", page=count - 1).numpy(), to_rgb(pixels))


def test_later_pages_beyond_the_classic_limit_are_an_error(monkeypatch) -> None:
    monkeypatch.setattr(encoder, "_CLASSIC_END", 15_000)
    with pytest.raises(WriteError, match=r"^out\.tif: page 2 exceeds the 4 GB"):
        encode([noise("uint8", 1, 5, 5), noise("uint8", 1, 200, 200)])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("compression", [1, 5, 8])
def test_a_tiff_keeps_the_compression_of_its_source(tmp_path, dtype, compression) -> None:
    pixels = (np.random.default_rng(0).random((20, 30, 3)) * 200).astype(dtype)
    cv2.imwrite(str(tmp_path / "in.tif"), pixels[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, compression])
    assert not imgconv.write_image(tmp_path / "out.tif", imgconv.read_image(tmp_path / "in.tif"))
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].compression.value == compression
    assert np.array_equal(cv2.imread(str(tmp_path / "out.tif"), cv2.IMREAD_UNCHANGED), pixels[..., ::-1])


def test_other_sources_are_compressed_with_lzw() -> None:
    with tifffile.TiffFile(io.BytesIO(encode(np.zeros((20, 30), np.uint8)))) as file:
        assert file.pages[0].compression.value == 5


def test_no_software_tag_is_written(photo) -> None:
    data = encode(photo)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert not {270, 282, 283, 296, 305, 306} & {tag.code for tag in file.pages[0].tags}
    assert b"tifffile" not in data
