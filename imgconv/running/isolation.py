"""Worker processes for filtering files, so that a file that crashes or hangs a decoder does not stop the others.

A process reads, filters and writes one file after the other; it exchanges only settings and reports with its parent. It is a
new Python interpreter, not a fork, since the parent may have threads. `process` controls a worker; `worker` runs in it.
"""

from __future__ import annotations

import os
import queue
import threading
from typing import Any, Self

from imgconv.errors import UsageError
from imgconv.images import atomic
from imgconv.images.files import Input
from imgconv.images.output import Output
from imgconv.running.process import EndedError, Process, StartError
from imgconv.running.read_limits import Limits
from imgconv.running.task import Task
from imgconv.running.worker import Setup

#: Function called for each file, as `module:name`.
RUN_FILE = "imgconv.running.file:run_file"

# Seconds to wait after a process has closed its pipe, so that its own exit code is available.
_PATIENCE = 2.0


class Workers:
    """A pool of worker processes. They start immediately and import their modules while the parent continues.

    Args:
        jobs: initial number of processes; more are started when all are busy.
        limits: limits for reading one file.
        streams: whether a file may be `-` or a stream of this process such as `/dev/stdin`.
        function: function called for each file, as `module:name`; its signature is `(input, output, task, reading=...)`.

    Raises:
        UsageError: `streams` is not supported on this system.
        StartError: no process can be started.
    """

    def __init__(self, jobs: int, limits: Limits, *, streams: bool = False, function: str = RUN_FILE) -> None:
        if streams and os.name != "posix":
            raise UsageError("isolation does not support streams on this system; use a file instead of a stream")
        self._limits, self._streams, self._function = limits, streams, function
        self._setup = Setup()
        self._idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running: set[Process] = set()
        self._closed = False
        try:
            for _ in range(jobs):
                self._idle.put(self._start())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def set_up(self, task: Task, *, threads: int | None = None) -> None:
        """Set the task and the number of OpenCV threads in each process; call before the first `run`."""
        self._setup = Setup(task, threads)

    def run(self, source: Input, target: Output) -> Any:
        """Process a file in an idle worker process. This method is thread-safe.

        Returns:
            The return value of the function; for `run_file`, the report.

        Raises:
            ReadError: the file cannot be read, or reading it crashed the decoder or exceeded the time or memory limit.
            StartError: no process can be started.
            Exception: any other exception raised by the function.
        """
        process = self._take()
        try:
            if not process.mark:
                process.set_up(self._setup)
            reply = process.ask(source, target)
        except BaseException as error:  # also an interrupt, after which the reply is never read
            self._end(process, _PATIENCE if isinstance(error, EndedError) else 0)
            atomic.remove_leftovers(os.path.dirname(os.path.realpath(target.path)), process.mark)
            if isinstance(error, EndedError):
                raise process.crash_error(source) from None
            raise
        self._idle.put(process)
        if reply.error is not None:
            raise reply.error
        return reply.result

    def close(self) -> None:
        """Kill all processes. Threads that wait for a reply get an error."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.kill()
        for process in running:
            self._end(process)

    def _take(self) -> Process:
        """Return an idle process, or start one."""
        if self._closed:
            raise StartError("the worker processes have been closed")
        try:
            while (process := self._idle.get_nowait()).has_ended():  # killed from outside while idle
                self._end(process)
        except queue.Empty:
            return self._start()
        return process

    def _start(self) -> Process:
        with self._lock:
            if self._closed:
                raise StartError("the worker processes have been closed")
            process = Process(self._function, self._limits, self._streams)
            self._running.add(process)
        return process

    def _end(self, process: Process, patience: float = 0) -> None:
        process.end(patience)
        with self._lock:
            self._running.discard(process)
