"""Every method gives the same bits with any number of threads, in its own strips and in many small ones."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from tests.cases import each
from tests.convolution.conftest import kernel_for, mean

FOR_OPENCV = [name for name, method in METHODS.items() if method.serves("opencv")]


def drawn(shape, dtype):
    rng = np.random.default_rng(shape)
    return rng.integers(0, 256, shape).astype(dtype) if np.dtype(dtype).kind in "iu" else rng.normal(size=shape).astype(dtype)


def real_kernel(method):
    """Return a kernel that the method supports, with sums that are inexact in every type but small enough for float32."""
    rng = np.random.default_rng(1)
    if method == "sep_filter2d":
        return np.outer(rng.normal(size=4), rng.normal(size=5)) / 16
    if method == "boxes":
        return kernel_for(method, (4, 5)) * 0.0123
    return mean((4, 5)) if method == "box_filter" else rng.normal(size=(4, 5)) / 16


@each("channels", [(), (3,)])
@each("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("method", METHODS)
def test_one_thread_gives_the_bits_of_many(monkeypatch, method, dtype, channels):
    image, kernel = drawn((24, 9, *channels) if method == "definition" else (207, 60, *channels), dtype), real_kernel(method)
    # With this tolerance every method supports every type.
    options = {"engine": METHODS[method].engine, "method": method, "tolerance": 0.01}
    if METHODS[method].threads:
        monkeypatch.setattr(type(METHODS[method]), "rows", lambda self, job: 5)
    alone = correlate(image, kernel, jobs=1, **options)
    for jobs in (2, 5):
        assert np.array_equal(correlate(image, kernel, jobs=jobs, **options), alone)
    whole = correlate(image.astype(np.float64), kernel, engine="numpy", method="windows")
    assert np.abs(alone - (np.clip(whole, 0, 65535 if dtype == "uint16" else 255) if dtype[0] == "u" else whole)).max() <= 0.52


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("method", FOR_OPENCV)
def test_an_image_of_several_strips_has_the_same_bits_with_one_thread_and_with_many(method, dtype):
    image, kernel = drawn((5300, 301, 2), dtype), real_kernel(method)
    options = {"method": method, "tolerance": 0.01}
    if METHODS[method].threads:
        assert METHODS[method].strips(make_plan(image.shape, dtype, kernel, **options).job) > 1
    alone = correlate(image, kernel, jobs=1, **options)
    assert np.array_equal(correlate(image, kernel, jobs=3, **options), alone)
    if METHODS[method].shared:
        assert np.array_equal(correlate(image, kernel, engine="numpy", jobs=2, **options), alone)
