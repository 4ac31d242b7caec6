"""What stands for no value, as GDAL marks it."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

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
