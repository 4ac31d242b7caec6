"""The planner: reasons for rejection, both sides of every threshold, and plans as data made from shapes alone."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest

from imgconv.convolution.methods import METHODS
from imgconv.convolution.options import make_options
from imgconv.convolution.planner import make_plan, plan_for, unfinished
from imgconv.errors import KernelError, UsageError
from imgconv.kernels.kernel import Kernel
from tests.cases import each
from tests.convolution.conftest import kernel_for

SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
#: Too large for any memory.
ENORMOUS = (3_000_000, 5_000_000, 3)


def reason(method, shape=(40, 50), dtype="uint8", kernel=SHARPEN, **options):
    """Return why a method does not support a job, or None if it does."""
    engine = METHODS[method].engine
    job = plan_for(shape, np.dtype(dtype), Kernel(kernel), make_options(engine=engine, **options)).job
    return METHODS[method].supports(job)


# Plans as data


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
@pytest.mark.parametrize("options", [{}, {"border": "renormalize"}, {"stride": 7}, {"mode": "full", "dilation": 3}], ids=str)
def test_planning_needs_no_pixels(engine, options):
    plan = make_plan(ENORMOUS, "uint8", np.ones((5, 3)), engine=engine, **options)
    assert plan.engine == engine
    assert METHODS[plan.method].serves(engine)
    assert plan.seconds > 1000


@each("engine", ["opencv", "numpy"])
@each("kernel", [SHARPEN, [[1j, 2]], [[0.1234567, 0.7]], np.ones((20, 20)) / 400])
@each("dtype", [np.uint8, ">u2", np.int64, np.float16, np.complex64])
def test_a_plan_can_be_written_as_json(dtype, kernel, engine):
    plan = make_plan((40, 50, 3), dtype, kernel, engine=engine, border="constant", border_value=[1, 2, 3], stride=(2, 1))
    data = json.loads(json.dumps(plan.as_dict()))
    assert data["image"]["shape"] == [40, 50, 3]
    assert data["output"]["shape"] == [20, 50, 3] == list(plan.output_shape)
    assert data["method"] == plan.method
    assert data["engine"] == engine
    assert type(data["exact"]) is bool
    assert data["border"] == "constant (1,2,3)"


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
@pytest.mark.parametrize("method", ["auto", "bands", "shifts", "toeplitz"])
def test_candidates_are_all_registered_methods_each_with_a_reason(engine, method):
    if method != "auto" and not METHODS[method].serves(engine):
        with pytest.raises(UsageError, match=f"method {method} cannot do this: belongs to the {METHODS[method].engine} engine"):
            make_plan((9, 9), "uint8", SHARPEN, engine=engine, method=method)
        return
    plan = make_plan((90, 90), "uint8", SHARPEN, engine=engine, method=method)
    assert [c.method for c in plan.candidates] == list(METHODS)
    assert [c.method for c in plan.candidates if not c.reason] == [plan.method]
    for candidate in plan.candidates:
        able = METHODS[candidate.method].serves(engine) and METHODS[candidate.method].supports(plan.job) is None
        assert (candidate.seconds is not None) == able


def test_the_cheapest_method_is_chosen_and_reasons_state_how_much_slower_others_are():
    plan = make_plan((400, 400), "uint8", SHARPEN, engine="numpy")
    able = {c.method: c.seconds for c in plan.candidates if c.seconds is not None}
    assert plan.seconds == min(able.values()) == able[plan.method]
    for candidate in plan.candidates:
        if candidate.method in able and candidate.method != plan.method:
            assert candidate.reason == f"{candidate.seconds / plan.seconds:.3g} times the predicted time"


@each("method", METHODS)
def test_a_requested_method_is_used_even_if_it_is_slow(method):
    plan = make_plan((200, 200), "uint8", kernel_for(method, (5, 7)), engine=METHODS[method].engine, method=method)
    assert plan.method == method
    others = [c for c in plan.candidates if c.seconds is not None and c.method != method]
    assert others
    assert {c.reason for c in others} == {f"{method} was requested"}


def test_an_unknown_method_is_rejected_with_a_suggestion():
    with pytest.raises(UsageError, match=r"unknown method 'shift' \(did you mean shifts\?\); choose one of auto, definition"):
        make_plan((9, 9), "uint8", SHARPEN, engine="numpy", method="shift")


def test_the_output_type_is_the_requested_one():
    assert make_plan((9, 9), "uint8", SHARPEN, dtype="float32").job.output == np.float32


def test_an_unfinished_plan_uses_a_method_that_does_not_round():
    plan = make_plan((200, 200), "uint8", SHARPEN)
    assert METHODS[plan.method].finishes
    other = unfinished(plan)
    assert not METHODS[other.method].finishes
    assert other.job is plan.job or other.job.output_shape == plan.job.output_shape
    assert {c.method: c.reason for c in other.candidates}[plan.method] == "rounds the values itself"


# Both sides of every threshold


@pytest.mark.parametrize(("dtype", "most"), [("uint8", 129), ("float32", 129), ("uint16", 49), ("int16", 49), ("float64", 49)])
def test_filter2d_is_supported_up_to_the_weights_at_which_opencv_switches_to_its_dft(dtype, most):
    assert reason("filter2d", dtype=dtype, kernel=np.ones((1, most))) is None
    assert f"beyond {most} weights" in reason("filter2d", dtype=dtype, kernel=np.ones((1, most + 1)))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32"])
def test_dft_supports_whole_sums_up_to_half_a_level_of_error(dtype):
    def weights(most):
        return np.array([[most, 1], [most - 1, -most]])

    low, high = 1, 2**45
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reason("dft", dtype=dtype, kernel=weights(middle)) else (middle, high)
    inside, outside = (make_plan((40, 50), dtype, weights(n)).job for n in (low, high))
    largest = inside.arithmetic.largest_pixel
    assert METHODS["dft"].error(inside) * largest < 0.5 <= METHODS["dft"].error(outside) * largest
    assert METHODS["dft"].dtype(inside) == np.float64
    assert "levels of the sum; whole numbers need less than 0.5" in reason("dft", dtype=dtype, kernel=weights(high))


def test_dft_supports_kernels_of_any_size_and_float_images():
    for kernel in (SHARPEN, [[1]], np.ones((13, 13))):
        assert reason("dft", kernel=kernel) is None
        assert reason("dft", dtype="float32", kernel=np.array(kernel) / 7) is None
        assert reason("dft", dtype="float64", kernel=kernel, tolerance=1e-9) is None
        assert "error bound" in reason("dft", dtype="float64", kernel=kernel)
        assert "error bound is inf levels" in reason("dft", kernel=kernel, border="constant", border_value=np.inf)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "int8"}, "not int8 to int8"),
        ({"dtype": "int32"}, "not int32 to int32"),
        ({"dtype": "float16"}, "not float16 to float16"),
        ({"border": "renormalize"}, "divide by the weight inside"),
        ({"dtype": "float32", "nan": "ignore"}, "divide by the weight inside"),
        ({"kernel": [[1, 1j]]}, "complex"),
        ({"range_policy": "abs"}, "range abs needs the unrounded values"),
        ({"dtype": "float32", "range_policy": "offset"}, "range offset needs the unrounded values"),
        ({"dilation": (1, 2)}, "does not support dilation"),
        ({"shape": (4, 4, 5)}, "more than 4 channels"),
        ({"kernel": np.ones((2, 3)) / 6}, "bits of the exact sum"),
        ({"border": "constant", "border_value": 256}, "cannot hold the border value"),
        ({"border": "wrap,constant", "border_value": -1}, "cannot hold the border value"),
    ],
    ids=str,
)
def test_filter2d_rejects_unsupported_jobs(options, words):
    assert words in reason("filter2d", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"shape": (4, 4, 4)},
        {"border": "wrap", "mode": "full", "stride": 3},
        {"border": "constant", "border_value": 255},
        {"kernel": np.ones((3, 3)) / 9},
        {"kernel": [[0.25, 0.5, 0.25]]},
        {"dtype": "float32", "range_policy": "error"},
    ],
    ids=str,
)
def test_filter2d_gives_no_reason_against_supported_jobs(options):
    assert reason("filter2d", **options) is None


# Whether OpenCV's float32 products give the bits of the exact sum


@pytest.mark.parametrize(
    ("scale", "delta", "direct"),
    [
        (Fraction(1), 0, True),
        (Fraction(1), 0.5, True),
        (Fraction(1, 16), 0.25, True),
        (Fraction(1, 9), 0, True),
        (Fraction(1, 6), 0, False),
        (Fraction(1, 9), 0.5, False),
        (Fraction(1), 0.1, False),
        (Fraction(1, 3), 1 / 3, True),
    ],
    ids=str,
)
def test_opencv_rounds_by_itself_only_if_it_cannot_miss_a_tie(scale, delta, direct):
    kernel = np.array([[1, -2, 3]]) * scale.numerator / scale.denominator
    assert (reason("filter2d", kernel=kernel, delta=delta) is None) == direct


def test_opencv_rounds_means_by_itself_while_its_error_stays_below_the_nearest_tie():
    # (n + 2) * 2**-24 * 65535 against 0.5 / n: 0.043 and 0.056 of 9 weights, 0.051 and 0.045 of 11.
    assert reason("filter2d", dtype="uint16", kernel=np.ones((1, 9)) / 9) is None
    assert "bits of the exact sum" in reason("filter2d", dtype="uint16", kernel=np.ones((1, 11)) / 11)


def test_sums_use_float32_if_it_holds_them_exactly_and_float64_otherwise():
    for weight, name in [(255, "float32"), (256, "float64")]:  # 65535 * (255 + 1) lies just below 2**24
        arithmetic = make_plan((4, 4), "uint16", [[weight, 1]]).job.arithmetic
        assert arithmetic.dtype == name
        assert arithmetic.exact


# Jobs that cannot be planned


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [
        ((5,), "uint8", r"an image has the shape"),
        ((5, 0), "uint8", r"with sizes from 1 to 2\*\*31"),
        ((1, 2, 3, 4), "uint8", r"an image has the shape"),
        ((5, 5), "U3", r"images of type <U3"),
        ((5, 5), "datetime64[s]", r"images of type datetime64"),
        ((5, 5), "object", r"images of type object"),
        ((5, 5), "longdouble", r"images of type"),
        ((5, 5), "nonsense", r"nonsense"),
    ],
)
def test_unsupported_shapes_and_types_of_images_are_rejected(shape, dtype, words):
    with pytest.raises(UsageError, match=words):
        make_plan(shape, dtype, SHARPEN)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"border": "constant", "border_value": [1, 2]}, UsageError, "one for each of 3 channels, found 2"),
        ({"border": "constant", "border_value": 1j}, UsageError, "complex border value needs a complex image"),
        ({"mode": "valid", "dilation": 40}, UsageError, "kernel covers 81 pixels, the image has 9"),
        ({"anchor": (3, 0)}, KernelError, "anchor"),
        ({"border": "sideways"}, UsageError, "unknown border"),
    ],
)
def test_options_that_do_not_fit_the_image_or_the_kernel_are_rejected(options, error, words):
    with pytest.raises(error, match=words):
        make_plan((9, 9, 3), "uint8", SHARPEN, **options)


def test_a_complex_result_needs_a_complex_type():
    for image, kernel in [("uint8", [[1j]]), ("complex64", [[1]])]:
        options = make_options(dtype="float32")
        with pytest.raises(UsageError, match="complex64"):
            plan_for((3, 3), np.dtype(image), Kernel(kernel), options)


@pytest.mark.parametrize(
    ("dtype", "output"),
    [("uint8", "complex64"), ("float32", "complex64"), ("int32", "complex128"), ("float64", "complex128")],
)
def test_complex_weights_give_a_complex_result_of_the_precision_of_the_image(dtype, output):
    assert make_plan((3, 3), dtype, [[1, 1j]]).job.output == output


@pytest.mark.parametrize("size", [1, 3, 9, 31, 63])
@pytest.mark.parametrize("of", ["noise", "whole", "outer", "mean"])
def test_the_error_of_the_chosen_method_is_within_the_allowed_error(of, size):
    rng = np.random.default_rng(size)
    kernel = {
        "noise": lambda: rng.normal(size=(size, size)),
        "whole": lambda: rng.integers(-9, 10, (size, size)),
        "outer": lambda: np.outer(rng.normal(size=size), rng.normal(size=size)),
        "mean": lambda: np.ones((size, size)) / size**2,
    }[of]()
    for engine, dtype in itertools.product(("opencv", "numpy"), ("uint8", "uint16", "float32", "float64")):
        plan = make_plan((900, 800, 3), dtype, kernel, engine=engine)
        allowed = 0.5 / plan.job.arithmetic.largest_pixel if plan.job.arithmetic.whole else plan.job.arithmetic.allowed
        assert plan.error <= allowed, (engine, dtype)
        assert METHODS[plan.method].serves(engine), (engine, dtype)


@pytest.mark.parametrize(("sse3", "most"), [(True, 129), (False, 49)])
def test_without_sse3_opencv_switches_to_its_dft_at_fewer_weights(monkeypatch, sse3, most):
    monkeypatch.setattr("imgconv.convolution.opencv_calls._SSE3", sse3)
    assert reason("filter2d", kernel=np.ones((1, most))) is None
    assert f"beyond {most} weights" in reason("filter2d", kernel=np.ones((1, most + 2)))
