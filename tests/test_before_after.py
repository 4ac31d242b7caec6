"""The picture of the README equals the output of its script, and its panels equal those of the command line."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="module")
def script(samples: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("before_after", samples / "before_after.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def committed(samples: Path) -> np.ndarray:
    picture = cv2.imread(str(samples / "before_after.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def test_the_script_draws_the_committed_picture(
    samples: Path, tmp_path: Path, run_python, script: ModuleType, committed: np.ndarray
) -> None:
    done = run_python(samples / "before_after.py", tmp_path)
    assert done.returncode == 0, done.stderr
    [path] = tmp_path.iterdir()
    assert path.name == "before_after.png"
    drawn = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert drawn.shape == committed.shape
    # OpenCV 5 changed the letters. Below them, weights that are not whole may be rounded the other way: one level.
    first = script.LABELS if int(cv2.__version__.split(".")[0]) < 5 else 0
    assert np.abs(drawn[first:].astype(int) - committed[first:]).max() <= 1


def test_the_picture_is_small(samples: Path) -> None:
    assert (samples / "before_after.png").stat().st_size < 300_000


def test_each_panel_equals_the_output_of_its_command(
    samples: Path, tmp_path: Path, run_python, script: ModuleType, committed: np.ndarray
) -> None:
    scene = samples / "noisy_scene.png"
    commands = [
        ["apply", "identity", scene],
        ["apply", *script.CHAIN, scene],
        ["edges", scene, "--operator", script.OPERATOR],
    ]
    width = (committed.shape[1] - 2 * script.GAP) // len(commands)
    for place, command in enumerate(commands):
        target = tmp_path / f"{place}.png"
        done = run_python("-m", "imgconv", *command, target)
        assert done.returncode == 0, done.stderr
        expected = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)[script.PART]
        left = place * (width + script.GAP)
        panel = committed[script.LABELS :: script.LARGER, left : left + width : script.LARGER]
        assert panel.shape == expected.shape
        assert np.abs(panel.astype(int) - expected).max() <= 1, command


def test_the_panels_differ(script: ModuleType, committed: np.ndarray) -> None:
    width = (committed.shape[1] - 2 * script.GAP) // 3
    parts = [committed[script.LABELS :, i * (width + script.GAP) :][:, :width].astype(float) for i in range(3)]
    assert parts[1].std() > parts[0].std()  # sharpened: more contrast
    assert parts[2].mean() < 0.5 * parts[0].mean()  # edges: mostly black
