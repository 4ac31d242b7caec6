"""A file appears whole or not at all: full disks, interrupts, killed processes, devices."""

from __future__ import annotations

import errno
import os
import signal
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from imgconv.errors import WriteError
from imgconv.images.image import Image
from imgconv.images.writing import write_image

OLD = b"the old file"


@pytest.fixture
def image(photo) -> Image:
    return Image(photo)


def check_same(path: Path, image: Image) -> None:
    with Pillow.open(path) as found:
        assert np.array_equal(np.asarray(found), image.pixels[:, :, ::-1])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["write", "replace"])
@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("name", ["out.png", "out.ppm"])
def test_a_full_disk_leaves_nothing_and_the_old_file_whole(
    tmp_path, left, image, monkeypatch, number, call, exists, name
) -> None:
    if exists:
        (tmp_path / name).write_bytes(OLD)

    def full(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(WriteError) as caught:
        write_image(tmp_path / name, image)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert len(str(caught.value).splitlines()) == 1
    assert left() == ([name] if exists else [])
    assert not exists or (tmp_path / name).read_bytes() == OLD


def test_an_interrupt_leaves_nothing_and_the_old_file_whole(tmp_path, left, image, monkeypatch) -> None:
    (tmp_path / "out.png").write_bytes(OLD)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_image(tmp_path / "out.png", image)
    assert (tmp_path / "out.png").read_bytes() == OLD
    assert left() == ["out.png"]


def test_a_call_that_writes_a_little_at_a_time_writes_all(tmp_path, image, monkeypatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:100]))
    write_image(tmp_path / "out.png", image)
    check_same(tmp_path / "out.png", image)


KILLED = """
import os, signal, sys
import numpy as np
from imgconv.images.image import Image
from imgconv.images.writing import write_image
name, call = sys.argv[1:]
real = getattr(os, call)
def fatal(*arguments, **options):
    if call == "write":
        real(arguments[0], arguments[1][:200])
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, call, fatal)
write_image(name, Image(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)))
"""


@pytest.mark.parametrize("call", ["write", "replace"])
@pytest.mark.parametrize("name", ["out.png", "out.ppm", "out.tif"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_killed_process_leaves_the_old_file_whole(tmp_path, run_python, call, name, exists) -> None:
    if exists:
        (tmp_path / name).write_bytes(OLD)
    result = run_python("-c", KILLED, tmp_path / name, call)
    assert result.returncode == -signal.SIGKILL, result.stderr
    # Nobody is there to take the unfinished one away; it is hidden, so that no listing and no batch takes it for a picture.
    seen = sorted(n for n in os.listdir(tmp_path) if not n.startswith("."))
    assert seen == ([name] if exists else [])
    assert not exists or (tmp_path / name).read_bytes() == OLD


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_device_that_is_full(image) -> None:
    with pytest.raises(WriteError, match="/dev/full: no space left"):
        write_image("/dev/full", image, format="png")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_device_is_written_to_and_stays(image) -> None:
    write_image("/dev/null", image, format="png")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
