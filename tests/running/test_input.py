"""`Input`: selection of pages, and their orientation."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from imgconv.errors import ReadError, UsageError
from imgconv.images.files import Input
from imgconv.images.pages import parse_page_range


@pytest.fixture
def stack(tmp_path):
    """in.tif with four pages, and its pixels."""
    pages = np.random.default_rng(2).integers(0, 256, (4, 20, 30), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", pages, photometric="minisblack")
    return pages


def test_selected_pages_are_read_in_the_given_order(tmp_path, stack) -> None:
    name = str(tmp_path / "in.tif")
    found = Input(name, parse_page_range("2-3,0")).open()
    assert (found.pages.count, found.indices) == (4, (2, 3, 0))
    assert [image.pixels.tolist() for image in found.images(nullcontext)] == stack[[2, 3, 0]].tolist()
    with pytest.raises(UsageError, match="`pages` selects page 4"):
        Input(name, parse_page_range("1-4")).open()
    with pytest.raises(ReadError, match="`max_pixels`"):
        Input(name, None, 599).open()


def test_auto_orient_rotates_the_pixels(tmp_path, stack) -> None:
    pages = [Pillow.fromarray(page) for page in stack]
    pages[0].save(tmp_path / "turned.tif", save_all=True, append_images=pages[1:], tiffinfo={274: 6})
    for auto_orient in (False, True):
        found = Input(str(tmp_path / "turned.tif"), auto_orient=auto_orient).open()
        (first, *_) = found.images(nullcontext)
        assert np.array_equal(first.pixels, np.rot90(stack[0], -1) if auto_orient else stack[0])
