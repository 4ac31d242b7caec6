"""The memory that this process may use: that of the machine, or of the container it runs in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

# Mount points of the memory controllers of cgroup v2 and v1, with the file that holds the limit in bytes ("max": none).
_CGROUPS = (("", "/sys/fs/cgroup", "memory.max"), ("memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes"))


def total_memory() -> int:
    """Return the memory in bytes that this process may use, or 0 where the system does not report it.

    It is the smaller of the memory of the machine and of the limit of the control group (cgroup) that the process is in.
    """
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        machine = 0
    return min([size for size in (machine, *_cgroup_limits()) if size > 0], default=0)


def _cgroup_limits() -> Iterator[int]:
    """Yield the limits of the control groups of this process, from its own up to the root."""
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
