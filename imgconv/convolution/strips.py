"""How an output is cut into strips of rows, and how they are shared out to threads."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from typing import Any, TypeAlias

import numpy as np

from imgconv.convolution.workspace import Workspace
from imgconv.errors import UsageError

#: Works on the rows start … stop - 1 of the output and returns how many values it clipped.
StripWork: TypeAlias = Callable[[int, int, Workspace], int]

#: More would be a typing error.
MOST_THREADS = 256
# What a thread may keep of its buffers from one image to the next.
_KEPT_BYTES = 1 << 25
_local = threading.local()


def run_strips(work: StripWork, outputs: int, rows: int, *, jobs: int | None, blas: bool) -> int:
    """Work on an output of `outputs` rows, `rows` at a time, and return the sum of what `work` returned.

    Args:
        work: called once for each strip, from several threads.
        outputs: rows of the output.
        rows: of a strip. The strips do not depend on the threads, so that one thread gives the same bits as many.
        jobs: threads; see `thread_count`.
        blas: whether the work calls BLAS, whose own threads would stand in the way of these.
    """
    count = -(-outputs // rows)
    threads = min(thread_count(jobs), count)
    following = itertools.count()  # shared: the interpreter hands out each number once
    failed = threading.Event()

    def work_on_some() -> int:
        total, workspace = 0, _own_workspace()
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                for strip in following:
                    if strip >= count or failed.is_set():
                        break
                    total += work(strip * rows, min((strip + 1) * rows, outputs), workspace)
        except BaseException:
            failed.set()  # the others finish the strip that they are at
            raise
        if workspace.size > _KEPT_BYTES:
            workspace.clear()
        return total

    with _one_blas_thread() if blas else nullcontext():
        if threads <= 1:
            return work_on_some()
        others = _submit(work_on_some, threads - 1)
        try:
            own = work_on_some()
        finally:
            wait(others)  # whatever happened: none is to work on, in a result that nobody wants, when this has returned
        return own + sum(other.result() for other in others)


def thread_count(jobs: int | None = None) -> int:
    """Return how many threads work: `jobs`, else the environment's IMGCONV_JOBS, else one for each processor.

    Raises:
        UsageError: IMGCONV_JOBS is no whole number from 1 up.
    """
    given = asked_threads(jobs)
    if given is not None:
        return given
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def asked_threads(jobs: int | None = None) -> int | None:
    """Return how many threads were asked for: `jobs`, else the environment's IMGCONV_JOBS; None where neither says.

    Raises:
        UsageError: IMGCONV_JOBS is no whole number from 1 up.
    """
    if jobs is not None:
        return jobs
    given = os.environ.get("IMGCONV_JOBS", "").strip()
    if not given:
        return None
    if not (given.isascii() and given.isdecimal()) or not 1 <= int(given[:9]) <= MOST_THREADS:
        raise UsageError(f"IMGCONV_JOBS must be a whole number from 1 up to {MOST_THREADS}, found {given!r}")
    return int(given)


def _own_workspace() -> Workspace:
    """Return the workspace of the thread that asks."""
    if not hasattr(_local, "workspace"):
        _local.workspace = Workspace()
    workspace: Workspace = _local.workspace
    return workspace


class _Shared:
    """What the threads of this process share: a pool that grows, and whether a call holds BLAS to one thread."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Share nothing yet."""
        self.lock = threading.Lock()
        self.pool: ThreadPoolExecutor | None = None
        self.size = 0
        self.limited = False
        self.controller: Any = None


_shared = _Shared()
if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_shared.clear)


def _submit(work: Callable[[], int], threads: int) -> list[Future[int]]:
    """Hand work to so many threads of the pool, which is replaced by a larger one where it has fewer."""
    with _shared.lock:  # to the last of them: a pool that another caller has replaced takes nothing any more
        if _shared.pool is None or _shared.size < threads:
            if _shared.pool is not None:
                _shared.pool.shutdown(wait=False)
            _shared.pool, _shared.size = ThreadPoolExecutor(threads, thread_name_prefix="imgconv-strips"), threads
        return [_shared.pool.submit(work) for _ in range(threads)]


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread, where no other caller does so.

    Only the thread that set the limit may lift it (threadpoolctl lets no other), and does so when it is done: should another
    call be at work still, that one is slower for having more threads, not wrong.
    """
    with _shared.lock:
        if _shared.controller is None:
            from threadpoolctl import ThreadpoolController

            _shared.controller = ThreadpoolController()
        limit = None if _shared.limited else _shared.controller.limit(limits=1, user_api="blas")
        _shared.limited = True
    try:
        yield
    finally:
        if limit is not None:
            with _shared.lock:
                limit.restore_original_limits()
                _shared.limited = False
