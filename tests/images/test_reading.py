"""Reading files: real, unusual and damaged ones, and the errors."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from imgconv.errors import ReadError, UsageError
from imgconv.images.files import decode, open_image, read_image, write_image
from imgconv.images.formats.registry import format_named, writable_formats
from imgconv.images.image import Image
from tests.cases import each


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 2 or pixels.shape[2] == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]


def read_error(data: bytes, name: str = "in.xyz") -> str:
    with pytest.raises(ReadError) as caught:
        decode(data, name)
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert len(message.splitlines()) == 1
    assert len(message) < 400
    return message


@pytest.mark.parametrize(
    ("name", "kind", "pages"),
    [
        ("astronaut.png", "png", 1),
        ("camera.png", "png", 1),
        ("coffee.png", "png", 1),
        ("horse.png", "png", 1),
        ("logo.png", "png", 1),
        ("moon.png", "png", 1),
        ("chessboard_GRAY.png", "png", 1),
        ("multipage.tif", "tiff", 2),
        ("no_time_for_that_tiny.gif", "gif", 24),
    ],
)
def test_real_files_match_other_readers(photographs, name, kind, pages) -> None:
    image = read_image(photographs / name)
    assert (image.format, image.pages) == (kind, pages)
    if kind == "tiff":
        with tifffile.TiffFile(photographs / name) as file:
            assert len(file.pages) == pages
            expected = file.pages[0].asarray()
    else:
        with Pillow.open(photographs / name) as other:
            assert getattr(other, "n_frames", 1) == pages
            expected = np.asarray(other.convert("RGB") if other.mode == "P" else other)
    found = to_rgb(image.pixels)
    assert found.dtype == np.uint8
    assert np.array_equal(found[..., :3] if name.endswith("gif") else found, expected)


@pytest.mark.parametrize("name", ["retina.jpg", "rocket.jpg", "hubble_deep_field.jpg"])
def test_jpeg_photographs_match_pillow(photographs, name) -> None:
    image = read_image(photographs / name)
    with Pillow.open(photographs / name) as other:
        expected = np.asarray(other).astype(int)
    assert image.pixels.shape == expected.shape
    assert np.abs(to_rgb(image.pixels) - expected).mean() < 1  # JPEG decoders differ by up to one level
    assert (image.format, image.pages) == ("jpeg", 1)


@pytest.mark.parametrize("as_type", [str, lambda p: p])
def test_a_path_may_be_str_or_pathlike(photographs, as_type) -> None:
    assert read_image(as_type(photographs / "camera.png")).pixels.shape == (512, 512)


# Sample types


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint32", "float16", "bool", "uint64", "int64", "complex64"])
def test_a_tiff_of_a_rare_type_is_read_or_an_error(tmp_path, dtype) -> None:
    pixels = np.array([[0, 1, 100], [1, 0, 1]]).astype(dtype)
    if dtype in ("int32", "uint32"):
        pixels[0, 0] = np.iinfo(dtype).max - 1
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="minisblack")
    if dtype in ("uint64", "int64", "complex64"):
        with pytest.raises(ReadError, match=r"in\.tif: "):
            read_image(tmp_path / "in.tif")
        return
    found = read_image(tmp_path / "in.tif").pixels
    assert found.dtype == ("uint8" if dtype == "bool" else dtype)
    assert np.array_equal(found, pixels * (255 if dtype == "bool" else 1))


def test_a_tiff_with_separate_planes(photographs) -> None:
    path = photographs / "multipage_rgb.tif"
    found = open_image(path)
    with tifffile.TiffFile(path) as file:
        assert found.count == len(file.pages)
        for index, page in enumerate(file.pages):
            assert np.array_equal(to_rgb(found.page(index).pixels), np.moveaxis(page.asarray(), 0, 2))


@pytest.mark.parametrize(("kind", "extension"), [("JPEG", "jpg"), ("TIFF", "tif")])
def test_cmyk_becomes_rgb_without_alpha(tmp_path, kind, extension) -> None:
    cmyk = Pillow.new("CMYK", (16, 16), (10, 200, 60, 30))
    cmyk.save(tmp_path / f"in.{extension}", kind)
    found = to_rgb(read_image(tmp_path / f"in.{extension}").pixels)
    assert found.shape == (16, 16, 3)
    assert np.abs(found[8, 8].astype(int) - cmyk.convert("RGB").getpixel((8, 8))).max() <= 12


@pytest.mark.parametrize(("mode", "white"), [("1", 255), ("P", 7), ("L", 7)])
def test_palettes_and_one_bit_are_expanded(tmp_path, mode, white) -> None:
    picture = Pillow.new("L", (5, 4), 7 if white == 7 else 255)
    picture.convert(mode).save(tmp_path / "in.png")
    found = read_image(tmp_path / "in.png").pixels
    assert found.shape[:2] == (4, 5)
    assert np.all(found == white)


@pytest.mark.parametrize("data", [b"P2 2 1 255 7 200\n", b"P2\n#x\n2 1\n255\n7\n200\n"])
def test_plain_netpbm_is_read(data) -> None:
    assert decode(data).pixels.tolist() == [[7, 200]]


# Read errors


@each("chosen", [f for f in writable_formats() if f.readable and not f.optional])
@each("part", [0.02, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_an_error_in_every_format(tmp_path, photo, chosen, part) -> None:
    pixels = photo if chosen.colour else photo[:, :, 0]
    path = tmp_path / f"in{chosen.extensions[0]}"
    dtypes = chosen.dtypes
    write_image(path, Image(pixels if "uint8" in dtypes else pixels > 99 if "bool" in dtypes else pixels / np.float32(255)))
    data = path.read_bytes()
    path.write_bytes(data[: max(1, int(len(data) * part))])
    with pytest.raises(ReadError) as caught:
        read_image(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "data", [b"x", b"hello, world\n" * 9, b"\0" * 100, b"<svg></svg>", b"%PDF-1.4\n", b"P6", b"P6\n0 0\n255\n"]
)
def test_data_that_is_no_image_is_an_error(data) -> None:
    read_error(data)


def test_the_error_names_the_damaged_format(photographs) -> None:
    assert "PNG" in read_error((photographs / "camera.png").read_bytes()[:900])
    assert "JPEG" in read_error((photographs / "retina.jpg").read_bytes()[:900])


def test_an_empty_file_is_an_error(tmp_path) -> None:
    (tmp_path / "in.png").touch()
    with pytest.raises(ReadError, match=r"in\.png.*empty"):
        read_image(tmp_path / "in.png")


@pytest.mark.parametrize(
    ("name", "words"),
    [("nowhere.png", "no such file"), ("folder", "is a folder"), ("file/in.png", "not a folder"), ("a\0b.png", r"a\\x00b\.png"),
     ("\ud800.png", r"\\ud800"), ("two\nlines.png", r"two\\nlines\.png: no such file"), ("x" * 300, "too long"),
     ("loop", "links form a loop")],
)  # fmt: skip
def test_a_missing_or_invalid_path_is_an_error(tmp_path, name, words) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ReadError, match=words) as caught:
        read_image(f"{tmp_path}/{name}")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("head", [b"P6\n70000 70000\n255\n", b"P5\n70000 70000\n65535\n"])
def test_more_than_max_pixels_is_an_error(head) -> None:
    message = read_error(head + bytes(1000), "in.ppm")
    assert "(4900 megapixels), more than the limit of 1074 megapixels" in message
    assert "raise `max_pixels` to read it" in message


def test_a_header_larger_than_its_data_is_an_error() -> None:
    assert "PPM" in read_error(b"P6\n32000 32000\n255\n" + bytes(99)).upper() or "PNM" in read_error(b"P6\n32000 32000\n255\n")


def test_library_output_is_suppressed(tmp_path, photo, run_python) -> None:
    for name in ("jpeg", "tiff", "webp", "avif", "jp2", "bmp", "ppm", "gif"):
        path = tmp_path / f"in{format_named(name).extensions[0]}"
        write_image(path, Image(photo))
        path.write_bytes(path.read_bytes()[:-200])
    (tmp_path / "text.png").write_text("no picture")
    code = (
        "import pathlib, sys\nfrom imgconv.images.files import read_image\nfrom imgconv.errors import ReadError\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try:\n        read_image(path)\n    except ReadError:\n        print(path.name)\n"
    )
    result = run_python("-c", code, tmp_path)
    assert result.stderr == ""
    assert len(result.stdout.split()) == 9


# Standard input


def test_standard_input_is_read(photographs, monkeypatch) -> None:
    data = (photographs / "camera.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False, closed=False))
    image = read_image("-")
    assert np.array_equal(image.pixels, read_image(photographs / "camera.png").pixels)
    assert image.format == "png"


@pytest.mark.parametrize(
    "stream",
    [None, SimpleNamespace(closed=True), SimpleNamespace(buffer=io.BytesIO(), isatty=lambda: False, closed=False)],
    ids=["none", "closed", "empty"],
)
def test_missing_or_empty_standard_input_is_an_error(monkeypatch, stream) -> None:
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(ReadError, match="standard input"):
        read_image("-")


@pytest.mark.parametrize("index", [-1, 1, 7])
@pytest.mark.parametrize("name", ["in.png", "in.tif", "in.gif", "in.ppm"])
def test_a_missing_page_is_an_error(name, index, tmp_path) -> None:
    write_image(tmp_path / name, Image(np.zeros((4, 5, 3), np.uint8)))
    with pytest.raises(ReadError, match=rf"{name}: has 1 page; page {index + 1} does not exist"):
        open_image(tmp_path / name).page(index)


@pytest.mark.parametrize("extension", [".png", ".jpg", ".tif", ".gif"])
def test_bytes_and_file_objects_are_read(tmp_path, photo, extension) -> None:
    path = tmp_path / f"in{extension}"
    write_image(path, Image(photo))
    expected = read_image(path).pixels
    data = path.read_bytes()
    with path.open("rb") as file:
        sources = [data, bytearray(data), memoryview(data), io.BytesIO(data), file]
        for source in sources:
            assert np.array_equal(read_image(source).pixels, expected)
    assert np.array_equal(open_image(data).page(0).pixels, expected)


def test_other_objects_are_no_files(tmp_path) -> None:
    for source in (3, None, ["in.png"], io.StringIO("text")):
        with pytest.raises(UsageError, match="by its name, its bytes, or a file object opened for bytes"):
            read_image(source)
    closed = io.BytesIO(b"")
    closed.close()
    with pytest.raises(ReadError, match="cannot be read"):
        read_image(closed)
    with pytest.raises(ReadError, match="image: the file is empty"):
        read_image(b"")
    with pytest.raises(ReadError, match="image: is not an image"):
        read_image(io.BytesIO(b"no picture"))
