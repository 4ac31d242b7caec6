"""What the tests of the convolution share: one job carried out by every method of the registry."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.execution import execute
from imgconv.convolution.methods import METHODS
from imgconv.convolution.options import make_options
from imgconv.convolution.planner import plan_for
from imgconv.kernels.kernel import Kernel

#: They take any job.
UNIVERSAL = {"definition", "shifts", "windows", "bands"}


@pytest.fixture(scope="session")
def by_every_method():
    """Return what each method makes of an image, of those that say they can: name to result."""

    def results(image, kernel, **options):
        image, kernel, found = np.asarray(image), Kernel(kernel), {}
        for method in METHODS.values():
            plan = plan_for(image.shape, image.dtype, kernel, make_options(engine=method.engine, **options))
            if method.supports(plan.job) is None:
                chosen = make_options(engine=method.engine, method=method.name, **options)
                found[method.name] = execute(plan_for(image.shape, image.dtype, kernel, chosen), image).values
        assert set(found) >= UNIVERSAL
        return found

    return results


def difference(got, expected):
    """Return in words where an array is not what is expected, or nothing where it is, bit for bit."""
    if (got.dtype, got.shape) != (expected.dtype, expected.shape):
        return f"{got.dtype} {got.shape} for {expected.dtype} {expected.shape}"
    same = (got == expected) | ((got != got) & (expected != expected))
    if same.all():
        return ""
    at = tuple(int(n) for n in np.argwhere(~same)[0])
    return f"{np.count_nonzero(~same)} of {same.size} differ, first {got[at]} for {expected[at]} at {at}"


@pytest.fixture(scope="session")
def hold(by_every_method):
    """Hold every method to a result: type, shape and every bit; return the names of the methods held."""

    def check(expected, image, kernel, **options):
        expected, found = np.asarray(expected), by_every_method(image, kernel, **options)
        wrong = {name: difference(got, expected) for name, got in found.items()}
        assert {name: found for name, found in wrong.items() if found} == {}
        return set(found)

    return check
