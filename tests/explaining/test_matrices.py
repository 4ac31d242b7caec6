"""The matrix of a convolution: its product with an image equals `correlate`, and for a row the matrix equals SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

import imgconv
from imgconv.errors import UsageError
from imgconv.explaining.matrices import LARGEST, as_data, as_text, block_toeplitz
from tests.cases import each

KERNELS = {
    "asymmetric": np.array([[1, -2, 3, 0], [0, 5, -6, 7]]),
    "column": np.array([[1], [2], [-4]]),
    "large": np.arange(-20, 22).reshape(6, 7),
    "sparse": np.array([[0, 0, 3], [0, 0, 0], [1, 0, 0]]),
    "nothing": np.zeros((2, 2)),
    "complex": np.array([[1, 2j], [-3, 1 - 1j]]),
}
SHAPES = [(5, 6), (1, 1), (1, 7), (4, 3)]


def check(shape, kernel, **options):
    image = np.random.default_rng(7).integers(-50, 200, shape).astype(np.float64)
    rotate = options.pop("rotate", False)
    expected = (imgconv.convolve if rotate else imgconv.correlate)(image, kernel, engine="numpy", **options)
    matrix = block_toeplitz(shape, kernel, rotate=rotate, **options)
    assert matrix.shape == (expected.size, image.size)
    assert matrix.block == (expected.shape[1], image.shape[1])
    np.testing.assert_array_equal(matrix.dense() @ image.ravel(), expected.ravel())


@each("border", ["constant", "replicate", "reflect", "reflect101", "wrap", ("wrap", "constant")])
@each("shape", SHAPES)
@each("name", KERNELS)
def test_the_product_equals_correlate_with_every_border(name, shape, border):
    check(shape, KERNELS[name], border=border)


@each("border", ["constant", "reflect"])
@each(
    "options",
    [
        {"mode": "full"},
        {"mode": "valid"},
        {"stride": 2},
        {"dilation": (2, 1)},
        {"mode": "full", "stride": (3, 2), "dilation": (1, 2)},
        {"mode": "valid", "stride": (1, 3)},
        {"anchor": (0, 2)},
        {"anchor": (1, 0), "mode": "full", "rotate": True},
        {"rotate": True, "stride": (2, 1)},
    ],
)
def test_the_product_equals_correlate_with_every_mode_stride_dilation_and_anchor(options, border):
    check((7, 8), KERNELS["asymmetric"][:, :3], border=border, **options)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_the_matrix_of_a_row_equals_that_of_scipy(mode):
    row = [1, -2, 3]
    expected = linalg.convolution_matrix(row, 8, mode=mode)
    found = block_toeplitz((1, 8), [row], border="constant", mode=mode, rotate=True)
    np.testing.assert_array_equal(found.dense(), expected)


def test_the_matrix_and_its_blocks_are_toeplitz_with_a_constant_border():
    found = block_toeplitz((4, 5), KERNELS["asymmetric"], border="constant")
    dense = found.dense().reshape(4, 5, 4, 5)
    for a in range(3):
        for b in range(3):
            np.testing.assert_array_equal(dense[a, :, b], dense[a + 1, :, b + 1])
    for block in dense.swapaxes(1, 2).reshape(16, 5, 5):
        np.testing.assert_array_equal(block, linalg.toeplitz(block[:, 0], block[0]))


def test_the_matrix_has_only_nonzero_entries_in_row_order():
    found = block_toeplitz((4, 5), [[1, 0, -1]], border="reflect101")  # the outer weights fall on one pixel and cancel
    assert (found.values != 0).all()
    assert np.count_nonzero(found.dense()) == found.values.size
    assert (np.diff(found.rows * 20 + found.columns) > 0).all()


def test_borders_without_a_matrix_are_rejected():
    with pytest.raises(UsageError, match="renormalize"):
        block_toeplitz((4, 5), "box", border=("renormalize", "wrap"))
    with pytest.raises(UsageError, match="other than 0"):
        block_toeplitz((4, 5), "box", border="constant", border_value=3)
    block_toeplitz((4, 5), "box", border="wrap", border_value=3)


def test_images_of_several_channels_are_rejected():
    with pytest.raises(UsageError, match="one channel"):
        block_toeplitz((4, 5, 3), "box")


@pytest.mark.parametrize("border", ["constant", "wrap"])
@pytest.mark.parametrize("spec", ["box", "sobel_x", "gaussian:sigma=0.6", "[1 2; 3 4]:scale=1/3"])
def test_the_text_shows_the_entries_of_the_matrix(spec, border):
    kernel = imgconv.parse_kernel(spec)
    head, about, empty, *grid = as_text((3, 4), kernel, border=border).splitlines()
    assert head.startswith(f"{kernel.name} on an image of 3 x 4, border {border}: 12 x 12")
    assert about.endswith("blocks of 4 x 4")
    assert empty == ""
    form = kernel.integer_form
    scale = 1.0 if form is None else float(form.scale)
    lines = [line.split() for line in grid if line]
    values = [[0.0 if cell == "." else float(cell) * scale for cell in line] for line in lines]
    np.testing.assert_allclose(values, block_toeplitz((3, 4), kernel, border=border).dense(), rtol=1e-5, atol=1e-9)
    assert len({len(line) for line in grid if line}) == 1
    assert len(grid) == 14  # three blocks of 4 rows and 2 gaps


def test_data_contain_shape_blocks_and_entries():
    kernel = imgconv.parse_kernel("sharpen")
    data, found = as_data((3, 4), kernel, mode="full"), block_toeplitz((3, 4), kernel, mode="full")
    assert data["shape"] == [30, 12]
    assert data["block"] == [6, 4]
    assert (data["rows"], data["columns"], data["values"]) == (
        found.rows.tolist(),
        found.columns.tolist(),
        found.values.tolist(),
    )


def test_a_matrix_too_large_to_show_is_rejected_before_it_is_computed(monkeypatch):
    box = imgconv.parse_kernel("box")
    for function in (as_text, as_data):
        with pytest.raises(UsageError, match=f"choose a smaller image; at most {LARGEST} rows"):
            function((100_000, 100_000), box)
        with pytest.raises(UsageError, match="4356 x 4096"):
            function((64, 64), box, mode="full")
