"""The recipe of a result: a digest of everything that decides its bytes, apart from the input file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from imgconv.convolution.options import Options
from imgconv.images.files import Input
from imgconv.images.output import Output
from imgconv.kernels.entries import Operator
from imgconv.kernels.kernel import Kernel
from imgconv.running.task import Task

#: Version of the results. Raise it with every change to the pixels or to the encoding of a result.
RESULTS = 1

#: The fields that do not change a result: threads, statistics, names for messages, limits, paths and permissions.
WITHOUT_EFFECT: dict[type, frozenset[str]] = {
    Task: frozenset({"count", "estimate"}),
    Options: frozenset({"jobs"}),
    Kernel: frozenset({"name"}),
    Operator: frozenset({"name"}),
    Input: frozenset({"path", "max_pixels"}),
    Output: frozenset({"path", "overwrite", "within", "backup"}),
}


def recipe_of(task: Task, source: Input, target: Output) -> str:
    """Return the recipe of the results of a task: the SHA-256 of canonical JSON, in hexadecimal digits.

    It is the same in every process and for every version of Python. Two equal recipes give the same bytes for the same input.

    Args:
        task: the filter and its options.
        source: the options for reading; the path is ignored.
        target: the options for writing; the path is ignored.

    Raises:
        TypeError: a value has a type without a canonical form, such as an object of a library.
    """
    parts = [RESULTS, _canonical(task), _canonical(source), _canonical(target)]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical(value: object) -> Any:
    """Return a value as data for JSON. Values of different types differ, as the integer 1 and the number 1.0 do."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return ["float", value.hex()]
        case complex():
            return ["complex", value.real.hex(), value.imag.hex()]
        case Fraction():
            return ["Fraction", f"{value.numerator:x}", f"{value.denominator:x}"]
        case np.dtype() if not value.hasobject:
            return ["dtype", value.str]
        case np.ndarray() | np.generic() if not value.dtype.hasobject:
            return ["array", value.dtype.str, list(value.shape), hashlib.sha256(value.tobytes()).hexdigest()]
        case tuple():
            return ["tuple", *map(_canonical, value)]
    if is_dataclass(value) and not isinstance(value, type):
        ignored = WITHOUT_EFFECT.get(type(value), frozenset())
        named = {field.name: _canonical(getattr(value, field.name)) for field in fields(value) if field.name not in ignored}
        return [type(value).__name__, named]
    raise TypeError(f"a recipe cannot hold a value of the type {type(value).__module__}.{type(value).__qualname__}")
