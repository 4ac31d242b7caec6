"""Shared fixtures: the folder of the checkout, Python in a separate process, and the settings of Hypothesis."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from imgconv.opencv import configure_for_command_line

configure_for_command_line()  # before any test imports cv2

ROOT = Path(__file__).parent.parent

# No deadline: the first call of a process loads OpenCV, and a busy machine is not a defect. In CI the examples are the
# same in every run, so that a failure is caused by the change under test.
# `pytest --hypothesis-profile long` tries many more of them.
settings.register_profile("imgconv", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True, print_blob=True)
settings.register_profile("long", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "imgconv")

# A shell ignores SIGINT in background jobs, and processes inherit that: a test could not interrupt them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]


#: Longer text parameters are shortened in the name of a test, which is sent between processes several times.
LONGEST_IN_A_NAME = 80


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return the beginning of a long text, or None for the default of pytest."""
    if not isinstance(val, str | bytes) or len(val) <= LONGEST_IN_A_NAME:
        return None
    return f"{val[:LONGEST_IN_A_NAME]!a}... {len(val)}"


@pytest.fixture(autouse=True, scope="session")
def _without_user_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Isolate the tests from the user's catalog, number of threads and constants of the planner."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "configuration"))
        for name in ("IMGCONV_COSTS", "IMGCONV_KERNELS", "IMGCONV_JOBS"):
            monkeypatch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the checkout, which contains imgconv/, tests/ and samples/."""
    return ROOT


@pytest.fixture(scope="session")
def samples(root: Path) -> Path:
    """Return the folder of the sample pictures."""
    return root / "samples"


@pytest.fixture
def run_python(tmp_path_factory: pytest.TempPathFactory) -> RunPython:
    """Return a function that runs this Python with arguments, in a separate process and folder.

    The process imports the same imgconv as the tests, installed or from the checkout.
    """
    found = importlib.util.find_spec("imgconv")
    assert found is not None
    assert found.submodule_search_locations is not None
    [package] = found.submodule_search_locations
    folder = tmp_path_factory.mktemp("run")

    def run(*arguments: str | os.PathLike[str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(os.fspath, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(Path(package).parent)}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)

    return run
