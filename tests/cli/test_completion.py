"""`imgconv completion`: the scripts, and the words that they get."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import imgconv
from imgconv.convolution.methods import ENGINES
from imgconv.vocabulary import BORDERS, DEPTHS

ROOT = Path(imgconv.__file__).parent.parent


@pytest.fixture
def environment(tmp_path, grey):
    """An environment with the command on the path, for a folder with two files and a folder."""
    program = tmp_path / "bin" / "imgconv"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m imgconv "$@"\n')
    program.chmod(0o755)
    (tmp_path / "kernel.txt").write_text("1\n")
    (tmp_path / "my kernel.txt").write_text("1\n")
    return {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def complete(environment, tmp_path):
    """Return the words that a shell gets for a line, by the protocol of its script."""

    def complete(line: str, shell: str = "zsh") -> list[str]:
        words = line.split(" ")
        variables = {"_IMGCONV_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        if shell == "fish":
            variables["COMP_CWORD"] = words[-1]
        command = [sys.executable, "-m", "imgconv"]
        done = subprocess.run(command, env=environment | variables, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        if shell == "fish":
            return [found.partition(",")[2].partition("\t")[0] for found in done.stdout.splitlines()]
        items = done.stdout.strip("\n").splitlines()
        return [value if kind == "plain" else f"<{kind}>" for kind, value in zip(items[::3], items[1::3], strict=True)]

    return complete


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("imgconv ap", ["apply"]),
        ("imgconv apply shar", ["sharpen", "<file>"]),
        ("imgconv apply sobel", ["sobel_x", "sobel_y", "sobel", "<file>"]),
        ("imgconv apply motion:", ["motion:length=", "motion:angle="]),
        ("imgconv apply motion:length=9,a", ["motion:length=9,angle="]),
        ("imgconv apply edges:operator=k", ["edges:operator=kirsch"]),
        ("imgconv apply sobel:o", ["sobel:output="]),
        ("imgconv apply sobel:output=m", ["sobel:output=magnitude"]),
        ("imgconv apply kirsch:", ["kirsch:direction="]),
        ("imgconv apply kirsch:direction=n", ["kirsch:direction=n", "kirsch:direction=nw", "kirsch:direction=ne"]),
        ("imgconv apply nothing:", []),
        ("imgconv apply [1", []),
        ("imgconv apply @ker", ["@kernel.txt"]),
        ("imgconv apply @b", ["@bin/"]),
        ("imgconv apply box in.png out.png --border ", list(BORDERS)),
        ("imgconv apply box in.png out.png --border reflect,wr", ["reflect,wrap"]),
        ("imgconv plan box --depth ", list(DEPTHS)),
        ("imgconv apply --channels red,bl", ["red,blue"]),
        ("imgconv apply --compression d", ["deflate"]),
        ("imgconv apply --format ti", ["tiff", "tif"]),
        ("imgconv apply --format tx", ["txt"]),
        ("imgconv batch --format c", ["csv"]),
        ("imgconv apply --kernels ", ["<file>"]),
        ("imgconv edges --operator pre", ["prewitt"]),
        ("imgconv edges --output d", ["direction"]),
        ("imgconv edges in", ["<file>"]),
        ("imgconv show cri", ["crisp"]),
        ("imgconv help bor", ["borders"]),
        ("imgconv help comp", ["completion"]),
        ("imgconv completion z", ["zsh"]),
    ],
)
def test_words(complete, line, words):
    assert complete(line) == words


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_methods_are_those_of_the_engine(complete, engine):
    methods = {name for name, engines in ENGINES.items() if engine in engines}
    assert {*complete(f"imgconv apply --engine {engine} --method ")} == {"auto", *methods}


def test_names_of_a_catalog_on_the_line_are_completed(complete, tmp_path):
    (tmp_path / "mine.yaml").write_text("kernels: {softly: {matrix: [[1]]}}\noperators: {plain: {x: softly, y: softly}}\n")
    assert complete("imgconv apply --kernels mine.yaml sof") == ["softly", "<file>"]
    assert complete("imgconv edges --kernels mine.yaml --operator pl") == ["plain"]


def test_fish_gets_the_same_words(complete):
    assert complete("imgconv apply motion:", "fish") == complete("imgconv apply motion:", "zsh")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "split", "words"),
    [
        ("imgconv pl", ["imgconv", "pl"], ["plan"]),
        ("imgconv apply motion:l", ["imgconv", "apply", "motion", ":", "l"], ["length="]),
        ("imgconv apply motion:", ["imgconv", "apply", "motion", ":"], ["length=", "angle="]),
        ("imgconv apply sobel:output=m", ["imgconv", "apply", "sobel", ":", "output", "=", "m"], ["magnitude"]),
        ("imgconv apply --border=rep", ["imgconv", "apply", "--border", "=", "rep"], ["replicate"]),
        ("imgconv apply @ker", ["imgconv", "apply", "@", "ker"], ["@kernel.txt"]),
        ("imgconv apply box kern", ["imgconv", "apply", "box", "kern"], ["kernel.txt"]),
        ('imgconv apply "gauss', ["imgconv", "apply", '"gauss'], ["gaussian"]),
        ("imgconv apply @my", ["imgconv", "apply", "@", "my"], ["@my\\ kernel.txt"]),
    ],
)
def test_the_script_of_bash_replaces_the_last_part_of_a_word(environment, tmp_path, line, split, words):
    program = """
        eval "$(imgconv completion bash)"
        COMP_LINE=$1; COMP_POINT=${#1}; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        compopt() { :; }
        _imgconv_completion imgconv
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    command = ["bash", "-c", program, "bash", line, *split]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == words
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_accepts_its_script(environment, shell):
    done = subprocess.run(["imgconv", "completion", shell], env=environment, capture_output=True, text=True, check=True)
    assert "_IMGCONV_COMPLETE" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True, timeout=60)


def test_an_unknown_shell(fails):
    assert "tcsh" in fails(2, "completion", "tcsh")


def test_a_damaged_catalog_completes_nothing(environment, complete, tmp_path):
    (tmp_path / "bad.yaml").write_text("kernels: 3\n")
    assert complete("imgconv apply --kernels bad.yaml sha") == []
