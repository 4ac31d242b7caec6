"""How an output is cut into strips of rows, and how they are shared out to threads."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any, TypeAlias

import numpy as np

from imgconv.convolution.workspace import Workspace
from imgconv.errors import UsageError

#: Works on the rows start … stop - 1 of the output and returns how many values it clipped.
Work: TypeAlias = Callable[[int, int, Workspace], int]

# What a thread may keep of its buffers from one image to the next.
_KEPT_BYTES = 1 << 25
_local = threading.local()


def run_strips(work: Work, outputs: int, rows: int, *, jobs: int | None, blas: bool) -> int:
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
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for strip in following:
                if strip >= count or failed.is_set():
                    break
                total += work(strip * rows, min((strip + 1) * rows, outputs), workspace)
        if workspace.size > _KEPT_BYTES:
            workspace.clear()
        return total

    with _one_blas_thread() if blas else nullcontext():
        if threads <= 1:
            return work_on_some()
        others = [_pool(threads - 1).submit(work_on_some) for _ in range(threads - 1)]
        try:
            own = work_on_some()
        except BaseException:
            failed.set()  # the others finish the strip that they are at
            raise
        return own + sum(other.result() for other in others)


def thread_count(jobs: int | None = None) -> int:
    """Return how many threads work: `jobs`, else the environment's IMGCONV_JOBS, else one for each processor.

    Raises:
        UsageError: IMGCONV_JOBS is no whole number from 1 up.
    """
    if jobs is not None:
        return jobs
    given = os.environ.get("IMGCONV_JOBS", "")
    if given:
        if not given.isdecimal() or int(given) < 1:
            raise UsageError(f"IMGCONV_JOBS must be a whole number from 1 up, found {given!r}")
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _own_workspace() -> Workspace:
    """Return the workspace of the thread that asks."""
    if not hasattr(_local, "workspace"):
        _local.workspace = Workspace()
    workspace: Workspace = _local.workspace
    return workspace


class _Shared:
    """What the threads of this process share: a pool that grows, and how many calls hold BLAS to one thread."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Share nothing yet."""
        self.lock = threading.Lock()
        self.pool: ThreadPoolExecutor | None = None
        self.size = 0
        self.holders = 0
        self.limit: Any = None
        self.controller: Any = None


_shared = _Shared()
if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_shared.clear)


def _pool(size: int) -> ThreadPoolExecutor:
    with _shared.lock:
        if _shared.pool is None or _shared.size < size:
            if _shared.pool is not None:
                _shared.pool.shutdown(wait=False)
            _shared.pool, _shared.size = ThreadPoolExecutor(size, thread_name_prefix="imgconv-strips"), size
        return _shared.pool


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread until the last of those who asked for it is done."""
    with _shared.lock:
        if _shared.holders == 0:
            if _shared.controller is None:
                from threadpoolctl import ThreadpoolController

                _shared.controller = ThreadpoolController()
            _shared.limit = _shared.controller.limit(limits=1, user_api="blas")
        _shared.holders += 1
    try:
        yield
    finally:
        with _shared.lock:
            _shared.holders -= 1
            if _shared.holders == 0:
                _shared.limit.restore_original_limits()
                _shared.limit = None
