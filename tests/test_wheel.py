"""The wheel: its contents, and its use in an environment with nothing else installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest

# One worker runs all of these tests, so that the wheel and the environment are built once.
pytestmark = [pytest.mark.network, pytest.mark.xdist_group("wheel")]

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)


def run(*command: str | os.PathLike[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed, in an environment without this checkout."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(list(map(os.fspath, command)), cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this checkout and return its path."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, root, cwd=folder)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of an environment with only the wheel and its dependencies."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    run(sys.executable, "-m", "venv", environment, cwd=wheel.parent)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "--quiet", "--no-compile", wheel, cwd=wheel.parent)
    return programs


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Return an empty folder outside the checkout."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_contents_of_the_wheel(wheel: Path, root: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("imgconv/kernels.yaml") == (root / "kernels.yaml").read_bytes()
    assert {"kernels.yaml", "kernels.schema.json", "py.typed"} <= {
        PurePosixPath(name).name for name in names if name.startswith("imgconv/")
    }
    sources = {path.relative_to(root).as_posix() for kind in ("*.py", "*.md") for path in (root / "imgconv").rglob(kind)}
    assert sources <= names
    assert {PurePosixPath(name).parts[0] for name in names - sources} == {
        "imgconv",
        f"{wheel.name.rsplit('-', 3)[0]}.dist-info",
    }
    assert [name for name in names if name.endswith("LICENSE")]


def test_the_installed_command_lists_kernels(installed: Path, empty: Path) -> None:
    listed = run(installed / "imgconv", "list", cwd=empty).stdout
    assert {"sharpen", "gaussian", "scharr_x"} <= set(listed.split())
    assert list(empty.iterdir()) == []


def test_a_picture_is_sharpened(installed: Path, empty: Path, samples: Path) -> None:
    shutil.copy(samples / "noisy_scene.png", empty / "in.png")
    run(installed / "imgconv", "apply", "sharpen", "in.png", "out.png", cwd=empty)
    assert {path.name for path in empty.iterdir()} == {"in.png", "out.png"}
    before, after = (cv2.imread(str(empty / name), cv2.IMREAD_UNCHANGED) for name in ("in.png", "out.png"))
    np.testing.assert_array_equal(after, cv2.filter2D(before, -1, SHARPEN, borderType=cv2.BORDER_REFLECT_101))
    assert not np.array_equal(after, before)


def test_the_library_works_without_the_checkout(installed: Path, empty: Path) -> None:
    program = """
import imgconv, numpy
impulse = numpy.zeros((3, 3), numpy.uint8)
impulse[1, 1] = 1
print(imgconv.convolve(impulse, numpy.arange(1, 10).reshape(3, 3), border="constant").tolist())
"""
    assert run(installed / "python", "-c", program, cwd=empty).stdout == "[[1, 2, 3], [4, 5, 6], [7, 8, 9]]\n"


def test_the_manual_is_installed(installed: Path, empty: Path, root: Path) -> None:
    page = run(installed / "imgconv", "help", "borders", cwd=empty).stdout
    assert page == (root / "imgconv" / "manual" / "borders.md").read_text(encoding="utf-8")
    formatted = "import sys; from imgconv.cli.main import main; sys.stdout.isatty = lambda: True; main(['help', 'borders'])"
    assert "Borders and geometry" in run(installed / "python", "-c", formatted, cwd=empty).stdout
