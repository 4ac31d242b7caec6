"""The process that works on files which may crash it, one after the other. `isolation` starts it, and talks to it.

It gets pickles by standard input and answers by standard output: first `Ready`, to which comes a `Setup`; then a `Reply`
to the source and the target of each file. What libraries print goes nowhere. It ends with the one who started it.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import pickle
import select
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple, NoReturn

from imgconv.errors import ImgconvError
from imgconv.images import atomic
from imgconv.images.names import STANDARD_STREAM, shown
from imgconv.opencv import load_cv2, opencv_threads
from imgconv.running.limits import Guard, Limits, settle


class Setup(NamedTuple):
    """What is done with every file: `function(source, target, *arguments, guard=..., **keywords)`."""

    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    #: Threads of OpenCV; None for its own choice.
    threads: int | None


class Ready(NamedTuple):
    """What the process says when it is ready.

    Attributes:
        mark: what the names of its temporary files begin with.
        error: why it never will be; then it ends.
    """

    mark: str
    error: str = ""


class Reply(NamedTuple):
    """What became of a file: a result, or what was raised."""

    result: Any
    error: Exception | None = None


def main(function: str, limits: Limits, streams: tuple[int, ...]) -> NoReturn:
    """Work until there is nothing more to read.

    Args:
        function: what to call, as `module:name`.
        limits: of reading.
        streams: descriptors that become standard input and output, for the files called "-".
    """
    gc.disable()  # what is imported stays: nobody need look through it for what could be freed
    requests, replies, state = _take_over(streams)
    settle()
    # Whoever asks may end, in the middle of a sentence too: that is the end of this process.
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        try:
            module, name = function.split(":")
            run = getattr(importlib.import_module(module), name)
            load_cv2()
        except Exception as error:
            why = str(error) if isinstance(error, ImgconvError) else f"{type(error).__name__}: {error}"
            _send(replies, Ready("", why))
        else:
            _send(replies, Ready(atomic.mark()))
            _work(run, requests, replies, Guard(limits, state))
    os._exit(0)  # the system frees the memory faster than Python


def _work(run: Callable[..., Any], requests: BinaryIO, replies: BinaryIO, guard: Guard) -> None:
    setup: Setup = pickle.load(requests)
    gc.freeze()
    gc.enable()
    at_work = _AtWork(requests.fileno())
    with opencv_threads(setup.threads):
        while True:
            source, target = pickle.load(requests)
            at_work.target = target
            name = "standard input" if source == STANDARD_STREAM else shown(source)
            reading = functools.partial(guard.reading, name)
            try:
                reply = Reply(run(source, target, *setup.arguments, guard=reading, **setup.keywords))
            except Exception as error:
                reply = Reply(None, error if isinstance(error, ImgconvError) else _sendable(error))
            _send(replies, reply)


class _AtWork:
    """What this process is at; it ends when nobody waits for that any more, because whoever asked was killed."""

    def __init__(self, requests: int) -> None:
        self.target = ""
        if hasattr(select, "poll"):
            threading.Thread(target=self._end_with, args=(requests,), name="imgconv-end", daemon=True).start()

    def _end_with(self, requests: int) -> NoReturn:
        poll = select.poll()
        poll.register(requests, 0)  # no requests, only that there will be none
        poll.poll()
        atomic.remove_leftovers(os.path.dirname(os.path.realpath(self.target)), atomic.mark())
        os._exit(0)


def _sendable(error: Exception) -> Exception:
    """Return a fault of our own as it can be sent, with the traceback for who wants to mend it."""
    error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _send(replies: BinaryIO, reply: Ready | Reply) -> None:
    try:
        data = pickle.dumps(reply, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # a result that cannot be sent is a fault like any other
        data = pickle.dumps(Reply(None, _sendable(error)))
    replies.write(data)
    replies.flush()


def _take_over(streams: tuple[int, ...]) -> tuple[BinaryIO, BinaryIO, int]:
    """Return what standard input, output and errors were; they are what they are to be in the work on a file."""
    own = [os.dup(number) for number in (0, 1, 2)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(streams[number] if number < len(streams) else nowhere, number)
    return os.fdopen(own[0], "rb"), os.fdopen(own[1], "wb"), own[2]
