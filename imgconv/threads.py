"""The number of threads per image, the thread pool, and the limit of one BLAS thread in each of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from imgconv.errors import UsageError

#: Maximum number of threads per image.
MOST_THREADS = 256


def thread_count(jobs: int | None = None) -> int:
    """Return the number of threads: `jobs`, else the environment variable IMGCONV_JOBS, else one per processor.

    Raises:
        UsageError: IMGCONV_JOBS is not a whole number from 1 up.
    """
    requested = asked_threads(jobs)
    if requested is not None:
        return requested
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def asked_threads(jobs: int | None = None) -> int | None:
    """Return the requested number of threads, at most `MOST_THREADS`; None if neither `jobs` nor IMGCONV_JOBS is set.

    `jobs` overrides the environment variable IMGCONV_JOBS.

    Raises:
        UsageError: IMGCONV_JOBS is not a whole number from 1 up.
    """
    given = os.environ.get("IMGCONV_JOBS", "").strip()
    if jobs is None and given:
        digits = given.lstrip("0") if given.isascii() and given.isdecimal() else ""
        if not digits:
            raise UsageError(f"IMGCONV_JOBS must be a whole number from 1 up, found {given[:99]!r}")
        jobs = int(digits[:9])
    return None if jobs is None else min(jobs, MOST_THREADS)


class Pool:
    """A pool of threads in addition to those of the callers; it is replaced by a larger one on demand."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Drop all threads."""
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._size = 0

    def submit(self, work: Callable[[], int], threads: int) -> list[Future[int]]:
        """Run `work` on a number of threads and return their futures."""
        with self._lock:  # held until the last submit: an executor replaced by another caller would reject work
            if self._executor is None or self._size < threads:
                if self._executor is not None:
                    self._executor.shutdown(wait=False)
                self._executor, self._size = ThreadPoolExecutor(threads, thread_name_prefix="imgconv-strips"), threads
            return [self._executor.submit(work) for _ in range(threads)]


#: The thread pool of this process.
pool = Pool()
if hasattr(os, "register_at_fork"):  # threads do not survive in a child process
    os.register_at_fork(after_in_child=pool.clear)


class _BlasLimit:
    """The state of the BLAS thread limit: whether a call holds it, and the controller that sets it."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Reset the limit and the controller."""
        self.lock = threading.Lock()
        self.holds = False
        self.controller: Any = None


_blas = _BlasLimit()
if hasattr(os, "register_at_fork"):  # the thread that would release the lock does not exist in a child process
    os.register_at_fork(after_in_child=_blas.clear)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread, unless another call already does.

    threadpoolctl requires that the thread that set the limit also restores it. If another call is still running then, BLAS
    uses more threads, which makes it slower but not wrong.
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
    """Return a controller of the number of threads of the loaded BLAS libraries.

    Importing threadpoolctl sets an environment variable for programs that load two OpenMP libraries; it is removed again.
    """
    variable = "KMP_DUPLICATE_LIB_OK"
    was_set = variable in os.environ
    from threadpoolctl import ThreadpoolController

    if not was_set:
        os.environ.pop(variable, None)
    return ThreadpoolController()
