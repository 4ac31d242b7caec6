"""The one place where OpenCV is imported: quiet, with a word on what to install when it cannot be; and its threads."""

from __future__ import annotations

import functools
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imgconv.errors import DependencyError

# The Debian package that holds each library which the wheels of OpenCV expect of the system.
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


# How large a picture may be is decided before OpenCV sees it; it reads its own limits once, when it is imported.
_LIMITS = {"PIXELS": 1 << 40, "WIDTH": (1 << 31) - 1, "HEIGHT": (1 << 31) - 1}


@functools.cache
def load_cv2() -> Any:
    """Import `cv2` on first use and return it, its own log lines off and its own limits on pictures out of the way.

    Raises:
        DependencyError: it cannot be imported; the message says which package to install.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")  # which builds that have it leave off
    for which, limit in _LIMITS.items():
        os.environ.setdefault(f"OPENCV_IO_MAX_IMAGE_{which}", str(limit))
    try:
        import cv2
    except ImportError as error:
        raise DependencyError(_explain(error)) from error
    return cv2


def _explain(error: ImportError) -> str:
    missing = re.search(r"(lib[\w.+-]+\.so[\w.]*): cannot open", str(error))
    if missing:
        package = _SYSTEM_PACKAGES.get(missing[1])
        install = f"apt-get install {package}" if package else f"the system package that holds {missing[1]}"
        return (
            f"OpenCV cannot start: the system library {missing[1]} is missing; install it ({install}), "
            "or replace opencv-python by opencv-python-headless, which does not need it"
        )
    if isinstance(error, ModuleNotFoundError) and error.name == "cv2":
        return "OpenCV is not installed; pip install opencv-python"
    return f"OpenCV cannot be imported ({' '.join(str(error).split())}); pip install --force-reinstall opencv-python"


class _Threads:
    """How many threads OpenCV had before anybody limited them, and the limits that hold now."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Limit nothing."""
        self.lock = threading.Lock()
        self.before = 0
        self.limits: list[int] = []


_threads = _Threads()
if hasattr(os, "register_at_fork"):  # a child has none of the threads that would release the lock
    os.register_at_fork(after_in_child=_threads.clear)


@contextmanager
def opencv_threads(count: int | None) -> Iterator[None]:
    """Give OpenCV `count` threads until the last of those who asked is done; None leaves it as it is.

    The number holds for the whole process: of several who ask at the same time, the smallest one counts.
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


def _set_threads(cv2: Any, count: int) -> None:
    if cv2.getNumThreads() != count:  # OpenCV may start its threads anew, even for the same number
        cv2.setNumThreads(count)
