"""The one place where OpenCV is imported: quiet, and with a word on what to install when it cannot be."""

from __future__ import annotations

import functools
import os
import re
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


@functools.cache
def load_cv2() -> Any:
    """Import `cv2` on first use and return it, its own log lines off.

    Raises:
        DependencyError: it cannot be imported; the message says which package to install.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
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
