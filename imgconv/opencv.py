"""The one place where OpenCV is imported, with advice on what to install where it cannot be; its settings and threads."""

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

# What OpenCV reads from the environment when it is imported: its log off; OpenEXR, which builds that have it leave off, on; and
# its limits on the size of pictures out of the way, which is checked before it sees them.
_SETTINGS = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_IO_ENABLE_OPENEXR": "1",
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(1 << 40),
    "OPENCV_IO_MAX_IMAGE_WIDTH": str((1 << 31) - 1),
    "OPENCV_IO_MAX_IMAGE_HEIGHT": str((1 << 31) - 1),
}


def configure_for_command_line() -> None:
    """Set OpenCV up for a process that is imgconv's own, before `load_cv2`; what the environment sets already stays.

    In a Python program OpenCV is used as the program has set it up: it logs to stderr, its own limits on the size of pictures
    hold, and OpenEXR is read and written where the program has set OPENCV_IO_ENABLE_OPENEXR.
    """
    for variable, value in _SETTINGS.items():
        os.environ.setdefault(variable, value)


@functools.cache
def load_cv2() -> Any:
    """Import `cv2` on first use and return it.

    Raises:
        DependencyError: it cannot be imported; the message says which package to install.
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
        install = f"apt-get install {package}" if package else f"the system package that holds {missing[1]}"
        return (
            f"OpenCV cannot start: the system library {missing[1]} is missing; install it ({install}), "
            "or replace opencv-python by opencv-python-headless, which does not need it"
        )
    if isinstance(error, ModuleNotFoundError) and error.name == "cv2":
        return "OpenCV is not installed; pip install opencv-python"
    return f"OpenCV cannot be imported ({' '.join(str(error).split())}); pip install --force-reinstall opencv-python"


class _Threads:
    """How many threads OpenCV had before the first limit, and the limits that hold now."""

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
    """Give OpenCV `count` threads until the last caller is done; None leaves it as it is.

    The number holds for the whole process: of several callers at the same time, the smallest one counts.
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
    """Return how many threads decode or encode a picture: those of `opencv_threads`, by default OpenCV's own up to `most`."""
    count: int = load_cv2().getNumThreads()
    return max(1, count if _threads.limits else min(count, most))


def _set_threads(cv2: Any, count: int) -> None:
    if cv2.getNumThreads() != count:  # OpenCV may start its threads anew, even for the same number
        cv2.setNumThreads(count)
