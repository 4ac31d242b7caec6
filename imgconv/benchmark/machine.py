"""Description of the machine: processor, library versions, and settings that affect speed."""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from imgconv.opencv import load_cv2
from imgconv.threads import thread_count

#: Environment variables that can force OpenBLAS to use a slower kernel than the processor supports.
HOLD_BLAS_BACK = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

_SETTINGS = re.compile(r"(OPENBLAS|MKL|OMP|BLIS|GOTO|VECLIB)_\w+|IMGCONV_(JOBS|COSTS)")


def describe_machine(version: str, jobs: int | None = None) -> dict[str, Any]:
    """Return the machine, the versions and the settings as plain data.

    Args:
        version: version of imgconv.
        jobs: number of threads of imgconv and OpenCV; None for the default.
    """
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": thread_count(jobs),
        "system": platform.platform(),
        "versions": {
            "imgconv": version,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "opencv": load_cv2().__version__,
            "scipy": _scipy_version(),
        },
        "blas": blas_libraries(),
        "environment": {name: value for name, value in sorted(os.environ.items()) if _SETTINGS.fullmatch(name)},
    }


def blas_libraries() -> list[dict[str, Any]]:
    """Return each loaded BLAS library with its version, selected kernel, number of threads and package."""
    from threadpoolctl import threadpool_info

    return [
        {
            "library": pool["internal_api"],
            "version": pool["version"],
            "kernel": pool.get("architecture"),
            "threads": pool["num_threads"],
            "of": Path(pool["filepath"]).parent.name.removesuffix(".libs"),
        }
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]


def machine_text(machine: dict[str, Any]) -> str:
    """Return the result of `describe_machine` as two or three lines of text."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    numpy_blas = next((blas for blas in machine["blas"] if blas["of"].startswith("numpy")), None)
    blas = numpy_blas or next(iter(machine["blas"]), None)
    size = f"{_count(machine['cores'], 'core')}, {_count(machine['threads'], 'thread')}"
    kernel = f", kernel {blas['kernel']}" if blas and blas["kernel"] else ""
    blas_text = f"{blas['library']} {blas['version']}{kernel}" if blas else "unknown"
    lines = [f"{machine['processor']}, {size}; {machine['system']}", f"{versions}; BLAS: {blas_text}"]
    if machine["environment"]:
        lines.append(", ".join(f"{name}={value}" for name, value in machine["environment"].items()))
    return "\n".join(lines)


def _count(number: int | None, noun: str) -> str:
    return f"{number or 'unknown number of'} {noun}{'' if number == 1 else 's'}"


def _processor() -> str:
    """Return the model name of the processor; on most systems `platform` returns only its family."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(errors="replace"), re.MULTILINE)
        if found:
            return found[1].strip()
        if platform.system() == "Darwin":
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        pass
    return platform.processor() or platform.machine()


def _scipy_version() -> str | None:
    try:
        return str(importlib.import_module("scipy").__version__)
    except ImportError:
        return None
