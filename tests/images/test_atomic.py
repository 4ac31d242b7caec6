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
def test_a_killed_process_leaves_the_old_file_whole(tmp_path, run_python, call, name, exists) -> None:
    if exists:
        (tmp_path / name).write_bytes(OLD)
    result = run_python("-c", KILLED, tmp_path / name, call)
    assert result.returncode == -signal.SIGKILL, result.stderr
    # Nobody is there to take the unfinished one away; it is hidden, so that no listing and no batch takes it for a picture.
    seen = sorted(n for n in os.listdir(tmp_path) if not n.startswith("."))
    assert seen == ([name] if exists else [])
    assert not exists or (tmp_path / name).read_bytes() == OLD


def test_leftovers_of_a_process_are_known_by_their_names(tmp_path, run_python, left) -> None:
    (tmp_path / "mine.tmp").touch()
    (tmp_path / f"{atomic.mark()}0.tmp").touch()
    for name in ("a.png", "b.png"):
        assert run_python("-c", KILLED, tmp_path / name, "replace").returncode == -signal.SIGKILL
    marks = {name[: name.rindex("-") + 1] for name in left() if name.startswith(".")}
    assert len(marks) == 3
    for mark in marks - {atomic.mark()}:
        atomic.remove_leftovers(str(tmp_path), mark)
    assert left() == sorted([f"{atomic.mark()}0.tmp", "mine.tmp"])
    for folder, mark in ((tmp_path, ""), (tmp_path / "nowhere", ".imgconv"), (tmp_path / "mine.tmp", ".imgconv")):
        atomic.remove_leftovers(str(folder), mark)  # which does nothing
    assert len(left()) == 2


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_fork_has_a_mark_of_its_own(run_python) -> None:
    lines = run_python("-c", FORKED).stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        pid, mark = line.split()
        assert mark.startswith(f".imgconv-{pid}-")


# Inside of a folder


@pytest.fixture
def places(tmp_path) -> Path:
    """A folder with links that stay in it, and links that lead out of it: to `there` beside it, and to `inside2`."""
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
def test_what_stays_in_the_folder_is_written(places, tmp_path, image, name, overwrite) -> None:
    for folder in (places, tmp_path / "way"):
        write_image(places / name, image, within=str(folder))
        check_same(places / name, image)
        os.unlink(places / name) if not (places / name).is_symlink() else os.unlink(places / "sub" / "near.png")


@pytest.mark.parametrize(
    "name", ["far.png", "far/x.png", "sub/farther/x.png", "beside/x.png", "../x.png", "null.png", "near/../../x.png"]
)
def test_what_leads_out_of_it_is_not(places, tmp_path, image, name) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(WriteError, match="leads out of the output folder, to /") as caught:
        write_image(places / name, image, within=str(places))
    assert str(caught.value).startswith(f"{places / name}: ")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_device_that_is_full(image) -> None:
    with pytest.raises(WriteError, match="/dev/full: no space left"):
        write_image("/dev/full", image, format="png")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_device_is_written_to_and_stays(image) -> None:
    write_image("/dev/null", image, format="png")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
