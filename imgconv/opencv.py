"""The import of OpenCV, with installation advice if it fails; its settings and its number of threads."""

from __future__ import annotations

import functools
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imgconv.errors import DependencyError

# Debian packages of the system libraries that OpenCV wheels require.
_SYSTEM_PACKAGES = {
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libSM.so.6": "libsm6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libxcb.so.1": "libxcb1",
    "libX11.so.6": "libx11-6",
}

# Environment variables that OpenCV reads on import. They disable its log, enable OpenEXR, which is disabled by default, and
# raise its limits on image size, because imgconv checks the size before decoding.
_SETTINGS = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_IO_ENABLE_OPENEXR": "1",
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(1 << 40),
    "OPENCV_IO_MAX_IMAGE_WIDTH": str((1 << 31) - 1),
    "OPENCV_IO_MAX_IMAGE_HEIGHT": str((1 << 31) - 1),
}


def configure_for_command_line() -> None:
    """Set up OpenCV for the command line, before `load_cv2`; variables already set in the environment are kept.

    In a Python program, OpenCV keeps the settings of the program: it logs to stderr, its own limits on image size apply, and
    OpenEXR is supported only if the program sets OPENCV_IO_ENABLE_OPENEXR.
    """
    for variable, value in _SETTINGS.items():
        os.environ.setdefault(variable, value)


@functools.cache
def load_cv2() -> Any:
    """Import `cv2` on first use and return it.

    Raises:
        DependencyError: it cannot be imported; the message names the package to install.
    """
    try:
        import cv2
    except ImportError as error:
        raise DependencyError(_explain(error)) from error
    return cv2


def _explain(error: ImportError) -> str:
    missing = re.search(r"(lib[\w.+-]+\.so[\w.]*): cannot open", str(error))
    if missing:
        package = _SYSTEM_PACKAGES.get(missing[1])
        install = f"apt-get install {package}" if package else f"the system package that contains {missing[1]}"
        return (
            f"OpenCV cannot start: the system library {missing[1]} is missing; install it ({install}), "
            "or replace opencv-python with opencv-python-headless, which does not need it"
        )
    if isinstance(error, ModuleNotFoundError) and error.name == "cv2":
        return "OpenCV is not installed; pip install opencv-python"
    return f"OpenCV cannot be imported ({' '.join(str(error).split())}); pip install --force-reinstall opencv-python"


class _Threads:
    """The number of OpenCV threads before the first limit, and the current limits."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Remove all limits."""
        self.lock = threading.Lock()
        self.before = 0
        self.limits: list[int] = []


_threads = _Threads()
if hasattr(os, "register_at_fork"):  # the thread that would release the lock does not exist in a child process
    os.register_at_fork(after_in_child=_threads.clear)


@contextmanager
def opencv_threads(count: int | None) -> Iterator[None]:
    """Limit OpenCV to `count` threads within the context; None leaves the number unchanged.

    The limit applies to the whole process. If several callers set limits at the same time, the smallest one applies.
    """
    if count is None:
        yield
        return
    cv2 = load_cv2()
    with _threads.lock:
        if not _threads.limits:
            _threads.before = cv2.getNumThreads()
        _threads.limits.append(count)
        _set_threads(cv2, min(_threads.limits))
    try:
        yield
    finally:
        with _threads.lock:
            _threads.limits.remove(count)
            _set_threads(cv2, min(_threads.limits, default=_threads.before))


def codec_threads(most: int) -> int:
    """Return the number of threads for coding an image: that of `opencv_threads`, else OpenCV's own, at most `most`."""
    count: int = load_cv2().getNumThreads()
    return max(1, count if _threads.limits else min(count, most))


def _set_threads(cv2: Any, count: int) -> None:
    if cv2.getNumThreads() != count:  # OpenCV may restart its threads, even for the same number
        cv2.setNumThreads(count)
