"""Flags in messages: the library names parameters in backticks, the command line its own flags."""

from __future__ import annotations

import json

import click
import cv2
import numpy as np
import pytest

from imgconv.cli import main
from imgconv.cli.messages import with_flags


def command(name: str) -> click.Command:
    found = main.cli.get_command(click.Context(main.cli), name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("apply", "a.png: `max_pixels` allows more", "a.png: --max-pixels allows more"),
        ("apply", "`gray`, or `depth` 8", "--gray, or --depth 8"),
        ("apply", "another `range_policy`, `range` or `file_format`", "another --range, --range or --format"),
        ("batch", "`recursive` takes them", "--recursive takes them"),
        ("plan", "`max_pixels` allows more", "`max_pixels` allows more"),
        ("apply", "there is no `depht` in `a b`", "there is no `depht` in `a b`"),
    ],
)
def test_parameters_of_the_command_become_flags(name, text, expected) -> None:
    assert with_flags(text, command(name)) == expected


@pytest.mark.parametrize("option", ["--isolate", "--no-isolate"])
def test_messages_of_every_process_have_flags(fails, run, photo, tmp_path, option) -> None:
    assert "raise --max-pixels to read it" in fails(4, "apply", "box", "photo.png", "out.png", "--max-pixels", "9", option)
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), photo)
    result = run("batch", "box", "in", "out", "--max-pixels", "9", "--json", option)
    assert "raise --max-pixels to read it" in result.err
    assert "raise --max-pixels to read it" in json.loads(result.out)["files"][0]["message"]


def test_notes_have_flags(run, tmp_path) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((9, 9), np.uint8))
    cv2.imwrite(str(tmp_path / "in" / "a.png"), np.zeros((9, 9), np.uint8))
    (tmp_path / "in" / "b.png").symlink_to(tmp_path / "x.png")
    result = run("batch", "box", "in", "out")
    assert (result.code, result.err) == (0, "imgconv: ignored 1 link out of the input folder (--follow-symlinks to follow)\n")
