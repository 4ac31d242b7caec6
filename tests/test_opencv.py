"""Loading OpenCV: the advice if it fails, the unchanged state of the process, and the number of threads."""

from __future__ import annotations

import builtins
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

import imgconv
from imgconv.errors import DependencyError
from imgconv.opencv import load_cv2, opencv_threads

NOT_FOUND = "cannot open shared object file: No such file or directory"


@pytest.fixture
def failing_import(monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes `import cv2` raise an error; the module already loaded stays available to other code."""

    def fail_with(error: ImportError) -> None:
        original_import = builtins.__import__

        def fake_import(name: str, *rest: object, **options: object) -> object:
            if name == "cv2":
                raise error
            return original_import(name, *rest, **options)

        monkeypatch.setattr(builtins, "__import__", fake_import)

    return fail_with


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (ImportError(f"libGL.so.1: {NOT_FOUND}"), ["libGL.so.1 is missing", "apt-get install libgl1)", "headless"]),
        (ImportError(f"libgthread-2.0.so.0: {NOT_FOUND}"), ["apt-get install libglib2.0-0)"]),
        (ImportError(f"libavcodec-x.so.61: {NOT_FOUND}"), ["the system package that contains libavcodec-x.so.61"]),
        (ModuleNotFoundError("No module named 'cv2'", name="cv2"), ["not installed", "pip install opencv-python"]),
        (
            ModuleNotFoundError("No module named 'numpy'", name="numpy"),
            ["No module named 'numpy'", "--force-reinstall"],
        ),
        (ImportError("numpy.core.multiarray failed\nto import"), ["multiarray failed to import", "--force-reinstall"]),
    ],
    ids=["libGL", "glib", "unknown library", "absent", "absent numpy", "other"],
)
def test_the_message_states_what_to_install(error: ImportError, advice: list[str], failing_import) -> None:
    failing_import(error)
    # Without the cache, in which OpenCV may already be loaded.
    with pytest.raises(DependencyError) as caught:
        load_cv2.__wrapped__()
    message = str(caught.value)
    assert [words for words in advice if words not in message] == []
    assert "\n" not in message
    assert caught.value.__cause__ is error


def test_a_failure_is_not_cached(failing_import, monkeypatch: pytest.MonkeyPatch) -> None:
    load_cv2.cache_clear()
    failing_import(ImportError("a disk that was not mounted yet"))
    with pytest.raises(DependencyError):
        load_cv2()
    monkeypatch.undo()
    assert load_cv2() is sys.modules["cv2"]


NEXT = "-- next --"
LOGGING = f"""
import cv2, sys
for path in sys.argv[1:]:
    cv2.imread(path, -1)
    print("{NEXT}", file=sys.stderr, flush=True)
"""
QUIET = f"""
from imgconv.opencv import configure_for_command_line, load_cv2
configure_for_command_line()
load_cv2()
{LOGGING}"""


@pytest.fixture
def broken(samples: Path, tmp_path: Path, run_python, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return truncated pictures, of the formats for which this OpenCV then logs a message."""
    monkeypatch.delenv("OPENCV_LOG_LEVEL", raising=False)
    picture, paths = cv2.imread(str(samples / "noisy_scene.png"), cv2.IMREAD_COLOR), []
    for extension in ("tiff", "bmp", "ppm", "jp2"):
        done, encoded = cv2.imencode(f".{extension}", picture)
        assert done
        paths.append(tmp_path / f"broken.{extension}")
        paths[-1].write_bytes(encoded.tobytes()[: len(encoded) // 2])
    logged = run_python("-c", LOGGING, *paths).stderr.split(NEXT)
    if not any(map(str.strip, logged)):
        pytest.skip("this OpenCV logs nothing about broken pictures")
    return [path for path, text in zip(paths, logged, strict=False) if text.strip()]


def test_the_command_line_hides_the_log_of_opencv_unless_it_is_requested(
    broken: list[Path], run_python, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = run_python("-c", QUIET, *broken)
    assert (quiet.returncode, quiet.stdout, quiet.stderr.replace(NEXT, "").strip()) == (0, "", "")
    monkeypatch.setenv("OPENCV_LOG_LEVEL", "ERROR")
    texts = run_python("-c", QUIET, *broken).stderr.split(NEXT)[: len(broken)]
    assert [path.name for path, text in zip(broken, texts, strict=True) if not text.strip()] == []


COMPARE_STATE = """
import os, warnings
import numpy
import cv2
def state():
    return dict(os.environ), cv2.utils.logging.getLogLevel(), cv2.getNumThreads(), warnings.filters[:]
before = state()
import imgconv
imgconv.correlate([[1, 2], [3, 4]], "sharpen")
imgconv.write_image("o.png", imgconv.Image(imgconv.find_edges([[1, 2], [3, 4]], dtype="uint8")))
imgconv.read_image("o.png")
assert state() == before, (before, state())
"""


@pytest.mark.parametrize("first", ["cv2", "imgconv"])
def test_the_library_leaves_the_state_of_the_process_unchanged(first: str, run_python, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("OPENCV_")]:
        monkeypatch.delenv(variable)
    done = run_python(
        "-c",
        COMPARE_STATE
        if first == "cv2"
        else COMPARE_STATE.replace("import cv2", "import imgconv.opencv; cv2 = imgconv.opencv.load_cv2()"),
    )
    assert (done.returncode, done.stderr) == (0, "")


# Threads


@pytest.fixture
def four_threads():
    """Set OpenCV to four threads, as an application that uses imgconv may do."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(4)
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("four_threads")
def test_nested_limits_use_the_smallest_number_of_threads_and_restore_the_original() -> None:
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
def test_concurrent_limits_restore_the_number_of_threads() -> None:
    def limit(number: int) -> int:
        for _ in range(50):
            with opencv_threads(1 + number % 3):
                most = cv2.getNumThreads()
                assert 1 <= most <= 1 + number % 3
        return most

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(limit, range(32)))
    assert cv2.getNumThreads() == 4


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize("kernel", ["sharpen", "[1 2; 3 5]", "laplacian"])
@pytest.mark.parametrize(("jobs", "environment", "expected"), [(None, "", 4), (2, "", 2), (None, "1", 1), (3, "1", 3)])
def test_jobs_sets_the_number_of_threads_of_opencv(
    kernel, jobs, environment, expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, real = [], cv2.filter2D
    monkeypatch.setattr(cv2, "filter2D", lambda *a, **o: (seen.append(cv2.getNumThreads()), real(*a, **o))[1])
    monkeypatch.setenv("IMGCONV_JOBS", environment)
    image = np.random.default_rng(1).integers(0, 256, (40, 50), np.uint8)
    found = imgconv.correlate(image, kernel, jobs=jobs)
    assert set(seen) == {expected}
    assert cv2.getNumThreads() == 4
    monkeypatch.undo()
    assert np.array_equal(found, imgconv.correlate(image, kernel))
