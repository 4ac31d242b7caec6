"""NumPy arrays: files of `numpy.save`, orders and types, damage."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from imgconv.errors import ReadError, WriteError
from imgconv.images.files import decode, read_header, read_image, write_image
from imgconv.images.image import Image

VALUES = np.random.default_rng(0).integers(0, 200, (5, 7, 3))


def saved(array: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<f4", ">f8", "f2", "i4", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4, 5])
def test_arrays_are_read_red_first(dtype, order, channels) -> None:
    shape = (5, 7) if channels is None else (5, 7, channels)
    array = np.asarray(np.random.default_rng(1).integers(0, 200, shape).astype(dtype), order=order)
    found = decode(saved(array))
    if dtype == "?":  # as 0 and 255
        array, dtype = array * np.uint8(255), "u1"
    expected = array[..., 0] if channels == 1 else array
    if channels and channels >= 3:
        expected = expected[..., [2, 1, 0, *range(3, channels)]]
    assert found.pixels.dtype == np.dtype(dtype).newbyteorder("=")
    assert np.array_equal(found.pixels, expected)
    assert (found.format, bool(found.has_alpha)) == ("npy", channels in (2, 4))


def test_an_image_is_written_as_numpy_reads_it(tmp_path) -> None:
    path = tmp_path / "out.npy"
    write_image(path, Image(VALUES.astype(np.float32)))
    assert np.array_equal(np.load(path), VALUES[..., ::-1])
    assert np.array_equal(read_image(path).pixels, VALUES)
    assert read_header(path).shape == (5, 7, 3)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(5), "of shape .* is no image"),
        (np.zeros((2, 3, 4, 5)), "of shape .* is no image"),
        (np.zeros((0, 5)), "of shape .* is no image"),
        (np.zeros((3, 4), complex), "of type complex128 is not supported; convert it"),
        (np.zeros((3, 4), np.int64), "of type int64 is not supported"),
        (np.zeros((3, 4), "U3"), "is not supported"),
        (np.zeros((3, 4), [("a", "u1"), ("b", "f4")]), "is not supported"),
        (np.array([[{}, None]], object), "of type object is not supported"),
    ],
)
def test_other_arrays_are_errors(array, words) -> None:
    with pytest.raises(ReadError, match=f"x.npy: .*{words}"):
        decode(saved(array), "x.npy")


def test_damaged_files_are_errors() -> None:
    data = saved(VALUES.astype(np.uint8))
    for damaged in (data[:7], data[:60], data[:-1], data.replace(b"(5, 7, 3)", b"(5, 7, x)"), data.replace(b"|u1", b"|z9")):
        with pytest.raises(ReadError, match=r"x\.npy: "):
            decode(damaged, "x.npy")
    old, new = b"(5, 7, 3), }", b"(77777, 55555, 3), }"
    huge = data.replace(old + b" " * (len(new) - len(old)), new)
    with pytest.raises(ReadError, match="megapixels"):
        decode(huge, "x.npy")


def test_complex_results_are_write_errors(tmp_path) -> None:
    with pytest.raises(WriteError, match="cannot store complex numbers"):
        write_image(tmp_path / "out.npy", Image(np.zeros((3, 4), complex)))


def test_mutated_files_are_read_or_an_error() -> None:
    random = np.random.default_rng(5)
    for array in (VALUES.astype(np.uint8), VALUES[..., 0] > 99, np.asfortranarray(VALUES.astype(">f4"))):
        data = saved(array)
        for _ in range(400):
            damaged = bytearray(data)
            for at in random.integers(0, min(len(data), 140), random.integers(1, 4)):
                damaged[at] = random.choice([0, 32, 44, 48, 57, 123, 255, damaged[at] ^ 1])
            with contextlib.suppress(ReadError):
                assert decode(bytes(damaged), "x.npy").pixels.size <= 2 * array.size
