"""The options that commands share, and their effect on convolutions."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from imgconv.convolution import execution
from imgconv.images.formats.tiff import encoder


@pytest.fixture
def threads(monkeypatch):
    """Collect the number of threads of each strip."""
    seen = []
    real = execution.thread_count

    def counted(jobs=None):
        seen.append(real(jobs))
        return seen[-1]

    monkeypatch.setattr(execution, "thread_count", counted)
    return seen


COMMANDS = [("apply", "sharpen", "grey.png", "out.png"), ("edges", "grey.png", "out.png")]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("options", "environment", "expected"), [(["--jobs", 3], "5", 3), ([], "5", 5), (["--jobs", 1], "", 1)]
)
def test_jobs(done, grey, load, monkeypatch, threads, command, options, environment, expected):
    done(*command, "--engine", "numpy")
    plain = load("out.png")
    threads.clear()
    monkeypatch.setenv("IMGCONV_JOBS", environment)
    done(*command, "--engine", "numpy", *options)
    assert set(threads) == {expected}
    assert np.array_equal(load("out.png"), plain)


def test_jobs_limit_the_threads_of_tiff_strips(done, grey, monkeypatch):
    """`--jobs` takes precedence over the environment."""
    seen = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, threads):
            seen.append(threads)
            super().__init__(threads)

    monkeypatch.setattr(encoder, "ThreadPoolExecutor", Pool)
    monkeypatch.setenv("IMGCONV_JOBS", "1")
    for options in ([], ["--jobs", 3]):
        done("apply", "box", "grey.png", "out.tif", *options)
    assert seen == [1, 3]


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "\u0663"])
@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_an_invalid_environment_variable_is_an_error(fails, grey, tmp_path, monkeypatch, value, engine):
    monkeypatch.setenv("IMGCONV_JOBS", value)
    for command in (*COMMANDS, ("plan", "box", "grey.png"), ("batch", "box", ".", "out")):
        assert "IMGCONV_JOBS must be a whole number from 1 up" in fails(2, *command, "--engine", engine)
    assert [p.name for p in tmp_path.iterdir()] == ["grey.png"]


@pytest.mark.parametrize("command", [*COMMANDS, ("plan", "box", "grey.png"), ("batch", "box", ".", "out")], ids=lambda w: w[0])
def test_invalid_jobs_and_tolerances_are_errors(fails, grey, command):
    for value in ("0", "257", "x"):
        assert "--jobs" in fails(2, *command, "--jobs", value)
    assert "tolerance must be 0 or more" in fails(2, *command, "--tolerance", "-1/2")
    assert "--tolerance" in fails(2, *command, "--tolerance", "nan")


@pytest.mark.parametrize(("command", "count"), [(COMMANDS[0], 1), (COMMANDS[1], 2)], ids=["apply", "edges"])
def test_tolerance(done, grey, command, count):
    report = json.loads(done(*command, "--json", "--tolerance", "1/4"))
    assert [plan["tolerance"] for plan in report["plans"]] == [0.25] * count
    report = json.loads(done(*command, "--json"))
    assert [plan["tolerance"] for plan in report["plans"]] == [0.0] * count


def test_a_tolerance_is_in_levels_of_the_input_along_a_chain_and_in_every_depth(done, grey):
    words = ("apply", "box", "sharpen", "grey.png", "out.png", "--json", "--tolerance", "0.5")
    first, last = json.loads(done(*words))["plans"]
    assert first["tolerance"] == 0.5
    assert last["tolerance"] == pytest.approx(0.5 / 255)  # of floating point: relative to what white gives
    [plan] = json.loads(done("apply", "box", "grey.png", "out.png", "--json", "--tolerance", "0.5", "--depth", "16"))["plans"]
    assert plan["tolerance"] == 0.5 * 257


def test_a_tolerance_allows_a_method_that_is_rejected_without(done):
    words = ("plan", "gaussian:sigma=2", "--shape", "300x400", "--dtype", "float64", "--engine", "numpy")
    assert "fourier      its error bound is" in done(*words)
    text = " ".join(done(*words, "--tolerance", "1e-6", "--method", "fourier").split())
    assert "approximate, off by" in text
    assert "which the tolerance of 1e-06 allows" in text
