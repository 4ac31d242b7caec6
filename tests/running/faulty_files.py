"""A replacement for `run_file` that runs a command in the content of a file: crash, sleep, allocate memory, and others."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from pathlib import Path

import numpy as np

from imgconv.errors import UsageError
from imgconv.images import atomic
from imgconv.images.files import Input
from imgconv.images.output import Output
from imgconv.opencv import load_cv2
from imgconv.running.file import run_file
from imgconv.running.task import Task

#: The `function` argument of `Workers`.
FUNCTION = "tests.running.faulty_files:run"

#: Bytes that some of the commands allocate.
LARGE = 200_000_000


def run(source: Input, target: Output, task: Task, *, reading) -> object:
    """Run the command in `source`, or filter the file if it contains none."""
    words = Path(source.path).read_bytes()[:100].decode("ascii", errors="replace").split(":")
    if words[0] == "threads":
        return load_cv2().getNumThreads(), task.filter.options.jobs
    action = ACTIONS.get(words[0])
    if action is None:
        return run_file(source, target, task, reading=reading)
    with reading():
        found = action(*words[1:]) if words[0] in READ_ACTIONS else None
    return action(*words[1:], target.path) if words[0] not in READ_ACTIONS else found or os.getpid()


def _kill_itself(signal_name: str, *_: str) -> None:
    os.kill(os.getpid(), getattr(signal, signal_name))


def _sleep(seconds: str, *_: str) -> int:
    time.sleep(float(seconds))
    return os.getpid()


def _allocate() -> None:
    np.ones(LARGE, np.uint8)


def _allocate_in_opencv() -> None:
    load_cv2().resize(np.ones((2, 2), np.uint8), (LARGE // 10_000, 10_000))


def _allocate_after_reading(_: str) -> int:
    return np.ones(LARGE, np.uint8).size


def _print() -> None:
    for descriptor in (1, 2):
        os.write(descriptor, b"from a library\n")
    print("from Python")
    print("from Python", file=sys.stderr)


def _write_and_crash(target: str) -> None:
    def pieces():
        yield b"half of it"
        os.kill(os.getpid(), signal.SIGKILL)

    atomic.write_file(target, pieces())


def _write_and_wait(target: str) -> None:
    def pieces():
        yield b"half of it"
        time.sleep(60)

    atomic.write_file(target, pieces())


def _raise(kind: str, *_: str) -> None:
    raise {"usage": UsageError, "own": TwoArgumentError, "zero": ZeroDivisionError}[kind]("what", "for")


class TwoArgumentError(Exception):
    """An exception that cannot be rebuilt from its `args`."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def _lambda(_: str) -> object:
    return lambda: None


def _corrupt_pipe() -> None:
    """Write garbage into the pipe of the results, as a faulty decoder might."""
    for number in range(3, 16):
        try:
            if "pipe" in os.readlink(f"/proc/self/fd/{number}"):
                os.write(number, pickle.dumps(3)[:-1] + b"\xff\xff")
        except OSError:
            continue
    time.sleep(20)


READ_ACTIONS = {
    "die": _kill_itself,
    "exit": lambda code: os._exit(int(code)),
    "sleep": _sleep,
    "memory": _allocate,
    "memory in opencv": _allocate_in_opencv,
    "print": _print,
    "nonsense": _corrupt_pipe,
    "pid": lambda: None,
}
ACTIONS = {
    **READ_ACTIONS,
    "die later": _kill_itself,
    "memory later": _allocate_after_reading,
    "write and die": _write_and_crash,
    "write and wait": _write_and_wait,
    "raise": _raise,
    "lambda": _lambda,
    "wait": _sleep,
}


def make_job(folder: Path, text: str) -> tuple[Input, Output]:
    """Write an input file with a command; return the input and the output."""
    (folder / "x.png").write_text(text)
    return Input(str(folder / "x.png")), Output(str(folder / "out-x.png"))


def leftovers(folder: Path) -> list[str]:
    """Return the names of hidden files."""
    return sorted(p.name for p in folder.rglob("*") if p.name.startswith("."))


def is_alive(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
