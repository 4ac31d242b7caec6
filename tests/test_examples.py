"""The examples of the README and the manual: commands run, and print what the page shows. pytest runs the Python blocks."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import imgconv
from imgconv.cli.main import run
from tests.documents import BLOCKS, MANUAL, README, ROOT

FIRST = "pip install . && imgconv apply sharpen samples/noisy_scene.png sharp.png"
#: The README's blocks for pip are not run here; the test of the wheel installs imgconv.
LINES = [
    pytest.param(line, id=f"{block.page.stem}: {line}"[:80])
    for block in BLOCKS
    if block.language == "sh"
    for line in block.text.splitlines()
    if "imgconv " in line and not line.startswith("pip ")
]
TRANSCRIPTS = [pytest.param(block.text, id=block.text.splitlines()[0]) for block in BLOCKS if block.language == "console"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="the examples are written for a POSIX shell")

#: Syntax of a shell, and commands that start processes.
NEEDS_A_SHELL = re.compile(r"^(?!imgconv )|[|<>&;*~$]|--isolate|imgconv (batch|bench)")

Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the examples name."""
    folder = tmp_path_factory.mktemp("examples") / "folder"
    shutil.copytree(ROOT / "samples", folder / "samples")
    [catalog] = [block.text for block in BLOCKS if block.language == "yaml"]
    (folder / "mine.yaml").write_text(catalog)
    return folder


@pytest.fixture
def shell(examples: Path, tmp_path: Path) -> Shell:
    """Run a line in a shell, in a copy of that folder, with this imgconv on the path."""
    folder = tmp_path / "folder"
    shutil.copytree(examples, folder, copy_function=os.link)
    program = tmp_path / "bin" / "imgconv"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m imgconv "$@"\n')
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(imgconv.__file__).parent.parent),
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
    }

    def run_line(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            line,
            shell=True,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )

    run_line.folder = folder  # type: ignore[attr-defined]
    return run_line


def test_the_first_block_of_the_readme_installs_and_sharpens() -> None:
    assert BLOCKS[0] == (README, "sh", FIRST + "\n")


@POSIX
def test_the_first_command_of_the_readme_gives_the_result_of_opencv(shell: Shell) -> None:
    done = shell(FIRST.partition(" && ")[2])
    assert done.returncode == 0
    assert done.stdout == "imgconv: about 3.3 % of the values were clipped; --range, --scale or --depth 32f can avoid it\n"
    picture, source = (cv2.imread(str(shell.folder / name)) for name in ("sharp.png", "samples/noisy_scene.png"))
    expected = cv2.filter2D(source, -1, np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32))
    np.testing.assert_array_equal(picture, expected)


@POSIX
def test_the_second_block_of_the_readme_is_run_by_ci() -> None:
    [program] = re.findall(r"awk '(.+?)' README.md", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    done = subprocess.run(["awk", program, README], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == BLOCKS[1].text == "pip install '.[test]' && pytest -n auto --dist loadgroup\n"


@POSIX
@pytest.mark.parametrize("line", LINES)
def test_a_command_runs(line: str, shell: Shell, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    before = set(shell.folder.rglob("*"))
    if NEEDS_A_SHELL.search(line):
        done = shell(line)
        code, printed = done.returncode, done.stdout
    else:  # in this process, which saves the start of another one
        monkeypatch.chdir(shell.folder)
        code = run(shlex.split(line, comments=True)[1:])
        printed = "".join(capfd.readouterr())
    assert code == 0, printed
    new = set(shell.folder.rglob("*")) - before
    if not re.search(r"imgconv (list|show|bench|plan|help)|--dry-run", line):
        assert [text for text in printed.splitlines() if not text.startswith("imgconv: ")] == []
        assert new
    else:
        assert printed
    for path in new:
        if path.suffix in (".png", ".jpg", ".tiff"):
            assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is not None


def test_there_are_examples() -> None:
    assert len(LINES) > 60
    assert len(TRANSCRIPTS) >= 4
    without = {page.stem for page in MANUAL} - {block.page.stem for block in BLOCKS if block.language in ("sh", "python")}
    assert without == {"exit-codes", "formats", "numbers"}


@POSIX
@pytest.mark.parametrize("text", TRANSCRIPTS)
def test_a_command_prints_what_the_page_shows(text: str, shell: Shell) -> None:
    command, _, expected = text.partition("\n")
    found = shell(command.removeprefix("$ ")).stdout
    assert doctest.OutputChecker().check_output(expected, found, doctest.ELLIPSIS), found
