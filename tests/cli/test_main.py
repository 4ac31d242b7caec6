"""Rules for every command: help, exit codes, one line per error, and invalid input of every kind."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from imgconv.cli import main


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_help_with_an_example(done, command):
    text = done(command, "--help")
    usage, _, rest = text.partition("\n")
    assert f"imgconv {command} " in usage
    assert f"imgconv {command} " in rest


def test_help_lists_every_command(done):
    text = done("--help")
    assert all(f"\n  {command} " in text for command in main.COMMANDS)
    assert done() == text


def test_version(done):
    assert done("--version").split()[0] == "imgconv"


def test_wrong_usage(fails):
    assert "did you mean apply?" in fails(2, "aply")
    assert "--help" in fails(2, "apply")
    assert "--bordr" in fails(2, "apply", "box", "a.png", "b.png", "--bordr", "wrap")
    assert "did you mean reflect" in fails(2, "apply", "box", "a.png", "b.png", "--border", "reflct")
    assert "whole numbers from 1" in fails(2, "apply", "box", "a.png", "b.png", "--stride", "0")
    assert "found '1,2,3'" in fails(2, "apply", "box", "a.png", "b.png", "--dilation", "1,2,3")
    assert "ROW,COLUMN" in fails(2, "apply", "box", "a.png", "b.png", "--anchor", "1")
    assert "fraction" in fails(2, "apply", "box", "a.png", "b.png", "--scale", "x")
    assert "1e400" in fails(2, "apply", "box", "a.png", "b.png", "--scale", "1e400")
    assert "fraction" in fails(2, "apply", "box", "a.png", "b.png", "--delta", "nan")
    assert "did you mean" in fails(2, "apply", "box", "a.png", "b.png", "--engine", "opncv")
    assert "stdout" in fails(2, "apply", "box", "a.png", "-", "--json")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("sharpenn", "did you mean sharpen"),
        ("[1 2; 3]", "row"),
        ("[1 nan]", "nan"),
        ("[1 x]", "x"),
        ("[]", ""),
        ("gaussian:sigma=-1", "sigma"),
        ("gaussian:size=4", "size"),
        ("box:size=0", "size"),
        ("box:size=99999999", "size"),
        ("box:sise=3", "did you mean size?"),
        ("@nowhere.txt", "nowhere.txt"),
        ("box:size=(box", ""),
        ("", ""),
        ("edges:operatr=sobel", "did you mean operator?"),
    ],
)
def test_kernels_that_cannot_be_used(fails, grey, tmp_path, spec, said):
    assert said in fails(3, "apply", spec, "grey.png", "out.png")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kernels: [", "not YAML"),
        ("kernels:\n  x: !!python/object/apply:os.system ['touch ran']\n", "kernels"),
        ("kernels:\n  x: {matrix: [[1, 2], [3]]}\n", ":2"),
        ("kernels:\n  x: {matrix: [[.nan]]}\n", ":2"),
        ("kernel: {}\n", "did you mean kernels?"),
        ("", "empty"),
        ("a: &a [*a]", ""),
    ],
)
def test_catalogs_that_cannot_be_used(fails, grey, tmp_path, text, said):
    (tmp_path / "bad.yaml").write_text(text)
    message = fails(3, "apply", "box", "grey.png", "out.png", "--kernels", "bad.yaml")
    assert "bad.yaml" in message
    assert said in message
    assert sorted(os.listdir(tmp_path)) == ["bad.yaml", "grey.png"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"not a picture\n" * 9, "not an image"),
        (b"P6 70000 70000 255\n" + bytes(99), "more than the limit of 1074 megapixels; raise --max-pixels to read it"),
        (b"P6 4000 3000 255\n" + bytes(99), "truncated"),
    ],
)
def test_inputs_that_cannot_be_read(fails, tmp_path, data, said):
    if data is not None:
        (tmp_path / "in.ppm").write_bytes(data)
    (tmp_path / "out.png").write_bytes(b"old")
    message = fails(4, "apply", "box", "in.ppm", "out.png")
    assert "in.ppm" in message
    assert said in message
    assert (tmp_path / "out.png").read_bytes() == b"old"


def test_outputs_that_cannot_be_written(fails, grey, photo, tmp_path):
    rgba = np.dstack([photo, photo[..., 0]])
    cv2.imwrite(str(tmp_path / "alpha.png"), rgba)
    cv2.imwrite(str(tmp_path / "deep.png"), photo.astype(np.uint16) * 257)
    (tmp_path / "folder.png").mkdir()
    before = sorted(os.listdir(tmp_path))
    assert "does not exist; create it first" in fails(5, "apply", "box", "grey.png", "nowhere/out.png")
    assert "unknown extension .xyz" in fails(5, "apply", "box", "grey.png", "out.xyz")
    assert "has no extension to select the format" in fails(5, "apply", "box", "grey.png", "out")
    assert "--depth 8" in fails(5, "apply", "box", "deep.png", "out.jpg")
    assert "--depth" in fails(5, "apply", "box", "grey.png", "out.png", "--depth", "32f")
    assert "no alpha channel" in fails(5, "apply", "box", "alpha.png", "out.jpg")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_line_break_in_a_name_stays_on_one_line(fails):
    assert "no\\nwhere.png" in fails(4, "apply", "box", "no\nwhere.png", "out.png")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ZeroDivisionError("oh"), "internal fault: ZeroDivisionError: oh"),
        (OSError(28, "No space left on device", "x"), "internal fault: OSError: [Errno 28] No space left on device: 'x'"),
    ],
)
def test_an_internal_fault_is_one_line(fails, grey, monkeypatch, error, words):
    def broken(*_, **__):
        raise error

    monkeypatch.setattr("imgconv.images.files.open_image", broken)
    assert words in fails(1, "apply", "box", "grey.png", "out.png")
