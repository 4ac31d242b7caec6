"""What stands for no value, as GDAL marks it."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from imgconv.cli import main
from imgconv.images.reading import read_image


@pytest.mark.parametrize(
    ("text", "value"), [("-9999", -9999.0), ("0 ", 0.0), ("-3.4e38", -3.4e38), ("", None), ("none", None), ("\xff", None)]
)
def test_the_mark_of_gdal(tmp_path, text, value) -> None:
    tag = (42113, "s", 0, text, True) if text.isascii() else (42113, 7, 1, b"\xff", True)
    tifffile.imwrite(tmp_path / "in.tif", np.ones((4, 5), np.float32), extratags=[tag])
    assert read_image(tmp_path / "in.tif").nodata == value


def test_it_may_be_no_number(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.ones((4, 5), np.float32), extratags=[(42113, "s", 0, "nan", True)])
    assert np.isnan(read_image(tmp_path / "in.tif").nodata)


@pytest.mark.parametrize(
    ("options", "dtype", "text"),
    [
        ([], "float32", "-9999"),
        (["--depth", "16f"], "float16", "-10000"),
        (["--nodata", "0"], "float32", "0"),
        (["--depth", "64f"], "float64", "-9999"),
    ],
)
def test_the_output_says_what_stands_in_it(tmp_path, options, dtype, text) -> None:
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


def test_without_metadata_nothing_says_it(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.ones((4, 5), np.float32), extratags=[(42113, "s", 0, "-9999", True)])
    assert main.run(["apply", "box", str(tmp_path / "in.tif"), str(tmp_path / "out.tif"), "--strip"]) == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert 42113 not in file.pages[0].tags
