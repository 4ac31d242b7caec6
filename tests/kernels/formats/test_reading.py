"""Kernel files: each format as written by its own program, and the errors for invalid files."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from imgconv.errors import KernelError
from imgconv.kernels.catalog import parse_kernel
from imgconv.kernels.formats import read_kernel_file
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.yaml_tree import MAX_BYTES


@pytest.fixture
def write_file(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(text, name="kernel.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


ROWS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


@pytest.mark.parametrize(
    "text",
    [
        "1 2 3\n4 5 6\n",
        "1,2,3\r\n4,5,6\r\n",
        "1, 2, 3; 4, 5, 6",
        "# a kernel\n\n1\t2\t3  # first\n4 5 6",
        "1,2,3,\n4,5,6,\n",
        "\ufeff1 2 3\n4 5 6",
        "1 2 3;\n4 5 6;\n",
        "2/2 2. +3e0\n4 5 6",
    ],
)
def test_rows_of_numbers_are_read(write_file, text):
    path = write_file(text)
    kernel = read_kernel_file(path)
    assert kernel.weights.tolist() == ROWS
    assert kernel.anchor == (1, 1)
    assert kernel.name == f"@{path}"


def test_rows_may_be_complex(write_file):
    assert read_kernel_file(write_file("1+2j 3\n0 -j")).weights.tolist() == [[1 + 2j, 3], [0, -1j]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3x2:1,2,3 4,5,6", Kernel(ROWS, anchor=(0, 1))),
        ("3x2+2+1:1,2,3,4,5,6", Kernel(ROWS, anchor=(1, 2))),
        ("  3x2+0+0 :\n 1, 2, 3\n 4, 5, 6 ;\n", Kernel(ROWS, anchor=(0, 0))),
        ("'3x2: 1,2,3 4,5,6'", Kernel(ROWS, anchor=(0, 1))),
        ("3: 0,-,0 nan,5,NaN 0,-1,0", Kernel([[0, 0, 0], [0, 5, 0], [0, -1, 0]])),
        ("2x2:1,2,3,4", Kernel([[1, 2], [3, 4]], anchor=(0, 0))),
    ],
)
def test_imagemagick_strings_are_read(write_file, text, expected):
    assert read_kernel_file(write_file(text)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Gaussian:0x2", "expected WxH: or WxH.X.Y: and the values, as ImageMagick writes a kernel, found 'Gaussian'"),
        ("3x3>:1,2,3,4,5,6,7,8,9", "found '3x3>'"),
        ("3x2-1+0:1,2,3,4,5,6", "found '3x2-1.0'"),
        ("0x2:", "from 1 to .* taps, found 0x2"),
        ("99999x99999:1", "taps, found 99999x99999"),
        ("2x2:1,2,3", "expected 4 values for 2x2, found 3"),
        ("2x2:1,2,3,4,5", "expected 4 values for 2x2, found 5"),
        ("2x2:1,2,3,x", "value 4: expected a number"),
        ("2x2:1,2,3,4j", "value 4: expected a real number, found '4j'"),
        ("1x1:-", "found only holes"),
        ("1x1:", "found only holes"),
        ("1x1:1;1x1:2", "found a list separated by ';'"),
        ("2x2+2+0:1,2,3,4", "anchor .0, 2. lies outside"),
    ],
)
def test_invalid_imagemagick_strings_are_rejected(write_file, text, reason):
    with pytest.raises(KernelError, match=reason):
        read_kernel_file(write_file(text))


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("3 2\n1 2 3\n4 5 6\n", "m.txt", Kernel(ROWS)),
        ("3 2 4 128\n4 8 12\n16 20 24\n", "m.txt", Kernel(ROWS, delta=128)),
        ("3, 2, 0.5\n0.5, 1, 1.5\n2, 2.5, 3\n", "m.mat", Kernel(ROWS)),
        ("2 2\n1 2\n3 4\n", "m.mat", Kernel([[1, 2], [3, 4]])),
        ("2 1\n5 6", "m.MAT", Kernel([[5, 6]])),
        ("2 2\n1 2\n", "m.txt", Kernel([[2, 2], [1, 2]])),
        ("2 1;\n5 6;", "m.txt", Kernel([[2, 1], [5, 6]])),
        ("3 3\n1 9\n", "m.txt", Kernel([[3, 3], [1, 9]])),
    ],
)
def test_libvips_masks_and_similar_rows_of_numbers_are_read(write_file, text, name, expected):
    assert read_kernel_file(write_file(text, name)) == expected


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("2 1\n5 6", "m.txt", "ambiguous: 2 rows of numbers, or a libvips mask with a header and 1 more; end the rows with ;"),
        ("x y\n1 2", "m.mat", "line 1, number 1: expected a number"),
        ("1.5 2\n1 2", "m.mat", "expected the header 'width height .scale .offset..' of a libvips mask, found 1.5 2"),
        ("2 1 0\n1 2", "m.mat", "expected the header"),
        ("2 1j\n1 2", "m.mat", "expected the header"),
        ("0 2\n", "m.mat", "expected the header"),
        ("", "m.mat", "found nothing"),
        ("2 3\n1 2\n3 4", "m.mat", "expected 3 rows of 2 numbers after the header, found 2"),
        ("2 2\n1 2\n3", "m.mat", "expected 2 numbers in line 3, found 1"),
        ("2 1\n1 2j", "m.mat", "expected real numbers in line 2, found a complex one"),
        ("1 1 1e-300\n1e300", "m.mat", "finite"),
    ],
)
def test_invalid_libvips_masks_are_rejected(write_file, text, name, reason):
    with pytest.raises(KernelError, match=reason):
        read_kernel_file(write_file(text, name))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected rows of numbers, found none"),
        ("# nothing\n", "expected rows of numbers, found none"),
        ("1 2 3\n\n4 5", "the row in line 3 has 2 numbers, but the row in line 1 has 3"),
        ("1 2\n3 four", "line 2, number 2: expected a number .* found 'four'"),
        ("1 2\n3 inf", "line 2, number 2: expected a number"),
        ("1 2\n3 1e999", "line 2, number 2: the number '1e999' is too large"),
        (b"1 2\n3 \xff", "is not UTF-8 text: line 2 has the byte 0xff"),
        (b"\x89PNG\r\n\x1a\n", "is not UTF-8 text: line 1 has the byte 0x89"),
        (b"1" * (MAX_BYTES + 1), "larger than the limit of 32 MiB"),
    ],
)
def test_files_without_a_valid_kernel_are_rejected(write_file, text, reason):
    with pytest.raises(KernelError, match=reason) as error:
        read_kernel_file(write_file(text))
    assert "\n" not in str(error.value)


def test_a_catalog_is_rejected_with_a_hint(write_file):
    with pytest.raises(KernelError, match="load a catalog with"):
        read_kernel_file(write_file("kernels: {}", "mine.yaml"))


def test_a_missing_file_is_rejected(tmp_path):
    with pytest.raises(KernelError, match=r"the kernel file .*none\.txt' does not exist; check the path"):
        read_kernel_file(tmp_path / "none.txt")


def test_a_directory_is_rejected(tmp_path):
    with pytest.raises(KernelError, match="is a directory; choose a file in it"):
        read_kernel_file(tmp_path)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_an_invalid_path_is_rejected(path):
    with pytest.raises(KernelError, match="cannot be read: "):
        read_kernel_file(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_rejected(write_file):
    path = write_file("1")
    path.chmod(0)
    with pytest.raises(KernelError, match="cannot be read: Permission denied"):
        read_kernel_file(path)


@pytest.mark.parametrize("name", ["k.txt", "k.mat"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80) | st.text(alphabet="0123456789 ,;:x+-.enaj\n#", max_size=60).map(str.encode))
def test_any_bytes_give_a_kernel_or_a_kernel_error(write_file, name, data):
    try:
        found = read_kernel_file(write_file(data, name))
    except KernelError as error:
        found = str(error)
    assert isinstance(found, Kernel) or "\n" not in found


TABLE = np.array([[1, 2, 40], [3, 5, 60]])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "float32", "float64", "complex128", ">f4"])
def test_a_numpy_array_is_read(tmp_path, dtype):
    table = TABLE.astype(dtype)
    np.save(tmp_path / "psf.npy", table)
    assert np.array_equal(read_kernel_file(tmp_path / "psf.npy").weights, table)


GREY = {"uint8": ["png", "tif", "bmp", "pgm", "webp"], "uint16": ["png", "tif", "pgm"], "float32": ["tif"]}


@pytest.mark.parametrize(("dtype", "name"), [(dtype, f"psf.{end}") for dtype, ends in GREY.items() for end in ends])
def test_a_grey_picture_is_read(tmp_path, dtype, name):
    picture = Image.fromarray(TABLE.astype(dtype))
    picture.save(tmp_path / name, **({"lossless": True} if name == "psf.webp" else {}))
    found = read_kernel_file(tmp_path / name)
    assert np.array_equal(found.weights, TABLE)
    assert found.anchor == (1, 1)


def test_a_point_spread_function_is_normalized(tmp_path):
    np.save(tmp_path / "psf.npy", TABLE)
    found = parse_kernel(f"@{tmp_path / 'psf.npy'}:scale=1/sum,anchor=0 2,delta=7")
    assert np.array_equal(found.weights, TABLE / TABLE.sum())
    assert (found.sum, found.anchor, found.delta) == (1, (0, 2), 7)


def test_arguments_replace_those_of_a_file(write_file):
    path = write_file("3 1 9 10\n1 2 3\n", "k.mat")
    assert (read_kernel_file(path).weights * 9).tolist() == [[1, 2, 3]]
    changed = parse_kernel(f"@{path}:scale=9")
    assert (changed.weights.tolist(), changed.delta) == ([[1, 2, 3]], 10)
    assert parse_kernel(f"@{path}:delta=5").delta == 5
    assert parse_kernel(f"@{write_file('3x1+0+0: 1,2,3', 'im.txt')}:scale=2") == Kernel([[2, 4, 6]], (0, 0))


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (np.ones((2, 3, 3)) * [1, 2, 3], r"a kernel has rows and columns, found an array of shape \(2, 3, 3\)"),
        (np.ones(3), r"a kernel has rows and columns, found an array of shape \(3,\)"),
        (np.ones((0, 3)), "must have rows and columns"),
        (np.array([[1, np.nan]]), "weights must be finite, found nan"),
        (np.array([["a"]]), "weights must be numbers"),
        (np.array([[{}]], dtype=object), "the NumPy array cannot be read: .*Object arrays cannot be loaded"),
        (np.broadcast_to(np.uint8(1), (2049, 2048)), "the file has more than 4,194,304 numbers; reduce the kernel"),
    ],
    ids=["colour", "1-D", "empty", "NaN", "text", "objects", "large"],
)
def test_arrays_that_are_no_kernels_are_rejected(tmp_path, table, reason):
    np.save(tmp_path / "k.npy", table, allow_pickle=True)
    with pytest.raises(KernelError, match=f"k.npy: .*{reason}"):
        read_kernel_file(tmp_path / "k.npy")


def test_pictures_that_are_no_kernels_are_rejected(tmp_path):
    Image.new("RGB", (3, 3), (1, 2, 3)).save(tmp_path / "colour.png")
    Image.new("L", (2049, 2048)).save(tmp_path / "large.png")
    Image.new("L", (20, 20)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:50])
    (tmp_path / "other.bin").write_bytes(bytes(range(256)))
    reasons = {
        "colour": "a kernel has rows and columns, found an array of shape",
        "large": "the picture has 2048 x 2049 pixels, more than 4,194,304",
        "cut": "expected text, a NumPy array or a grey picture that Pillow reads; save the kernel as .npy",
        "other": "expected text, a NumPy array or a grey picture that Pillow reads; save the kernel as .npy",
    }
    for path in tmp_path.iterdir():
        with pytest.raises(KernelError, match=f"{path.name}: {reasons[path.stem]}"):
            read_kernel_file(path)


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("1;2;1\n2;4;2\n", [[1, 2, 1], [2, 4, 2]]),
        ("1;2;1\r\n2;4;2\r\n", [[1, 2, 1], [2, 4, 2]]),
        ("1;2;1;\n2;4;2;\n", [[1, 2, 1], [2, 4, 2]]),
        ("0,5;1,0\n-1,25;2\n", [[0.5, 1], [-1.25, 2]]),
        ("0.5;1e-3\n1/4;2\n", [[0.5, 0.001], [0.25, 2]]),
        ("1 2 1;\n2 4 2;\n", [[1, 2, 1], [2, 4, 2]]),
        ("1 2; 3 4\n5 6; 7 8\n", [[1, 2], [3, 4], [5, 6], [7, 8]]),
        ("1,2,3;4,5,6\n", [[1, 2, 3], [4, 5, 6]]),
    ],
)
def test_semicolons_separate_rows_or_the_cells_of_a_spreadsheet(tmp_path, text, weights) -> None:
    path = tmp_path / "kernel.csv"
    path.write_bytes(text.encode())
    assert np.array_equal(read_kernel_file(path).weights, weights)


@pytest.mark.parametrize("text", ["1;2;1", "1,2;3,4\n", "0,5;1;0,5\n"])
def test_one_line_of_cells_is_ambiguous(tmp_path, text) -> None:
    path = tmp_path / "kernel.csv"
    path.write_text(text)
    with pytest.raises(KernelError, match="ambiguous: `;` separates rows, or the cells of one row"):
        read_kernel_file(path)
