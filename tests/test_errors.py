"""The tree of errors: the exit codes are a promise to scripts, the built-in bases one to callers."""

from __future__ import annotations

import inspect
import re

import pytest

from imgconv import errors
from imgconv.errors import ImgconvError

CLASSES = {name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__}

#: Name, exit code, parent in the tree, built-in that callers who know nothing of imgconv catch it with.
PROMISED = [
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
    """Read the tree in the docstring of the module: each name with its code and the name that it hangs from."""
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


def test_every_error_is_promised() -> None:
    assert set(CLASSES) == {name for name, *_ in PROMISED}


@pytest.mark.parametrize(("name", "code", "parent", "builtin"), PROMISED, ids=lambda value: str(value))
def test_code_and_bases(name: str, code: int, parent: str | None, builtin: type[Exception]) -> None:
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
def test_the_message_is_what_was_said(kind: type[ImgconvError]) -> None:
    # OSError and ImportError have ideas of their own about what their arguments mean.
    assert str(kind("a.png: empty; give an image")) == "a.png: empty; give an image"
