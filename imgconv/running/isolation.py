"""Files worked on in processes of their own, so that one which crashes its decoder, or hangs it, costs itself alone.

A process reads, filters and writes one file after the other; only names and reports go to and fro. It is a new Python, not a
fork of this one, which may have threads. See `process` for one of them, and `worker` for what runs over there.
"""

from __future__ import annotations

import os
import queue
import threading
from typing import Any, Self

from imgconv.errors import UsageError
from imgconv.images import atomic
from imgconv.running.limits import Limits
from imgconv.running.process import EndedError, Process, StartError
from imgconv.running.worker import Setup

#: What is done with a file, as `module:name`.
RUN_FILE = "imgconv.running.single:run_file"

# Seconds that a process which says nothing more has to end by itself: then its exit code tells how.
_PATIENCE = 2.0


class Workers:
    """Processes that work on files. They are started here, at once, and are ready when they have imported what they need.

    Args:
        jobs: how many are started at once; there are more when more are wanted at a time.
        limits: what the reading of one file may cost.
        streams: whether a file may be `-`, or a stream of this process such as `/dev/stdin`.
        function: what is done with a file, as `module:name`: called with source, target, the arguments of `set_up`, and
            `guard`, which returns a context for each reading: see `limits.Guard`.

    Raises:
        UsageError: streams cannot be handed on by this system.
        StartError: no process can be started.
    """

    def __init__(self, jobs: int, limits: Limits, *, streams: bool = False, function: str = RUN_FILE) -> None:
        if streams and os.name != "posix":
            raise UsageError("on this system only files can be worked on in isolation; name one instead of a stream")
        self._limits, self._streams, self._function = limits, streams, function
        self._setup = Setup((), {}, None)
        self._idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._living: set[Process] = set()
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

    def set_up(self, *arguments: Any, threads: int | None = None, **keywords: Any) -> None:
        """Say what every file is worked on with, before the first is.

        Args:
            *arguments: of the function, after source and target; for `run_file` the task.
            threads: of OpenCV in each process; None leaves it as it is.
            **keywords: of the function, but `guard`.
        """
        self._setup = Setup(arguments, keywords, threads)

    def run(self, source: str, target: str) -> Any:
        """Work on a file, in a process that nobody else uses meanwhile; may be called by several threads at a time.

        Returns:
            What the function returns, the report of `run_file`.

        Raises:
            ReadError: it cannot be read, or crashed its decoder, took too long, or needed too much memory.
            StartError: no process can be started.
            Exception: what else the function raises.
        """
        process = self._take()
        try:
            if not process.mark:
                process.set_up(self._setup)
            reply = process.ask((source, target))
        except BaseException as error:  # an interrupt too: the process is at work for nobody
            self._end(process, _PATIENCE if isinstance(error, EndedError) else 0)
            atomic.remove_leftovers(os.path.dirname(os.path.realpath(target)), process.mark)
            if isinstance(error, EndedError):
                raise process.death(source) from None
            raise
        self._idle.put(process)
        if reply.error is not None:
            raise reply.error
        return reply.result

    def close(self) -> None:
        """End all processes at once, whatever they are at; those who wait for one get an error."""
        with self._lock:
            self._closed = True
            living = list(self._living)
        for process in living:
            process.kill()
        for process in living:
            self._end(process)

    def _take(self) -> Process:
        """Return a process that nobody uses."""
        if self._closed:
            raise StartError("no process is started any more")
        try:
            while (process := self._idle.get_nowait()).has_ended():  # somebody has ended it, and no file has
                self._end(process)
        except queue.Empty:
            return self._start()
        return process

    def _start(self) -> Process:
        with self._lock:
            if self._closed:
                raise StartError("no process is started any more")
            process = Process(self._function, self._limits, self._streams)
            self._living.add(process)
        return process

    def _end(self, process: Process, patience: float = 0) -> None:
        process.end(patience)
        with self._lock:
            self._living.discard(process)
