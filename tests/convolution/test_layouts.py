"""Memory layouts and unusual shapes of images, for every method that serves the OpenCV engine."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from tests import definition
from tests.cases import each
from tests.convolution.conftest import KERNEL_FOR, difference, kernel_for, whole

FOR_OPENCV = [name for name, method in METHODS.items() if method.serves("opencv")]
VIEWS = {
    "fortran": np.asfortranarray,
    "rows reversed": lambda a: a[::-1],
    "columns reversed": lambda a: a[:, ::-1],
    "rotated": lambda a: a[::-1, ::-1],
    "every other": lambda a: a[::2, 1::3],
    "transposed": lambda a: a.transpose(1, 0, 2),
    "channels reversed": lambda a: a[..., ::-1],
    "some channels": lambda a: a[..., ::2],
    "one channel": lambda a: a[..., 1],
    "planes": lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, -1, 0)), 0, -1),
    "part": lambda a: a[5:-7, 3:-4],
    "one row repeated": lambda a: np.broadcast_to(a[:1], a.shape),
    "one pixel repeated": lambda a: np.broadcast_to(a[:1, :1], (20, 30, 3)),
}


def noise(shape, dtype="uint8"):
    return np.random.default_rng(shape).integers(0, 256, shape).astype(dtype)


@each("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_gives_the_bits_of_a_copy_and_is_not_modified(view, dtype):
    image = VIEWS[view](noise((57, 48, 3), dtype))
    copy = np.ascontiguousarray(image)
    if image.flags.owndata or image.base is not None:
        image.flags.writeable = False
    for method in FOR_OPENCV:
        kernel = kernel_for(method, (5, 4))
        for options in ({}, {"border": "wrap", "mode": "full", "stride": (2, 1)}):
            expected = correlate(copy, kernel, method=method, **options)
            for jobs in (1, 2):
                got = correlate(image, kernel, method=method, jobs=jobs, **options)
                assert difference(got, expected) == "", (method, options, jobs)
    assert np.array_equal(image, copy)


SHAPES = [(1, 1), (1, 70), (70, 1), (1, 1, 3), (1, 70, 4), (70, 1, 2), (6, 5, 1), (2, 2, 9), (40, 31, 9)]


@each("border", ["constant", "replicate", "reflect", "reflect101", "wrap", "constant,wrap", "reflect,constant"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_single_rows_and_columns_and_many_channels_give_exact_results(shape, border):
    image, (down, _, across) = noise(shape), border.partition(",")
    value = list(range(200, 200 + shape[2])) if len(shape) == 3 else 200
    expected = {}
    for kind in {KERNEL_FOR.get(method, whole) for method in FOR_OPENCV}:
        weights = np.rint(kind((5, 4)) * 240).astype(int)  # the kernels have weights in 16ths and 15ths
        sums = definition.correlate(image, weights, border=(down, across or down), border_value=value)
        expected[kind] = definition.fit_exactly(sums, np.uint8, scale=definition.Fraction(1, 240))
    for method in FOR_OPENCV:
        if method == "filter2d" and shape[2:] == (9,):
            continue  # more than 4 channels
        got = correlate(image, kernel_for(method, (5, 4)), method=method, border=border, border_value=value)
        assert difference(got, expected[KERNEL_FOR.get(method, whole)]) == "", method


# filter2d adds at most 129 weights one by one in float32, and 49 in float64.
@pytest.mark.parametrize("shape", [(3, 131), (2, 300), (131, 3), (150, 1), (1, 129), (1, 130), (5, 51)], ids=str)
@pytest.mark.parametrize("options", [{}, {"mode": "full", "stride": (1, 3)}, {"border": "constant", "anchor": (0, 0)}], ids=str)
def test_bands_are_exact_for_kernels_wider_than_the_direct_sums_of_opencv(shape, options):
    image, kernel = noise((40, 50, 2)), np.random.default_rng(shape).integers(-9, 10, shape)
    border = (options.get("border", "reflect101"),) * 2
    sums = definition.correlate(image, kernel, **{**options, "border": border})
    for dtype in ("uint8", "int32"):
        got = correlate(image.astype(dtype), kernel, method="bands", dtype="float64", **options)
        assert np.array_equal(got, sums.total), dtype


def test_bands_are_exact_for_kernels_with_wide_gaps():
    kernel = np.zeros((7, 400), int)
    kernel[0, 0], kernel[6, 399], kernel[3, 140] = 2, -3, 1
    image = noise((30, 500))
    expected = definition.correlate(image, kernel).total
    assert np.array_equal(correlate(image, kernel, method="bands", dtype="int32"), expected)
    assert not correlate(image, np.zeros((3, 200)), method="bands").any()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "complex64"])
@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].shared])
def test_a_shared_method_gives_the_same_bits_with_both_engines(method, dtype):
    image = noise((130, 140, 3), dtype)
    for kernel in (kernel_for(method, (5, 6)), np.random.default_rng(1).normal(size=(4, 5))):
        for options in ({}, {"border": "wrap", "mode": "full", "stride": (2, 3)}, {"nan": "ignore", "border": "constant"}):
            if options.get("nan") and method == "separable" and dtype != "uint8":
                continue  # pairs that cancel are not divided
            asked = {"method": method, "tolerance": 0.1, **options}
            try:
                expected = correlate(image, kernel, engine="numpy", **asked)
            except ValueError as rejected:
                with pytest.raises(ValueError, match=str(rejected).split(": ")[-1]):
                    correlate(image, kernel, engine="opencv", **asked)
                continue
            assert difference(correlate(image, kernel, engine="opencv", **asked), expected) == ""


def test_each_engine_serves_its_own_methods_and_the_shared_ones():
    shared = {name for name, method in METHODS.items() if method.serves("opencv") and method.serves("numpy")}
    assert shared == {"toeplitz", "separable"} == {name for name, method in METHODS.items() if method.shared}
    for method in METHODS.values():
        assert method.serves(method.engine)
