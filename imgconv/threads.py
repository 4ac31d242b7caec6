"""How many threads work on an image, and BLAS held to one thread in each of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
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
    if jobs is not None:
        return min(jobs, MOST_THREADS)
    given = os.environ.get("IMGCONV_JOBS", "").strip()
    if not given:
        return None
    if not (given.isascii() and given.isdecimal()) or not 1 <= int(given[:9]) <= MOST_THREADS:
        raise UsageError(f"IMGCONV_JOBS must be a whole number from 1 up to {MOST_THREADS}, found {given!r}")
    return int(given)


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
