"""A slice of what `mutate.py` tries: the same spoilt files every time, none of which may do more than be refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("mutate.py")


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space, and asks for stacks by a signal")
@pytest.mark.parametrize("formats", ["png,jpeg,webp,gif", "tiff", "avif,jp2,bmp,pnm,hdr,ras"])
def test_spoilt_files_are_read_or_refused(formats):
    command = [sys.executable, SCRIPT, "--files", "300", "--seed", "1", "--jobs", "1", "--formats", formats]
    found = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "300 files" in found.stdout
