"""Memory of a convolution beyond image and result: buffers of strips, independent of the height of the image."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan

MEGABYTE = 1 << 20
COLOUR = ((2000, 3000, 3), "uint8")
GREY = ((1500, 2000), "float32")
# Tracing the memory of methods that call Python in every step is slow: they compute fewer outputs over the same image.
SLOW = {"im2col": {"stride": (16, 1)}, "windows": {"stride": (1, 2)}}


@pytest.mark.parametrize(
    ("shape", "dtype", "border"),
    [
        (*COLOUR, "reflect101"),
        (*GREY, "renormalize"),
        pytest.param(*COLOUR, "renormalize", marks=pytest.mark.long),
        pytest.param(*GREY, "reflect101", marks=pytest.mark.long),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", [name for name, m in METHODS.items() if m.engine == "numpy" and name != "definition"])
def test_peak_memory_beyond_image_and_result_is_that_of_strips(method, border, shape, dtype):
    image = np.resize(np.random.default_rng(1).integers(1, 256, 100_003).astype(dtype), shape)
    kernel, results = np.add.outer(np.arange(9), np.arange(9) % 3) + 1.0, []
    options = {"engine": "numpy", "method": method, "border": border, "jobs": 2, "tolerance": 1e-3, **SLOW.get(method, {})}
    if METHODS[method].supports(make_plan(shape, dtype, kernel, engine="numpy", border=border).job):
        options["border"] = "constant"  # for methods that do not renormalize
    # A new thread, which has no buffers yet.
    worker = threading.Thread(target=lambda: results.append(correlate(image, kernel, **options)))
    tracemalloc.start()
    try:
        worker.start()
        worker.join()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert results[0].nbytes < peak < results[0].nbytes + 64 * MEGABYTE
