"""Rules of the house that ruff and mypy do not know: the public surface, the length of files, how files are called."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

import imgconv

#: The public surface. Whoever adds to it or takes from it says so here, in README.md and in CHANGELOG.md.
SURFACE = {
    "BatchError",
    "Catalog",
    "Coding",
    "DependencyError",
    "Filter",
    "Image",
    "ImgconvError",
    "Kernel",
    "KernelError",
    "Pages",
    "Plan",
    "RangeError",
    "ReadError",
    "UsageError",
    "WriteError",
    "convolve",
    "correlate",
    "filter_image",
    "find_edges",
    "load_catalog",
    "make_plan",
    "open_image",
    "parse_filter",
    "parse_kernel",
    "read_image",
    "write_image",
    "write_pages",
}

LONGEST = 300

#: Words that say nothing of what a file holds.
VAGUE = {"common", "core", "general", "helper", "helpers", "misc", "shared", "stuff", "tools", "util", "utils"}

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("imgconv", "tests", "samples") for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_surface_is_what_it_is_said_to_be() -> None:
    assert set(imgconv.__all__) - {"__version__"} == SURFACE
    assert len(imgconv.__all__) == len(set(imgconv.__all__))


def test_every_public_name_can_be_had_and_is_listed() -> None:
    for name in imgconv.__all__:
        assert getattr(imgconv, name) is not None
    assert set(imgconv.__all__) <= set(dir(imgconv))


def test_every_public_name_is_documented() -> None:
    undocumented = [name for name in SURFACE if not (getattr(imgconv, name).__doc__ or "").strip()]
    assert undocumented == []


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        imgconv.no_such_name  # noqa: B018


def test_the_version_is_the_one_of_the_project() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert imgconv.__version__ == declared


def test_sources_are_found() -> None:
    assert {"imgconv/errors.py", "tests/test_house.py", "samples/draw.py"} <= set(map(relative, SOURCES))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_file_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_file_is_named_for_what_it_holds(path: Path) -> None:
    assert not set(path.relative_to(ROOT).with_suffix("").parts) & VAGUE
    # `imgconv.x.convolve` must not be a module at one time and a function at another, as it would be where the package
    # re-exports the function. Commands are files of their own name, and nothing re-exports them.
    if relative(path).startswith("imgconv/") and not relative(path).startswith("imgconv/cli/"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert path.stem not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_types_are_shipped() -> None:
    assert (ROOT / "imgconv" / "py.typed").is_file()
