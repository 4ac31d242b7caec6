"""Imports go down only: the floors of the design, checked in the source, and the modules that commands load.

A module may import modules of lower floors and of its own package, but no others.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Each module or package at the top of imgconv/ and its floor. A new one needs an entry.
FLOORS: dict[str, float] = {
    "__main__": 6,
    "cli": 5,
    # `imgconv` itself re-exports lower modules for higher ones.
    "__init__": 4.5,
    "running": 4,
    "explaining": 4,
    "benchmark": 4,
    "filters": 3,
    "images": 3,
    "convolution": 2,
    "kernels": 1,
    "borders": 1,
    "depth": 1,
    "memory": 1,
    "opencv": 1,
    "threads": 1,
    "errors": 0,
    "vocabulary": 0,
}

#: The one import that is allowed on the same floor: an unknown word raises an error.
ALLOWED_SIDEWAYS = {("vocabulary", "errors")}

#: Libraries that only one module or package may import.
RESERVED = {"click": "cli", "cv2": "opencv"}


def imports(source: str, package: tuple[str, ...]) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield (line, module, names) of every import in `source`, a module of `package`.

    Imports under TYPE_CHECKING, in functions, and by `import_module` with a literal name count too. `names` are those of a
    `from` import, which may be modules themselves.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield node.lineno, name.name, ()
            case ast.ImportFrom(module=module, names=names, level=level):
                # `from . import x` in imgconv.a.b starts at imgconv.a; each further dot is one package up.
                base = package[: len(package) - level + 1] if level else ()
                yield node.lineno, ".".join((*base, *([module] if module else []))), tuple(n.name for n in names)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                yield node.lineno, module, ()


def tops(module: str, names: tuple[str, ...], modules: set[str]) -> set[str]:
    """Return the modules at the top of imgconv that an import of `module` refers to; `__init__` for the package itself."""
    root, *rest = module.split(".")
    if root != "imgconv":
        return set()
    if rest:
        return {rest[0]}
    return {name if name in modules else "__init__" for name in names or ("__init__",)}


def violations(package: Path, floors: dict[str, float] = FLOORS) -> list[str]:
    """Return the forbidden imports of the package in the folder `package`, one line each."""
    found = []
    entries = [p for p in package.iterdir() if p.suffix == ".py" or any(p.rglob("*.py"))]
    modules = {p.stem for p in entries}
    found += [f"{name}: has no floor" for name in sorted(modules - floors.keys())]
    for path in sorted(package.rglob("*.py")):
        where = path.relative_to(package)
        here = where.parts[0].removesuffix(".py")
        if here not in floors:
            continue
        inside = ("imgconv", *where.parts[:-1])
        for line, module, names in imports(path.read_text(encoding="utf-8"), inside):
            library = module.split(".")[0]
            if RESERVED.get(library, here) != here:
                found.append(f"{where}:{line}: only {RESERVED[library]} may import {library}")
            for top in sorted(tops(module, names, modules) - {here}):
                if top not in floors:
                    found.append(f"{where}:{line}: {top} has no floor")
                elif floors[top] >= floors[here] and (here, top) not in ALLOWED_SIDEWAYS:
                    direction = "up" if floors[top] > floors[here] else "sideways"
                    found.append(f"{where}:{line}: {here} (floor {floors[here]}) imports {direction}, {top}")
    return found


def test_imports_of_imgconv_go_down_only(root: Path) -> None:
    assert violations(root / "imgconv") == []


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("convolution/plan.py", "from imgconv.filters import Filter", "imports up, filters"),
        ("filters/rank.py", "from imgconv.images.read import read_image", "imports sideways, images"),
        ("borders.py", "import imgconv.depth", "imports sideways, depth"),
        ("errors.py", "from imgconv.vocabulary import canonical", "imports sideways, vocabulary"),
        ("kernels/catalog.py", "from ..convolution import plan", "imports up, convolution"),
        ("kernels/catalog.py", "from .. import cli", "imports up, cli"),
        ("kernels/catalog.py", "from imgconv import correlate", "imports up, __init__"),
        ("kernels/catalog.py", "import imgconv", "imports up, __init__"),
        ("kernels/catalog.py", "from imgconv import errors, filters", "imports up, filters"),
        ("kernels/catalog.py", "def load():\n    from imgconv.images import read", "imports up, images"),
        ("depth.py", "if TYPE_CHECKING:\n    from imgconv.filters import Filter", "imports up, filters"),
        ("depth.py", "import importlib\nimportlib.import_module('imgconv.cli.main')", "imports up, cli"),
        ("running/batch.py", "import click", "only cli may import click"),
        ("running/batch.py", "from click.testing import CliRunner", "only cli may import click"),
        ("images/read.py", "import cv2.utils", "only opencv may import cv2"),
        ("kernels/catalog.py", "import imgconv.brand_new", "brand_new has no floor"),
        ("brand_new.py", "", "brand_new: has no floor"),
        ("brand_new/__init__.py", "", "brand_new: has no floor"),
    ],
)
def test_forbidden_imports_are_reported(file: str, source: str, complaint: str, tmp_path: Path) -> None:
    write_files(tmp_path, {**LEGAL, file: source})
    found = violations(tmp_path)
    assert len(found) == 1
    assert found[0].endswith(complaint)


def test_allowed_imports_are_not_reported(tmp_path: Path) -> None:
    write_files(tmp_path, LEGAL)
    assert violations(tmp_path) == []


#: A tree that follows every rule, with each kind of import.
LEGAL = {
    "__init__.py": "from imgconv.filters import Filter\nfrom imgconv.running import run",
    "__main__.py": "from imgconv.cli.main import main",
    "cli/__init__.py": "",
    "cli/main.py": "import click\nfrom imgconv import __version__, running\nfrom imgconv.cli.options import border",
    "cli/options.py": "import click\nfrom . import main",
    "running/__init__.py": "from imgconv.filters import Filter\nfrom imgconv import images",
    "filters/__init__.py": "from .rank import median\nfrom ..convolution import correlate",
    "filters/rank.py": "import numpy as np",
    "images/__init__.py": "from imgconv.opencv import load_cv2",
    "convolution/__init__.py": "from imgconv import borders, kernels",
    "kernels/__init__.py": "from imgconv.vocabulary import canonical",
    "borders.py": "from imgconv.errors import UsageError",
    "depth.py": "",
    "opencv.py": "import cv2",
    "errors.py": "",
    "vocabulary.py": "from imgconv.errors import UsageError",
}


def write_files(folder: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")


LOADED = """
import json, runpy, sys
heavy = sys.argv.pop(1).split(",")
code = 0
if len(sys.argv) > 1:
    sys.argv[0] = "imgconv"
    try:
        runpy.run_module("imgconv", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code or 0
else:
    import imgconv
sys.stdout.flush()
own = [name for name in sys.modules if name.split(".")[0] == "imgconv"]
print(json.dumps([code, [name for name in heavy if name in sys.modules], own]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        ([], ["numpy", "cv2", "yaml", "click", "msgspec"]),
        (["--help"], ["numpy", "cv2", "concurrent.futures", "logging", "imgconv.kernels.catalog"]),
        (["list"], ["numpy", "cv2"]),
        (["apply", "--help"], ["numpy", "cv2", "concurrent.futures", "logging"]),
    ],
    ids=lambda value: " ".join(value) or "import",
)
def test_heavy_libraries_are_loaded_only_when_needed(arguments: list[str], heavy: list[str], run_python) -> None:
    done = run_python("-c", LOADED, ",".join(heavy), *arguments)
    code, loaded, _ = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    assert loaded == []
    assert bool(done.stdout) == bool(arguments)


def test_apply_loads_few_modules(run_python, samples: Path, tmp_path: Path) -> None:
    unused = "sqlite3,imgconv.running.journal,imgconv.running.recipe"
    done = run_python("-c", LOADED, unused, "apply", "sharpen", samples / "noisy_scene.png", tmp_path / "out.png")
    code, loaded, own = json.loads(done.stderr.splitlines()[-1])
    assert (code, loaded) == (0, [])
    assert len(own) <= 75
