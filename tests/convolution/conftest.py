"""Helpers of the convolution tests: the results of every method, and kernels that each method supports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imgconv.convolution.execution import execute
from imgconv.convolution.methods import METHODS
from imgconv.convolution.options import make_options
from imgconv.convolution.planner import make_plan, plan_for
from imgconv.kernels.kernel import Kernel

#: Methods that support any job.
UNIVERSAL = {"definition", "shifts", "windows", "bands"}


def whole(shape):
    """Return whole weights of full rank, without any symmetry."""
    return np.random.default_rng(shape).integers(-9, 10, shape)


def outer(shape):
    """Return whole weights of rank 1 over a power of two, without any symmetry."""
    rng = np.random.default_rng(shape)
    return np.outer(rng.integers(1, 4, shape[0]), rng.integers(-1, 4, shape[1])) / 16


def mean(shape):
    """Return the weights of a mean over an odd number of pixels."""
    rows, columns = (n - 1 + n % 2 for n in shape)
    return np.ones((rows, columns)) / (rows * columns)


def notched(shape):
    """Return a box with an off-centre box of another weight in it."""
    weights = np.full(shape, 2)
    weights[1:-1, 1:-2] = -3
    return weights


#: Kernels for the methods that reject most kernels; all other methods are tested with `whole`.
KERNEL_FOR = {"sep_filter2d": outer, "box_filter": mean, "boxes": notched}


def kernel_for(method, shape):
    """Return a kernel of about this shape that a method supports."""
    return KERNEL_FOR.get(method, whole)(shape)


def rejection(method, image, kernel, **options):
    """Return why a method does not support a job, or None if it does."""
    job = make_plan(image.shape, image.dtype, kernel, engine=METHODS[method].engine, **options).job
    return METHODS[method].supports(job)


def noise_with_white(dtype, shape):
    """Return noise over the whole range of a type, a third of it white, or normal noise in floating point."""
    if np.dtype(dtype).kind == "f":
        return np.random.default_rng(2).normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    pixels = np.random.default_rng(2).integers(limits.min, limits.max, shape, dtype, endpoint=True)
    pixels[:, : shape[1] // 3] = limits.max
    return pixels


@pytest.fixture(scope="session")
def results_by_method():
    """Return a function that returns the results of all methods that support a job, by name."""

    def results(image, kernel, **options):
        image, kernel, found, plans = np.asarray(image), Kernel(kernel), {}, {}
        for engine in {method.engine for method in METHODS.values()}:
            plans[engine] = plan_for(image.shape, image.dtype, kernel, make_options(engine=engine, **options))
        for method in METHODS.values():
            plan = plans[method.engine]
            if method.supports(plan.job) is None:
                found[method.name] = execute(replace(plan, method=method.name), image).values
        assert set(found) >= UNIVERSAL
        return found

    return results


def difference(got, expected):
    """Return a description of how an array differs from the expected one, or "" if all bits are equal."""
    if (got.dtype, got.shape) != (expected.dtype, expected.shape):
        return f"{got.dtype} {got.shape} for {expected.dtype} {expected.shape}"
    same = (got == expected) | ((got != got) & (expected != expected))
    if same.all():
        return ""
    at = tuple(int(n) for n in np.argwhere(~same)[0])
    return f"{np.count_nonzero(~same)} of {same.size} differ, first {got[at]} for {expected[at]} at {at}"


@pytest.fixture(scope="session")
def check_all(results_by_method):
    """Return a function that checks type, shape and bits of every method's result, and returns the methods' names."""

    def check(expected, image, kernel, **options):
        expected, found = np.asarray(expected), results_by_method(image, kernel, **options)
        wrong = {name: difference(got, expected) for name, got in found.items()}
        assert {name: found for name, found in wrong.items() if found} == {}, options
        return set(found)

    return check
