"""Weights as whole numbers times one fraction, if that gives the same bits; FFmpeg requires it, others are more readable."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.kernels.kernel import Kernel


def exact_form(kernel: Kernel) -> tuple[NDArray[np.float64], int, int] | None:
    """Return (numbers, above, below), whole numbers with `numbers * above / below` equal to the weights bit for bit, or None.

    The integer form of a kernel may differ from its weights by rounding, but a file must store the weights themselves.
    """
    form = kernel.integer_form
    if form is None:
        return None
    fraction = Fraction(form.scale)
    above, below = fraction.numerator, fraction.denominator
    if max(abs(above), below) > 2**53:
        return None
    same = np.array_equal(form.integers * float(above) / float(below), kernel.weights)
    return (form.integers, above, below) if same else None


def over_divisor(kernel: Kernel) -> tuple[NDArray[Any], int]:
    """Return (numbers, divisor), whole numbers if possible, with `numbers / divisor` equal to the weights bit for bit."""
    form = exact_form(kernel)
    return (kernel.weights, 1) if form is None or form[1] != 1 else (form[0], form[2])
