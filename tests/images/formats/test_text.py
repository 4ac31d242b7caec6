"""Values as text: read back by NumPy in every type and size, and never read as pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest

import imgconv
from imgconv.errors import ReadError, WriteError
from imgconv.images.files import decode, read_image, write_image
from imgconv.images.formats import registry
from imgconv.images.formats.picture import Picture
from imgconv.images.image import Coding, Image
from imgconv.images.pages import Header
from tests.cases import each

DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")
SEPARATORS = {"txt": " ", "csv": ","}
SIZES = [(1, 1), (1, 7), (9, 1), (5, 3), (2, 70_001), (331, 257)]  # the last ones are larger than a strip


def noise(dtype: str, *shape: int) -> np.ndarray:
    """Return random values over the range of a type: random bits, which include NaN and denormals for floats."""
    kind = np.dtype(dtype)
    data = np.random.default_rng(3).integers(0, 256, math.prod(shape) * kind.itemsize, np.uint8)
    return (data & 1).view(bool).reshape(shape) if kind.kind == "b" else data.view(kind).reshape(shape)


def loaded(path, dtype: str) -> np.ndarray:
    """Return the values of a file, read by NumPy in their own type."""
    delimiter = "," if path.suffix == ".csv" else None
    return np.loadtxt(path, "uint8" if dtype == "bool" else dtype, delimiter=delimiter, ndmin=2).astype(dtype)


def check(path, pixels: np.ndarray) -> None:
    """Write pixels, and compare the lines, the values and the signs of zeros with what NumPy reads."""
    assert write_image(path, Image(pixels)) == ()
    lines = path.read_bytes().decode("ascii").split("\n")
    assert (len(lines) - 1, lines[-1]) == (len(pixels), "")
    assert {line.count(SEPARATORS[path.suffix[1:]]) for line in lines[:-1]} == {pixels.shape[1] - 1}
    found = loaded(path, pixels.dtype.name)
    assert found.dtype == pixels.dtype
    np.testing.assert_array_equal(found, pixels)
    if pixels.dtype.kind == "f":
        numbers = ~np.isnan(pixels)  # text keeps no sign of NaN
        assert np.array_equal(np.signbit(found[numbers]), np.signbit(pixels[numbers]))


@each("name", SEPARATORS)
@each("dtype", DTYPES)
@each("size", SIZES[:4])
def test_values_are_read_back_by_numpy(tmp_path, name, dtype, size) -> None:
    check(tmp_path / f"out.{name}", noise(dtype, *size))


@pytest.mark.parametrize("dtype", DTYPES)
@each("size", SIZES[4:])
def test_large_pictures_are_read_back_by_numpy(tmp_path, dtype, size) -> None:
    check(tmp_path / "out.csv", noise(dtype, *size))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "float16"])
def test_every_value_of_a_small_type_is_kept(tmp_path, dtype) -> None:
    kind = np.dtype(dtype)
    bits = np.arange(1 << 8 * kind.itemsize, dtype=f"u{kind.itemsize}")
    values = bits.view(kind).reshape(-1, 32)
    check(tmp_path / "by_table.csv", values)
    for number, part in enumerate(np.split(values, 4)):  # smaller than a table of a 16-bit type
        check(tmp_path / f"{number}.csv", part)
    parts = b"".join((tmp_path / f"{number}.csv").read_bytes() for number in range(4))
    assert (tmp_path / "by_table.csv").read_bytes() == parts


@each("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_the_limits_of_integers_are_plain_numbers(tmp_path, dtype) -> None:
    limits = np.iinfo(dtype)
    write_image(tmp_path / "out.csv", np.array([[limits.min, 0, limits.max]], dtype))
    assert (tmp_path / "out.csv").read_text() == f"{limits.min},0,{limits.max}\n"


@each("dtype", ["float16", "float32", "float64"])
def test_special_values_and_the_limits_of_floats(tmp_path, dtype) -> None:
    limits = np.finfo(dtype)
    pixels = np.array(
        [[np.nan, np.inf, -np.inf, -0.0], [limits.max, limits.min, limits.tiny, limits.smallest_subnormal]], dtype
    )
    check(tmp_path / "out.txt", pixels)
    assert (tmp_path / "out.txt").read_text().startswith("nan inf -inf -0.0\n")


def test_floats_have_the_fewest_digits(tmp_path) -> None:
    values = [[0.1, 1 / 3, 1.0], [-2.5, 1e-05, 1e20]]
    texts = {
        "float16": "0.1 0.3333 1.0\n-2.5 1e-05 inf\n",
        "float32": "0.1 0.33333334 1.0\n-2.5 1e-05 1e+20\n",
        "float64": "0.1 0.3333333333333333 1.0\n-2.5 1e-05 1e+20\n",
    }
    for dtype, text in texts.items():
        with np.errstate(over="ignore"):
            write_image(tmp_path / "out.txt", np.array(values).astype(dtype))
        assert (tmp_path / "out.txt").read_text() == text


def test_bits_are_0_and_1(tmp_path) -> None:
    write_image(tmp_path / "out.txt", np.array([[True, False, True], [False, False, True]]))
    assert (tmp_path / "out.txt").read_text() == "1 0 1\n0 0 1\n"


@each("dtype", ["uint8", "int16", "bool", "float32"])
@each("heights", [(50,), (1,) * 50, (7, 40, 3)])
def test_strips_of_any_height_and_layout_give_the_same_file(tmp_path, dtype, heights) -> None:
    pixels = noise(dtype, 50, 18)[:, ::2]
    write_image(tmp_path / "out.txt", np.ascontiguousarray(pixels))
    strips = iter(np.split(pixels, np.cumsum(heights)[:-1]))
    pieces = registry.format_named("txt").encode(Picture(Header.of(50, 9, 1, dtype), strips), Coding(), "out")
    assert b"".join(map(bytes, pieces)) == (tmp_path / "out.txt").read_bytes()


def test_other_byte_orders_and_one_channel_in_three_axes_are_written(tmp_path) -> None:
    pixels = noise("float32", 5, 7)
    for other in (pixels.astype(">f4"), np.asfortranarray(pixels), pixels[:, :, np.newaxis]):
        write_image(tmp_path / "out.csv", Image(other))
        np.testing.assert_array_equal(loaded(tmp_path / "out.csv", "float32"), pixels)


def test_only_opaque_alpha_is_dropped(tmp_path, file_names) -> None:
    grey = noise("uint8", 5, 7)
    opaque = Image(np.dstack([grey, np.full_like(grey, 255)]))
    assert write_image(tmp_path / "out.csv", opaque) == ()
    assert np.array_equal(loaded(tmp_path / "out.csv", "uint8"), grey)
    (tmp_path / "out.csv").unlink()
    opaque.pixels[2, 3, 1] = 254
    with pytest.raises(WriteError, match="CSV has no alpha channel; choose `alpha` drop"):
        write_image(tmp_path / "out.csv", opaque)
    assert file_names() == []


@each("name", ["values.csv", "values.TXT"])
def test_text_is_not_read_as_a_picture(tmp_path, name) -> None:
    write_image(tmp_path / name, noise("uint8", 5, 7))
    with pytest.raises(ReadError) as caught:
        read_image(tmp_path / name)
    title = name[-3:].upper()
    reason = (
        f"is not an image in a supported format; imgconv writes {title}, but reads it only as a kernel (@{tmp_path / name})"
    )
    assert str(caught.value) == f"{tmp_path / name}: {reason}"
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ReadError, match="the file is empty"):
        read_image(tmp_path / name)


def test_the_content_decides_how_a_file_is_read(tmp_path) -> None:
    pixels = noise("uint8", 5, 7)
    write_image(tmp_path / "picture.csv", pixels, format="png")
    assert np.array_equal(read_image(tmp_path / "picture.csv").pixels, pixels)
    with pytest.raises(ReadError, match=r"image: is not an image in a supported format$"):
        decode(b"1,2\n3,4\n")


@each("name", SEPARATORS)
@each("dtype", ["int8", "uint16", "float32", "float64"])
def test_a_kernel_is_read_from_the_values(tmp_path, name, dtype) -> None:
    values = noise(dtype, 5, 3) if dtype[0] != "f" else np.random.default_rng(1).normal(size=(5, 3)).astype(dtype)
    write_image(tmp_path / f"out.{name}", values)
    weights = imgconv.parse_kernel(f"@{tmp_path / f'out.{name}'}").weights
    assert np.array_equal(weights.astype(dtype), values)
