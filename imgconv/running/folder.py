"""A folder of images: which files, where each goes, several at a time; one that fails costs itself alone."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgconv.convolution.strips import thread_count
from imgconv.errors import ImgconvError, ReadError, UsageError, WriteError
from imgconv.images.formats import EXTENSIONS, format_named
from imgconv.images.names import reason, shown
from imgconv.opencv import opencv_threads
from imgconv.running.single import Report, run_file
from imgconv.running.task import Task

#: Extensions of the files that are taken for images: those that are written, and those that are only read.
_READABLE = frozenset({*EXTENSIONS, ".pbm", ".pam", ".j2k"})


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


def find_work(
    folder: Path, output: Path, *, recursive: bool = False, pattern: str | None = None, file_format: str | None = None
) -> list[tuple[Path, Path]]:
    """Return the files of a folder and where the result of each belongs, in the order of their names.

    Args:
        folder: where to look. Hidden files and folders, and `output` where it lies inside, are passed over.
        output: where the results go; the tree below `folder` is kept.
        recursive: whether to look into the folders below.
        pattern: shell pattern that the file's name must match; unless given, every name with an image's extension counts.
        file_format: extension of the results, with or without a dot; unless given, each keeps its own.

    Raises:
        ReadError: the folder is none, cannot be read, or holds no such file.
        UsageError: input and output are the same folder.
        WriteError: there is no such format.
    """
    extension = f".{file_format.strip().lstrip('.')}" if file_format and format_named(file_format) else ""
    if not folder.is_dir():
        raise ReadError(f"{shown(folder)}: {'not a folder' if folder.exists() else 'no such folder'}; name a folder of images")
    if output.exists() and output.resolve() == folder.resolve():
        raise UsageError(
            f"{shown(output)}: the input folder is the output folder; name another one, so that no original is lost"
        )
    work = []
    for path in _files(folder, output.resolve(), recursive):
        if fnmatch.fnmatch(path.name, pattern) if pattern else path.suffix.lower() in _READABLE:
            target = output / path.relative_to(folder)
            work.append((path, target.with_suffix(extension) if extension else target))
    if not work:
        looked_for = f"named {shown(pattern)}" if pattern else "with an image's extension"
        below = "" if recursive else " (folders below it: --recursive)"
        raise ReadError(f"{shown(folder)}: no file {looked_for}{below}")
    return work


def _files(folder: Path, output: Path, recursive: bool) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise ReadError(f"{shown(error.filename)}: {reason(error)}") from error

    for root, folders, names in os.walk(folder, onerror=refuse):
        here = Path(root)
        folders[:] = sorted(f for f in folders if recursive and not f.startswith(".") and (here / f).resolve() != output)
        # What is missing, a link to nowhere, fails by name later; a fifo would hold up the batch for ever.
        paths = (here / name for name in sorted(names) if not name.startswith("."))
        yield from (path for path in paths if path.is_file() or not path.exists())


def run_batch(
    work: list[tuple[Path, Path]],
    task: Task,
    *,
    jobs: int | None = None,
    overwrite: bool = True,
    told: Callable[[Outcome], None] = lambda outcome: None,
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
    """
    claims = {os.path.realpath(source): source for source, _ in work}
    for source, target in work:
        claims.setdefault(os.path.realpath(target), source)
    outcomes: dict[Path, Outcome] = {}
    jobs = min(thread_count(jobs), max(len(work), 1))
    each = 1 if jobs > 1 else None  # a thread for every file is as fast as it gets, and takes the least memory
    task = task if each is None else task.on_threads(each)
    with opencv_threads(each), ThreadPoolExecutor(jobs, thread_name_prefix="imgconv") as pool:
        futures = [
            pool.submit(_run_one, source, target, task, overwrite, claims[os.path.realpath(target)]) for source, target in work
        ]
        try:
            for future in as_completed(futures):
                outcome = future.result()
                outcomes[outcome.source] = outcome
                told(outcome)
        except BaseException:  # an interrupt: what has not begun never does, what is at work ends whole
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [outcomes[source] for source, _ in work]


def _run_one(source: Path, target: Path, task: Task, overwrite: bool, claimed_by: Path) -> Outcome:
    if claimed_by != source:
        taken = f"{shown(claimed_by)}; both are {shown(target)}"
        if os.path.realpath(target) == os.path.realpath(claimed_by):
            taken = f"the original {shown(target)}"
        return Outcome(source, target, "failed", f"{shown(source)}: its result would replace that of {taken}")
    if not overwrite and os.path.lexists(target):
        return Outcome(source, target, "skipped", f"{shown(target)} exists")
    try:
        _make_folder(target.parent)
        report = run_file(str(source), str(target), task, overwrite=overwrite)
    except ImgconvError as error:
        return Outcome(source, target, "failed", str(error))
    except MemoryError:
        return Outcome(source, target, "failed", f"{shown(source)}: not enough memory for an image of this size")
    except Exception as error:  # a fault of our own in one file must not cost the others
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(source, target, "failed", f"{shown(source)}: internal fault: {fault}")
    return Outcome(source, target, "done", report=report)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{shown(folder)}: the folder cannot be made: {reason(error)}") from error
