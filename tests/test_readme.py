"""README.md: its commands run, their output is as printed there, and its tables and options are those of the code."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
import yaml
from PIL import Image as Pillow

import imgconv
from imgconv import errors
from imgconv.borders import source_indices
from imgconv.cli.main import cli, run
from imgconv.images.formats.registry import writable_formats
from imgconv.vocabulary import ALPHAS, BORDERS, RANGES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
FIRST = "pip install . && imgconv apply sharpen samples/noisy_scene.png sharp.png"
#: pip is not run here: the test of the wheel installs it.
LINES = [
    line
    for language, text in BLOCKS
    if language == "sh"
    for line in text.splitlines()
    if "imgconv " in line and not line.startswith("pip ")
]
TRANSCRIPTS = [text for language, text in BLOCKS if language == "console"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="the examples are written for a POSIX shell")

#: What only a shell understands; and the commands that start processes of their own.
NEEDS_A_SHELL = re.compile(r"^(?!imgconv )|[|<>&;*~$]|--isolate|imgconv (batch|bench)")

Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading, its first two lines left out."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def words(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command


OPTIONS = sorted(
    {
        (name, option)
        for name, command in [("imgconv", cli), *commands()]
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--")
    }
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the examples name."""
    folder = tmp_path_factory.mktemp("examples") / "folder"
    shutil.copytree(ROOT / "samples", folder / "samples")
    scene = cv2.imread(str(folder / "samples" / "noisy_scene.png"))[150:250, 200:340]  # small: `bench` takes its time
    (folder / "photos" / "below").mkdir(parents=True)
    for name in ("in.png", "in.jpg", "photos/a.jpg", "photos/b.png", "photos/below/c.jpg"):
        assert cv2.imwrite(str(folder / name), scene)
    logo = np.dstack([scene, 255 - scene[:, :, 0]])
    cv2.imwrite(str(folder / "logo.png"), logo)
    cv2.imwritemulti(str(folder / "scan.tif"), [scene, scene[::2, ::3]])
    heights = scene[:, :, 0].astype(np.float32)
    heights[::9, ::7] = -9999
    cv2.imwrite(str(folder / "heights.tif"), heights)
    frames = [Pillow.fromarray(scene[:40, n : n + 60, ::-1].copy()) for n in range(4)]
    frames[0].save(folder / "loop.gif", save_all=True, append_images=frames[1:], duration=70, loop=0)
    (folder / "kernel.txt").write_text("0 -1 0\n-1 5 -1\n0 -1 0\n")
    [mine] = [text for language, text in BLOCKS if language == "yaml"]
    (folder / "mine.yaml").write_text(mine)
    return folder


@pytest.fixture
def shell(pictures: Path, tmp_path: Path) -> Shell:
    """Run a line in a shell, in a copy of that folder, with this imgconv on the path."""
    folder = tmp_path / "folder"
    shutil.copytree(pictures, folder, copy_function=os.link)
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


def test_the_first_block_installs_and_does_the_main_job() -> None:
    assert BLOCKS[0] == ("sh", FIRST + "\n")


@POSIX
def test_the_first_block_sharpens(shell: Shell) -> None:
    done = shell(FIRST.partition(" && ")[2])
    assert (done.returncode, done.stdout) == (0, "")
    picture, source = (cv2.imread(str(shell.folder / name)) for name in ("sharp.png", "samples/noisy_scene.png"))
    expected = cv2.filter2D(source, -1, np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32))
    np.testing.assert_array_equal(picture, expected)


@POSIX
def test_the_second_block_is_the_one_that_the_checks_take() -> None:
    [program] = re.findall(r"awk '(.+?)' README.md", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    done = subprocess.run(["awk", program, ROOT / "README.md"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == BLOCKS[1][1] == "pip install '.[test]' && pytest -n auto --dist loadgroup\n"


@POSIX
@pytest.mark.parametrize("line", LINES)
def test_an_example_runs(line: str, shell: Shell, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
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
    if not re.search(r"imgconv (list|show|bench|plan)", line):
        assert printed == ""
        assert new
    else:
        assert printed
    for path in new:
        if path.suffix in (".png", ".jpg", ".tiff"):
            assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is not None


def test_there_are_examples() -> None:
    assert len(LINES) > 30
    assert len(TRANSCRIPTS) >= 2


@POSIX
@pytest.mark.parametrize("text", TRANSCRIPTS, ids=lambda text: text.splitlines()[0])
def test_what_is_printed_is_shown(text: str, shell: Shell) -> None:
    command, _, expected = text.partition("\n")
    found = shell(command.removeprefix("$ ")).stdout
    assert doctest.OutputChecker().check_output(expected, found, doctest.ELLIPSIS), found


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_a_command_is_documented(name: str) -> None:
    assert f"`{name}`" in README
    assert any(re.search(rf"\bimgconv {name} ", line + " ") for line in LINES)


def test_the_options_are_documented_and_no_others() -> None:
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README.replace(BLOCKS[1][1], "")))
    assert [f"{option} of {command}" for command, option in OPTIONS if option not in documented] == []
    assert documented - {option for _, option in OPTIONS} <= {"--help"}


def test_the_exit_codes_are_those_of_the_errors() -> None:
    documented = {int(code): set(words(names)) for code, _, names in rows("code")}
    tree = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.ImgconvError)}
    assert documented == {
        0: set(),
        **{code: {e.__name__ for e in tree if e.exit_code == code} for code in {e.exit_code for e in tree}},
    }


def test_the_borders_are_those_of_the_vocabulary() -> None:
    assert {words(row[0])[0]: words(row[2]) for row in rows("name")} == BORDERS


@pytest.mark.parametrize("row", rows("name"), ids=lambda row: words(row[0])[0])
def test_the_borders_continue_a_row_as_the_table_says(row: list[str]) -> None:
    [border], (*continued,), opencv, pad = words(row[0]), words(row[1]), words(row[3]), words(row[5])
    if border == "renormalize":
        assert [*continued, *opencv, *pad] == []
        return
    letters = np.array(list("abcd"))
    before_and_after = source_indices(4, -3, 7, border)
    found = "".join("v" if at < 0 else letters[at] for at in before_and_after)
    assert continued == [f"{found[:3]} {found[3:7]} {found[7:]}"]
    levels = np.arange(1, 5, dtype=np.uint8)[None]
    expected = [0 if at < 0 else at + 1 for at in before_and_after]
    assert np.pad(levels[0], 3, mode=pad[0]).tolist() == expected
    assert cv2.copyMakeBorder(levels, 0, 0, 3, 3, getattr(cv2, opencv[0])).ravel().tolist() == expected


@pytest.mark.parametrize("row", rows("name")[:-1], ids=lambda row: words(row[0])[0])
def test_the_borders_are_those_of_scipy(row: list[str]) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    image, kernel = np.random.default_rng(0).normal(size=(4, 5)), np.arange(15.0).reshape(3, 5)
    expected = ndimage.correlate(image, kernel, mode=words(row[4])[0])
    np.testing.assert_allclose(imgconv.correlate(image, kernel, border=words(row[0])[0]), expected, rtol=1e-9, atol=1e-9)


def test_the_ranges_are_those_of_the_vocabulary() -> None:
    assert [words(row[0])[0] for row in rows("`--range`")] == list(RANGES)


def test_the_formats_are_those_of_the_code() -> None:
    depths = {"uint": "", "int": "signed ", "float": ""}

    def depth(name: str) -> str:
        if name == "bool":
            return "1-bit"
        kind, bits = re.fullmatch(r"(\D+)(\d+)", name).groups()
        return f"{depths[kind]}{bits}-bit{' float' if kind == 'float' else ''}"

    blocks = {"exif": "EXIF", "xmp": "XMP", "icc": "profile", "cicp": "cICP", "iptc": "IPTC"}
    blocks |= {"resolution": "resolution", "comment": "comment", "texts": "texts"}
    expected = [
        [
            f.title,
            " ".join(f"`{extension}`" for extension in f.extensions),
            ", ".join(map(depth, f.dtypes)),
            ", ".join(word for word in ("grey", "colour", "alpha", "bands") if getattr(f, word)),
            f.pages or "no",
            ", ".join(word for block, word in blocks.items() if block in f.places) or "none",
        ]
        for f in writable_formats()
    ]
    assert rows("format") == expected


def test_the_ways_with_alpha_are_those_of_the_vocabulary() -> None:
    assert [words(row[0])[0] for row in rows("`--alpha`")] == list(ALPHAS)


def test_every_operator_is_named() -> None:
    operators = yaml.safe_load((ROOT / "kernels.yaml").read_text(encoding="utf-8"))["operators"]
    assert all(f"`{name}`" in README for name in operators)


def test_every_public_function_is_named() -> None:
    functions = {name for name in imgconv.__all__ if name.islower()}
    assert {name for name in functions if f"imgconv.{name}(" not in README} == set()


def test_links_lead_somewhere() -> None:
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in t]
    assert targets
    assert [t for t in targets if not (ROOT / t).is_file()] == []
