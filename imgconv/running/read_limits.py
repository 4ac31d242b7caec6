"""Limits on time and memory for reading one file, enforced in a worker process.

The time limit is a system timer that ends the process regardless of its threads; the parent recognizes the signal. The memory
limit restricts the address space, so that an allocation beyond it fails.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from imgconv.errors import ReadError
from imgconv.memory import total_memory

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_GB = 10**9
# A lower limit would reject ordinary files: 150 megapixels in 16 bits take 0.9 GB, both in the file and decoded.
_LEAST_MEMORY = 4 * _GB
# OpenCV's error code for a failed allocation, `cv::Error::StsNoMem`.
_NO_MEMORY = -4

#: Exit status of a process that exceeded the time limit: a signal, or an exit code on systems without it.
TIMED_OUT = -int(signal.SIGALRM) if hasattr(signal, "SIGALRM") else 1


@dataclass(frozen=True)
class Limits:
    """Limits for reading one file; 0 for no limit.

    Attributes:
        timeout: time in seconds.
        memory: bytes in addition to those in use before reading, including memory kept from earlier files. Linux only.
    """

    timeout: float = 60.0
    memory: int = 0

    @classmethod
    def for_jobs(cls, jobs: int, *, timeout: float = 60.0) -> Limits:
        """Return limits for `jobs` files read at the same time: each gets its share of half of the memory, at least 4 GB."""
        half = total_memory() // 2
        return cls(timeout, max(half // max(jobs, 1), min(half, _LEAST_MEMORY)))


class Guard:
    """Enforcement of limits in this process while it reads a file: `with guard.reading(name): ...`.

    Args:
        limits: the limits.
        state: descriptor of an open file. Its first byte is the state (`READING` or `WORKING`), for the parent after a crash.
    """

    READING, WORKING = b"r", b"w"

    def __init__(self, limits: Limits, state: int) -> None:
        self._limits, self._state = limits, state
        self._address_space = _open_address_space() if limits.memory else None

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Enforce the limits until the block ends.

        Raises:
            ReadError: the memory limit was exceeded; the message begins with `name`.
        """
        self._set_state(self.READING)
        self._set_timer(self._limits.timeout)
        before = self._limit_memory()
        try:
            yield
        except Exception as error:
            if before is None or not _lacks_memory(error):
                raise
            allowed = self._limits.memory
            words = f"{allowed / _GB:.1f} GB" if allowed >= _GB else f"{allowed / 1e6:.0f} MB"
            raise ReadError(f"{name}: reading needed more than {words}; `memory` allows more") from error
        finally:
            if before is not None:
                resource.setrlimit(resource.RLIMIT_AS, before)
            self._set_timer(0)
            self._set_state(self.WORKING)

    def _set_state(self, state: bytes) -> None:
        os.lseek(self._state, 0, os.SEEK_SET)
        os.write(self._state, state)

    def _set_timer(self, seconds: float) -> None:
        """Start the timer; 0 stops it."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, seconds)
        elif seconds:
            faulthandler.dump_traceback_later(seconds, exit=True)
        else:
            faulthandler.cancel_dump_traceback_later()

    def _limit_memory(self) -> tuple[int, int] | None:
        """Limit the address space to its present size plus the allowed memory; return the previous limits."""
        if self._address_space is None:
            return None
        self._address_space.seek(0)
        allowed = int(self._address_space.read(64).split()[0]) * resource.getpagesize() + self._limits.memory
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        if any(limit != resource.RLIM_INFINITY and limit <= allowed for limit in (soft, hard)):
            return None  # a stricter limit is already set
        resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
        return soft, hard


def _open_address_space() -> BinaryIO | None:
    """Return the file with the address space size of this process in pages, or None if limits are unsupported."""
    try:
        return open("/proc/self/statm", "rb", buffering=0) if resource else None
    except OSError:
        return None


def _lacks_memory(error: BaseException | None) -> bool:
    """Return whether an error or one of its causes is a failed allocation."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        code: Any = getattr(error, "code", None)
        if isinstance(error, MemoryError) or (type(error).__module__.startswith("cv2") and code == _NO_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False


def prepare_process() -> None:
    """Prepare a process for files that may crash it: disable core files, and raise its score for the out-of-memory killer."""
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    if resource:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("500")
