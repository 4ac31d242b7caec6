"""What the methods cost: seconds for each unit of their `Work`, fitted by measurement.

The constants stand in `costs.json`, with the machine, the date and the command that they come from. `imgconv bench --calibrate`
fits them to another machine and writes a file of the same form, which then counts: the one that IMGCONV_COSTS names, or
`costs.json` in the user's configuration folder.
"""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec

from imgconv.convolution.methods import Method
from imgconv.convolution.plan import Job, Work
from imgconv.errors import UsageError

_LARGEST = 1 << 20  # bytes of a file of costs


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds: for a call of `correlate`, and for each unit of the `Work` on one thread."""

    start: float = 0.0
    multiply_adds: float = 0.0
    transforms: float = 0.0
    bytes: float = 0.0
    calls: float = 0.0


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of constants.

    Attributes:
        fitted: the command, the date and the machine that they come from.
        threads: how many worked when they were measured.
        rates: by method, and by the type of its sums.
    """

    fitted: dict[str, str]
    threads: int
    rates: dict[str, dict[str, Rates]]


def predict(method: Method, job: Job, work: Work, costs: Sequence[Costs]) -> float:
    """Return the seconds that a method should take for a job, on as many threads as the rates were measured with.

    The number of threads that will work does not count, so that one thread takes the method that many take.
    """
    threads, rates = _find(method.name, method.dtype(job.parts[0]).name, costs)
    units = units_of(method, job, work, threads)
    return float(sum(unit * rate for unit, rate in zip(units, msgspec.structs.astuple(rates), strict=True)))


def units_of(method: Method, job: Job, work: Work, threads: int) -> tuple[float, ...]:
    """Return what the rates are multiplied with: 1 for the start, and the work of one of the threads."""
    share = min(threads, method.strips(job.parts[0])) if method.threads else 1
    return 1.0, *(getattr(work, name) / share for name in Rates.__struct_fields__[1:])


def rates_of(method: str, dtype: str) -> Rates:
    """Return the rates of a method for a type of sums, or for another where it was not measured with that one."""
    return _find(method, dtype, costs_of(find_user_file()))[1]


def _find(method: str, dtype: str, costs: Sequence[Costs]) -> tuple[int, Rates]:
    """Return the threads with which a method was measured, and its rates."""
    for table in costs:
        if found := table.rates.get(method):
            return table.threads, found.get(dtype) or next(iter(found.values()))
    return costs[-1].threads, Rates(calls=1e-6, bytes=1e-9, multiply_adds=1e-9, transforms=1e-9)  # never measured


def user_file() -> Path:
    """Return the path of the user's own constants, whether or not the file is there."""
    given = os.environ.get("IMGCONV_COSTS")
    if given:
        return Path(given)
    import platformdirs

    return platformdirs.user_config_path("imgconv", appauthor=False) / "costs.json"


def as_bytes(costs: Costs) -> bytes:
    """Return constants as the content of a file."""
    return msgspec.json.format(msgspec.json.encode(costs), indent=2) + b"\n"


class UserFile(NamedTuple):
    """The user's file of constants, with what changes whenever it is written."""

    path: Path
    inode: int
    modified: int


def find_user_file() -> UserFile | None:
    """Return the user's file of constants as it is now; None where there is none.

    Raises:
        UsageError: it cannot be a file of constants.
    """
    path = user_file()
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
        raise UsageError(f"{path}: not a file of costs; let IMGCONV_COSTS name another")
    return UserFile(path, found.st_ino, found.st_mtime_ns)


@functools.lru_cache(maxsize=4)
def costs_of(user_file: UserFile | None) -> tuple[Costs, ...]:
    """Return the constants that count: those of the user's file, where there is one, before those of the package.

    Raises:
        UsageError: the file cannot be read, or holds no constants.
    """
    built_in = resources.files("imgconv.convolution").joinpath("costs.json").read_bytes()
    package = msgspec.json.decode(built_in, type=Costs)
    if user_file is None:
        return (package,)
    path = user_file.path
    try:
        return msgspec.json.decode(path.read_bytes(), type=Costs), package
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a file of costs ({error}); delete it, and fit it anew by calibration") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; let IMGCONV_COSTS name another file") from None
