"""How an output is cut into strips of rows, and how they are shared out to threads."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import nullcontext

import numpy as np

from imgconv.convolution.source import Workspace
from imgconv.threads import one_blas_thread, thread_count

# What a thread may keep of its buffers from one image to the next.
_KEPT_BYTES = 1 << 25
_local = threading.local()


def run_strips(work: Callable[[int, int, Workspace], int], outputs: int, rows: int, *, jobs: int | None, blas: bool) -> int:
    """Work on an output of `outputs` rows, `rows` at a time, and return the sum of what `work` returned.

    Args:
        work: called once for each strip, from several threads, with its first row, one past its last, and the buffers of the
            thread.
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

    with one_blas_thread() if blas else nullcontext():
        if threads <= 1:
            return work_on_some()
        others = _pool.submit(work_on_some, threads - 1)
        try:
            own = work_on_some()
        finally:
            wait(others)  # after an error, too: no thread may still write to the result when this has returned
        return own + sum(other.result() for other in others)


def _own_workspace() -> Workspace:
    """Return the workspace of the thread that asks."""
    if not hasattr(_local, "workspace"):
        _local.workspace = Workspace()
    workspace: Workspace = _local.workspace
    return workspace


class _Pool:
    """The threads of this process beside those of the callers, replaced by more of them when more are asked for."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Have no threads."""
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._size = 0

    def submit(self, work: Callable[[], int], threads: int) -> list[Future[int]]:
        """Start work on so many threads."""
        with self._lock:  # to the last of them: an executor that another caller has replaced accepts no work
            if self._executor is None or self._size < threads:
                if self._executor is not None:
                    self._executor.shutdown(wait=False)
                self._executor, self._size = ThreadPoolExecutor(threads, thread_name_prefix="imgconv-strips"), threads
            return [self._executor.submit(work) for _ in range(threads)]


_pool = _Pool()
if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.clear)
