"""The nodata value (GDAL's tag 42113) in outputs of the command."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from imgconv.cli import main


@pytest.mark.parametrize(
    ("options", "dtype", "text"),
    [
        ([], "float32", "-9999"),
        (["--depth", "16f"], "float16", "-10000"),
        (["--nodata", "0"], "float32", "0"),
        (["--depth", "64f"], "float64", "-9999"),
    ],
)
def test_the_nodata_value_matches_the_stored_pixels(tmp_path, options, dtype, text) -> None:
    pixels = np.arange(30, dtype=np.float32).reshape(5, 6)
    pixels[2, 3] = -9999
    tifffile.imwrite(tmp_path / "in.tif", pixels, extratags=[(42113, "s", 0, "-9999", True)])
    assert main.run(["apply", "box", str(tmp_path / "in.tif"), str(tmp_path / "out.tif"), *options]) == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].tags[42113].value == text
        found = file.pages[0].asarray()
    assert found.dtype == dtype
    if "--nodata" not in options:
        assert found[2, 3] == float(text)


def test_strip_removes_the_nodata_value(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.ones((4, 5), np.float32), extratags=[(42113, "s", 0, "-9999", True)])
    assert main.run(["apply", "box", str(tmp_path / "in.tif"), str(tmp_path / "out.tif"), "--strip"]) == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert 42113 not in file.pages[0].tags
