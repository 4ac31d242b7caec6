"""The method `pairs`: kernels of rank 2 and 3 compared with SciPy, exact whole kernels, and the number of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from imgconv.convolution.api import correlate
from imgconv.convolution.low_rank import pairs_for
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from tests import definition
from tests.cases import each
from tests.convolution.conftest import noise_with_white

PAIRS, SEPARABLE = METHODS["pairs"], METHODS["separable"]
RNG = np.random.default_rng(1)


def impulse(rows, columns):
    image = np.zeros((rows, columns))
    image[rows // 2, columns // 2] = 1
    return image


#: Real kernels and their rank.
KERNELS = {
    "gaussian": (ndimage.gaussian_filter(impulse(21, 17), 2.5), 1),
    "laplacian of a gaussian": (ndimage.gaussian_laplace(impulse(17, 19), 2.2), 2),
    "difference of gaussians": (
        ndimage.gaussian_filter(impulse(25, 21), 1.5) - ndimage.gaussian_filter(impulse(25, 21), 2.6),
        2,
    ),
    "rank 3": (sum(np.outer(RNG.normal(size=9), RNG.normal(size=12)) for _ in range(3)) / 99, 3),
}
WHOLE = {
    "rank 1": np.outer([1, -2, 3, 1], [2, 1, 0, 5, -1]),
    "rank 2": np.outer([1, -2, 3, 1], [2, 1, 0, 5, -1]) + np.outer([0, 1, 1, 4], [1, 0, 3, 0, 2]),
    "laplacian": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    "full rank": RNG.integers(-9, 10, (5, 6)),
    "zeros": np.zeros((3, 2), int),
}


def noise(dtype, shape=(70, 61)):
    return noise_with_white(dtype, shape)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("name", KERNELS)
def test_real_kernels_use_as_many_pairs_as_their_rank_and_are_within_the_bound(name, dtype):
    (kernel, rank), pixels = KERNELS[name], noise(dtype)
    job = make_plan(pixels.shape, dtype, kernel, dtype="float32").job
    assert PAIRS.supports(job) is None
    assert pairs_for(job)[1] == rank
    exact = ndimage.correlate(pixels.astype(float), kernel, mode="mirror")
    got = correlate(pixels, kernel, method="pairs", dtype="float32")
    off, bound = np.abs(got - exact).max(), PAIRS.error(job) * np.abs(pixels.astype(float)).max()
    assert off <= bound + 2.0**-24 * np.abs(exact).max(), f"off by {off:.3g}, the bound is {bound:.3g}"
    assert bound <= max(job.arithmetic.allowed * np.abs(pixels.astype(float)).max(), 1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("name", KERNELS)
def test_results_in_the_type_of_the_image_are_rounded_once(name, dtype):
    (kernel, _), pixels, limits = KERNELS[name], noise(dtype), np.iinfo(dtype)
    exact = ndimage.correlate(pixels.astype(float), kernel, mode="mirror").clip(limits.min, limits.max)
    error = PAIRS.error(make_plan(pixels.shape, dtype, kernel).job) * limits.max
    assert error < 0.2
    assert np.abs(correlate(pixels, kernel, method="pairs") - exact).max() <= 0.5 + error


@each("options", [{}, {"border": "wrap"}, {"mode": "full", "stride": (2, 3)}, {"dilation": (2, 1)}])
@each("dtype", ["uint8", "uint16", "int32", "uint32"])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_kernels_of_any_rank_have_the_bits_of_the_exact_sum(name, dtype, options):
    pixels = noise(dtype, (21, 19, 2))
    sums = definition.correlate(pixels, WHOLE[name], **{**options, "border": (options.get("border", "reflect101"),) * 2})
    got = correlate(pixels, WHOLE[name], method="pairs", dtype="float64", **options)
    assert np.array_equal(got, sums.total)


@pytest.mark.parametrize("name", KERNELS)
def test_pairs_that_cancel_are_summed_in_float64_for_float_images(name):
    """In a flat image the sum is a millionth of each pair, and no rounding hides its error."""
    kernel, rank = KERNELS[name]
    assert PAIRS.dtype(make_plan((9, 9), "float32", kernel).job) == (np.float32 if rank == 1 else np.float64)
    pixels = np.full((40, 41), 0.1, np.float32)
    exact = float(np.float32(0.1)) * kernel.sum()
    got = correlate(pixels, kernel, method="pairs")
    assert np.abs(got - exact).max() <= (1e-7 if rank == 1 else 1e-15) * np.abs(kernel).sum() + 2.0**-24 * abs(exact)


def test_kernels_of_full_rank_are_supported_at_a_higher_cost():
    kernel = np.random.default_rng(3).integers(-9, 10, (9, 9))
    full, low = (
        PAIRS.work(make_plan((200, 200), "uint8", k).job).multiply_adds for k in (kernel, np.outer(kernel[0], kernel[1]))
    )
    assert full == 9 * low
    assert np.array_equal(*(correlate(noise("uint8"), kernel, method=m, dtype="int32") for m in ("pairs", "bands")))


@pytest.mark.parametrize(
    ("of", "kernel", "options", "words"),
    [
        ("float64", RNG.normal(size=(5, 7)), {}, "error bound"),
        ("float32", KERNELS["rank 3"][0], {"border": "renormalize"}, "the error of the pairs"),
        ("uint16", np.round(1e9 * RNG.normal(size=(5, 7))), {}, "whole numbers need less than 0.5"),
    ],
    ids=str,
)
def test_pairs_and_separable_reject_the_same_jobs(of, kernel, options, words):
    for method in (PAIRS, SEPARABLE):
        assert words in method.supports(make_plan((40, 50), of, kernel, **options).job)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_pixels_and_weights_are_summed_in_parts(dtype):
    pixels = (noise("float64") + 1j * noise("float64")[::-1]).astype(dtype)
    kernel = np.outer([1, 2j, 3], [1, 0, -1j, 2])
    got = correlate(pixels, kernel, method="pairs", tolerance=1e-12)
    exact = definition.correlate(pixels, kernel).total
    assert np.abs(got - exact).max() <= (1e-5 if dtype == "complex64" else 1e-13) * np.abs(exact).max()


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=str)
def test_nan_and_infinity_affect_no_output_beyond_the_weights(bad):
    kernel, pixels = WHOLE["rank 2"].astype(float), noise("float32")
    clean, touched = correlate(pixels, kernel, method="pairs"), np.zeros(pixels.shape, int)
    touched[30, 20] = 1
    pixels[30, 20] = bad
    got, reached = correlate(pixels, kernel, method="pairs"), definition.correlate(touched, kernel != 0).total > 0
    assert np.array_equal(np.isfinite(got), ~reached)
    assert np.allclose(got[~reached], clean[~reached], rtol=1e-5, atol=1e-4)
