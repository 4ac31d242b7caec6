"""Very small and very narrow pictures in every format."""

from __future__ import annotations

import itertools

import imagecodecs
import numpy as np
import pytest

from tests.matrix.pictures import picture
from tests.matrix.source import Source, known
from tests.matrix.targets import TARGETS, channels_of
from tests.matrix.test_pixels import check_conversion

SIZES = [(1, 1), (1, 2), (3, 1), (2, 9), (7, 5), (40, 1), (1, 33)]
KINDS = list(itertools.product(("u1", "u2"), (1, 2, 3, 4)))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("target", [t for t in TARGETS if t != "jp2"])
def test_a_small_picture_is_converted(target, size, tmp_path, run_ok, run_error):
    for dtype, channels in KINDS:
        pixels = np.ascontiguousarray(picture(dtype, channels)[20 : 20 + size[0], 12 : 12 + size[1]])
        assert channels_of(pixels) == channels
        source = Source("small", ".png", lambda pixels=pixels: imagecodecs.png_encode(pixels), known(pixels))
        check_conversion(source, TARGETS[target], tmp_path, run_ok, run_error)
        for path in tmp_path.iterdir():
            path.unlink()
