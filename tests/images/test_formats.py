"""Every format with every type, grey, colour and alpha: written files read back here and by independent readers."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.errors import WriteError
from imgconv.images.files import read_image, write_image
from imgconv.images.formats.registry import all_formats, extensions, format_named, format_of, writable_formats
from imgconv.images.image import Image
from tests.cases import each
from tests.images import independent

FORMATS = {f.name: f for f in writable_formats()}
EXTENSIONS = extensions()

#: Largest mean difference of the lossy formats, in 8-bit levels.
LOSSY = {"jpeg": 3.0, "avif": 3.0, "gif": 12.0, "hdr": 1.0}

TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64", "bool")

#: Formats supported by the installed OpenCV.
AVAILABLE = {name: f for name, f in FORMATS.items() if f.is_built_in()}

SUPPORTED = [
    (name, dtype, channels)
    for name, f in AVAILABLE.items()
    for dtype in f.dtypes
    for channels in (1, 2, 3, 4)
    if (channels in (1, 3) or f.alpha) and (channels < 3 or f.colour)
    if not (dtype == "bool" and channels > 1) and not (dtype == "uint16" and f.bits)
]
READ = [case for case in SUPPORTED if FORMATS[case[0]].readable]
UNSUPPORTED = [
    (name, dtype, channels)
    for name in AVAILABLE
    for dtype in TYPES
    for channels in (1, 2, 3, 4)
    if (name, dtype, channels) not in SUPPORTED
]


def scaled(pixels: np.ndarray, dtype: str) -> np.ndarray:
    """Return 8-bit pixels in another type, with detail in its lowest bits."""
    kind = np.dtype(dtype)
    fine = pixels / 255 * 0.9 + np.linspace(0, 0.1, pixels.size).reshape(pixels.shape)
    if kind.kind == "f":
        return fine.astype(kind)
    if kind.kind == "b":
        return pixels > 128
    low, high = float(np.iinfo(kind).min), float(np.iinfo(kind).max)
    return np.floor(low + fine * (high - low)).clip(low, high).astype(kind)


def picture(photo: np.ndarray, dtype: str, channels: int, *, sharp_alpha: bool = False) -> np.ndarray:
    alpha = photo[::-1, ::-1, :1] if not sharp_alpha else np.where(photo[::-1, ::-1, :1] > 90, 255, 0).astype(np.uint8)
    if sharp_alpha and channels in (2, 4):  # GIF alpha is binary
        return np.dstack([photo[:, :, : channels - 1], alpha])
    planes = {1: photo[:, :, 0], 2: np.dstack([photo[:, :, :1], alpha]), 3: photo, 4: np.dstack([photo, alpha])}
    return scaled(planes[channels], dtype)


def with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Return BGR or grey pixels as RGB or grey with this number of channels; grey is repeated for RGB."""
    pixels = pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels
    order = {(1, 3): [0, 0, 0], (2, 2): [0, 1], (2, 4): [0, 0, 0, 1], (3, 3): [2, 1, 0], (4, 4): [2, 1, 0, 3], (1, 1): [0]}
    return pixels[:, :, order[pixels.shape[2], channels]]


def visible(pixels: np.ndarray) -> np.ndarray:
    """Return a mask of pixels that are not fully transparent."""
    return pixels[:, :, 3] > 0 if pixels.shape[2] == 4 else np.ones(pixels.shape[:2], bool)


@each("name, dtype, channels", READ)
def test_round_trip(tmp_path, photo, name, dtype, channels) -> None:
    pixels = picture(photo, dtype, channels, sharp_alpha=name == "gif")
    path = tmp_path / f"out{FORMATS[name].extensions[0]}"
    assert write_image(path, Image(pixels)) == ()
    again = read_image(path)
    assert again.format in (name, "pnm")
    assert again.pages == 1
    stored = {1: 1 if FORMATS[name].grey else 3, 2: 2 if FORMATS[name].grey_alpha else 4, 3: 3, 4: 4}[channels]
    expected = with_channels(pixels, stored)
    if dtype == "bool":  # read as 0 and 255
        expected, dtype = expected * np.uint8(255), "uint8"
    found = again.pixels.reshape(37, 50, -1)
    if found.shape[2] >= 3:
        found = found[:, :, [2, 1, 0, 3][: found.shape[2]]]
    assert found.shape == expected.shape
    unit = 255.0 if np.dtype(dtype).kind == "f" else 1.0
    if name not in LOSSY:
        assert np.array_equal(found, expected)
    else:
        mask = visible(found)
        assert mask.any()
        assert np.array_equal(mask, visible(expected))
        assert np.abs(found.astype(float) - expected)[mask].mean() * unit < LOSSY[name]
    assert again.pixels.dtype == np.dtype(dtype)


@each("name, dtype, channels", [case for case in SUPPORTED if case[0] != "hdr"])
def test_independent_readers_return_the_same_pixels(tmp_path, photo, name, dtype, channels) -> None:
    pixels = picture(photo, dtype, channels, sharp_alpha=name == "gif")
    path = tmp_path / f"out{FORMATS[name].extensions[0]}"
    write_image(path, Image(pixels))
    found = independent.read(path)
    found = found.reshape(37, 50, -1)
    if not FORMATS[name].readable:  # text has no type; every value fits into double precision
        assert dtype.startswith("float") or np.array_equal(found, np.rint(found))
        found = found.astype(dtype)
    if name == "gif" and channels in (1, 3) and found.shape[2] == 4:
        assert np.all(found[:, :, 3] == 255)  # a transparent colour is reserved but unused
        found = found[:, :, :3]
    expected = with_channels(pixels, found.shape[2])
    if name == "jp2" and dtype == "uint16" and found.dtype == np.uint8:
        expected = expected >> 8  # Pillow reduces colour to 8 bits
        assert np.abs(found.astype(int) - expected).max() <= 1
    elif name not in LOSSY:
        assert found.dtype == np.dtype(dtype)
        assert np.array_equal(found, expected)
    else:
        mask = visible(found)
        assert mask.any()
        assert np.array_equal(mask, visible(expected))
        assert np.abs(found.astype(float) - expected)[mask].mean() < LOSSY[name]


@each("name, dtype, channels", UNSUPPORTED)
def test_unsupported_pixels_are_an_error_and_keep_the_old_file(tmp_path, file_names, photo, name, dtype, channels) -> None:
    path = tmp_path / f"out{FORMATS[name].extensions[0]}"
    path.write_bytes(b"old")
    with pytest.raises(WriteError) as caught:
        write_image(path, Image(picture(photo, dtype, channels)))
    message = str(caught.value)
    assert message.startswith(f"{path}: {FORMATS[name].title} ")
    assert "; choose " in message
    assert len(message.splitlines()) == 1
    assert path.read_bytes() == b"old"
    assert file_names() == [path.name]
    path.unlink()


@pytest.mark.parametrize(
    ("name", "dtype", "channels", "words"),
    [
        ("out.jpg", "uint16", 3, ["JPEG", "16-bit", "`depth` 8"]),
        ("out.webp", "uint16", 1, ["WebP", "16-bit", "`depth` 8"]),
        ("out.png", "float32", 3, ["PNG", "floating-point", "`depth` 8 or 16", ".tif"]),
        ("out.png", "bool", 3, ["PNG", "colour in 1 bit", "`gray`"]),
        ("out.tif", "bool", 2, ["TIFF", "alpha in 1 bit", "`alpha` drop"]),
        ("out.avif", "uint16", 1, ["AVIF", "16-bit", "`depth` 8", ".png"]),
        ("out.jpg", "float32", 1, ["JPEG", "floating-point", "`depth` 8"]),
        ("out.jpg", "uint8", 4, ["JPEG", "alpha", ".png"]),
        ("out.pgm", "uint8", 3, ["PGM", "colour", ".png"]),
        ("out.hdr", "uint8", 3, ["HDR", "8-bit", "`depth` 32f"]),
        ("out.csv", "float32", 3, ["CSV cannot store colour; choose `gray`, or another format (.npy, .tif"]),
        ("out.txt", "uint8", 2, ["TXT has no alpha channel; choose `alpha` drop, or another format (.npy, .png"]),
        ("out.txt", "uint8", 4, ["choose `gray` `alpha` drop, or"]),
        ("out.csv", "bool", 3, ["CSV cannot store colour; choose `gray`"]),
        ("out.pgm", "uint16", 3, ["choose `gray`, or another format (.png"]),
        ("out.pgm", "float32", 3, ["choose another format (.tif"]),
        ("out.png", "complex64", 1, ["PNG", "complex"]),
    ],
)
def test_an_error_names_the_cause_and_a_remedy(tmp_path, file_names, photo, name, dtype, channels, words) -> None:
    pixels = np.zeros((3, 4), dtype) if dtype == "complex64" else picture(photo, dtype, channels)
    with pytest.raises(WriteError) as caught:
        write_image(tmp_path / name, Image(pixels))
    assert [word for word in words if word not in str(caught.value)] == []
    assert file_names() == []


def test_the_formats_named_in_an_error_support_the_image(tmp_path, photo) -> None:
    for name, dtype, channels in UNSUPPORTED[::7]:
        pixels = Image(picture(photo, dtype, channels))
        with pytest.raises(WriteError) as caught:
            write_image(tmp_path / f"out{FORMATS[name].extensions[0]}", pixels)
        offered = str(caught.value).partition("another format (")[2].rstrip(")").split(", ")
        for extension in filter(None, offered):
            write_image(tmp_path / f"advised{extension}", pixels)


@each("name, dtype, channels", UNSUPPORTED)
def test_no_error_suggests_a_format_that_is_only_written(tmp_path, photo, name, dtype, channels) -> None:
    with pytest.raises(WriteError) as caught:
        write_image(tmp_path / f"out{FORMATS[name].extensions[0]}", Image(picture(photo, dtype, channels)))
    advice = str(caught.value).partition("; choose ")[2]
    assert [f.name for f in FORMATS.values() if not f.readable and f.extensions[0] in advice] == []


def test_opaque_alpha_is_dropped(tmp_path, photo) -> None:
    pixels = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    write_image(tmp_path / "out.bmp", Image(pixels))
    write_image(tmp_path / "out.ppm", Image(pixels))
    assert np.array_equal(independent.read(tmp_path / "out.ppm"), photo[:, :, ::-1])
    pixels[3, 4, 3] = 254
    with pytest.raises(WriteError, match="alpha"):
        write_image(tmp_path / "out.ppm", Image(pixels))


@pytest.mark.parametrize(("name", "side"), [("out.webp", 16_384), ("out.jpg", 65_501)])
def test_too_large_a_width_is_an_error(tmp_path, file_names, name, side) -> None:
    with pytest.raises(WriteError, match=f"{side}") as caught:
        write_image(tmp_path / name, Image(np.zeros((1, side, 3), np.uint8)))
    assert len(str(caught.value).splitlines()) == 1
    assert file_names() == []


# Names


@each("extension", EXTENSIONS)
def test_extensions_are_case_insensitive(extension) -> None:
    assert format_of(f"a.b/out{extension.upper()}") is EXTENSIONS[extension]
    assert format_named(extension) is format_named(extension.lstrip(".").upper()) is EXTENSIONS[extension]


def test_extensions_signatures_and_names_are_unique() -> None:
    for of in (lambda f: f.extensions, lambda f: f.signatures, lambda f: (f.name,)):
        items = [item for f in all_formats() for item in of(f)]
        assert len(items) == len(set(items))


BANDS = [name for name, f in FORMATS.items() if f.bands]


@each("name", FORMATS)
@each("bands", [2, 5, 12])
def test_bands_are_stored_or_an_error(tmp_path, photo, name, bands) -> None:
    chosen, path = FORMATS[name], tmp_path / f"out{FORMATS[name].extensions[0]}"
    pixels = np.dstack([photo] * 4)[:, :, :bands].astype("uint8" if "uint8" in chosen.dtypes else chosen.dtypes[-1])
    image = Image(pixels, has_alpha=False)
    if not chosen.bands or (name == "npy" and bands == 2):  # the second of two channels would be alpha
        with pytest.raises(WriteError, match=rf"{chosen.title} (cannot store {bands} bands|is not supported by)") as caught:
            write_image(path, image)
        assert name == "pbm" or all(FORMATS[other].extensions[-1] in str(caught.value) for other in BANDS if other != "npy")
        return
    write_image(path, image)
    again = read_image(path)
    assert np.array_equal(again.pixels, pixels)
    assert (again.has_alpha, again.colours) == (False, 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("out.jpgg", [".jpgg", "did you mean", ".jpg", ".tif"]),
        ("out.pmg", [".pmg", "did you mean", ".png"]),
        ("out", ["out: ", ".png", ".tif"]),
        (".png", [".png: ", ".jpg", ".tif"]),
        ("out.", ["out.: ", ".png", ".tif"]),
        ("out.exe", [".exe", ".png", ".tif"]),
        ("out.p\nng", ["p\\nng"]),
    ],
)
def test_an_unknown_extension_error_suggests_the_closest(name, words) -> None:
    with pytest.raises(WriteError) as caught:
        format_of(name)
    assert [word for word in words if word not in str(caught.value)] == []
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["", ".", "jpgg", "a/b", "\n"])
def test_an_unknown_format_is_an_error(name) -> None:
    with pytest.raises(WriteError, match="unknown format") as caught:
        format_named(name)
    assert "\n" not in str(caught.value)


def test_an_unknown_format_error_suggests_each_name_once() -> None:
    with pytest.raises(WriteError, match=r"unknown format 'text' \(did you mean txt\?\)"):
        format_named("text")
