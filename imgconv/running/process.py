"""Control of one worker process by its parent. The process itself runs `worker`."""

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
from imgconv.images.files import Input
from imgconv.images.output import Output
from imgconv.running.read_limits import TIMED_OUT, Guard, Limits
from imgconv.running.worker import Setup

# The new interpreter gets the `sys.path` of this one, so that it imports the same modules.
_START = """
import sys
function, timeout, memory, streams, *sys.path = sys.argv[1:]
from imgconv.running.read_limits import Limits
from imgconv.running.worker import main
main(function, Limits(float(timeout), int(memory)), tuple(map(int, streams.split())))
"""

# Keep memory allocated from one image to the next. By default glibc returns it to the system after each image and requests
# it again page by page. For 1000 JPEGs of one megapixel, decoded, filtered and encoded, this takes a quarter of the time
# (measured in November 2026 on two processors of a virtual machine, `tests/bench/batch.py`).
_MALLOC = f"glibc.malloc.mmap_threshold={1 << 28}:glibc.malloc.trim_threshold={1 << 29}"

_NO_PROCESS = "`isolate` requires a worker process, but none can be started"
_KILLED = -9
# Signal sent to a process whose replies are corrupt.
_DAMAGED = signal.SIGABRT if os.name == "posix" else signal.SIGTERM
_MOST_OUTPUT = 1 << 16


class StartError(ImgconvError):
    """No worker process can be started."""


class EndedError(Exception):
    """A worker process ended without a reply."""


class Process:
    """A worker process; it processes one file at a time.

    Attributes:
        mark: prefix of its temporary file names; "" until the process is ready.
    """

    def __init__(self, function: str, limits: Limits, streams: bool) -> None:
        self._limits, self._ending = limits, threading.Lock()
        self.mark, self._output = "", b""
        if not sys.executable:
            raise StartError(f"{_NO_PROCESS}: the path of this Python is unknown")
        # Standard error of the process: a traceback if it does not start, later one byte with its state (see `Guard`).
        self._state = _anonymous_file()
        flags = [f"-{flag}" for flag, given in (("I", sys.flags.isolated), ("E", sys.flags.ignore_environment)) if given]
        own, inherited = _streams() if streams else ([], [])
        numbers = " ".join(map(str, own))
        command = [sys.executable, *flags, "-c", _START, function, str(limits.timeout), str(limits.memory), numbers, *sys.path]
        try:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._state,
                pass_fds=(*own, *inherited),
                env={**os.environ, "GLIBC_TUNABLES": ":".join(filter(None, (_MALLOC, os.environ.get("GLIBC_TUNABLES"))))},
                # In a separate group, an interrupt from the terminal reaches only the parent, which then ends this process.
                process_group=0,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            os.close(self._state)
            raise StartError(f"{_NO_PROCESS}: {error.strerror or error}") from error
        finally:
            for number in own:
                os.close(number)

    def set_up(self, setup: Setup) -> None:
        """Wait until the process is ready and send it the settings shared by all files."""
        ready = self._receive()
        if ready.error is not None:
            kind = "" if isinstance(ready.error, ImgconvError) else f"{type(ready.error).__name__}: "
            raise StartError(f"a worker process does not start: {kind}{' '.join(str(ready.error).split())}")
        self.mark = ready.result
        self._send(setup)

    def ask(self, source: Input, target: Output) -> Any:
        """Send a file to the process and return the reply."""
        self._send((source, target))
        return self._receive()

    def has_ended(self) -> bool:
        """Return whether the process became ready and has ended since."""
        return bool(self.mark) and self._popen.poll() is not None

    def kill(self) -> None:
        """Kill the process without waiting for it."""
        self._popen.kill()

    def end(self, patience: float) -> None:
        """End the process and release its resources.

        Args:
            patience: seconds to wait before the process is killed.
        """
        with self._ending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(patience)
            self._popen.kill()
            self._popen.wait()
            if self._state < 0:
                return
            for pipe in (self._popen.stdin, self._popen.stdout):
                with contextlib.suppress(OSError):  # closing flushes bytes that can no longer be sent
                    if pipe is not None:
                        pipe.close()
            os.lseek(self._state, 0, os.SEEK_SET)
            self._output = os.read(self._state, _MOST_OUTPUT)
            os.close(self._state)
            self._state = -1

    def crash_error(self, source: Input) -> ImgconvError:
        """Return the error for the file during which the process ended unexpectedly."""
        how = _exit_text(self._popen.returncode)
        if not self.mark:
            lines = self._output.decode(errors="replace").split("\n")
            return StartError(f"a worker process does not start ({how}): {' '.join(lines[-2:]).strip()}")
        if self._output[:1] != Guard.READING:
            return ImgconvError(f"{source.name}: the worker process crashed ({how})")
        if self._popen.returncode == TIMED_OUT:
            return ReadError(f"{source.name}: reading took longer than {self._limits.timeout:g} s; `timeout` allows more")
        if self._popen.returncode == _KILLED:
            return ReadError(f"{source.name}: the process that read it was killed ({how}), possibly due to lack of memory")
        return ReadError(f"{source.name}: the decoder crashed ({how})")

    def _send(self, message: Any) -> None:
        assert self._popen.stdin is not None
        try:
            pickle.dump(message, self._popen.stdin, pickle.HIGHEST_PROTOCOL)
            self._popen.stdin.flush()
        except (OSError, ValueError) as error:  # ValueError: another thread has closed the pipe
            raise EndedError from error

    def _receive(self) -> Any:
        assert self._popen.stdout is not None
        try:
            return pickle.load(self._popen.stdout)
        except Exception as error:
            if not isinstance(error, EOFError):  # a decoder wrote into the pipe
                self._popen.send_signal(_DAMAGED)
            raise EndedError from error


def _exit_text(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _anonymous_file() -> int:
    """Return the descriptor of an empty anonymous file."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("imgconv")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _streams() -> tuple[list[int], list[int]]:
    """Return duplicates of standard input and output, which the caller must close, and other inheritable descriptors."""
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
