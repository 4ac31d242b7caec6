"""Cost of the methods: seconds per unit of their `Work`, fitted by measurement.

The constants are stored in `costs.json` with the machine, the date and the command of the measurement. `imgconv bench
--calibrate` fits them to another machine and writes a file of the same form, which takes precedence: the file named by
IMGCONV_COSTS, or `costs.json` in the user's configuration folder.
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

_LARGEST = 1 << 20  # maximum size of a cost file, in bytes


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds per call of `correlate` (`start`), and per unit of `Work` on one thread."""

    start: float = 0.0
    multiply_adds: float = 0.0
    transforms: float = 0.0
    bytes: float = 0.0
    calls: float = 0.0


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a cost file.

    Attributes:
        fitted: command, date and machine of the measurement.
        threads: number of threads used in the measurement.
        rates: by method, then by the type of its sums.
    """

    fitted: dict[str, str]
    threads: int
    rates: dict[str, dict[str, Rates]]


def predict(method: Method, job: Job, work: Work, costs: Sequence[Costs]) -> float:
    """Return the predicted time of a method for a job, in seconds, on as many threads as the rates were measured with.

    The prediction ignores the number of threads of the job, so that the choice of a method does not depend on it.
    """
    threads, rates = _find(method.name, method.dtype(job.parts[0]).name, costs)
    units = units_of(method, job, work, threads)
    return float(sum(unit * rate for unit, rate in zip(units, msgspec.structs.astuple(rates), strict=True)))


def units_of(method: Method, job: Job, work: Work, threads: int) -> tuple[float, ...]:
    """Return the factors of the rates: 1 for the start, then the work of one thread."""
    share = min(threads, method.strips(job.parts[0])) if method.threads else 1
    return 1.0, *(getattr(work, name) / share for name in Rates.__struct_fields__[1:])


def rates_of(method: str, dtype: str) -> Rates:
    """Return the rates of a method for a type of sums, or for another type if that one was not measured."""
    return _find(method, dtype, costs_of(find_user_file()))[1]


def _find(method: str, dtype: str, costs: Sequence[Costs]) -> tuple[int, Rates]:
    """Return the number of threads with which a method was measured, and its rates."""
    for table in costs:
        if found := table.rates.get(method):
            return table.threads, found.get(dtype) or next(iter(found.values()))
    return costs[-1].threads, Rates(calls=1e-6, bytes=1e-9, multiply_adds=1e-9, transforms=1e-9)  # not measured


def user_file() -> Path:
    """Return the path of the user's cost file, whether or not it exists."""
    given = os.environ.get("IMGCONV_COSTS")
    if given:
        return Path(given)
    import platformdirs

    return platformdirs.user_config_path("imgconv", appauthor=False) / "costs.json"


def as_bytes(costs: Costs) -> bytes:
    """Return costs as the content of a cost file, in JSON."""
    return msgspec.json.format(msgspec.json.encode(costs), indent=2) + b"\n"


class UserFile(NamedTuple):
    """The user's cost file; inode and modification time identify its version."""

    path: Path
    inode: int
    modified: int


def find_user_file() -> UserFile | None:
    """Return the current version of the user's cost file, or None if it does not exist.

    Raises:
        UsageError: the path is not a regular file, or the file is too large.
    """
    path = user_file()
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
        raise UsageError(f"{path} is not a cost file; set IMGCONV_COSTS to another file")
    return UserFile(path, found.st_ino, found.st_mtime_ns)


@functools.lru_cache(maxsize=4)
def costs_of(user_file: UserFile | None) -> tuple[Costs, ...]:
    """Return the costs in order of precedence: those of the user's file, if it exists, then those of the package.

    Raises:
        UsageError: the file cannot be read or is invalid.
    """
    built_in = resources.files("imgconv.convolution").joinpath("costs.json").read_bytes()
    package = msgspec.json.decode(built_in, type=Costs)
    if user_file is None:
        return (package,)
    path = user_file.path
    try:
        return msgspec.json.decode(path.read_bytes(), type=Costs), package
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a cost file ({error}); delete it, then calibrate again") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; set IMGCONV_COSTS to another file") from None
