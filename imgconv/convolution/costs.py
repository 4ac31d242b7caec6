"""What the methods cost: seconds for each unit of their `Work`, fitted by measurement.

The constants stand in `costs.json`, with the machine, the date and the command that they come from. `imgconv bench --calibrate`
fits them to another machine and writes a file of the same form, which then counts: the one that IMGCONV_COSTS names, or
`costs.json` in the user's configuration folder.
"""

from __future__ import annotations

import functools
import os
from importlib import resources
from pathlib import Path

import msgspec

from imgconv.convolution.method import Method
from imgconv.convolution.plan import Job, Work
from imgconv.convolution.strips import thread_count
from imgconv.errors import UsageError


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds: for a call of `correlate`, and for each unit of the `Work` on one thread."""

    start: float = 0.0
    multiply_adds: float = 0.0
    transforms: float = 0.0
    bytes: float = 0.0
    calls: float = 0.0


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of constants: rates by method and by the type of its sums, and what they were fitted to."""

    fitted: dict[str, str]
    rates: dict[str, dict[str, Rates]]


def predict(method: Method, job: Job, work: Work) -> float:
    """Return the seconds that a method should take for a job."""
    rates = rates_of(method.name, method.dtype(job.parts[0]).name)
    single = (
        work.multiply_adds * rates.multiply_adds
        + work.transforms * rates.transforms
        + work.bytes * rates.bytes
        + work.calls * rates.calls
    )
    return rates.start + single / parallel(method, job)


def parallel(method: Method, job: Job) -> int:
    """Return how many threads a method would keep busy."""
    if not method.threads:
        return 1
    return min(thread_count(job.options.jobs), -(-job.rows.outputs // method.rows(job.parts[0])))


def rates_of(method: str, dtype: str) -> Rates:
    """Return the rates of a method; those of another type of sums where the file has none for this one."""
    for costs in (_of_the_user(), _of_the_package()):
        found = costs.rates.get(method, {}) if costs else {}
        if found:
            return found.get(dtype) or next(iter(found.values()))
    return Rates(calls=1e-6, bytes=1e-9, multiply_adds=1e-9, transforms=1e-9)  # a method that was never measured


def user_file() -> Path:
    """Return the path of the user's own constants, whether or not the file is there."""
    given = os.environ.get("IMGCONV_COSTS")
    if given:
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_config_dir("imgconv", appauthor=False)) / "costs.json"


def write_costs(costs: Costs, path: Path) -> None:
    """Write a file of constants, and use it from now on.

    Raises:
        OSError: the file or its folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(costs), indent=2) + b"\n")
    _read.cache_clear()


def _of_the_user() -> Costs | None:
    path = user_file()
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@functools.lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Costs:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Costs)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a file of costs ({error}); write it anew with imgconv bench --calibrate") from None


@functools.cache
def _of_the_package() -> Costs:
    return msgspec.json.decode(resources.files("imgconv.convolution").joinpath("costs.json").read_bytes(), type=Costs)
