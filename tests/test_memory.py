"""The memory limit of a process, with the control groups of Linux simulated in a folder."""

from __future__ import annotations

import builtins
import os
from pathlib import Path

import numpy as np
import pytest

from imgconv import memory
from imgconv.errors import ReadError
from imgconv.images.pages import require_size

MACHINE = 16 << 30
V1, V2 = "/sys/fs/cgroup/memory{}/memory.limit_in_bytes", "/sys/fs/cgroup{}/memory.max"


@pytest.fixture
def system(monkeypatch, tmp_path):
    """Return a function that simulates a system with only these files: `system({path: content})`."""

    def open_in_folder(path: str, **options):
        return builtins.open(f"{tmp_path}{path}", **options)

    def fake(files: dict[str, str]) -> None:
        for path, content in files.items():
            place = Path(f"{tmp_path}{path}")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content)
        monkeypatch.setattr(memory, "open", open_in_folder, raising=False)
        sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": MACHINE // 4096}
        monkeypatch.setattr(os, "sysconf", sizes.__getitem__)

    return fake


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, MACHINE),
        ({V2.format(""): "max\n"}, MACHINE),
        ({V2.format(""): f"{1 << 30}\n"}, 1 << 30),
        ({V2.format(""): f"{MACHINE * 2}\n"}, MACHINE),
        ({"/proc/self/cgroup": "0::/a/b\n", V2.format("/a/b"): f"{2 << 30}\n", V2.format("/a"): "max\n"}, 2 << 30),
        ({"/proc/self/cgroup": "0::/a/b\n", V2.format("/a/b"): "max\n", V2.format("/a"): f"{1 << 30}\n"}, 1 << 30),
        ({"/proc/self/cgroup": "0::/a/b\n", V2.format("/c"): f"{1 << 30}\n"}, MACHINE),
        ({"/proc/self/cgroup": "0::/a/b\n", V2.format(""): f"{1 << 30}\n"}, 1 << 30),
        ({"/proc/self/cgroup": "9:cpu:/x\n4:pids,memory:/a:b\n0::/\n", V1.format("/a:b"): "7\n", V1.format("/x"): "1"}, 7),
        ({"/proc/self/cgroup": "4:memory:/\n", V1.format(""): "9223372036854771712\n"}, MACHINE),
        ({V2.format(""): "nonsense\n"}, MACHINE),
    ],
)  # fmt: skip
def test_the_smallest_limit_applies(system, files, expected) -> None:
    system(files)
    assert memory.total_memory() == expected


@pytest.mark.parametrize(("files", "expected"), [({}, 0), ({V2.format(""): f"{1 << 30}\n"}, 1 << 30)])
def test_only_limits_apply_if_the_system_does_not_report_its_memory(system, monkeypatch, files, expected) -> None:
    system(files)
    monkeypatch.delattr(os, "sysconf")
    assert memory.total_memory() == expected


def test_a_picture_larger_than_the_memory_limit_is_rejected(system) -> None:
    system({V2.format(""): f"{1 << 30}\n"})
    require_size((20_000, 20_000), np.dtype(np.uint8), "in.png")
    with pytest.raises(ReadError, match=r"in\.png: has 20000 x 20000 pixels, too many for the memory of this machine"):
        require_size((20_000, 20_000, 3), np.dtype(np.uint8), "in.png")
