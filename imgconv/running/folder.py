"""A folder of images, several at a time; one that fails costs itself alone. `finding` says which files those are."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgconv.convolution.strips import thread_count
from imgconv.errors import ImgconvError, WriteError
from imgconv.images import atomic
from imgconv.images.names import reason, shown
from imgconv.opencv import opencv_threads
from imgconv.running.isolation import Workers
from imgconv.running.process import StartError
from imgconv.running.single import Report, run_file
from imgconv.running.task import Task


@dataclass(frozen=True)
class Outcome:
    """What became of one file of a batch.

    Attributes:
        source: the file.
        target: where its result belongs.
        status: `done`, `skipped` (the target exists and was not to be replaced) or `failed`.
        message: why it failed or was skipped.
        report: what was done, where it was.
    """

    source: Path
    target: Path
    status: str
    message: str = ""
    report: Report | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data, for JSON."""
        return {
            "input": str(self.source),
            "output": str(self.target),
            "status": self.status,
            "message": self.message,
            "report": None if self.report is None else self.report.as_dict(),
        }


def run_batch(
    work: list[tuple[Path, Path]],
    task: Task,
    *,
    jobs: int | None = None,
    overwrite: bool = True,
    told: Callable[[Outcome], None] = lambda outcome: None,
    within: Path | None = None,
    workers: Workers | None = None,
    **keywords: Any,
) -> list[Outcome]:
    """Filter every file, several at a time, and return what became of each, in the order of the work.

    No result takes the place of another result or of a source: the file that it comes from fails.

    Args:
        work: sources and targets; folders of targets are made.
        task: what to do with each.
        jobs: files at a time; unless given, what IMGCONV_JOBS says, else one for each processor. Each has one thread then.
            Where it is one file at a time, that has the threads that its filter would have alone.
        overwrite: whether targets that exist are replaced; else they are skipped.
        told: called in this thread with each outcome as soon as there is one.
        within: the output folder, where nothing is to be written outside of it: a file whose target leads out of it, by a
            link that is there, fails. Links are followed where it is None.
        workers: the processes that the files are worked on in; unless given, it is this one. An interrupt ends them.
        **keywords: of `run_file`.

    Raises:
        StartError: no process can be started.
    """
    jobs = min(thread_count(jobs), max(len(work), 1))
    each = 1 if jobs > 1 else None  # a thread for every file is as fast as it gets, and takes the least memory
    inside = "" if within is None else os.path.realpath(within)
    keywords = {**keywords, "overwrite": overwrite, "within": inside}
    task = task if each is None else task.on_threads(each)
    if workers is None:
        run: Callable[..., Report] = functools.partial(run_file, task=task, **keywords)
    else:
        workers.set_up(task, threads=each, **keywords)
        run = workers.run
    outcomes: dict[Path, Outcome] = {}
    with (
        opencv_threads(each) if workers is None else nullcontext(),
        ThreadPoolExecutor(jobs, thread_name_prefix="imgconv") as pool,
    ):
        one = functools.partial(_run_one, run=run, claims=_claims(work), overwrite=overwrite, folders=_Folders(inside))
        futures = [pool.submit(one, source, target) for source, target in work]
        try:
            for future in as_completed(futures):
                outcome = future.result()
                outcomes[outcome.source] = outcome
                told(outcome)
        except BaseException:  # an interrupt: what has not begun never does; what is at work ends whole in this process
            pool.shutdown(wait=False, cancel_futures=True)
            if workers is not None:
                workers.close()
            raise
    return [outcomes[source] for source, _ in work]


def _claims(work: list[tuple[Path, Path]]) -> dict[Path, Path]:
    """Return for each target the source whose result it may hold: a file that is there is claimed by itself."""
    real_folder = functools.cache(os.path.realpath)

    def real(path: Path) -> str:
        folder, name = os.path.split(path)
        return os.path.realpath(path) if os.path.islink(path) else os.path.join(real_folder(folder), name)

    claimed = {real(source): source for source, _ in work}
    return {target: claimed.setdefault(real(target), source) for source, target in work}


def _run_one(
    source: Path, target: Path, *, run: Callable[..., Report], claims: dict[Path, Path], overwrite: bool, folders: _Folders
) -> Outcome:
    claimed_by = claims[target]
    if claimed_by != source:
        taken = f"{shown(claimed_by)}; both are {shown(target)}"
        if os.path.realpath(target) == os.path.realpath(claimed_by):
            taken = f"the original {shown(target)}"
        return Outcome(source, target, "failed", f"{shown(source)}: its result would replace that of {taken}")
    if not overwrite and os.path.lexists(target):
        return Outcome(source, target, "skipped", f"{shown(target)} exists")
    try:
        folders.make_for(target)
        report = run(str(source), str(target))
    except StartError:
        raise
    except ImgconvError as error:
        return Outcome(source, target, "failed", str(error))
    except MemoryError:
        return Outcome(source, target, "failed", f"{shown(source)}: not enough memory for an image of this size")
    except Exception as error:  # a fault of our own in one file must not cost the others
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(source, target, "failed", f"{shown(source)}: internal fault: {fault}")
    return Outcome(source, target, "done", report=report)


class _Folders:
    """The folders of the results, each made once, none outside of `within`; that may be "", for anywhere."""

    def __init__(self, within: str) -> None:
        self._within = within
        self._made: set[Path] = set()

    def make_for(self, target: Path) -> None:
        """Make the folder of a target.

        Raises:
            WriteError: it cannot be made, or would be outside.
        """
        folder = target.parent
        if folder in self._made:
            return
        if self._within:  # before anything is made out there; the file itself is looked at when it is written
            atomic.require_within(str(target), self._within)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{shown(folder)}: the folder cannot be made: {reason(error)}") from error
        self._made.add(folder)
