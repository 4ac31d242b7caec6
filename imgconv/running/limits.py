"""What the reading of one file may cost, and how a process that reads files it cannot trust holds itself to that.

The time limit is a timer of the system that ends the process, whatever its threads are at; the process that waits for this
one tells from the signal what happened. The memory limit is one on the address space, so that an allocation beyond it fails.
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

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_GB = 10**9
# A limit below this would refuse what people do open: 150 megapixels in 16 bits are 0.9 GB, in the file and decoded.
_LEAST_MEMORY = 4 * _GB
# OpenCV's error code for memory that it did not get, `cv::Error::StsNoMem`.
_NO_MEMORY = -4

#: How a process ends that has run out of time: by this signal, or without it with this exit code.
TIMED_OUT = -int(signal.SIGALRM) if hasattr(signal, "SIGALRM") else 1


@dataclass(frozen=True)
class Limits:
    """What the reading of one file may cost.

    Attributes:
        seconds: of time; 0 for no limit.
        memory: bytes beyond what the process has before, what it has kept from other files included; 0 for no limit. Only
            Linux holds a process to it.
    """

    seconds: float = 60.0
    memory: int = 0

    @classmethod
    def for_jobs(cls, jobs: int, *, seconds: float = 60.0) -> Limits:
        """Return limits for so many files at a time: together half of the memory, but at least 4 GB each where there are."""
        half = _physical_memory() // 2
        return cls(seconds, max(half // max(jobs, 1), min(half, _LEAST_MEMORY)))


def _physical_memory() -> int:
    """Return the bytes of memory of the machine, or of the container that this runs in; 0 where nobody says."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    with contextlib.suppress(OSError, ValueError), open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
        return min(found, int(file.read()))
    return found


class Guard:
    """Holds this process to limits while it reads a file: `with guard.reading(name): ...`.

    Args:
        limits: what reading may cost.
        state: an open file whose first byte says what this process is at, for whoever finds it dead: `READING` or `AT_WORK`.
    """

    READING, AT_WORK = b"r", b"w"

    def __init__(self, limits: Limits, state: int) -> None:
        self._limits, self._state = limits, state
        self._address_space = _open_address_space() if limits.memory else None

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Hold the process to the limits until the block ends.

        Raises:
            ReadError: more memory than allowed was wanted; the message begins with `name`.
        """
        self._tell(self.READING)
        self._start_timer()
        before = self._limit_memory()
        try:
            yield
        except Exception as error:
            if before is None or not _lacks_memory(error):
                raise
            allowed = self._limits.memory
            words = f"{allowed / _GB:.1f} GB" if allowed >= _GB else f"{allowed / 1e6:.0f} MB"
            raise ReadError(f"{name}: reading needed more than {words}; --memory allows more") from error
        finally:
            if before is not None:
                resource.setrlimit(resource.RLIMIT_AS, before)
            self._stop_timer()
            self._tell(self.AT_WORK)

    def _tell(self, state: bytes) -> None:
        os.lseek(self._state, 0, os.SEEK_SET)
        os.write(self._state, state)

    def _start_timer(self) -> None:
        if self._limits.seconds and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, self._limits.seconds)
        elif self._limits.seconds:
            faulthandler.dump_traceback_later(self._limits.seconds, exit=True)

    def _stop_timer(self) -> None:
        if self._limits.seconds and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        elif self._limits.seconds:
            faulthandler.cancel_dump_traceback_later()

    def _limit_memory(self) -> tuple[int, int] | None:
        """Limit the address space to what it is now and what may be added; return the limits that held before."""
        if self._address_space is None:
            return None
        self._address_space.seek(0)
        allowed = int(self._address_space.read(64).split()[0]) * resource.getpagesize() + self._limits.memory
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        if any(limit != resource.RLIM_INFINITY and limit <= allowed for limit in (soft, hard)):
            return None  # a stricter limit holds already
        resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
        return soft, hard


def _open_address_space() -> BinaryIO | None:
    """Open the file that tells how many pages of address space this process has, where there is one and limits work."""
    try:
        return open("/proc/self/statm", "rb", buffering=0) if resource else None
    except OSError:
        return None


def _lacks_memory(error: BaseException | None) -> bool:
    """Return whether an error, or one that it comes from, is one for want of memory."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        code: Any = getattr(error, "code", None)
        if isinstance(error, MemoryError) or (type(error).__module__.startswith("cv2") and code == _NO_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False


def settle() -> None:
    """Prepare a process for files that may crash it: no core files, and the first to go where memory runs out."""
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    if resource:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("500")
