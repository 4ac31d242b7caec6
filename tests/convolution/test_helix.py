"""The method `helix` equals `numpy.convolve` of the rows of the padded image laid end to end."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.api import convolve

PADS = {"constant": "constant", "replicate": "edge", "reflect": "symmetric", "reflect101": "reflect", "wrap": "wrap"}


def as_line(kernel, width):
    """Return the kernel as one line, with its rows spaced by the width of an image."""
    line = np.zeros((kernel.shape[0] - 1) * width + kernel.shape[1], kernel.dtype)
    for i, row in enumerate(kernel):
        line[i * width : i * width + row.size] = row
    return line


@pytest.mark.parametrize("border", PADS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1), (3, 5), (5, 7)], ids=str)
def test_the_result_equals_a_convolution_of_one_line(shape, border):
    rng = np.random.default_rng(shape)
    image, kernel = rng.integers(0, 256, (23, 17), np.uint8), rng.integers(-9, 10, shape)
    before = [n - 1 - n // 2 for n in shape]  # of the kernel rotated by 180 degrees
    pads = [(b, n - 1 - b) for b, n in zip(before, shape, strict=True)]
    padded = np.pad(image.astype(np.int64), pads, mode=PADS[border])
    width = padded.shape[1]
    line = np.convolve(padded.ravel(), as_line(kernel, width), mode="valid")
    rows = np.append(line, np.zeros(shape[1] - 1, np.int64)).reshape(-1, width)  # sums beyond column 16 span two rows
    got = convolve(image, kernel, border=border, engine="numpy", method="helix", dtype="int64")
    assert np.array_equal(got, rows[:, :17])
