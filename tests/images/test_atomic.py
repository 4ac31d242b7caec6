"""Atomic writing: full disks, interrupts, killed processes, links and devices."""

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
from imgconv.images import atomic
from imgconv.images.files import write_image
from imgconv.images.image import Image

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
def test_a_write_error_keeps_the_old_file_and_removes_the_temporary_one(
    tmp_path, file_names, image, monkeypatch, number, call, exists, name
) -> None:
    if exists:
        (tmp_path / name).write_bytes(OLD)

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(WriteError) as caught:
        write_image(tmp_path / name, image)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert len(str(caught.value).splitlines()) == 1
    assert file_names() == ([name] if exists else [])
    assert not exists or (tmp_path / name).read_bytes() == OLD


def test_an_interrupt_keeps_the_old_file_and_removes_the_temporary_one(tmp_path, file_names, image, monkeypatch) -> None:
    (tmp_path / "out.png").write_bytes(OLD)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_image(tmp_path / "out.png", image)
    assert (tmp_path / "out.png").read_bytes() == OLD
    assert file_names() == ["out.png"]


def test_partial_writes_are_continued(tmp_path, image, monkeypatch) -> None:
    original = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: original(descriptor, data[:100]))
    write_image(tmp_path / "out.png", image)
    check_same(tmp_path / "out.png", image)


KILLED = """
import os, signal, sys
import numpy as np
from imgconv.images.image import Image
from imgconv.images.files import write_image
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
def test_a_killed_process_keeps_the_old_file(tmp_path, run_python, call, name, exists) -> None:
    if exists:
        (tmp_path / name).write_bytes(OLD)
    result = run_python("-c", KILLED, tmp_path / name, call)
    assert result.returncode == -signal.SIGKILL, result.stderr
    # The temporary file stays after SIGKILL; it is hidden, so that listings and batches ignore it.
    visible_names = sorted(n for n in os.listdir(tmp_path) if not n.startswith("."))
    assert visible_names == ([name] if exists else [])
    assert not exists or (tmp_path / name).read_bytes() == OLD


def test_leftovers_of_a_process_are_removed_by_its_mark(tmp_path, run_python, file_names) -> None:
    (tmp_path / "mine.tmp").touch()
    (tmp_path / f"{atomic.mark()}0.tmp").touch()
    for name in ("a.png", "b.png"):
        assert run_python("-c", KILLED, tmp_path / name, "replace").returncode == -signal.SIGKILL
    marks = {name[: name.rindex("-") + 1] for name in file_names() if name.startswith(".")}
    assert len(marks) == 3
    for mark in marks - {atomic.mark()}:
        atomic.remove_leftovers(str(tmp_path), mark)
    assert file_names() == sorted([f"{atomic.mark()}0.tmp", "mine.tmp"])
    for folder, mark in ((tmp_path, ""), (tmp_path / "nowhere", ".imgconv"), (tmp_path / "mine.tmp", ".imgconv")):
        atomic.remove_leftovers(str(folder), mark)  # no effect
    assert len(file_names()) == 2


FORKED = """
import os
from imgconv.images import atomic
atomic.mark()
child = os.fork()
if child:
    os.waitpid(child, 0)
print(os.getpid(), atomic.mark(), flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_process_has_a_different_mark(run_python) -> None:
    lines = run_python("-c", FORKED).stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        pid, mark = line.split()
        assert mark.startswith(f".imgconv-{pid}-")


# Restricted to a folder


@pytest.fixture
def inside(tmp_path) -> Path:
    """A folder with links inside it, and links out of it: to its siblings `there` and `inside2`."""
    for name in ("inside/sub", "there", "inside2"):
        (tmp_path / name).mkdir(parents=True)
    inside = tmp_path / "inside"
    (inside / "near.png").symlink_to("sub/near.png")
    (inside / "near").symlink_to("sub")
    (inside / "far.png").symlink_to(tmp_path / "there" / "far.png")
    (inside / "far").symlink_to("../there")
    (inside / "beside").symlink_to("../inside2")
    (inside / "null.png").symlink_to("/dev/null")
    (inside / "sub" / "farther").symlink_to("../far")
    (tmp_path / "way").symlink_to("inside")
    return inside


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize(
    "name", ["x.png", "sub/x.png", "near.png", "near/x.png", "sub/../x.png", "../way/x.png", "far/../inside/x.png"]
)
def test_paths_inside_the_folder_are_written(inside, tmp_path, image, name, overwrite) -> None:
    for folder in (inside, tmp_path / "way"):
        write_image(inside / name, image, within=str(folder))
        check_same(inside / name, image)
        os.unlink(inside / name) if not (inside / name).is_symlink() else os.unlink(inside / "sub" / "near.png")


@pytest.mark.parametrize(
    "name", ["far.png", "far/x.png", "sub/farther/x.png", "beside/x.png", "../x.png", "null.png", "near/../../x.png"]
)
def test_paths_out_of_the_folder_are_an_error(inside, tmp_path, image, name) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(WriteError, match="leads out of the output folder, to /") as caught:
        write_image(inside / name, image, within=str(inside))
    assert str(caught.value).startswith(f"{inside / name}: ")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_device_is_an_error(image) -> None:
    with pytest.raises(WriteError, match="/dev/full: no space left"):
        write_image("/dev/full", image, format="png")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_device_is_written_in_place(image) -> None:
    write_image("/dev/null", image, format="png")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
