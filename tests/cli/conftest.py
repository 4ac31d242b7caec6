from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import skimage

from imgconv.cli import main

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"


CLIPPED = "% of the values were clipped;"


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run a command line in an empty folder and return its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        code = main.run([str(a) for a in arguments])
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture
def done(run):
    """Run a command line that succeeds, with no line on stderr but notes on clipped values, and return its stdout."""

    def done(*arguments: object) -> str:
        result = run(*arguments)
        lines = [line for line in result.err.splitlines() if CLIPPED not in line]
        assert (result.code, lines) == (0, []), result.err
        return result.out

    return done


@pytest.fixture
def fails(run):
    """Run a command line that has to fail with a code and one line on stderr, and return that line."""

    def fails(code: int, *arguments: object) -> str:
        result = run(*arguments)
        assert result.code == code, result
        assert result.out == ""
        lines = result.err.splitlines()
        assert len(lines) == 1, result.err
        assert lines[0].startswith("imgconv: ")
        assert "Traceback" not in result.err
        return lines[0]

    return fails


@pytest.fixture
def photo(tmp_path):
    """A colour photograph as photo.png, and its pixels in OpenCV's order."""
    pixels = cv2.imread(str(PHOTOGRAPHS / "astronaut.png"))[100:200, 150:280]
    cv2.imwrite(str(tmp_path / "photo.png"), pixels)
    return pixels


@pytest.fixture
def grey(tmp_path):
    """A grey photograph as grey.png, and its pixels."""
    pixels = cv2.imread(str(PHOTOGRAPHS / "camera.png"), cv2.IMREAD_GRAYSCALE)[50:150, 180:300]
    cv2.imwrite(str(tmp_path / "grey.png"), pixels)
    return pixels


@pytest.fixture
def load(tmp_path):
    """Read a picture back as it was written."""

    def load(name: str) -> np.ndarray:
        pixels = cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED)
        assert pixels is not None, f"{name} was not written"
        return pixels

    return load


@pytest.fixture
def folder(tmp_path, photo, grey):
    """A tree of pictures: in/a.png, in/b.jpg and in/deep/er/c.png."""
    (tmp_path / "in" / "deep" / "er").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "in" / "a.png"), photo)
    cv2.imwrite(str(tmp_path / "in" / "b.jpg"), photo)
    cv2.imwrite(str(tmp_path / "in" / "deep" / "er" / "c.png"), grey)
    return tmp_path / "in"


@pytest.fixture
def update(run, folder):
    """Run `imgconv batch ... in out --update` and return the status of each result by its name."""

    def update(*arguments, spec=("box",), code=0, source="in", out="out", isolate=False):
        switch = "--isolate" if isolate else "--no-isolate"
        result = run("batch", *spec, source, out, "--recursive", "--update", "--json", switch, *arguments)
        assert result.code == code, result.err
        return {os.path.relpath(file["output"], out): file["status"] for file in json.loads(result.out)["files"]}

    return update
