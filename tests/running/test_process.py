"""A process that works on files: what ends it, what comes back from it, what it inherits."""

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
from tests.running.faulty_files import FUNCTION, LARGE, asking, is_alive, leftovers

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")

LIMITS = Limits(timeout=30, memory=LARGE // 2)


@pytest.fixture(scope="module")
def workers():
    """A process that does what files ask for, and a new one where it has not survived that."""
    with Workers(1, LIMITS, function=FUNCTION) as workers:
        yield workers


@pytest.mark.parametrize(
    ("asks", "error", "words"),
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
def test_a_file_that_ends_its_process_is_named_and_the_next_one_is_worked_on(workers, tmp_path, asks, error, words) -> None:
    with pytest.raises(ImgconvError) as caught:
        workers.run(*asking(tmp_path, asks))
    assert type(caught.value) is error
    assert re.fullmatch(rf"{asking(tmp_path, '')[0].name}: {words}", str(caught.value))
    assert workers.run(*asking(tmp_path, "pid")) == workers.run(*asking(tmp_path, "pid")) != os.getpid()


def test_a_file_that_takes_too_long_is_ended(tmp_path) -> None:
    with Workers(1, Limits(timeout=0.3), function=FUNCTION) as workers:
        workers.run(*asking(tmp_path, "pid"))
        start = time.monotonic()
        with pytest.raises(ReadError, match=r"x\.png: reading took longer than 0\.3 s; `timeout` allows more"):
            workers.run(*asking(tmp_path, "sleep:20"))
        assert time.monotonic() - start < 10
        assert workers.run(*asking(tmp_path, "wait:0.5"))  # as long as it likes, once it has been read


def test_what_libraries_print_goes_nowhere(workers, tmp_path, capfd) -> None:
    assert workers.run(*asking(tmp_path, "print")) == workers.run(*asking(tmp_path, "pid"))
    assert capfd.readouterr() == ("", "")


def test_what_a_process_has_begun_to_write_goes_with_it(workers, tmp_path) -> None:
    (tmp_path / "out-x.png").write_bytes(b"old")
    (tmp_path / ".imgconv-1-of-another.tmp").touch()
    with pytest.raises(ImgconvError, match="signal 9"):
        workers.run(*asking(tmp_path, "write and die"))
    assert (tmp_path / "out-x.png").read_bytes() == b"old"
    assert leftovers(tmp_path) == [".imgconv-1-of-another.tmp"]


def test_it_goes_where_a_link_has_led_it(workers, tmp_path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "out-x.png").symlink_to(tmp_path / "there" / "y.png")
    with pytest.raises(ImgconvError, match="signal 9"):
        workers.run(*asking(tmp_path, "write and die"))
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("asks", "error", "words"),
    [
        ("raise:usage", UsageError, "what"),
        ("raise:zero", ZeroDivisionError, "what"),
        ("raise:own", RuntimeError, "OddError: what for"),
        ("lambda", Exception, "pickle"),
    ],
)
def test_errors_come_back_as_they_are(workers, tmp_path, asks, error, words) -> None:
    pid = workers.run(*asking(tmp_path, "pid"))
    with pytest.raises(error, match=words) as caught:
        workers.run(*asking(tmp_path, asks))
    traceback = "\n".join(getattr(caught.value, "__notes__", []))
    assert ("faulty_files.py" in traceback) == (asks == "raise:zero")
    assert workers.run(*asking(tmp_path, "pid")) == pid


def test_a_process_that_somebody_ends_meanwhile_costs_no_file(workers, tmp_path) -> None:
    pid = workers.run(*asking(tmp_path, "pid"))
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert workers.run(*asking(tmp_path, "pid")) not in (pid, 0)


def test_a_library_that_is_missing_is_told_as_without_isolation(tmp_path, monkeypatch) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Workers(1, LIMITS) as workers, pytest.raises(StartError, match=r"install it \(apt-get install libgl1\)"):
        workers.run(*asking(tmp_path, ""))


def test_idle_processes_end_with_the_others(tmp_path) -> None:
    with Workers(2, LIMITS, function=FUNCTION) as workers:
        pid = workers.run(*asking(tmp_path, "pid"))
        assert is_alive(pid)
    assert not is_alive(pid)
    with pytest.raises(StartError, match="the worker processes have been closed"):
        workers.run(*asking(tmp_path, "pid"))


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
def test_streams_are_those_of_the_process_that_asks(tmp_path, photo, names) -> None:
    _, data = cv2.imencode(".png", photo)
    environment = {**os.environ, "PYTHONPATH": str(Path(imgconv.__file__).parent.parent)}
    command = f'"$0" -c "$1" {names} | cat'  # bash waits for the second `cat` of its own accord no more than for the first
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


# What goes to and fro


def all_errors() -> list[type[ImgconvError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ImgconvError)]


@pytest.mark.parametrize("kind", all_errors())
def test_every_error_can_be_sent(kind) -> None:
    found = pickle.loads(pickle.dumps(kind("x.png: is wrong; mend it")))
    assert (type(found), str(found), found.args) == (kind, "x.png: is wrong; mend it", ("x.png: is wrong; mend it",))


@pytest.mark.parametrize("text", ["sharpen", "gaussian:sigma=2", "[1 0 -1; 2 0 -2; 1 0 -1]", *FILTERS])
def test_every_task_can_be_sent_and_does_the_same(make_task, photo, text) -> None:
    task = make_task(text, count=True, options={"border": ("reflect", "wrap")}).on_threads(1)
    found = pickle.loads(pickle.dumps(task))
    here, there = (filter_picture(imgconv.Image(photo), t) for t in (task, found))
    assert np.array_equal(here.image.pixels, there.image.pixels)
    plans = there.plans
    assert [p.as_dict() for p in plans] == [p.as_dict() for p in here.plans]
    assert [p.as_dict() for p in pickle.loads(pickle.dumps(plans))] == [p.as_dict() for p in plans]
