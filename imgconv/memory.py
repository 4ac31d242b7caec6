"""The memory available to this process, limited by the machine or its container."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

# Mount points of the memory controllers of cgroup v2 and v1, and the file with the limit in bytes ("max": no limit).
_CGROUPS = (("", "/sys/fs/cgroup", "memory.max"), ("memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes"))


def total_memory() -> int:
    """Return the memory available to this process in bytes, or 0 if the system does not report it.

    It is the smaller of the memory of the machine and the limit of the control group (cgroup) of the process.
    """
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        machine = 0
    return min([size for size in (machine, *_cgroup_limits()) if size > 0], default=0)


def _cgroup_limits() -> Iterator[int]:
    """Yield the memory limits of the control groups of this process, from its own up to the root."""
    groups = {"": "/", "memory": "/"}
    with contextlib.suppress(OSError), open("/proc/self/cgroup", encoding="utf-8", errors="replace") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            groups |= dict.fromkeys(controllers.split(","), path)
    for controller, mount, name in _CGROUPS:
        path = groups[controller]
        while True:
            with contextlib.suppress(OSError, ValueError), open(f"{mount}{path.rstrip('/')}/{name}", encoding="ascii") as file:
                yield int(file.read())
            if path in ("", "/"):
                break
            path = os.path.dirname(path)
