"""From the options of a command to the task that it describes, and what is told of the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from imgconv.cli.messages import note, print_json

if TYPE_CHECKING:
    from imgconv.running.single import Report
    from imgconv.running.task import Task


def make_task(
    specs: tuple[str, ...],
    *,
    catalogs: tuple[str, ...],
    range_policy: str | None,
    depth: str | None,
    scale: Any,
    delta: Any,
    count: bool,
    border_value: tuple[float, ...],
    **convolution: Any,
) -> Task:
    """Return the task for filters as they were written and the options of `options.filtering_options`."""
    from imgconv.convolution.options import make_options
    from imgconv.filters.parsing import build_chain
    from imgconv.kernels.catalog import load_catalog
    from imgconv.running.task import Task

    # Written as red, green, blue; pixels stand in OpenCV's order.
    options = make_options(border_value=border_value[::-1], **convolution)
    chain = build_chain(list(specs), load_catalog(*catalogs), options)
    return Task(chain, depth, range_policy, scale, delta, count)


def run_one(
    specs: tuple[str, ...],
    source: str,
    target: str,
    *,
    no_clobber: bool,
    as_json: bool,
    verbose: bool,
    file_format: str,
    **options: Any,
) -> None:
    """Filter one file into another and tell what was done: `apply`, and what is `apply` by another name."""
    if as_json and target == "-":
        raise click.UsageError("--json and the image both want stdout; write the image to a file")
    from imgconv.running.reading_ahead import Reading

    reading = Reading(source)
    task = make_task(specs, count=as_json or verbose, **options)

    from imgconv.running.single import run_file

    report = run_file(source, target, task, overwrite=not no_clobber, file_format=file_format, reading=reading)
    tell_notes(report)
    if verbose:
        note(describe(report))
    if as_json:
        print_json(report.as_dict())


def describe(report: Report) -> str:
    """Return what was done with one image, in a line."""
    methods = ", ".join(f"{p.method} ({p.engine}{', exact' if p.job.arithmetic.exact else ''})" for p in report.plans)
    share = f" ({100 * report.clipped / report.samples:.3g} %)" if report.clipped > 0 else ""
    return (
        f"{report.source} {_size(report.shape)} {report.dtype} -> "
        f"{report.target} {_size(report.output_shape)} {report.output_dtype}: "
        f"{methods or 'no convolution'}; {report.clipped} of {report.samples} values clipped{share}; {report.seconds:.3f} s"
    )


def tell_notes(report: Report) -> None:
    """Write what the user should know of a result to stderr."""
    for text in report.notes:
        note(text)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
