"""The grid of the benchmark: pictures, kernels and sizes."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.benchmark.cells import (
    KINDS,
    QUICK_SHAPE,
    QUICK_SIZES,
    SIZES,
    Cell,
    given_picture,
    make_cells,
    make_pictures,
)
from imgconv.errors import UsageError
from tests.benchmark.conftest import small_picture


def test_the_quick_pictures_are_grey_and_reproducible():
    one, two = list(make_pictures(quick=True)), list(make_pictures(quick=True))
    assert [(p.pixels.shape, p.pixels.dtype.name) for p in one] == [(QUICK_SHAPE, "float32"), (QUICK_SHAPE, "uint8")]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, two, strict=True))


def test_pictures_are_neither_flat_nor_noise():
    for picture in make_pictures(quick=True):
        pixels = picture.pixels.astype(float) / picture.largest
        neighbours = np.corrcoef(pixels[:, 1:].ravel(), pixels[:, :-1].ravel())[0, 1]
        assert pixels.std() > 0.05
        assert 0.9 < neighbours < 0.9999


def test_there_is_a_cell_for_each_picture_kind_and_size():
    pictures = [small_picture("uint8"), small_picture("float32")]
    cells = make_cells(pictures)
    assert len(cells) == len({str(cell) for cell in cells}) == 2 * len(KINDS) * len(SIZES)
    assert [cell.size for cell in make_cells(pictures[:1], (9, 3, 9), ("box",))] == [3, 9]
    assert set(QUICK_SIZES) <= set(SIZES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [3, 15])
def test_kernels_have_the_properties_of_their_kind(kind, size):
    kernel = Cell(small_picture(), kind, size).kernel
    assert kernel.shape == (size, size)
    assert kernel.weights.sum() == pytest.approx(1)
    assert kernel.rank == (size if kind == "random" else 1)
    assert (len(np.unique(kernel.weights)) == 1) == (kind == "box")
    assert np.array_equal(kernel.weights, Cell(small_picture(), kind, size).kernel.weights)


@pytest.mark.parametrize("sizes", [(), (4,), (3, 1), (513,), (-3,)])
def test_invalid_sizes_are_rejected(sizes):
    with pytest.raises(UsageError, match="odd numbers from 3 to 511"):
        make_cells([small_picture()], sizes)


def test_a_picture_given_by_the_user_is_cropped_for_a_quick_run():
    pixels = np.arange(1000 * 900, dtype=np.uint16).reshape(1000, 900, 1)
    picture = given_picture("mine", pixels)
    assert (picture.name, picture.size, picture.pixels.ndim) == ("mine uint16", "1000 x 900", 2)
    middle = given_picture("mine", pixels, quick=True).pixels
    rows, columns = QUICK_SHAPE
    top, left = (1000 - rows) // 2, (900 - columns) // 2
    assert np.array_equal(middle, pixels[top : top + rows, left : left + columns, 0])
    assert given_picture("mine", pixels[:5], quick=True).size == f"5 x {columns}"
    with pytest.raises(UsageError, match="NaN"):
        given_picture("mine", np.full((3, 3), np.nan))
