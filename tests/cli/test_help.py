"""`imgconv help`, and the help of the commands."""

from __future__ import annotations

import re
import sys

import click
import pytest

from imgconv.cli.main import COMMANDS, cli
from tests.documents import MANUAL, text_of


def test_the_pages_and_commands_are_listed(done):
    text = done("help")
    for name in (*(page.stem for page in MANUAL), *COMMANDS):
        assert any(line.split()[:1] == [name] for line in text.splitlines())


@pytest.mark.parametrize("page", MANUAL, ids=lambda page: page.stem)
def test_a_page_is_plain_in_a_pipe(done, page):
    assert done("help", page.stem) == text_of(page)


@pytest.mark.parametrize(
    ("word", "page"),
    [
        ("depth", "range-and-depth"),
        ("range_and_depth", "range-and-depth"),
        ("missing", "missing-values"),
        ("border", "borders"),
        ("pipe", "pipes-and-reports"),
        ("GDAL_NODATA", "missing-values"),  # the only page that contains it
    ],
)
def test_a_page_is_found_by_a_word(done, word, page):
    [path] = [path for path in MANUAL if path.stem == page]
    assert done("help", word) == text_of(path)


def test_pages_that_contain_a_word_are_listed(fails):
    pages = [page.stem for page in MANUAL if "infinity" in text_of(page).lower()]
    message = fails(2, "help", "Infinity")
    assert f"no page of the manual is called 'Infinity'; these contain it: {', '.join(pages)}" in message
    assert 1 < len(pages) < len(MANUAL)


def test_a_close_name_is_suggested(fails):
    assert "called 'bordres' (did you mean borders?); the pages are alpha, batch" in fails(2, "help", "bordres")


@pytest.mark.parametrize("page", MANUAL, ids=lambda page: page.stem)
@pytest.mark.parametrize("columns", [60, 100])
def test_a_page_is_formatted_on_a_terminal(done, monkeypatch, page, columns):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    text = click.unstyle(done("help", page.stem))
    assert "```" not in text
    assert ".md)" not in text
    assert max(map(len, text.splitlines())) <= columns


@pytest.mark.parametrize("name", sorted({*COMMANDS} - {page.stem for page in MANUAL}))
def test_help_of_a_command_without_a_page_is_its_help(done, name):
    assert done("help", name) == done(name, "--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described_once(done, name):
    command = cli.get_command(click.Context(cli), name)
    text = done(name, "--help")
    for option in command.params:
        if isinstance(option, click.Option):
            described = rf"^  (\S*, )?{option.opts[-1]}[ ,\n]"
            assert len(re.findall(described, text, re.MULTILINE)) == 1, option.opts
            assert option.help


def test_the_options_of_apply_stand_under_headings(done):
    headings = [line for line in done("apply", "--help").splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options:", "Kernel:", "Picture:", "Values:", "Output:", "Speed:", "Safety:"]


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version(done, flag):
    assert done(flag).startswith("imgconv 0.")
