"""Execution of plans: matching images, the count of clipped values, and `convolve` compared with `correlate`."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.api import convolve, correlate
from imgconv.convolution.execution import execute
from imgconv.convolution.methods import METHODS
from imgconv.convolution.options import make_options
from imgconv.convolution.planner import make_plan, plan_for, unfinished
from imgconv.depth import fit
from imgconv.errors import RangeError, UsageError
from imgconv.kernels.kernel import Kernel
from tests import definition
from tests.cases import each
from tests.convolution.conftest import kernel_for

FINISHING = [name for name, method in METHODS.items() if method.finishes]
PIXELS = np.random.default_rng(1).integers(0, 256, (12, 13, 3), np.uint8)
EDGE = np.array([[1, 0, -2], [3, 0, -1]])


@pytest.mark.parametrize("other", [PIXELS[..., 0], PIXELS[:-1], PIXELS.astype(np.uint16), PIXELS.astype(np.int8)])
def test_an_image_that_does_not_match_the_plan_is_rejected(other):
    with pytest.raises(UsageError, match=r"the plan is for uint8 of shape \(12, 13, 3\), the image is u?int"):
        execute(make_plan(PIXELS.shape, PIXELS.dtype, EDGE), other)


def clipped_count(kernel, dtype=np.uint8):
    """Return how many sums leave the range of the type, by the definition."""
    total, limits = np.rint(definition.correlate(PIXELS, kernel).total), np.iinfo(dtype)
    return int(np.count_nonzero((total < limits.min) | (total > limits.max)))


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if not method.finishes])
@each("dtype", [np.uint8, np.int8, np.int16])
def test_clipped_values_are_counted(method, dtype):
    kernel = kernel_for(method, (4, 6))
    options = make_options(engine=METHODS[method].engine, method=method, dtype=dtype)
    fitted = execute(plan_for(PIXELS.shape, PIXELS.dtype, Kernel(kernel), options), PIXELS)
    assert fitted.clipped == clipped_count(kernel, dtype)
    assert (fitted.clipped > 0) == (dtype != np.int16)


@pytest.mark.parametrize("method", FINISHING)
def test_a_method_that_rounds_by_itself_counts_clipped_values_by_a_fallback(method):
    kernel = kernel_for(method, (3, 5))
    plan = make_plan(PIXELS.shape, PIXELS.dtype, kernel, method=method)
    never = method == "box_filter"  # a mean stays within the range
    assert execute(plan, PIXELS).clipped == (0 if never else -1)
    fitted = execute(plan, PIXELS, fallback=unfinished(plan))
    assert fitted.clipped == clipped_count(kernel)
    assert (fitted.clipped == 0) == never
    assert np.array_equal(fitted.values, execute(plan, PIXELS).values)


@pytest.mark.parametrize("method", FINISHING)
def test_a_value_at_the_end_of_the_range_is_not_clipped(method):
    plan = make_plan((2, 2), "uint8", [[1]], method=method)
    assert execute(plan, np.array([[0, 255], [0, 255]], np.uint8), fallback=unfinished(plan)).clipped == 0


@pytest.mark.parametrize("method", FINISHING)
def test_floats_are_never_clipped(method):
    plan = make_plan((1, 3), "float32", np.ones((3, 3)) / 9, method=method)
    assert execute(plan, np.array([[3e38, 1, -np.inf]], np.float32), fallback=unfinished(plan)).clipped == 0


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_the_range_policy_error_raises_range_error(engine):
    options = make_options(engine=engine, range_policy="error")
    with pytest.raises(RangeError, match=f"{clipped_count(EDGE)} of {PIXELS.size} values are outside the range 0 to 255"):
        execute(plan_for(PIXELS.shape, PIXELS.dtype, Kernel(EDGE), options), PIXELS)


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("policy", ["abs", "offset", "stretch"])
def test_range_policies_apply_with_both_engines(policy, dtype, engine):
    options = make_options(engine=engine, range_policy=policy)
    got = execute(plan_for(PIXELS.shape, np.dtype(dtype), Kernel(EDGE), options), PIXELS.astype(dtype)).values
    assert np.array_equal(got, fit(definition.correlate(PIXELS, EDGE).total.astype(np.float64), dtype, policy).values)


# convolve compared with correlate


@each("engine", ["opencv", "numpy"])
@each("anchor", [None, (0, 0), (1, 2), (0, 2)])
@each("options", [{}, {"mode": "full"}, {"mode": "valid", "stride": (2, 1)}, {"dilation": (1, 2)}])
def test_convolve_equals_correlate_with_kernel_and_anchor_rotated(options, anchor, engine):
    rotated = None if anchor is None else (1 - anchor[0], 2 - anchor[1])
    # The default anchor of the kernel as written, row 1 of 2 and column 1 of 3, is rotated with it.
    expected = correlate(PIXELS, EDGE[::-1, ::-1], anchor=rotated or (0, 1), engine=engine, **options)
    assert np.array_equal(convolve(PIXELS, EDGE, anchor=anchor, engine=engine, **options), expected)
    assert not np.array_equal(correlate(PIXELS, EDGE, anchor=anchor, engine=engine, **options), expected)
    assert np.array_equal(convolve(PIXELS, Kernel(EDGE, anchor), engine=engine, **options), expected)


def test_a_plan_with_rotate_equals_convolve():
    for anchor in (None, (0, 2)):
        plan = make_plan(PIXELS.shape, PIXELS.dtype, EDGE, rotate=True, anchor=anchor)
        assert np.array_equal(execute(plan, PIXELS).values, convolve(PIXELS, EDGE, anchor=anchor))


@pytest.mark.parametrize("function", [correlate, convolve])
def test_a_kernel_may_be_a_kernel_an_array_a_list_or_a_string(function):
    expected = function(PIXELS, EDGE)
    for kernel in (Kernel(EDGE), EDGE.tolist(), "[1 0 -2; 3 0 -1]"):
        assert np.array_equal(function(PIXELS, kernel), expected)


@pytest.mark.parametrize("function", [correlate, convolve])
def test_the_deltas_of_kernel_and_call_add_up(function):
    assert function([[10, 20]], Kernel([[1]], delta=3), delta=4).tolist() == [[17, 27]]


def test_complex_weights_are_used_as_they_are_and_never_conjugated():
    pixels, kernel = PIXELS[..., 0], np.array([[1 + 2j, 3], [-1j, 2]])
    for function, weights, anchor in ((correlate, kernel, (1, 1)), (convolve, kernel[::-1, ::-1], (0, 0))):
        expected = definition.correlate(pixels, weights, anchor=anchor).total
        for engine in ("opencv", "numpy"):
            assert np.array_equal(function(pixels, kernel, engine=engine), expected)


def test_an_image_whose_rows_differ_in_length_is_rejected():
    with pytest.raises(UsageError, match="rows"):
        correlate([[1, 2], [3]], [[1]])


@pytest.mark.parametrize("image", [[["a", "b"]], [1, 2, 3], np.ones((2, 2, 2, 2)), np.ones((0, 3))])
def test_invalid_images_are_rejected(image):
    with pytest.raises(UsageError, match="image"):
        correlate(image, [[1]])
