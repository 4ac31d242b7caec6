"""Many small cases in one test, which is much faster than one test per case."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def each(names: str, values: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with each of the values in turn, like `pytest.mark.parametrize` but as a single test.

    Args:
        names: the parameter, or several separated by commas.
        values: its values, or a tuple of values for each case. An error names its case; a skipped case does not skip the test.
    """
    parameters, cases = [name.strip() for name in names.split(",")], list(values)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            for case in cases:
                given = dict(zip(parameters, case if len(parameters) > 1 else (case,), strict=True))
                try:
                    test(**fixtures, **given)
                except pytest.skip.Exception:
                    continue
                except Exception as error:
                    error.add_note(f"in the case {given}")
                    raise

        signature = inspect.signature(test)
        others = [parameter for name, parameter in signature.parameters.items() if name not in parameters]
        run.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return run

    return decorate
