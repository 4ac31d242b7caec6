"""Pages of every format: header and metadata before decoding, and windows of the pixels."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.images.files import open_image, write_image
from imgconv.images.formats.registry import writable_formats
from imgconv.images.image import Image

WINDOWS = [np.s_[:, :], np.s_[:3, :], np.s_[5:9, 7:8], np.s_[-4:, ::3], np.s_[::-2, -5:-1]]


@pytest.mark.parametrize("chosen", [f for f in writable_formats() if f.readable and f.is_built_in()], ids=lambda f: f.name)
def test_windows_equal_slices_of_the_image(tmp_path, photo, chosen) -> None:
    pixels = photo if chosen.colour else photo[:, :, 0]
    path = tmp_path / f"in{chosen.extensions[0]}"
    for dtype in chosen.dtypes:
        if dtype == "uint16" and chosen.bits:
            continue
        values = pixels > 99 if dtype == "bool" else pixels.astype(dtype)
        write_image(path, Image(values[:, :, 0] if values.ndim == 3 and dtype == "bool" else values))
        found = open_image(path).open_page(0)
        image = found.image()
        header = found.header
        assert (header.shape, header.dtype) == (image.pixels.shape, image.pixels.dtype)
        assert (header.has_alpha, header.colours) == (image.has_alpha, image.colours)
        assert found.metadata == image.metadata
        assert found.coding == image.coding
        found = open_image(path).open_page(0)
        for window in WINDOWS:
            assert np.array_equal(found.read(*window), image.pixels[window])
