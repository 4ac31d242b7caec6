"""How the planner compares the NumPy methods: reasons for rejection, both sides of each limit, and tolerances."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.errors import UsageError

NUMPY = [name for name, method in METHODS.items() if method.engine == "numpy"]
ALWAYS = ["definition", "shifts", "windows", "im2col", "toeplitz", "helix"]
RNG = np.random.default_rng(1)
NOISE = RNG.normal(size=(5, 7))
LARGE = RNG.normal(size=(63, 61))


def plan(shape=(200, 150), of="uint8", kernel=((1, 2), (3, 5)), **options):
    return make_plan(shape, of, kernel, engine="numpy", **options)


def reason(method, *args, **options):
    return METHODS[method].supports(plan(*args, **options).job)


def candidate(method, found):
    (one,) = (c for c in found.candidates if c.method == method)
    return one


# Reasons for rejection


@pytest.mark.parametrize("method", ALWAYS)
def test_universal_methods_support_any_job(method):
    for of in ("uint8", "int64", "float16", "float64", "complex64"):
        for kernel in (NOISE, [[1j, 2]], np.zeros((2, 2)), [[1, -1]]):
            for options in (
                {},
                {"nan": "ignore"},
                {"border": "constant", "border_value": np.nan},
                {"dilation": 9, "stride": 5},
            ):
                total = abs(np.sum(kernel))
                if options.get("nan") != "ignore" or total:
                    assert reason(method, of=of, kernel=kernel, **options) is None


DIVISION = "where little weight lies inside, the division would magnify "
REJECTIONS = [
    ("fourier", {"of": "float32", "kernel": LARGE, "border": "renormalize"}, DIVISION + "the errors of distant pixels"),
    ("fourier", {"of": "complex64", "kernel": LARGE, "nan": "ignore"}, DIVISION + "the errors of distant pixels"),
    ("fourier", {"of": "float64", "kernel": NOISE}, "of the largest sum; a tolerance of that much allows it"),
    ("fourier", {"of": "uint8", "kernel": 1e8 * NOISE}, "levels; that of a plain sum is 0.5"),
    ("fourier", {"of": "int32", "kernel": [[99999, 1], [7, 3]]}, "levels of the sum; whole numbers need less than 0.5"),
    ("fourier", {"of": "int64", "kernel": [[99999, 1], [7, 3]]}, "levels of the sum; whole numbers need less than 0.5"),
    ("fourier", {"of": "int64", "kernel": NOISE}, "its error bound is inf levels; that of a plain sum is inf"),
    (
        "summed_area",
        {"of": "float32", "kernel": np.ones((9, 9)), "border": "wrap,renormalize"},
        DIVISION + "the errors of distant pixels",
    ),
    ("summed_area", {"of": "float64", "kernel": np.ones((9, 9))}, "of the largest sum; a tolerance of that much allows it"),
    ("summed_area", {"of": "uint16", "kernel": 1e6 * NOISE}, "levels; that of a plain sum is 0.5"),
    ("summed_area", {"of": "uint16", "kernel": np.round(1e8 * NOISE)}, "levels of the sum; whole numbers need less than 0.5"),
    ("separable", {"of": "float32", "kernel": NOISE, "nan": "ignore"}, DIVISION + "the error of the pairs"),
    ("separable", {"of": "uint8", "kernel": NOISE, "border": "renormalize"}, DIVISION + "the error of the pairs"),
    ("separable", {"of": "float64", "kernel": NOISE}, "of the largest sum; a tolerance of that much allows it"),
    ("separable", {"of": "uint16", "kernel": np.round(1e9 * NOISE)}, "levels of the sum; whole numbers need less than 0.5"),
]


@pytest.mark.parametrize(("method", "arguments", "words"), REJECTIONS, ids=str)
def test_a_rejected_method_states_its_reason(method, arguments, words):
    found = plan(**arguments)
    assert words in candidate(method, found).reason
    assert (candidate(method, found).seconds, candidate(method, found).error) == (None, None)
    with pytest.raises(UsageError, match=f"^method {method} cannot do this: "):
        plan(**arguments, method=method)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("fourier", {"of": "float32", "kernel": LARGE}),
        ("fourier", {"of": "uint8", "kernel": NOISE}),
        ("fourier", {"of": "uint16", "kernel": np.ones((31, 31)), "border": "renormalize"}),
        ("fourier", {"of": "float64", "kernel": LARGE, "tolerance": 1e-6}),
        ("summed_area", {"of": "float32", "kernel": np.ones((9, 9))}),
        ("summed_area", {"of": "uint8", "kernel": np.ones((9, 9)), "border": "renormalize"}),
        ("summed_area", {"of": "float64", "kernel": np.ones((9, 9)), "tolerance": 1e-6}),
        ("separable", {"of": "uint8", "kernel": NOISE}),
        ("separable", {"of": "float32", "kernel": np.outer(*np.abs([NOISE[0], NOISE[1]])), "border": "renormalize"}),
        ("separable", {"of": "uint8", "kernel": [[1, 2], [3, 5]], "border": "renormalize"}),
    ],
    ids=str,
)
def test_no_reason_is_given_against_supported_jobs(method, arguments):
    assert reason(method, **arguments) is None


# Both sides of a limit


def largest_supported(method, kernel_of, most=2**40, **arguments):
    """Return the largest whole number n for which the method supports `kernel_of(n)`, by bisection."""
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reason(method, kernel=kernel_of(middle), **arguments) else (middle, high)
    return low


@pytest.mark.parametrize("method", ["fourier", "summed_area"])
def test_whole_sums_are_supported_up_to_half_a_level_of_error(method):
    def weights(n):
        return np.array([[n, 1], [n - 1, -n]])

    most = largest_supported(method, weights, of="uint16")
    inside, outside = (plan(of="uint16", kernel=weights(n)).job for n in (most, most + 1))
    assert METHODS[method].error(inside) * 65535 < 0.5 <= METHODS[method].error(outside) * 65535
    assert 2**14 < most < 2**36


@pytest.mark.parametrize("method", ["fourier", "summed_area", "separable"])
@pytest.mark.parametrize("of", ["uint16", "float64"])
def test_a_method_is_allowed_only_by_a_tolerance_above_its_error(method, of):
    kernel = 1e9 * NOISE
    rejected = plan(of=of, kernel=kernel)
    assert candidate(method, rejected).seconds is None
    error = METHODS[method].error(rejected.job)
    tolerance = error * 65535 if of == "uint16" else error / np.abs(kernel).sum()
    below, above = (plan(of=of, kernel=kernel, tolerance=t) for t in (0.99 * tolerance, 1.01 * tolerance))
    assert candidate(method, below).seconds is None
    assert candidate(method, above).seconds is not None
    assert candidate(method, above).error == pytest.approx(error, rel=1e-12)
    forced = plan(of=of, kernel=kernel, tolerance=1.01 * tolerance, method=method)
    assert (forced.method, forced.error) == (method, candidate(method, above).error)


def test_no_approximate_method_is_chosen_without_a_tolerance():
    for of, kernel in [("float64", np.ones((41, 41))), ("float64", NOISE), ("uint16", 1e6 * NOISE), ("float32", LARGE)]:
        found = plan((900, 800), of, kernel)
        assert found.error <= found.job.arithmetic.error


# Work, and the plan as data


def test_equal_arguments_return_the_same_plan():
    first = plan(kernel=NOISE, border="wrap,constant", border_value=[3])
    assert plan(kernel=NOISE.copy(), border=("wrap", "constant"), border_value=3) is first
    assert plan(kernel=NOISE, border="wrap,constant", border_value=[4]) is not first
    assert plan(kernel=NOISE, border="wrap,constant", border_value=3, of="uint16") is not first


@pytest.mark.parametrize("of", ["uint8", "float32", "complex64"])
@pytest.mark.parametrize("kernel", [NOISE, [[1, 2, 1]], [[1, 2j]]], ids=["real", "whole", "complex"])
def test_the_plan_lists_error_and_work_of_each_method_considered(kernel, of):
    found = plan(of=of, kernel=kernel)
    data = json.loads(json.dumps(found.as_dict()))
    assert data["error"] == found.error == candidate(found.method, found).error
    for one in data["candidates"]:
        considered = one["seconds"] is not None
        assert considered == (one["work"] is not None) == (one["error"] is not None)
        if considered:
            method = METHODS[one["method"]]
            assert one["error"] == sum(method.error(part) for part in found.job.parts)
            assert set(one["work"]) == {"multiply_adds", "transforms", "bytes", "calls"}
            assert sum(one["work"].values()) > 0
            assert all(math.isfinite(n) and n >= 0 for n in one["work"].values())
    assert data["error"] > 0 or (kernel == [[1, 2, 1]] and of == "uint8")


@pytest.mark.parametrize("method", NUMPY)
def test_complex_images_or_kernels_double_the_work(method):
    def work(of, kernel):
        return METHODS[method].total(plan(of=of, kernel=kernel, tolerance=1e-3).job)

    counted, complex_noise = ("multiply_adds", "transforms", "calls"), NOISE + 1j * NOISE[::-1]
    for kernel in (NOISE, complex_noise):
        for name in counted:
            assert getattr(work("complex128", kernel), name) == 2 * getattr(work("float64", kernel), name)
    for name in counted:
        assert getattr(work("float64", complex_noise), name) == 2 * getattr(work("float64", NOISE), name)


@pytest.mark.parametrize("method", NUMPY)
def test_twice_the_rows_need_about_twice_the_work(method):
    one, two = (METHODS[method].total(plan((rows, 300, 3), kernel=NOISE).job) for rows in (60_000, 120_000))
    for name in ("multiply_adds", "transforms", "bytes", "calls"):
        assert 1.8 * getattr(one, name) <= getattr(two, name) <= 2.2 * getattr(one, name)
