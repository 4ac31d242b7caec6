"""Project rules that ruff and mypy do not check: the public surface, the length of files, the names of files."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import imgconv

#: The public surface. A change to it also needs README.md and CHANGELOG.md.
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
    "apply",
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

#: Words that do not describe what a file holds.
VAGUE = {"common", "core", "general", "helper", "helpers", "misc", "shared", "stuff", "tools", "util", "utils"}

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("imgconv", "tests", "samples") for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_public_surface() -> None:
    assert sorted(name for name in imgconv.__all__ if name != "__version__") == sorted(SURFACE)
    assert {name for name in dir(imgconv) if not name.startswith("__")} == SURFACE
    undocumented = [name for name in SURFACE if not (getattr(imgconv, name).__doc__ or "").strip()]
    assert undocumented == []


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        imgconv.no_such_name  # noqa: B018


def test_version_is_that_of_the_project() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert imgconv.__version__ == declared


def test_sources_are_found() -> None:
    assert {"imgconv/errors.py", "tests/test_house.py", "samples/draw.py"} <= set(map(relative, SOURCES))


def test_no_file_is_too_long() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_no_file_has_a_vague_name() -> None:
    assert [relative(path) for path in SOURCES if set(path.relative_to(ROOT).with_suffix("").parts) & VAGUE] == []


def test_no_module_has_the_name_of_a_function_in_it() -> None:
    """`imgconv.x.convolve` could be the module or a function re-exported by a package; commands are not re-exported."""

    def has_its_own_name(path: Path) -> bool:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        return path.stem in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}

    modules = [path for path in SOURCES if relative(path).startswith("imgconv/") and path.parent.name != "cli"]
    assert [relative(path) for path in modules if has_its_own_name(path)] == []


def test_only_the_command_line_names_flags() -> None:
    """Messages of the library name parameters. Flags of pip are allowed; `benchmark` and `explaining` print for the command."""

    def flags(path: Path) -> list[str]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
        documentation = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, kinds)}
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        return [text for text in texts if re.search(r"(?<![\w-])--[a-z]", text) and text not in documentation]

    library = [path for path in SOURCES if relative(path).startswith("imgconv/")]
    library = [path for path in library if path.parts[len(ROOT.parts) + 1] not in ("cli", "benchmark", "explaining")]
    found = {relative(path): [text for text in flags(path) if "; pip install --" not in text] for path in library}
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_types_are_shipped() -> None:
    assert (ROOT / "imgconv" / "py.typed").is_file()
