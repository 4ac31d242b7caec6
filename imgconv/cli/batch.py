"""`imgconv batch`: many images through one or more filters."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

import click

from imgconv.cli.messages import note, on_terminal, print_json, print_line
from imgconv.cli.options import HeadedCommand, filtering_options, quality_option, verbose_option
from imgconv.cli.parameters import completed_by, whole
from imgconv.cli.tasks import describe, make_task, require_isolation, start_workers, take_files
from imgconv.cli.words import names_image, split_batch
from imgconv.errors import BatchError, ReadError, WriteError

if TYPE_CHECKING:
    from pathlib import Path

    from imgconv.images.files import Input
    from imgconv.images.output import Output
    from imgconv.running.file import Report
    from imgconv.running.folder import Outcome
    from imgconv.running.journal import Journal, Update
    from imgconv.running.task import Task


_OUTPUT = (
    click.option(
        "--format",
        "extension",
        metavar="EXT",
        shell_complete=completed_by("complete_formats"),
        help="Format of the results.  [default: that of each input]",
    ),
    click.option(
        "--follow-symlinks", is_flag=True, help="Follow links that lead out of the input folder or the output folder."
    ),
)
_UPDATE = click.option(
    "--update",
    is_flag=True,
    help="Filter only files whose input, filters or options changed; kept track of in OUT_DIR.",
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="List new, replaced, skipped and refused files; write nothing.")
_JOBS = click.option(
    "--jobs",
    type=whole("N", 1, 256),
    help="Files at a time, 1-256, each on one thread; 1: one file on all threads.  [default: IMGCONV_JOBS, else one per "
    "processor]",
)
_RECURSIVE = click.option("-r", "--recursive", is_flag=True, help="Search the folders below, too, and keep their tree.")
_PATTERN = click.option(
    "--pattern", metavar="GLOB", help="Names of the files in a folder, such as '*.jpg'.  [default: those of images]"
)
_FROM_FILE = click.option(
    "--from-file",
    metavar="LIST",
    shell_complete=completed_by("complete_files"),
    help="Read input files from a text file, one a line; - for stdin.",
)


@click.command("batch", cls=HeadedCommand)
@click.argument("words", metavar="SPEC... INPUT... OUT_DIR", nargs=-1, shell_complete=completed_by("complete_words"))
@filtering_options(
    isolate=True,
    first=(_RECURSIVE, _PATTERN, _UPDATE, _DRY_RUN, quality_option, verbose_option),
    output=(*_OUTPUT, _FROM_FILE),
    jobs=_JOBS,
)
def command(
    words: tuple[str, ...],
    recursive: bool,
    pattern: str | None,
    from_file: str | None,
    update: bool,
    dry_run: bool,
    jobs: int | None,
    extension: str | None,
    follow_symlinks: bool,
    isolate: bool,
    timeout: float,
    memory: int,
    as_json: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Filter many images: folders and files.

    \b
        imgconv batch sharpen photos/ sharpened/ --recursive
        imgconv batch gaussian:sigma=1 edges photos/*.jpg edges/ --format png
        find . -name '*.tif' | imgconv batch box:5 --from-file - out/

    A SPEC is anything that `imgconv apply` takes, and edges:operator=sobel. An INPUT is a file or a folder. A file that
    cannot be read or written does not stop the others: it is named at the end, and the exit code is 6. Existing results are
    skipped with --no-clobber, and those up to date with --update. Manual: imgconv help batch, untrusted-files
    """
    start = time.perf_counter()
    require_isolation(isolate)
    if update and options["no_clobber"]:
        raise click.UsageError("--update and --no-clobber contradict each other; give one of them")
    from pathlib import Path

    from imgconv.running.finding import find_work

    specs, inputs, output = _split(words, from_file, options["catalogs"])
    found = find_work(
        list(map(Path, inputs)),
        Path(output),
        recursive=recursive,
        pattern=pattern,
        file_format=extension,
        follow_symlinks=follow_symlinks,
    )
    for text in found.notes:
        note(text)
    source, target = take_files("", "", options, within="" if follow_symlinks else output)
    if dry_run:
        task = make_task(tuple(specs), **options)
        with _journal(output, read_only=True) if update else nullcontext() as journal:
            _list_dry_run(found.work, task, source, target, _update(journal, task, source, target), as_json=as_json)
        return
    with ExitStack() as stack:
        workers = None
        if isolate:
            # With a journal, there may be nothing to do.
            workers = stack.enter_context(start_workers(jobs, len(found.work), timeout, memory, on_demand=update))
        task = make_task(tuple(specs), count=as_json or verbose, estimate=True, **options)
        journal = stack.enter_context(_journal(output)) if update else None

        from imgconv.running.folder import run_batch

        advance = stack.enter_context(_display(len(found.work)))

        ended = 0

        def progress(outcome: Outcome) -> None:
            nonlocal ended
            ended += 1
            advance(outcome.status == "failed")
            if verbose and outcome.report is not None and not on_terminal(sys.stderr):
                note(describe(outcome.report))

        updated = _update(journal, task, source, target)
        try:
            outcomes = run_batch(
                found.work, task, source, target, jobs=jobs, workers=workers, update=updated, progress=progress
            )
        except KeyboardInterrupt:
            again = "the same command continues" if update or not target.overwrite else "with --no-clobber it continues"
            note(f"{ended} of {len(found.work)} files were processed; {again}")
            raise
    _conclude(outcomes, journal, time.perf_counter() - start, as_json=as_json, verbose=verbose)


def _journal(folder: str, *, read_only: bool = False) -> Journal:
    """Return the journal of the output folder."""
    from imgconv.running.journal import Journal

    return Journal(folder, read_only=read_only)


def _update(journal: Journal | None, task: Task, source: Input, target: Output) -> Update | None:
    """Return the journal with the recipe of the results; None without a journal."""
    if journal is None:
        return None
    from imgconv.running.journal import Update
    from imgconv.running.recipe import recipe_of

    return Update(journal, recipe_of(task, source, target))


def _split(words: tuple[str, ...], from_file: str | None, catalogs: tuple[str, ...]) -> tuple[list[str], list[str], str]:
    """Return the filters, the inputs and the output folder.

    Raises:
        UsageError: one of them is missing or empty.
        ReadError: the list of files cannot be read, or is empty.
        WriteError: the output is a file.
    """
    from imgconv.kernels.catalog import load_catalog

    if len(words) < 2 + (from_file is None):
        missing = ("SPEC, INPUT and OUT_DIR are", "INPUT and OUT_DIR are", "INPUT or OUT_DIR is")[len(words)]
        raise click.UsageError(f"{missing} missing: imgconv batch SPEC... INPUT... OUT_DIR")
    if "" in words:
        raise click.UsageError("a SPEC, INPUT or OUT_DIR is empty")
    specs, inputs = split_batch(words[:-1], load_catalog(*catalogs))
    if from_file is not None:
        inputs += _listed(from_file)
    if not inputs and from_file is not None:
        raise ReadError(f"{from_file}: lists no files")
    if not inputs:
        raise click.UsageError(f"no INPUT: {words[-2]} is the name of a filter; write ./{words[-2]} for a folder of that name")
    output = words[-1]
    if os.path.isfile(output):
        raise WriteError(f"{output}: is a file; name a folder for the results")
    if names_image(output) and not os.path.exists(output):
        raise click.UsageError(f"{output} looks like a file; name a folder for the results, or write {output}/ for this name")
    return specs, inputs, output


def _display(total: int) -> AbstractContextManager[Callable[[bool], None]]:
    """Return a context in which progress is displayed, if stderr is a terminal."""
    if not on_terminal(sys.stderr):
        return nullcontext(lambda failed: None)
    from imgconv.cli.progress import batch_progress

    return batch_progress(total)


def _listed(path: str) -> list[str]:
    """Return the names in a file, one a line, or separated by NUL; empty lines are ignored."""
    from imgconv.images.names import reason

    try:
        if path != "-":
            with open(path, "rb") as file:
                data = file.read()
        elif sys.stdin is None:
            raise ReadError("standard input: is closed")
        else:
            data = sys.stdin.buffer.read()
    except OSError as error:
        raise ReadError(f"{path}: the list of files cannot be read: {reason(error)}") from None
    names = data.split(b"\0") if b"\0" in data else [line.removesuffix(b"\r") for line in data.split(b"\n")]
    return [os.fsdecode(name) for name in names if name.strip()]


def _list_dry_run(
    work: list[tuple[Path, Path]], task: Task, source: Input, target: Output, update: Update | None, *, as_json: bool
) -> None:
    """Print what would be done with every file, and the totals.

    Raises:
        BatchError: a file would fail.
    """
    from imgconv.running.folder import dry_run

    outcomes = dry_run(work, task, source, target, update=update)
    counts = {status: sum(o.status == status for o in outcomes) for status in ("new", "replaced", "skipped", "refused")}
    if as_json:
        print_json({"files": [outcome.as_dict() for outcome in outcomes], **counts})
    else:
        for outcome in outcomes:
            why = f" ({outcome.message})" if outcome.status == "replaced" and outcome.message else ""
            print_line(f"{outcome.status:8}  {outcome.message if outcome.status == 'refused' else f'{outcome.target}{why}'}")
        click.echo(", ".join(f"{count} {status}" for status, count in counts.items()))
    if counts["refused"]:
        raise BatchError(f"{counts['refused']} of {len(outcomes)} files would fail")


def _conclude(outcomes: list[Outcome], journal: Journal | None, seconds: float, *, as_json: bool, verbose: bool) -> None:
    """Print notes, errors and the totals.

    Raises:
        BatchError: a file failed.
    """
    counts = {status: sum(o.status == status for o in outcomes) for status in ("done", "skipped", "failed")}
    _print_notes([outcome.report for outcome in outcomes if outcome.report is not None])
    for outcome in outcomes:
        if outcome.status == "failed":
            note(outcome.message)
        elif outcome.status == "skipped" and verbose:
            note(f"skipped: {outcome.message}")
    if journal is not None and journal.failure:
        note(f"{journal.name}: some results are not recorded and will be made again: {journal.failure}")
    if as_json:
        print_json({"files": [outcome.as_dict() for outcome in outcomes], **counts, "seconds": round(seconds, 3)})
    totals = ", ".join([*(f"{count} {status}" for status, count in counts.items() if count), f"{seconds:.1f} s"])
    if counts["failed"]:
        raise BatchError(f"{totals}; the errors are listed above")
    if verbose or on_terminal(sys.stderr):
        note(totals)


def _print_notes(reports: list[Report]) -> None:
    """Print each note once, with the files that it applies to."""
    from imgconv.running.file import AGAINST_CLIPPING, percent

    clipped = [report for report in reports if report.clipping]
    sources: dict[str, list[str]] = {}
    for report in reports:
        for text in report.notes if len(clipped) > 1 else report.all_notes:
            sources.setdefault(text, []).append(report.source)
    for text, (first, *others) in sources.items():
        more = f" and {len(others)} other file{'s' * (len(others) > 1)}" if others else ""
        note(f"{first}{more}: {text}")
    if len(clipped) > 1:
        most = max(clipped, key=lambda report: report.clipping)
        extreme = f"{percent(most.clipping)} in {most.source}"
        note(f"{len(clipped)} files: more than 1 % of the values were clipped; at most {extreme}; {AGAINST_CLIPPING}")
