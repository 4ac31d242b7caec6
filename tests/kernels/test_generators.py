"""The generators: entries in the catalog with the same arguments and defaults, and checks of every argument."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from imgconv.errors import KernelError
from imgconv.kernels.catalog import builtin_catalog
from imgconv.kernels.generators import GENERATORS
from imgconv.kernels.kernel import Kernel
from tests.cases import each


@pytest.mark.parametrize("name", GENERATORS)
def test_the_catalog_lists_every_generator_with_its_arguments_and_defaults(name):
    entries = [entry for entry in builtin_catalog().kernels.values() if entry.generator == name]
    assert entries
    parameters = inspect.signature(GENERATORS[name]).parameters
    for entry in entries:
        assert list(entry.parameters) == list(parameters)
    assert dict(entries[0].parameters) == {key: value.default for key, value in parameters.items()}


@pytest.mark.parametrize("name", GENERATORS)
def test_each_call_returns_a_new_real_matrix(name):
    first, second = GENERATORS[name](), GENERATORS[name]()
    assert first.dtype == np.float64
    assert first.ndim == 2
    assert first is not second
    assert np.array_equal(Kernel(first).weights, second)


@each(
    "name, parameter",
    [(name, parameter) for name, function in GENERATORS.items() for parameter in inspect.signature(function).parameters],
)
@each("value", ["abc", [], True, float("nan"), float("inf"), -float("inf"), 1j, 10**400, -(10**400), b"x"])
def test_every_argument_is_checked(name, parameter, value):
    with pytest.raises(KernelError, match=parameter) as error:
        GENERATORS[name](**{parameter: value})
    assert "\n" not in str(error.value)


@each(
    "name, parameter",
    [
        (name, parameter)
        for name, function in GENERATORS.items()
        for parameter in inspect.signature(function).parameters
        if parameter not in ("angle", "direction", "light", "neighbours")
    ],
)
@each("value", [0, -3])
def test_sizes_and_widths_must_be_above_zero(name, parameter, value):
    with pytest.raises(KernelError, match=f"{parameter} must be"):
        GENERATORS[name](**{parameter: value})


@pytest.mark.parametrize(
    "name", [name for name in GENERATORS if name != "box" and "size" in inspect.signature(GENERATORS[name]).parameters]
)
def test_a_kernel_with_a_centre_has_an_odd_size(name):
    with pytest.raises(KernelError, match="size must be odd, so that the kernel has a centre; found 4, use 3 or 5"):
        GENERATORS[name](size=4)
    with pytest.raises(KernelError, match="size must be"):
        GENERATORS[name](size=3.5)
    with pytest.raises(KernelError, match="size must be at most"):
        GENERATORS[name](size=1_000_001)


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("gaussian", {"sigma": 1e9}, "sigma=1e.09 needs 8,000,000,001 taps per side and 10,001 is the limit"),
        ("gaussian", {"sigma": 1e300}, "needs 8e.300 taps per side"),
        ("gaussian", {"size": 8001}, "8,001 x 8,001 taps is too large"),
        ("box", {"rows": 9000, "columns": 9000}, "9,000 x 9,000 taps is too large"),
        ("motion", {"length": 1e6, "angle": 45}, "length=1e.06 needs"),
        ("disk", {"radius": 1e5}, "radius=100000 needs 200,001 taps"),
        ("low_pass", {"cutoff": 1e-9}, "cutoff=1e-09 needs"),
        ("low_pass", {"cutoff": 5e-324}, "needs inf taps"),
        ("difference_of_gaussians", {"sigma": 1e3, "ratio": 1e3}, "ratio=1e.06 needs"),
        ("laplacian_of_gaussian", {"sigma": 1e-200}, "weights beyond the range of float64"),
        ("unsharp", {"sigma": 1e5}, "sigma=100000 needs"),
    ],
)
def test_a_size_beyond_the_limit_is_rejected_before_memory_is_allocated(name, arguments, reason):
    with pytest.raises(KernelError, match=reason):
        GENERATORS[name](**arguments)


@pytest.mark.parametrize("sigma", [1e-3, 1e-160, 1e-300, 5e-324])
@pytest.mark.parametrize("size", [None, 5])
def test_a_sigma_far_below_a_pixel_gives_the_identity(sigma, size):
    weights = GENERATORS["gaussian"](sigma=sigma, size=size)
    assert weights[weights.shape[0] // 2, weights.shape[1] // 2] == 1
    assert weights.sum() == 1
