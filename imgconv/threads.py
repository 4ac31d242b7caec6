"""The threads that work on an image, how many they are, and BLAS held to one thread in each of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from imgconv.errors import UsageError

#: The most that work on one image.
MOST_THREADS = 256


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
    """Return how many threads were asked for, `jobs`, else the environment's IMGCONV_JOBS; None where neither is given.

    At most `MOST_THREADS`.

    Raises:
        UsageError: IMGCONV_JOBS is no whole number from 1 up.
    """
    given = os.environ.get("IMGCONV_JOBS", "").strip()
    if jobs is None and given:
        digits = given.lstrip("0") if given.isascii() and given.isdecimal() else ""
        if not digits:
            raise UsageError(f"IMGCONV_JOBS must be a whole number from 1 up, found {given[:99]!r}")
        jobs = int(digits[:9])
    return None if jobs is None else min(jobs, MOST_THREADS)


class Pool:
    """Threads beside those of the callers, replaced by more of them when more are asked for."""

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


#: That of this process.
pool = Pool()
if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=pool.clear)


class _BlasLimit:
    """Whether a call holds BLAS to one thread, and what sets the number."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Limit nothing, and look for the libraries anew."""
        self.lock = threading.Lock()
        self.holds = False
        self.controller: Any = None


_blas = _BlasLimit()
if hasattr(os, "register_at_fork"):  # a child has none of the threads that would release the lock
    os.register_at_fork(after_in_child=_blas.clear)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread, unless another call does so already.

    Only the thread that set the limit may lift it (threadpoolctl lets no other), and does so when it is done: should another
    call be at work still, that one is slower for having more threads, not wrong.
    """
    with _blas.lock:
        if _blas.controller is None:
            _blas.controller = _find_libraries()
        limit = None if _blas.holds else _blas.controller.limit(limits=1, user_api="blas")
        _blas.holds = True
    try:
        yield
    finally:
        if limit is not None:
            with _blas.lock:
                limit.restore_original_limits()
                _blas.holds = False


def _find_libraries() -> Any:
    """Return what sets the number of threads of the BLAS libraries that are loaded.

    The import of threadpoolctl sets an environment variable for programs that load two OpenMP libraries; it is taken back.
    """
    variable = "KMP_DUPLICATE_LIB_OK"
    was_set = variable in os.environ
    from threadpoolctl import ThreadpoolController

    if not was_set:
        os.environ.pop(variable, None)
    return ThreadpoolController()
