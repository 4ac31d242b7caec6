"""One process that works on files, seen from the one that started it. What runs over there is `worker`."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from typing import Any

from imgconv.errors import ImgconvError, ReadError
from imgconv.images.names import STANDARD_STREAM, shown
from imgconv.running.limits import TIMED_OUT, Guard, Limits
from imgconv.running.worker import Setup

# The new Python looks for imgconv, and for everything else, where this one does.
_START = """
import sys
function, seconds, memory, streams, *sys.path = sys.argv[1:]
from imgconv.running.limits import Limits
from imgconv.running.worker import main
main(function, Limits(float(seconds), int(memory)), tuple(map(int, streams.split())))
"""

# Pictures of the size of the last one find their memory where it was. By default glibc gives it back to the system after each,
# and gets it anew, page by page: of 1000 JPEGs of a megapixel, decoded, filtered and encoded, that is a quarter of the time
# (measured in November 2026 on two processors of a virtual machine, `tests/bench/batch.py`).
_MALLOC = f"glibc.malloc.mmap_threshold={1 << 28}:glibc.malloc.trim_threshold={1 << 29}"

_KILLED = -9
# How a process is ended that answers what nobody understands.
_NONSENSE = signal.SIGABRT if os.name == "posix" else signal.SIGTERM
_MOST_WORDS = 1 << 16


class StartError(ImgconvError):
    """A process for files to be worked on cannot be started, whichever file it is."""


class EndedError(Exception):
    """A process has ended, and there is no answer."""


class Process:
    """A process that works on one file at a time."""

    def __init__(self, function: str, limits: Limits, streams: bool) -> None:
        self._limits, self._ending = limits, threading.Lock()
        self.mark, self._last_words = "", b""
        if not sys.executable:
            raise StartError("no process can be started: this Python does not know where it is; --no-isolate does without")
        # Its standard errors: a traceback, should it not start; then a byte that says what it is at.
        self._state = _nameless_file()
        flags = [f"-{flag}" for flag, given in (("I", sys.flags.isolated), ("E", sys.flags.ignore_environment)) if given]
        own, inherited = _streams() if streams else ([], [])
        numbers = " ".join(map(str, own))
        command = [sys.executable, *flags, "-c", _START, function, str(limits.seconds), str(limits.memory), numbers, *sys.path]
        try:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._state,
                pass_fds=(*own, *inherited),
                env={**os.environ, "GLIBC_TUNABLES": ":".join(filter(None, (_MALLOC, os.environ.get("GLIBC_TUNABLES"))))},
                # A group of its own: what is typed at the terminal reaches this process alone, which ends the other one.
                process_group=0,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            os.close(self._state)
            raise StartError(f"no process can be started: {error.strerror or error}; --no-isolate does without") from error
        finally:
            for number in own:
                os.close(number)

    def set_up(self, setup: Setup) -> None:
        """Wait until the process is ready, and tell it what is done with every file."""
        ready = self._receive()
        if ready.error:
            raise StartError(f"a process to work in does not start: {' '.join(ready.error.split())}")
        self.mark = ready.mark
        self._send(setup)

    def ask(self, request: tuple[str, str]) -> Any:
        """Have a file worked on, and return the reply."""
        self._send(request)
        return self._receive()

    def has_ended(self) -> bool:
        """Return whether a process that was ready has ended."""
        return bool(self.mark) and self._popen.poll() is not None

    def kill(self) -> None:
        """End the process, without waiting for its end."""
        self._popen.kill()

    def end(self, patience: float) -> None:
        """End the process, and let go of what belongs to it; once is enough.

        Args:
            patience: seconds that it has to end by itself.
        """
        with self._ending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(patience)
            self._popen.kill()
            self._popen.wait()
            if self._state < 0:
                return
            for pipe in (self._popen.stdin, self._popen.stdout):
                with contextlib.suppress(OSError):  # what was to be sent, to nobody
                    if pipe is not None:
                        pipe.close()
            os.lseek(self._state, 0, os.SEEK_SET)
            self._last_words = os.read(self._state, _MOST_WORDS)
            os.close(self._state)
            self._state = -1

    def death(self, source: str) -> ImgconvError:
        """Return what is said of a file at which the process has ended by itself."""
        how = _how(self._popen.returncode)
        if not self.mark:
            lines = self._last_words.decode(errors="replace").split("\n")
            return StartError(f"a process to work in does not start ({how}): {' '.join(lines[-2:]).strip()}")
        name = "standard input" if source == STANDARD_STREAM else shown(source)
        if self._last_words[:1] != Guard.READING:
            return ImgconvError(f"{name}: the process that worked on it crashed ({how})")
        if self._popen.returncode == TIMED_OUT:
            return ReadError(f"{name}: reading took longer than {self._limits.seconds:g} s; --timeout allows more")
        if self._popen.returncode == _KILLED:
            return ReadError(f"{name}: the process that read it was killed ({how}), perhaps for want of memory")
        return ReadError(f"{name}: the decoder crashed ({how})")

    def _send(self, what: Any) -> None:
        assert self._popen.stdin is not None
        try:
            pickle.dump(what, self._popen.stdin, pickle.HIGHEST_PROTOCOL)
            self._popen.stdin.flush()
        except (OSError, ValueError) as error:  # ValueError: another thread has ended it, and closed the pipe
            raise EndedError from error

    def _receive(self) -> Any:
        assert self._popen.stdout is not None
        try:
            return pickle.load(self._popen.stdout)
        except Exception as error:
            if not isinstance(error, EOFError):  # what is no pickle is not from a process in its right mind
                self._popen.send_signal(_NONSENSE)
            raise EndedError from error


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _nameless_file() -> int:
    """Return the descriptor of an empty file that has no name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("imgconv")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _streams() -> tuple[list[int], list[int]]:
    """Return copies of standard input and output, to be closed again, and what else a process inherits (`/dev/fd/63`)."""
    own, inherited = [], []
    for number in (0, 1):
        try:
            own.append(os.dup(number))
        except OSError:  # closed before the start
            own.append(os.open(os.devnull, os.O_RDWR))
    for number in map(int, os.listdir("/dev/fd")):
        with contextlib.suppress(OSError):
            if number > 2 and os.get_inheritable(number):
                inherited.append(number)
    return own, inherited
