"""Filtering of many files in parallel; a file that fails does not stop the others. `finding` lists the files."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgconv.errors import ImgconvError
from imgconv.images import atomic
from imgconv.images.files import Input, open_image
from imgconv.images.formats.picture import Result
from imgconv.images.names import displayed
from imgconv.images.output import Output
from imgconv.opencv import opencv_threads
from imgconv.running.file import Report, run_file
from imgconv.running.isolation import Workers
from imgconv.running.picture_path import PicturePath
from imgconv.running.process import StartError
from imgconv.running.task import Task
from imgconv.threads import thread_count

if TYPE_CHECKING:
    from imgconv.running.journal import Update

# Templates; `run_batch` replaces the path for each file.
_EVERY_INPUT, _EVERY_OUTPUT = Input(""), Output("")

# Significant bits of 16-bit samples, assumed before decoding: only AVIF, which stores at most 12, depends on them.
_AVIF_BITS = 12


@dataclass(frozen=True)
class Outcome:
    """Outcome for one file of a batch.

    Attributes:
        source: the input file.
        target: the output file.
        status: `done`, `skipped` (the target is up to date, or exists and must not be replaced) or `failed`.
        message: why the file failed or was skipped; of a dry run also why a target would be replaced, if there is a journal.
        report: the report on the filtered file; None unless the status is `done`.
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
    source: Input = _EVERY_INPUT,
    target: Output = _EVERY_OUTPUT,
    *,
    jobs: int | None = None,
    workers: Workers | None = None,
    update: Update | None = None,
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Filter files in parallel and return their outcomes, in the order of `work`.

    A file fails if its output would replace another output or an input.

    Args:
        work: pairs of an input path and an output path; missing output folders are created.
        task: the filter and its options.
        source: options for reading; its path is replaced by that of each input.
        target: options for writing; its path is replaced likewise. Without `overwrite`, existing targets are skipped.
        jobs: number of files processed at a time, each on one thread (default: IMGCONV_JOBS, or the number of processors).
            With one file at a time, the file uses all threads.
        workers: worker processes; None to filter in this process. An interrupt ends them.
        update: journal and recipe: targets that are up to date are skipped, and results are recorded. None to filter all.
        progress: called in this thread with each outcome when its file is finished.

    Raises:
        StartError: no worker process can be started.
    """
    jobs = min(thread_count(jobs), max(len(work), 1))
    each = 1 if jobs > 1 else None  # one thread per file is fastest and uses the least memory
    if each is not None:
        task = task.on_threads(each)
    if target.within:
        target = replace(target, within=os.path.realpath(target.within))
    run: Callable[[Input, Output], Report] = functools.partial(run_file, task=task)
    if workers is not None:
        workers.set_up(task, threads=each)
        run = workers.run
    batch = _Batch(run, source, target, _claims(work), update)
    outcomes: dict[Path, Outcome] = {}
    with (
        opencv_threads(each) if workers is None else nullcontext(),
        ThreadPoolExecutor(jobs, thread_name_prefix="imgconv") as pool,
    ):
        futures = [pool.submit(batch.run, *paths) for paths in work]
        try:
            for future in as_completed(futures):
                outcome = future.result()
                outcomes[outcome.source] = outcome
                progress(outcome)
        except BaseException:  # an interrupt: pending files are cancelled; files in progress in this process are finished
            pool.shutdown(wait=False, cancel_futures=True)
            if workers is not None:
                workers.close()
            raise
    return [outcomes[path] for path, _ in work]


def _claims(work: list[tuple[Path, Path]]) -> dict[Path, Path]:
    """Return for each target the one source that may write it. A target that is also a source is reserved for that source."""
    real_folder = functools.cache(os.path.realpath)

    def real(path: Path) -> str:
        folder, name = os.path.split(path)
        return os.path.realpath(path) if os.path.islink(path) else os.path.join(real_folder(folder), name)

    claimed = {real(source): source for source, _ in work}
    return {target: claimed.setdefault(real(target), source) for source, target in work}


def _conflict(source: Path, target: Path, claims: dict[Path, Path]) -> str:
    """Return the message for a result that would replace another result or an original; "" if it does not."""
    claimed_by = claims[target]
    if claimed_by == source:
        return ""
    taken = f"{displayed(claimed_by)}; both are {displayed(target)}"
    if os.path.realpath(target) == os.path.realpath(claimed_by):
        taken = f"the original {displayed(target)}"
    return f"{displayed(source)}: its result would replace that of {taken}"


def _up_to_date(target: Path) -> str:
    """Return the message for a result that need not be made again."""
    return f"{displayed(target)} is up to date"


def dry_run(
    work: list[tuple[Path, Path]],
    task: Task,
    source: Input = _EVERY_INPUT,
    target: Output = _EVERY_OUTPUT,
    *,
    update: Update | None = None,
) -> list[Outcome]:
    """Return what `run_batch` would do with every file, from the headers of the files. Nothing is filtered or written.

    An alpha channel is assumed to be opaque where the format of the result has no alpha.

    Args:
        work: sources and targets.
        task: the filter and its options.
        source: the options for reading the sources.
        target: the options for writing the results.
        update: journal and recipe: targets that are up to date are skipped. The journal may be read-only. None to filter all.

    Returns:
        Outcomes with the status `new`, `replaced`, `skipped`, or `refused` with the error.
    """
    claims = _claims(work)
    outcomes = []
    for path, result in work:
        exists = os.path.lexists(result)
        status, why = "replaced" if exists else "new", None if update is None else update.reason(path, result)
        if exists and not target.overwrite:
            status, message = "skipped", f"{displayed(result)} exists"
        elif message := _conflict(path, result, claims):
            status = "refused"
        elif why == "":
            status, message = "skipped", _up_to_date(result)
        else:
            message = why if exists and why else ""
            try:
                _check(replace(source, path=str(path)), replace(target, path=str(result)), task)
            except ImgconvError as error:
                status, message = "refused", str(error)
        outcomes.append(Outcome(path, result, status, message))
    return outcomes


def _check(source: Input, target: Output, task: Task) -> None:
    """Raise the error of a file that can be predicted from its header."""
    pages = open_image(source.path, max_pixels=source.max_pixels)
    indices = range(pages.count) if source.pages is None else source.pages.indices(pages.count, source.name)
    header = PicturePath.of(pages.open_page(indices[0]).header, task).output_header
    bits = _AVIF_BITS if header.dtype == np.uint16 else None
    target.check_format("", Result(header, True, bits, len(indices), pages.timing is not None))


class _Batch:
    """Settings and state shared by the files of a batch."""

    def __init__(
        self,
        run: Callable[[Input, Output], Report],
        source: Input,
        target: Output,
        claims: dict[Path, Path],
        update: Update | None,
    ) -> None:
        self._run, self._source, self._target, self._claims, self._update = run, source, target, claims, update
        self._folders: set[Path] = set()

    def run(self, source: Path, target: Path) -> Outcome:
        """Filter one file and return its outcome."""
        if conflict := _conflict(source, target, self._claims):
            return Outcome(source, target, "failed", conflict)
        if not self._target.overwrite and os.path.lexists(target):
            return Outcome(source, target, "skipped", f"{displayed(target)} exists")
        read = None
        try:
            if self._update is not None:
                if not self._update.reason(source, target):
                    return Outcome(source, target, "skipped", _up_to_date(target))
                read = self._update.state(source)
            self._make_folder(target)
            report = self._run(replace(self._source, path=str(source)), replace(self._target, path=str(target)))
        except StartError:
            raise
        except ImgconvError as error:
            return Outcome(source, target, "failed", str(error))
        except MemoryError:
            return Outcome(source, target, "failed", f"{displayed(source)}: not enough memory for an image of this size")
        except Exception as error:  # an internal fault with one file must not stop the others
            fault = " ".join(f"{type(error).__name__}: {error}".split())
            return Outcome(source, target, "failed", f"{displayed(source)}: internal fault: {fault}")
        if self._update is not None:
            self._update.record(source, read, target)
        return Outcome(source, target, "done", report=report)

    def _make_folder(self, target: Path) -> None:
        """Create the folder of a target unless this was done before.

        Raises:
            WriteError: the folder cannot be created or lies outside the output folder.
        """
        folder = target.parent
        if folder in self._folders:
            return
        if self._target.within:  # create nothing outside the output folder; the file itself is checked on writing
            atomic.require_within(str(target), self._target.within)
        atomic.make_folder(folder)
        self._folders.add(folder)
