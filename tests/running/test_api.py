"""`filter_image` returns the pixels that the command writes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import imgconv
from imgconv.cli import main
from imgconv.errors import KernelError, UsageError
from imgconv.images.image import Image

CASES = {
    "--alpha straight": {"alpha": "straight"},
    "--linear --depth 16": {"linear": True, "depth": "16"},
    "--gray": {"gray": True},
    "--luma --scale 1/2": {"luma": True, "scale": Fraction(1, 2)},
    "--channels green,alpha": {"channels": (1, 3)},
    "--nodata 7 --fill": {"nodata": 7, "fill": True},
    "--range offset --delta 3": {"range_policy": "offset", "delta": 3},
    "--border wrap --stride 2": {"border": "wrap", "stride": 2},
}


@pytest.mark.parametrize("options", CASES)
def test_filter_image_equals_the_command(tmp_path, photo, alpha, options) -> None:
    imgconv.write_image(tmp_path / "in.png", np.dstack([photo, alpha]))
    names = [str(tmp_path / name) for name in ("in.png", "out.png")]
    assert main.run(["apply", "[1 2 3; 0 1 0]:scale=1/7", *names, *options.split()]) == 0
    found = imgconv.filter_image(imgconv.read_image(names[0]), "[1 2 3; 0 1 0]:scale=1/7", **CASES[options])
    assert np.array_equal(found.pixels, imgconv.read_image(names[1]).pixels)


def test_filter_image_accepts_a_filter(photo) -> None:
    chosen = imgconv.parse_filter("box", border="wrap")
    assert np.array_equal(imgconv.filter_image(Image(photo), chosen).pixels, chosen(photo))
    with pytest.raises(UsageError, match="already has its options, found border"):
        imgconv.filter_image(Image(photo), chosen, border="wrap")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"alpha": "no"}, UsageError),
        ({"depth": "9"}, UsageError),
        ({"range_policy": "x"}, UsageError),
        ({"gray": True, "luma": True}, UsageError),
        ({"channels": (3,)}, UsageError),
        ({"channels": ("red",)}, UsageError),
        ({"channels": 1}, UsageError),
        ({"chosen": "what"}, KernelError),
    ],
    ids=str,
)
def test_invalid_options_are_errors(photo, options, error) -> None:
    with pytest.raises(error):
        imgconv.filter_image(Image(photo), **{"chosen": "box", **options})
