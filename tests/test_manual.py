"""The README and the manual agree with the code: options, tables, names, links."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
import yaml

import imgconv
from imgconv import errors
from imgconv.borders import source_indices
from imgconv.cli.main import cli
from imgconv.convolution.methods import ENGINES
from imgconv.images.formats.registry import writable_formats
from imgconv.vocabulary import ALPHAS, BORDERS, DEPTHS, EDGE_OUTPUTS, RANGES
from tests.documents import BLOCKS, MANUAL, PAGES, README, ROOT, manual, rows, text_of, words

ALL = "\n".join(map(text_of, PAGES))


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


def test_the_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= 250


def test_the_readme_lists_the_commands() -> None:
    listed = [[words(name)[0], task] for name, task in rows(text_of(README), "command")]
    assert listed == [[name, command.get_short_help_str(200)] for name, command in commands()]


def test_the_readme_lists_the_pages_of_the_manual(capsys: pytest.CaptureFixture[str]) -> None:
    listed = [(re.fullmatch(r"\[(.+)\]\((.+)\)", topic).groups(), content) for topic, content in rows(text_of(README), "topic")]
    expected = []
    for page in MANUAL:
        first = text_of(page).split("\n\n")[1]
        summary = " ".join(first.split(". ")[0].split()).rstrip(".")
        expected.append(((page.stem, page.relative_to(ROOT).as_posix()), summary))
    assert listed == expected


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_a_command_has_an_example(name: str) -> None:
    assert any(re.search(rf"\bimgconv {name}\b", block.text) for block in BLOCKS) or f"`imgconv {name}" in ALL


def test_the_options_are_documented_and_no_others() -> None:
    documented = set(
        re.findall(r"(?<![\w-])--[a-z][a-z-]*", re.sub(r"python tests/[^`]*", "", ALL.replace(BLOCKS[1].text, "")))
    )
    assert [f"{option} of {command}" for command, option in OPTIONS if option not in documented] == []
    assert documented - {option for _, option in OPTIONS} <= {"--help"}


def test_the_exit_codes_are_those_of_the_errors() -> None:
    documented = {int(code): set(words(names)) for code, _, names in rows(manual("exit-codes"), "code")}
    tree = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.ImgconvError)}
    assert documented == {
        0: set(),
        **{code: {e.__name__ for e in tree if e.exit_code == code} for code in {e.exit_code for e in tree}},
    }


BORDER_ROWS = rows(manual("borders"), "name")


def test_the_borders_are_those_of_the_vocabulary() -> None:
    assert {words(row[0])[0]: words(row[2]) for row in BORDER_ROWS} == BORDERS


@pytest.mark.parametrize("row", BORDER_ROWS, ids=lambda row: words(row[0])[0])
def test_a_border_continues_a_row_as_the_table_shows(row: list[str]) -> None:
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
    code = getattr(cv2, f"BORDER_{opencv[0]}")
    assert cv2.copyMakeBorder(levels, 0, 0, 3, 3, code).ravel().tolist() == expected


@pytest.mark.parametrize("row", BORDER_ROWS[:-1], ids=lambda row: words(row[0])[0])
def test_a_border_is_that_of_scipy(row: list[str]) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    image, kernel = np.random.default_rng(0).normal(size=(4, 5)), np.arange(15.0).reshape(3, 5)
    expected = ndimage.correlate(image, kernel, mode=words(row[4])[0])
    np.testing.assert_allclose(imgconv.correlate(image, kernel, border=words(row[0])[0]), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("page", "heading", "table"),
    [
        ("range-and-depth", "`--range`", RANGES),
        ("range-and-depth", "`--depth`", DEPTHS),
        ("alpha", "`--alpha`", ALPHAS),
        ("edges", "`--output`", EDGE_OUTPUTS),
    ],
)
def test_the_words_of_an_option_are_those_of_the_vocabulary(page: str, heading: str, table: dict[str, tuple[str, ...]]) -> None:
    assert [words(row[0])[0] for row in rows(manual(page), heading)] == list(table)


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_the_methods_are_those_of_the_registry(engine: str) -> None:
    section = manual("methods").partition(f"## Engine {engine}")[2].partition("\n## ")[0]
    listed = {words(row[0])[0] for row in rows(section, "method")}
    others = {word for line in section.splitlines() if not line.startswith("|") for word in words(line)}
    methods = {method for method, engines in ENGINES.items() if engine in engines}
    assert listed <= methods
    assert methods <= listed | others


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
    assert rows(manual("formats"), "format") == expected


def test_every_operator_is_named() -> None:
    operators = yaml.safe_load((ROOT / "kernels.yaml").read_text(encoding="utf-8"))["operators"]
    assert all(f"`{name}`" in manual("edges") for name in operators)


def test_every_public_function_is_used() -> None:
    functions = {name for name in imgconv.__all__ if name.islower()}
    assert {name for name in functions if f"imgconv.{name}(" not in ALL} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files(page: Path) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text_of(page)) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).is_file()] == []


def test_no_line_is_too_long() -> None:
    long = [(page.stem, line) for page in PAGES for line in text_of(page).splitlines() if len(line) > 130]
    assert [found for found in long if not found[1].startswith("|") and "imgconv: samples/" not in found[1]] == []


def help_of(*arguments: str) -> str:
    environment = {**os.environ, "COLUMNS": "80"}
    command = [sys.executable, "-m", "imgconv", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], *[[name, "--help"] for name, _ in commands()], ["list"], ["help"]], ids=" ".join
)
def test_help_fits_a_terminal_of_80_columns(arguments: list[str]) -> None:
    printed = help_of(*arguments)
    assert [line for line in printed.splitlines() if len(line) > 80] == []
    assert [line for line in printed.splitlines() if line.endswith("...") and not line.startswith("Usage")] == []
