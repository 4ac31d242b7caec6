"""Radiance HDR: files built from the specification."""

from __future__ import annotations

import numpy as np
import pytest

import imgconv
from imgconv.errors import ReadError, WriteError
from imgconv.images.files import decode
from tests.images.formats.pictures import COLOURS, COLUMNS, ROWS, read


def hdr(axes: tuple[str, str], lines: str = "") -> bytes:
    light = np.dstack([COLOURS, np.full((ROWS, COLUMNS), 130, np.uint8)])
    head = f"#?RADIANCE\n{lines}FORMAT=32-bit_rle_rgbe\n\n{axes[0]} {ROWS} {axes[1]} {COLUMNS}\n"
    return head.encode() + light.tobytes()


@pytest.mark.parametrize("lines", ["", "EXPOSURE=2.0\n", "# a comment\n" * 300])
def test_rows_from_the_top_left_are_read(lines) -> None:
    found = read(hdr(("-Y", "+X"), lines))
    assert np.array_equal(found, (COLOURS * np.float32(2.0 ** (130 - 136))).astype(np.float32))


@pytest.mark.parametrize("axes", [(f"{a}{m}", f"{b}{n}") for m, n in ("YX", "XY") for a in "+-" for b in "+-"])
def test_other_axes_are_an_error_with_a_remedy(axes) -> None:
    if axes == ("-Y", "+X"):
        return
    with pytest.raises(
        ReadError, match=r"in\.hdr: a Radiance HDR with the axes \S+ \S+ is not supported; save it with the axes -Y"
    ):
        decode(hdr(axes), "in.hdr")


def test_negative_values_are_an_error(tmp_path) -> None:
    pixels = np.ones((3, 4, 3), np.float32)
    pixels[1, 2, 0] = -0.5
    with pytest.raises(WriteError, match=r"out\.hdr: Radiance HDR cannot store negative values; choose another format"):
        imgconv.write_image(tmp_path / "out.hdr", pixels)
    assert list(tmp_path.iterdir()) == []
