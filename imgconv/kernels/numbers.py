"""Numbers and shapes as text for people."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np


def number_text(value: Any) -> str:
    """Return a number as text with at most six digits; a short fraction is kept as a fraction."""
    if isinstance(value, Fraction):
        return str(value) if len(str(value)) <= 24 else f"{float(value):.6g}"
    if isinstance(value, complex | np.complexfloating):
        return f"{value.real:g}{value.imag:+g}j"
    return f"{value + 0.0:.6g}"  # + 0.0 removes the sign of -0


def size_text(shape: Sequence[int]) -> str:
    """Return a shape as text: `3 x 4`."""
    return " x ".join(map(str, shape))
