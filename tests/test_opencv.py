"""Loading OpenCV: what is said when it cannot be, its silence when it can; and how many threads it has."""

from __future__ import annotations

import builtins
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

import imgconv
from imgconv.errors import DependencyError
from imgconv.opencv import load_cv2, opencv_threads

LACKING = "cannot open shared object file: No such file or directory"


@pytest.fixture
def failing_import(monkeypatch: pytest.MonkeyPatch):
    """Make `import cv2` fail with the error that is given; the module already loaded stays as it is for the others."""

    def fail_with(error: ImportError) -> None:
        really_import = builtins.__import__

        def pretend(name: str, *rest: object, **options: object) -> object:
            if name == "cv2":
                raise error
            return really_import(name, *rest, **options)

        monkeypatch.setattr(builtins, "__import__", pretend)

    return fail_with


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (ImportError(f"libGL.so.1: {LACKING}"), ["libGL.so.1 is missing", "apt-get install libgl1)", "headless"]),
        (ImportError(f"libgthread-2.0.so.0: {LACKING}"), ["apt-get install libglib2.0-0)"]),
        (ImportError(f"libavcodec-x.so.61: {LACKING}"), ["the system package that holds libavcodec-x.so.61"]),
        (ModuleNotFoundError("No module named 'cv2'", name="cv2"), ["not installed", "pip install opencv-python"]),
        (
            ModuleNotFoundError("No module named 'numpy'", name="numpy"),
            ["No module named 'numpy'", "--force-reinstall"],
        ),
        (ImportError("numpy.core.multiarray failed\nto import"), ["multiarray failed to import", "--force-reinstall"]),
    ],
    ids=["libGL", "glib", "unheard-of library", "absent", "absent numpy", "other"],
)
def test_the_message_says_what_to_install(error: ImportError, advice: list[str], failing_import) -> None:
    failing_import(error)
    # Without the cache: the failure must not be hidden by OpenCV having been loaded before.
    with pytest.raises(DependencyError) as caught:
        load_cv2.__wrapped__()
    message = str(caught.value)
    assert [words for words in advice if words not in message] == []
    assert "\n" not in message
    assert caught.value.__cause__ is error


def test_a_failure_is_not_remembered(failing_import, monkeypatch: pytest.MonkeyPatch) -> None:
    load_cv2.cache_clear()
    failing_import(ImportError("a disk that was not mounted yet"))
    with pytest.raises(DependencyError):
        load_cv2()
    monkeypatch.undo()
    assert load_cv2() is sys.modules["cv2"]


QUIET = "from imgconv.opencv import load_cv2; import sys; load_cv2().imread(sys.argv[1], -1)"
SPEAKING = "import cv2, sys; cv2.imread(sys.argv[1], -1)"


@pytest.fixture(params=["tiff", "bmp", "ppm", "jp2"])
def broken(request: pytest.FixtureRequest, samples: Path, tmp_path: Path, run_python, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture whose second half is missing; skipped where OpenCV logs nothing about that."""
    picture = cv2.imread(str(samples / "noisy_scene.png"), cv2.IMREAD_COLOR)
    done, encoded = cv2.imencode(f".{request.param}", picture)
    assert done
    path = tmp_path / f"broken.{request.param}"
    path.write_bytes(encoded.tobytes()[: len(encoded) // 2])
    monkeypatch.delenv("OPENCV_LOG_LEVEL", raising=False)
    if not run_python("-c", SPEAKING, path).stderr:
        pytest.skip(f"this OpenCV logs nothing about a broken {request.param}")
    return path


def test_opencv_keeps_its_log_to_itself(broken: Path, run_python) -> None:
    quiet = run_python("-c", QUIET, broken)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_who_asks_for_the_log_gets_it(broken: Path, run_python, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_LOG_LEVEL", "ERROR")
    assert run_python("-c", QUIET, broken).stderr


# Threads


@pytest.fixture
def four_threads():
    """Let OpenCV have four threads, as if the program around imgconv had said so."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(4)
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("four_threads")
def test_the_smallest_of_the_numbers_of_threads_asked_for_counts_and_the_first_comes_back() -> None:
    seen = []
    with opencv_threads(3):
        seen.append(cv2.getNumThreads())
        with opencv_threads(1), opencv_threads(2), opencv_threads(None):
            seen.append(cv2.getNumThreads())
        seen.append(cv2.getNumThreads())
        with opencv_threads(7):
            seen.append(cv2.getNumThreads())
    assert seen == [3, 1, 3, 3]
    with opencv_threads(None):
        assert cv2.getNumThreads() == 4
    with pytest.raises(ZeroDivisionError), opencv_threads(1):
        raise ZeroDivisionError
    assert cv2.getNumThreads() == 4


@pytest.mark.usefixtures("four_threads")
def test_many_who_ask_at_the_same_time_leave_the_threads_as_they_were() -> None:
    def ask(number: int) -> int:
        for _ in range(50):
            with opencv_threads(1 + number % 3):
                most = cv2.getNumThreads()
                assert 1 <= most <= 1 + number % 3
        return most

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(32)))
    assert cv2.getNumThreads() == 4


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize("kernel", ["sharpen", "[1 2; 3 5]", "laplacian"])
@pytest.mark.parametrize(("jobs", "environment", "expected"), [(None, "", 4), (2, "", 2), (None, "1", 1), (3, "1", 3)])
def test_jobs_are_threads_of_opencv_too(kernel, jobs, environment, expected, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, real = [], cv2.filter2D
    monkeypatch.setattr(cv2, "filter2D", lambda *a, **o: (seen.append(cv2.getNumThreads()), real(*a, **o))[1])
    monkeypatch.setenv("IMGCONV_JOBS", environment)
    image = np.random.default_rng(1).integers(0, 256, (40, 50), np.uint8)
    found = imgconv.correlate(image, kernel, jobs=jobs)
    assert set(seen) == {expected}
    assert cv2.getNumThreads() == 4
    monkeypatch.undo()
    assert np.array_equal(found, imgconv.correlate(image, kernel))
