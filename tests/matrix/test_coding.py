"""Encoding options of outputs: those of the input if the format is the same, unless given on the command line."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import JpegImagePlugin

from tests.matrix.by_pillow import image_of, save
from tests.matrix.pictures import picture

_SAMPLINGS = {0: "444", 1: "422", 2: "420"}
#: Values of TIFF's Compression tag for the values of `--compression`.
_COMPRESSIONS = {"none": 1, "lzw": 5, "deflate": 8, "zstd": 50000, "packbits": 32773}


def tables(data: bytes) -> tuple[dict, int]:
    """Return the quantisation tables of a JPEG, and Pillow's number of its subsampling."""
    with Pillow.open(io.BytesIO(data)) as image:
        return image.quantization, JpegImagePlugin.get_sampling(image)


@pytest.mark.parametrize("subsampling", _SAMPLINGS)
@pytest.mark.parametrize("quality", [20, 50, 75, 88, 95, 100])
def test_a_jpeg_keeps_quality_and_subsampling(quality, subsampling, tmp_path, run_ok):
    data = save(image_of("RGB"), "JPEG", quality=quality, subsampling=subsampling)
    (tmp_path / "in.jpg").write_bytes(data)
    run_ok("apply", "identity", tmp_path / "in.jpg", tmp_path / "out.jpg")
    assert tables((tmp_path / "out.jpg").read_bytes()) == tables(data)


@pytest.mark.parametrize("quality", [20, 75, 95])
def test_a_grey_jpeg_keeps_its_quality(quality, tmp_path, run_ok):
    data = save(image_of("L"), "JPEG", quality=quality)
    (tmp_path / "in.jpg").write_bytes(data)
    run_ok("apply", "identity", tmp_path / "in.jpg", tmp_path / "out.jpg")
    assert tables((tmp_path / "out.jpg").read_bytes()) == tables(data)


@pytest.mark.parametrize("subsampling", ["440", "411"])
def test_rarer_subsampling_is_kept(subsampling, tmp_path, run_ok):
    data = imagecodecs.jpeg_encode(picture(), level=90, subsampling=subsampling)
    (tmp_path / "in.jpg").write_bytes(data)
    run_ok("apply", "identity", tmp_path / "in.jpg", tmp_path / "out.jpg")
    layers = []
    for name in ("in.jpg", "out.jpg"):
        with Pillow.open(tmp_path / name) as image:
            layers.append([(across, down) for _, across, down, _ in image.layer])
    assert layers[0] == layers[1]


@pytest.mark.parametrize("name", ["in.jpg", "in.png"])
@pytest.mark.parametrize("quality", [10, 60, 95])
def test_quality_selects_the_quantization_tables(name, quality, tmp_path, run_ok):
    image_of("RGB").save(tmp_path / name, **({"quality": 30} if name == "in.jpg" else {}))
    run_ok("apply", "identity", "--quality", quality, tmp_path / name, tmp_path / "out.jpg")
    expected, _ = tables(save(image_of("RGB"), "JPEG", quality=quality))
    assert tables((tmp_path / "out.jpg").read_bytes())[0] == expected


def test_a_jpeg_from_another_format_has_quality_95(tmp_path, run_ok):
    image_of("RGB").save(tmp_path / "in.png")
    run_ok("apply", "identity", tmp_path / "in.png", tmp_path / "out.jpg")
    assert tables((tmp_path / "out.jpg").read_bytes())[0] == tables(save(image_of("RGB"), "JPEG", quality=95))[0]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize(
    ("stored", "expected", "chunk"),
    [
        ("png", (), b"VP8L"),
        ("lossless", (), b"VP8L"),
        ("lossless", ("--quality", 60), b"VP8 "),
        ("lossy", ("--quality", 60), b"VP8 "),
        ("lossy", ("--lossless",), b"VP8L"),
        ("png", ("--quality", 60), b"VP8 "),
    ],
)
def test_a_webp_is_lossless_or_lossy_as_requested(mode, stored, expected, chunk, tmp_path, run_ok):
    path = tmp_path / ("in.png" if stored == "png" else "in.webp")
    image_of(mode).save(path, **({} if stored == "png" else {"lossless": stored == "lossless"}))
    run_ok("apply", "identity", *expected, path, tmp_path / "out.webp")
    data = (tmp_path / "out.webp").read_bytes()
    assert (b"VP8L" in data, b"VP8 " in data) == (chunk == b"VP8L", chunk == b"VP8 ")


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".jpg"])
def test_lower_quality_gives_a_smaller_file(suffix, tmp_path, run_ok):
    image_of("RGB").save(tmp_path / "in.png")
    sizes = []
    for quality in (95, 60, 20):
        run_ok("apply", "identity", "--quality", quality, tmp_path / "in.png", tmp_path / f"out{suffix}")
        sizes.append((tmp_path / f"out{suffix}").stat().st_size)
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", [".webp", ".avif", ".jp2", ".png", ".tif"])
def test_lossless_keeps_all_visible_pixels(mode, suffix, tmp_path, run_ok):
    image_of(mode).save(tmp_path / "in.png")
    run_ok("apply", "identity", "--lossless", tmp_path / "in.png", tmp_path / f"out{suffix}")
    with Pillow.open(tmp_path / f"out{suffix}") as image:
        found = np.asarray(image.convert(mode))
    expected = np.asarray(image_of(mode))
    visible = expected[:, :, 3] > 0 if mode == "RGBA" else np.ones(expected.shape[:2], bool)
    assert np.array_equal(found[visible], expected[visible])


@pytest.mark.parametrize("expected", _COMPRESSIONS)
@pytest.mark.parametrize(("dtype", "channels"), [("u1", 3), ("u2", 1), ("f4", 3)])
def test_a_tiff_has_the_requested_compression(expected, dtype, channels, tmp_path, run_ok):
    pixels = picture(dtype, channels)
    kind = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric=kind)
    run_ok("apply", "identity", "--compression", expected, tmp_path / "in.tif", tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].compression == _COMPRESSIONS[expected]
        assert np.array_equal(file.pages[0].asarray(), pixels)


@pytest.mark.parametrize(
    ("stored", "number"), [(None, 1), ("lzw", 5), ("zlib", 8), ("zstd", 50000), ("packbits", 32773), ("lzma", 5), ("jpeg", 5)]
)
def test_a_tiff_keeps_its_compression_or_gets_lzw(stored, number, tmp_path, run_ok):
    tifffile.imwrite(tmp_path / "in.tif", picture(), photometric="rgb", compression=stored)
    run_ok("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].compression == number


def test_a_png_is_smaller_at_a_higher_compression_level(tmp_path, run_ok):
    image_of("RGB").save(tmp_path / "in.png")
    sizes = []
    for level in (0, 1, 9):
        run_ok("apply", "identity", "--compression", level, tmp_path / "in.png", tmp_path / "out.png")
        sizes.append((tmp_path / "out.png").stat().st_size)
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize(
    ("options", "suffix", "words"),
    [
        (("--quality", 60), ".png", "--quality is for"),
        (("--quality", 60), ".tif", "--quality is for"),
        (("--quality", 60), ".gif", "--quality is for"),
        (("--lossless",), ".jpg", "another format"),
        (("--lossless",), ".gif", "another format"),
        (("--compression", "lzw"), ".png", "--compression lzw"),
        (("--compression", "7"), ".tif", "--compression 7"),
        (("--compression", "lzw"), ".jpg", "--compression lzw"),
    ],
)
def test_an_option_that_the_format_does_not_support_is_an_error(options, suffix, words, tmp_path, run_error):
    image_of("RGB").save(tmp_path / "in.png")
    assert words in run_error(5, "apply", "identity", *options, tmp_path / "in.png", tmp_path / f"out{suffix}")
