"""Running means: the height of their strips, and their error bounds."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.methods import METHODS
from imgconv.convolution.methods.boxes import box_error
from imgconv.convolution.planner import make_plan


@pytest.mark.parametrize("method", ["boxes", "box_filter"])
@pytest.mark.parametrize("stride", [1, 3])
def test_strips_are_at_least_eight_times_as_high_as_the_kernel(method, stride):
    for shape in ((9000, 12, 3), (900, 100_000), (3, 3)):
        job = make_plan(shape, "uint8", np.ones((31, 31)) / 961, stride=stride).job
        assert METHODS[method].rows(job) >= 8 * 31 // stride


def test_the_error_bound_grows_with_the_rows_of_a_strip():
    job = make_plan((3000, 500), "float32", np.ones((5, 9)) / 45).job
    short, long = box_error(job, 100), box_error(job, 1000)
    assert short == 2 * (104 + 508) * 2.0**-53
    assert long == 2 * (1004 + 508) * 2.0**-53
    assert box_error(job, 10**9) == 2 * (3004 + 508) * 2.0**-53


@pytest.mark.parametrize("stride", [(1, 1), (2, 5)], ids=str)
def test_errors_of_running_means_in_float64_are_within_the_bound(stride):
    """Worst case of a running sum: bright pixels enter and leave, and their rounding errors remain in dark ones."""
    rng = np.random.default_rng(1)
    pixels = rng.uniform(0.5, 1, (400, 300))
    pixels[:, ::37] *= 1e9
    job = make_plan(pixels.shape, "float64", np.ones((7, 9)) / 63, mode="valid", stride=stride, tolerance=1e-6).job
    import cv2

    got = cv2.boxFilter(pixels, cv2.CV_64F, (9, 7), anchor=(0, 0), normalize=True)[: 394 : stride[0], : 292 : stride[1]]
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (7, 9))[:: stride[0], :: stride[1]].astype(np.longdouble)
    off = np.abs(got - windows.mean(axis=(2, 3))).max()
    assert off <= box_error(job, job.rows.outputs) * pixels.max(), f"{off / pixels.max():.3g} of {box_error(job, 400):.3g}"
