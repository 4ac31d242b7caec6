"""The tree of errors: exit codes and built-in base classes, on which scripts and callers rely."""

from __future__ import annotations

import inspect
import re

import pytest

from imgconv import errors
from imgconv.errors import ImgconvError

CLASSES = {name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__}

#: Name, exit code, parent in the tree, and built-in base class for callers that do not use imgconv.errors.
EXPECTED = [
    ("ImgconvError", 1, None, Exception),
    ("DependencyError", 1, "ImgconvError", ImportError),
    ("UsageError", 2, "ImgconvError", ValueError),
    ("KernelError", 3, "ImgconvError", ValueError),
    ("ReadError", 4, "ImgconvError", OSError),
    ("WriteError", 5, "ImgconvError", OSError),
    ("RangeError", 5, "WriteError", ValueError),
    ("BatchError", 6, "ImgconvError", Exception),
]


def drawn_tree() -> dict[str, tuple[int, str | None]]:
    """Return the tree in the docstring of the module: each name with its exit code and its parent."""
    tree: dict[str, tuple[int, str | None]] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"(?P<branch>[ │├└─]*)(?P<name>\w+Error) +(?P<code>\d+) +\S", line)
        if found:
            indent = len(found["branch"])
            above = [(column, name) for column, name in above if column < indent]
            tree[found["name"]] = (int(found["code"]), above[-1][1] if above else None)
            above.append((indent, found["name"]))
    return tree


def test_every_error_is_listed() -> None:
    assert set(CLASSES) == {name for name, *_ in EXPECTED}


@pytest.mark.parametrize(("name", "code", "parent", "builtin"), EXPECTED, ids=lambda value: str(value))
def test_exit_code_and_base_classes(name: str, code: int, parent: str | None, builtin: type[Exception]) -> None:
    kind = CLASSES[name]
    assert kind.exit_code == code
    assert issubclass(kind, builtin)
    assert issubclass(kind, ImgconvError)
    assert parent is None or kind.__bases__[0] is CLASSES[parent]


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    parents = {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()}
    actual = {name: (kind.exit_code, parents[name]) for name, kind in CLASSES.items() if kind is not ImgconvError}
    assert drawn_tree() == {"ImgconvError": (1, None), **actual}


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_the_text_of_an_error_is_its_message(kind: type[ImgconvError]) -> None:
    # OSError and ImportError interpret their arguments in their own ways.
    assert str(kind("a.png: empty; give an image")) == "a.png: empty; give an image"
