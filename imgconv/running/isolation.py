"""Files worked on in processes of their own, so that one that crashes a decoder, or hangs it, does not stop the others.

A process reads, filters and writes one file after the other; only settings and reports pass between it and its parent. It is
a new Python and not a fork, since the parent may have threads. See `process` for one of them, `worker` for what it runs.
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

#: What is called for each file, as `module:name`.
RUN_FILE = "imgconv.running.file:run_file"

# Seconds in which a process that has closed its pipe may end by itself, so that its exit code is its own.
_PATIENCE = 2.0


class Workers:
    """Worker processes. They are started at once, and import what they need while the parent goes on.

    Args:
        jobs: how many are started at once; more are started when more are needed at a time.
        limits: limits for reading one file.
        streams: whether a file may be `-`, or a stream of this process such as `/dev/stdin`.
        function: what is called for each file, as `module:name`: `function(input, output, task, reading=...)`.

    Raises:
        UsageError: this system cannot pass streams on.
        StartError: no process can be started.
    """

    def __init__(self, jobs: int, limits: Limits, *, streams: bool = False, function: str = RUN_FILE) -> None:
        if streams and os.name != "posix":
            raise UsageError("on this system isolation is for files; name a file instead of a stream")
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
        """Set what is the same for every file, before the first: the task, and the threads of OpenCV in each process."""
        self._setup = Setup(task, threads)

    def run(self, source: Input, target: Output) -> Any:
        """Work on a file in a process that is free; several threads may call this at a time.

        Returns:
            What the function returns: the report of `run_file`.

        Raises:
            ReadError: the file cannot be read, or crashed its decoder, took too long, or needed too much memory.
            StartError: no process can be started.
            Exception: what else the function raises.
        """
        process = self._take()
        try:
            if not process.mark:
                process.set_up(self._setup)
            reply = process.ask(source, target)
        except BaseException as error:  # an interrupt too: then nothing waits for the process any more
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
        """End all processes at once; threads that wait for one get an error."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.kill()
        for process in running:
            self._end(process)

    def _take(self) -> Process:
        """Return a process that is free, or a new one."""
        if self._closed:
            raise StartError("no worker process is started any more")
        try:
            while (process := self._idle.get_nowait()).has_ended():  # ended from outside, between two files
                self._end(process)
        except queue.Empty:
            return self._start()
        return process

    def _start(self) -> Process:
        with self._lock:
            if self._closed:
                raise StartError("no worker process is started any more")
            process = Process(self._function, self._limits, self._streams)
            self._running.add(process)
        return process

    def _end(self, process: Process, patience: float = 0) -> None:
        process.end(patience)
        with self._lock:
            self._running.discard(process)
