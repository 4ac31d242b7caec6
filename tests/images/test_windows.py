"""Pages of every format: what is known before decoding, and windows of the pixels."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.images.files import open_image, write_image
from imgconv.images.formats.registry import writable_formats
from imgconv.images.image import Image

WINDOWS = [np.s_[:, :], np.s_[:3, :], np.s_[5:9, 7:8], np.s_[-4:, ::3], np.s_[::-2, -5:-1]]


@pytest.mark.parametrize("chosen", [f for f in writable_formats() if f.is_built_in()], ids=lambda f: f.name)
def test_windows_are_parts_of_the_picture(tmp_path, photo, chosen) -> None:
    pixels = photo if chosen.colour else photo[:, :, 0]
    path = tmp_path / f"in{chosen.extensions[0]}"
    for dtype in chosen.dtypes:
        if dtype == "uint16" and chosen.bits:
            continue
        values = pixels > 99 if dtype == "bool" else pixels.astype(dtype)
        write_image(path, Image(values[:, :, 0] if values.ndim == 3 and dtype == "bool" else values))
        found = open_image(path).open_page(0)
        whole = found.image()
        header = found.header
        assert (header.shape, header.dtype) == (whole.pixels.shape, whole.pixels.dtype)
        assert (header.has_alpha, header.colours) == (whole.has_alpha, whole.colours)
        assert found.metadata == whole.metadata
        assert found.coding == whole.coding
        found = open_image(path).open_page(0)
        for window in WINDOWS:
            assert np.array_equal(found.read(*window), whole.pixels[window])
