"""What every test shares: where the checkout is, Python in a process of its own, and Hypothesis without surprises."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# No deadline: the first call of a process loads OpenCV, and a busy machine is not a defect. In CI the examples are the
# same in every run, so that a change is never blamed for what another one broke.
settings.register_profile("imgconv", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "imgconv")

# A shell ignores SIGINT in what it runs in the background, and processes inherit that: a test could not interrupt them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what the person running the tests has set up out of them: a catalog, a number of threads, constants."""
    monkeypatch.delenv("IMGCONV_COSTS", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "configuration"))
    monkeypatch.delenv("IMGCONV_KERNELS", raising=False)
    monkeypatch.delenv("IMGCONV_JOBS", raising=False)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout: the one that holds imgconv/, tests/ and samples/."""
    return ROOT


@pytest.fixture(scope="session")
def samples(root: Path) -> Path:
    """The folder of the sample pictures."""
    return root / "samples"


@pytest.fixture
def run_python(tmp_path_factory: pytest.TempPathFactory) -> RunPython:
    """Run this Python with arguments, in a process and a folder of its own; return what it did.

    It imports the imgconv that the tests import, whether that is the installed one or the checkout.
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
