"""Products with band matrices, 16 outputs at a time: images with sides around multiples of 16."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.convolution.api import correlate
from tests import definition

SIDES = st.sampled_from([1, 2, 3, 15, 16, 17, 32, 53])
PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 3))


@pytest.mark.parametrize("method", ["toeplitz", "separable"])
@given(st.tuples(SIDES, SIDES), st.tuples(st.integers(1, 9), st.integers(1, 12)), PAIRS, PAIRS, st.integers(1, 4))
def test_sums_of_whole_blocks_and_remainders(method, sides, taps, stride, dilation, channels):
    rng = np.random.default_rng([*sides, *taps])
    image, kernel = rng.integers(0, 256, (*sides, channels)), np.outer(*(rng.integers(-9, 10, n) for n in taps))
    options = {"stride": stride, "dilation": dilation}
    expected = definition.correlate(image, kernel, **options).total
    for pixels in (image.astype(np.uint8), image.astype(np.float64)):
        got = correlate(pixels, kernel, method=method, engine="numpy", dtype="float64", tolerance=1e-9, **options)
        assert np.allclose(got, expected, rtol=0, atol=0 if pixels.dtype == np.uint8 else 1e-6)
