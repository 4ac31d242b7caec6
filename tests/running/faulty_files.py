"""What `test_isolation` has done with files instead of filtering them: whatever their content asks for."""

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

#: What `Workers` takes.
FUNCTION = "tests.running.faulty_files:run"

#: Bytes that some of the files make it take.
LARGE = 200_000_000


def run(source: Input, target: Output, task: Task, *, reading) -> object:
    """Do what the file `source` says; filter it where it says nothing that is known here."""
    words = Path(source.path).read_bytes()[:100].decode("ascii", errors="replace").split(":")
    if words[0] == "threads":
        return load_cv2().getNumThreads(), task.filter.options.jobs
    act = ACTS.get(words[0])
    if act is None:
        return run_file(source, target, task, reading=reading)
    with reading():
        found = act(*words[1:]) if words[0] in READING else None
    return act(*words[1:], target.path) if words[0] not in READING else found or os.getpid()


def _die(signal_name: str, *_: str) -> None:
    os.kill(os.getpid(), getattr(signal, signal_name))


def _sleep(seconds: str, *_: str) -> int:
    time.sleep(float(seconds))
    return os.getpid()


def _take_memory() -> None:
    np.ones(LARGE, np.uint8)


def _take_memory_in_opencv() -> None:
    load_cv2().resize(np.ones((2, 2), np.uint8), (LARGE // 10_000, 10_000))


def _take_memory_elsewhere(_: str) -> int:
    return np.ones(LARGE, np.uint8).size


def _print() -> None:
    for descriptor in (1, 2):
        os.write(descriptor, b"from a library\n")
    print("from Python")
    print("from Python", file=sys.stderr)


def _write_and_die(target: str) -> None:
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
    raise {"usage": UsageError, "own": OddError, "zero": ZeroDivisionError}[kind]("what", "for")


class OddError(Exception):
    """An exception that cannot be made again from what it says."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def _lambda(_: str) -> object:
    return lambda: None


def _nonsense() -> None:
    """Write into the pipe that answers go through, as a decoder may that has lost its way."""
    for number in range(3, 16):
        try:
            if "pipe" in os.readlink(f"/proc/self/fd/{number}"):
                os.write(number, pickle.dumps(3)[:-1] + b"\xff\xff")
        except OSError:
            continue
    time.sleep(20)


READING = {
    "die": _die,
    "exit": lambda code: os._exit(int(code)),
    "sleep": _sleep,
    "memory": _take_memory,
    "memory in opencv": _take_memory_in_opencv,
    "print": _print,
    "nonsense": _nonsense,
    "pid": lambda: None,
}
ACTS = {
    **READING,
    "die later": _die,
    "memory later": _take_memory_elsewhere,
    "write and die": _write_and_die,
    "write and wait": _write_and_wait,
    "raise": _raise,
    "lambda": _lambda,
    "wait": _sleep,
}


def asking(folder: Path, text: str) -> tuple[Input, Output]:
    """Write a file that asks for something; return it and the file of its result."""
    (folder / "x.png").write_text(text)
    return Input(str(folder / "x.png")), Output(str(folder / "out-x.png"))


def leftovers(folder: Path) -> list[str]:
    """Return the names of hidden files."""
    return sorted(p.name for p in folder.rglob("*") if p.name.startswith("."))


def is_alive(pid: int) -> bool:
    """Return whether a process is there, and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
