"""`Workers`: crashes and limits, returned results and errors, inherited streams."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import imgconv
from imgconv import errors
from imgconv.errors import ImgconvError, ReadError, UsageError
from imgconv.filters import FILTERS
from imgconv.running.isolation import Workers
from imgconv.running.picture_path import filter_picture
from imgconv.running.process import StartError
from imgconv.running.read_limits import Limits
from tests.running.faulty_files import FUNCTION, LARGE, is_alive, leftovers, make_job

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")

LIMITS = Limits(timeout=30, memory=LARGE // 2)


@pytest.fixture(scope="module")
def workers():
    """One worker process that runs the commands in files; it is replaced after a crash."""
    with Workers(1, LIMITS, function=FUNCTION) as workers:
        yield workers


@pytest.mark.parametrize(
    ("command", "error", "words"),
    [
        ("die:SIGSEGV", ReadError, r"the decoder crashed \(signal 11, SIGSEGV\)"),
        ("die:SIGABRT", ReadError, r"the decoder crashed \(signal 6, SIGABRT\)"),
        (
            "die:SIGKILL",
            ReadError,
            r"the process that read it was killed \(signal 9, SIGKILL\), possibly due to lack of memory",
        ),
        ("die:SIGTERM", ReadError, r"the decoder crashed \(signal 15, SIGTERM\)"),
        ("exit:3", ReadError, r"the decoder crashed \(exit code 3\)"),
        ("nonsense", ReadError, r"the decoder crashed \(signal 6, SIGABRT\)"),
        ("memory", ReadError, "reading needed more than 100 MB; `memory` allows more"),
        ("memory in opencv", ReadError, "reading needed more than 100 MB; `memory` allows more"),
        ("die later:SIGSEGV", ImgconvError, r"the worker process crashed \(signal 11, SIGSEGV\)"),
    ],
)
def test_a_crash_names_the_file_and_the_worker_is_replaced(workers, tmp_path, command, error, words) -> None:
    with pytest.raises(ImgconvError) as caught:
        workers.run(*make_job(tmp_path, command))
    assert type(caught.value) is error
    assert re.fullmatch(rf"{make_job(tmp_path, '')[0].name}: {words}", str(caught.value))
    assert workers.run(*make_job(tmp_path, "pid")) == workers.run(*make_job(tmp_path, "pid")) != os.getpid()


def test_a_timeout_kills_the_worker(tmp_path) -> None:
    with Workers(1, Limits(timeout=0.3), function=FUNCTION) as workers:
        workers.run(*make_job(tmp_path, "pid"))
        start = time.monotonic()
        with pytest.raises(ReadError, match=r"x\.png: reading took longer than 0\.3 s; `timeout` allows more"):
            workers.run(*make_job(tmp_path, "sleep:20"))
        assert time.monotonic() - start < 10
        assert workers.run(*make_job(tmp_path, "wait:0.5"))  # the timeout applies to reading only


def test_output_of_libraries_is_discarded(workers, tmp_path, capfd) -> None:
    assert workers.run(*make_job(tmp_path, "print")) == workers.run(*make_job(tmp_path, "pid"))
    assert capfd.readouterr() == ("", "")


def test_a_crash_removes_the_temporary_file_and_keeps_the_output(workers, tmp_path) -> None:
    (tmp_path / "out-x.png").write_bytes(b"old")
    (tmp_path / ".imgconv-1-of-another.tmp").touch()
    with pytest.raises(ImgconvError, match="signal 9"):
        workers.run(*make_job(tmp_path, "write and die"))
    assert (tmp_path / "out-x.png").read_bytes() == b"old"
    assert leftovers(tmp_path) == [".imgconv-1-of-another.tmp"]


def test_a_crash_removes_the_temporary_file_behind_a_link(workers, tmp_path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "out-x.png").symlink_to(tmp_path / "there" / "y.png")
    with pytest.raises(ImgconvError, match="signal 9"):
        workers.run(*make_job(tmp_path, "write and die"))
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("command", "error", "words"),
    [
        ("raise:usage", UsageError, "what"),
        ("raise:zero", ZeroDivisionError, "what"),
        ("raise:own", RuntimeError, "TwoArgumentError: what for"),
        ("lambda", Exception, "pickle"),
    ],
)
def test_errors_are_returned_with_their_type(workers, tmp_path, command, error, words) -> None:
    pid = workers.run(*make_job(tmp_path, "pid"))
    with pytest.raises(error, match=words) as caught:
        workers.run(*make_job(tmp_path, command))
    traceback = "\n".join(getattr(caught.value, "__notes__", []))
    assert ("faulty_files.py" in traceback) == (command == "raise:zero")
    assert workers.run(*make_job(tmp_path, "pid")) == pid


def test_a_worker_killed_while_idle_is_replaced(workers, tmp_path) -> None:
    pid = workers.run(*make_job(tmp_path, "pid"))
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert workers.run(*make_job(tmp_path, "pid")) not in (pid, 0)


def test_a_missing_library_is_reported_as_without_workers(tmp_path, monkeypatch) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Workers(1, LIMITS) as workers, pytest.raises(StartError, match=r"install it \(apt-get install libgl1\)"):
        workers.run(*make_job(tmp_path, ""))


def test_closing_workers_ends_idle_processes(tmp_path) -> None:
    with Workers(2, LIMITS, function=FUNCTION) as workers:
        pid = workers.run(*make_job(tmp_path, "pid"))
        assert is_alive(pid)
    assert not is_alive(pid)
    with pytest.raises(StartError, match="the worker processes have been closed"):
        workers.run(*make_job(tmp_path, "pid"))


# Streams


STREAMS = """
import sys
from imgconv.filters.parsing import parse_filter
from imgconv.images.output import Output
from imgconv.images.files import Input
from imgconv.running.isolation import Workers
from imgconv.running.read_limits import Limits
from imgconv.running.task import Task
with Workers(1, Limits(), streams=True) as workers:
    workers.set_up(Task(parse_filter("sharpen")))
    source, target = sys.argv[1:]
    workers.run(Input(source), Output(target))
"""


@pytest.mark.parametrize("names", ["- -", "/dev/stdin /dev/stdout", "<(cat) >(cat)"])
def test_workers_use_the_streams_of_their_parent(tmp_path, photo, names) -> None:
    _, data = cv2.imencode(".png", photo)
    environment = {**os.environ, "PYTHONPATH": str(Path(imgconv.__file__).parent.parent)}
    command = f'"$0" -c "$1" {names} | cat'  # the pipe makes bash wait for the output of `>(cat)`
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, STREAMS],
        input=data.tobytes(),
        env=environment,
        cwd=tmp_path,
        capture_output=True,
    )
    assert done.stderr == b""
    found = cv2.imdecode(np.frombuffer(done.stdout, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(found, imgconv.correlate(photo, "sharpen"))


# Pickling


def all_errors() -> list[type[ImgconvError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ImgconvError)]


@pytest.mark.parametrize("kind", all_errors())
def test_every_error_can_be_pickled(kind) -> None:
    copy = pickle.loads(pickle.dumps(kind("x.png: is wrong; mend it")))
    assert (type(copy), str(copy), copy.args) == (kind, "x.png: is wrong; mend it", ("x.png: is wrong; mend it",))


@pytest.mark.parametrize("text", ["sharpen", "gaussian:sigma=2", "[1 0 -1; 2 0 -2; 1 0 -1]", *FILTERS])
def test_every_task_can_be_pickled(make_task, photo, text) -> None:
    task = make_task(text, count=True, options={"border": ("reflect", "wrap")}).on_threads(1)
    copy = pickle.loads(pickle.dumps(task))
    direct, unpickled = (filter_picture(imgconv.Image(photo), t) for t in (task, copy))
    assert np.array_equal(direct.image.pixels, unpickled.image.pixels)
    plans = unpickled.plans
    assert [p.as_dict() for p in plans] == [p.as_dict() for p in direct.plans]
    assert [p.as_dict() for p in pickle.loads(pickle.dumps(plans))] == [p.as_dict() for p in plans]
