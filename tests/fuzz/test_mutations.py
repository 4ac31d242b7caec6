"""A small, fixed run of `mutate.py`: every damaged file must be read or rejected."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("mutate.py")


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS and SIGUSR1")
@pytest.mark.parametrize("formats", ["png,jpeg,webp,gif", "tiff", "avif,jp2,bmp,pnm,hdr,ras"])
def test_damaged_files_are_read_or_rejected(formats):
    command = [sys.executable, SCRIPT, "--files", "300", "--seed", "1", "--jobs", "1", "--formats", formats]
    found = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "300 files" in found.stdout
