"""`imgconv batch`: a folder of images through one or more filters."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from imgconv.cli.messages import note, print_json
from imgconv.cli.options import filtering_options
from imgconv.cli.tasks import describe, make_task, print_notes, require_isolation, start_workers, take_files
from imgconv.errors import BatchError

if TYPE_CHECKING:
    from imgconv.running.folder import Outcome


@click.command("batch")
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True)
@click.argument("folder", metavar="IN_DIR")
@click.argument("output", metavar="OUT_DIR")
@click.option("-r", "--recursive", is_flag=True, help="Include the folders below IN_DIR.")
@click.option("--pattern", metavar="GLOB", help="Names of the files to filter.  [default: those of images]")
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Files at a time, each on one thread; with 1, one after the other on all threads.  "
    "[default: IMGCONV_JOBS, else one per processor]",
)
@click.option("--format", "extension", metavar="EXT", help="Format of the results.  [default: that of each input]")
@click.option(
    "--follow-symlinks", is_flag=True, help="Follow links that lead out of IN_DIR, and write through those out of OUT_DIR."
)
@filtering_options(isolate=True)
def command(
    specs: tuple[str, ...],
    folder: str,
    output: str,
    recursive: bool,
    pattern: str | None,
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
    """Filter every image of the folder IN_DIR with each SPEC in turn, into OUT_DIR.

    A SPEC is anything that `imgconv apply` takes, and edges:operator=scharr too. The tree below IN_DIR is kept. A file
    that cannot be read or written does not stop the others: it is named at the end, and the exit code is 6. With
    --no-clobber, results that exist are skipped.

    \b
        imgconv batch sharpen photos/ sharpened/ --recursive
        imgconv batch gaussian:sigma=1 edges:operator=sobel photos/ edges/ --format png
    """
    require_isolation(isolate)
    from pathlib import Path

    from imgconv.running.finding import find_work

    found = find_work(
        Path(folder),
        Path(output),
        recursive=recursive,
        pattern=pattern,
        file_format=extension,
        follow_symlinks=follow_symlinks,
    )
    for text in found.notes:
        note(text)
    source, target = take_files("", "", options, within="" if follow_symlinks else output)
    with start_workers(jobs, len(found.work), timeout, memory) if isolate else nullcontext() as workers:
        task = make_task(specs, count=as_json or verbose, **options)

        from imgconv.running.folder import run_batch

        on_terminal = sys.stderr.isatty()
        with click.progressbar(
            length=len(found.work), label="imgconv", file=sys.stderr, show_pos=True, hidden=not on_terminal
        ) as bar:

            def progress(outcome: Outcome) -> None:
                bar.update(1)
                if verbose and not on_terminal and outcome.report is not None:
                    note(describe(outcome.report))

            outcomes = run_batch(found.work, task, source, target, jobs=jobs, workers=workers, progress=progress)
    _conclude(outcomes, as_json=as_json, verbose=verbose)


def _conclude(outcomes: list[Outcome], *, as_json: bool, verbose: bool) -> None:
    """Name what failed, print the summary, and leave with exit code 6 where anything failed."""
    counts = {status: sum(o.status == status for o in outcomes) for status in ("done", "skipped", "failed")}
    for outcome in outcomes:
        if outcome.report is not None:
            print_notes(outcome.report, named=True)
        elif outcome.status == "failed":
            note(outcome.message)
        elif verbose:
            note(f"skipped: {outcome.message}")
    if as_json:
        print_json({"files": [outcome.as_dict() for outcome in outcomes], **counts})
    if counts["failed"]:
        raise BatchError(f"{counts['failed']} of {len(outcomes)} files failed; they are named above, the others are done")
    if verbose or sys.stderr.isatty():
        note(", ".join(f"{count} {status}" for status, count in counts.items() if count))
