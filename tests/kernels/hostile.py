"""Helpers of the tests of hostile text: values that break parsers, mutated texts, and the allowed outcomes."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import imgconv
from imgconv.errors import KernelError, UsageError
from imgconv.kernels.catalog import parse_kernel
from imgconv.kernels.formats import WRITERS, format_kernel
from imgconv.kernels.kernel import Kernel

# A message may quote the text twice, in sixty characters each, and name a path, but never megabytes of text.
LONGEST_MESSAGE = 1_000

slow = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@contextlib.contextmanager
def may_raise(*kinds):
    """Allow errors of these kinds, if their message is one line that is not too long."""
    try:
        yield
    except kinds as error:
        message = str(error)
        assert len(message.splitlines()) == 1, message
        assert len(message) <= LONGEST_MESSAGE, message


def check_kernel(kernel):
    """Check the properties of a kernel, and that each format can write it or raises an error."""
    assert isinstance(kernel, Kernel)
    assert np.isfinite(kernel.weights).all()
    assert np.isfinite(kernel.delta)
    if kernel.weights.size > 2_000:
        return
    assert isinstance(kernel.sum, float | complex)
    assert kernel.rotated().rotated() == kernel
    assert kernel.integer_form is None or kernel.integer_form.integers.shape == kernel.shape
    for form in WRITERS:
        with may_raise(KernelError):
            assert format_kernel(kernel, form).endswith("\n")
    for factor in (257, 1e-300, 1e300, Fraction(1, 9), Fraction(5e-324), Fraction(10) ** 400):
        with may_raise(KernelError):
            assert kernel.scaled(factor).shape == kernel.shape


def check_text(text, known=None):
    """Check that a text gives a kernel and a filter, or an error."""
    with may_raise(KernelError):
        check_kernel(parse_kernel(text, known))
    with may_raise(KernelError, UsageError):
        assert isinstance(imgconv.parse_filter(text, known), imgconv.Filter)


# Sizes between some hundreds and six thousand are left out: they are allowed, and need memory accordingly.
VALUES = [
    "", "0", "-0", "-1", "1", "2", "3", "4", "7", "29", "31", "99", "10001", "10002", "99999999999", "9" * 400,
    "1" + "0" * 5000,
    "0.5", ".5", "5.", "1/2", "1/3", "3/0", "0/0", "1e308/1e-308", "1e-320", "5e-324", "1.1e-154", "1e-160", "1e155", "1e300",
    "1.8e308", "1e309", "-1e308", "1e-400", "nan", "inf", "-inf", "1j", "1e308+1e308j", "1+nanj", "0x10", "1_0", "True", "1:30",
    "١٢", "１", "½", "n", "NW", "\0", "\ud800", "\u2028", "\n3\n", " 3 ", "=", ":", "(3)", "(gaussian)", "(f:a=(b))", "[1 2]",
    "[1", "@/dev/null", "@", "((((((((((", "scharr", "magnitude", "direction",
]  # fmt: skip


@st.composite
def mutated(draw, texts, pieces):
    """Return a text with some parts removed, doubled, or replaced by a piece."""
    text = draw(texts)
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 6)))
        middle = draw(st.sampled_from(pieces) | st.just(text[start:stop] * 2) | st.just(""))
        text = text[:start] + middle + text[stop:]
    return text
