"""The worker process, which processes one file after the other. `process` starts and controls it.

It reads pickles from standard input and writes a `Reply` to standard output when it is ready. It then reads a `Setup`, and
replies to each pair of input and output. Output of libraries is discarded. The process ends with its parent.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import pickle
import select
import threading
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple, NoReturn

from imgconv.errors import ImgconvError
from imgconv.images import atomic
from imgconv.opencv import configure_for_command_line, load_cv2, opencv_threads
from imgconv.running.read_limits import Guard, Limits, prepare_process
from imgconv.running.task import Task


class Setup(NamedTuple):
    """Settings shared by all files: the task, and the number of OpenCV threads (None for OpenCV's default)."""

    task: Task | None = None
    threads: int | None = None


class Reply(NamedTuple):
    """The return value of the function for a file, or the error it raised.

    The first reply precedes all files: its result is the prefix of the temporary file names of the process.
    """

    result: Any
    error: Exception | None = None


def main(function: str, limits: Limits, streams: tuple[int, ...]) -> NoReturn:
    """Process files until standard input ends.

    Args:
        function: function called for each file, as `module:name`; its signature is `(input, output, task, reading=...)`.
        limits: limits for reading one file.
        streams: descriptors that become standard input and output, for files named "-".
    """
    configure_for_command_line()
    requests, replies, state = _take_over(streams)
    prepare_process()
    # If the parent ends, even in the middle of a message, this process ends too.
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        try:
            module, name = function.split(":")
            run = getattr(importlib.import_module(module), name)
            load_cv2()
        except Exception as error:
            _send(replies, Reply(None, _picklable(error)))
        else:
            _send(replies, Reply(atomic.mark()))
            _work(run, requests, replies, Guard(limits, state))
    os._exit(0)  # the system frees the memory faster than Python


def _work(run: Callable[..., Any], requests: BinaryIO, replies: BinaryIO, guard: Guard) -> None:
    setup: Setup = pickle.load(requests)
    watch = _ParentWatch(requests.fileno())
    with opencv_threads(setup.threads):
        while True:
            source, target = pickle.load(requests)
            watch.folder = os.path.dirname(os.path.realpath(target.path))
            try:
                reply = Reply(run(source, target, setup.task, reading=functools.partial(guard.reading, source.name)))
            except Exception as error:
                reply = Reply(None, _picklable(error))
            _send(replies, reply)


class _ParentWatch:
    """Thread that removes the temporary files in `folder` and ends this process when the parent has ended."""

    def __init__(self, requests: int) -> None:
        self.folder = ""
        if hasattr(select, "poll"):
            threading.Thread(target=self._wait, args=(requests,), name="imgconv-parent", daemon=True).start()

    def _wait(self, requests: int) -> NoReturn:
        poll = select.poll()
        poll.register(requests, 0)  # no events: only the closing of the pipe is reported
        poll.poll()
        atomic.remove_leftovers(self.folder, atomic.mark())
        os._exit(0)


def _picklable(error: Exception) -> Exception:
    """Return an error that can be pickled; internal errors get the traceback as a note."""
    if isinstance(error, ImgconvError):
        return error
    error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _send(replies: BinaryIO, reply: Reply) -> None:
    try:
        data = pickle.dumps(reply, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # a result that cannot be pickled is an internal error
        data = pickle.dumps(Reply(None, _picklable(error)))
    replies.write(data)
    replies.flush()


def _take_over(streams: tuple[int, ...]) -> tuple[BinaryIO, BinaryIO, int]:
    """Return the pipes from and to the parent and the state file, and replace the standard streams that they occupied."""
    own = [os.dup(number) for number in (0, 1, 2)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(streams[number] if number < len(streams) else nowhere, number)
    return os.fdopen(own[0], "rb"), os.fdopen(own[1], "wb"), own[2]
