"""The worker process: works on one file after the other. `process` starts it and talks to it.

It reads pickles from standard input and answers on standard output: with a `Reply` when it is ready, then, after a `Setup`,
with one to the input and output of each file. What libraries print goes nowhere. It ends when its parent process does.
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
    """What is the same for every file: the task, and the threads of OpenCV (None for its own choice)."""

    task: Task | None = None
    threads: int | None = None


class Reply(NamedTuple):
    """What the function has returned for a file, or the error that it has raised.

    The first reply is for no file: the result is what the names of temporary files of the process begin with.
    """

    result: Any
    error: Exception | None = None


def main(function: str, limits: Limits, streams: tuple[int, ...]) -> NoReturn:
    """Work until there is nothing more to read.

    Args:
        function: what to call for each file, as `module:name`: `function(input, output, task, reading=...)`.
        limits: limits of reading.
        streams: descriptors that become standard input and output, for files called "-".
    """
    configure_for_command_line()
    requests, replies, state = _take_over(streams)
    prepare_process()
    # The parent may end, in the middle of a message too: that is the end of this process.
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
    """Ends this process when the parent has ended, without its temporary files in `folder`."""

    def __init__(self, requests: int) -> None:
        self.folder = ""
        if hasattr(select, "poll"):
            threading.Thread(target=self._wait, args=(requests,), name="imgconv-parent", daemon=True).start()

    def _wait(self, requests: int) -> NoReturn:
        poll = select.poll()
        poll.register(requests, 0)  # not for requests, only for the end of them
        poll.poll()
        atomic.remove_leftovers(self.folder, atomic.mark())
        os._exit(0)


def _picklable(error: Exception) -> Exception:
    """Return an error as it can be sent, an internal fault with the traceback as a note."""
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
    except Exception as error:  # a result that cannot be pickled is an internal fault
        data = pickle.dumps(Reply(None, _picklable(error)))
    replies.write(data)
    replies.flush()


def _take_over(streams: tuple[int, ...]) -> tuple[BinaryIO, BinaryIO, int]:
    """Return the pipes to and from the parent and the state file, which were the standard streams, and replace these."""
    own = [os.dup(number) for number in (0, 1, 2)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(streams[number] if number < len(streams) else nowhere, number)
    return os.fdopen(own[0], "rb"), os.fdopen(own[1], "wb"), own[2]
