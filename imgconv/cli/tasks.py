"""From the options of a command to the task that it describes, and what is told of the result."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from imgconv.cli.messages import note, print_json

if TYPE_CHECKING:
    from imgconv.running.isolation import Workers
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
    alpha: str,
    linear: bool,
    gray: bool,
    luma: bool,
    channels: tuple[int, ...] | None,
    nodata: float | None,
    fill: bool,
    **convolution: Any,
) -> Task:
    """Return the task for filters as they were written, the options of `filtering_options` and of `treatment_options`."""
    from imgconv.convolution.options import make_options
    from imgconv.filters.parsing import build_chain
    from imgconv.kernels.catalog import load_catalog
    from imgconv.running.task import Task
    from imgconv.running.treatment import Treatment

    # Written as red, green, blue; pixels stand in OpenCV's order.
    options = make_options(border_value=border_value[::-1], **convolution)
    chain = build_chain(list(specs), load_catalog(*catalogs), options)
    treatment = Treatment(alpha, linear, gray, luma, channels, nodata, fill)
    return Task(chain, depth, range_policy, scale, delta, count, treatment)


def require_isolation(isolate: bool) -> None:
    """Refuse limits on what is read in a process of its own where nothing is."""
    context = click.get_current_context()
    sources = {context.get_parameter_source(option) for option in ("timeout", "memory")}
    if not isolate and sources - {None, click.core.ParameterSource.DEFAULT}:
        raise click.UsageError("--timeout and --memory limit what is read in a process of its own; give --isolate too")


def take_file_options(options: dict[str, Any]) -> dict[str, Any]:
    """Take what `file_options` gave out of the options of a command, and return it as `run_file` takes it."""
    from imgconv.images.coding import Coding
    from imgconv.images.limits import MAX_PIXELS

    quality, lossless, compression = (options.pop(name) for name in ("quality", "lossless", "compression"))
    if quality is not None and lossless:
        raise click.UsageError("--quality and --lossless contradict each other; give one of them")
    taken = {name: options.pop(name) for name in ("pages", "auto_orient", "strip")}
    taken["max_pixels"] = options.pop("max_pixels") or MAX_PIXELS
    return {**taken, "coding": Coding(quality, None, lossless or None, compression)}


def start_workers(jobs: int | None, files: int, timeout: float, memory: int, *, streams: bool = False) -> Workers:
    """Start the processes that files are read in, one for each that is worked on at a time, while the rest goes on."""
    from imgconv.convolution.strips import thread_count
    from imgconv.running.isolation import Workers
    from imgconv.running.limits import Limits

    jobs = min(thread_count(jobs), max(files, 1))
    limits = Limits.for_jobs(jobs, seconds=timeout)
    return Workers(jobs, replace(limits, memory=memory) if memory else limits, streams=streams)


def run_one(
    specs: tuple[str, ...],
    source: str,
    target: str,
    *,
    no_clobber: bool,
    as_json: bool,
    verbose: bool,
    file_format: str,
    isolate: bool,
    timeout: float,
    memory: int,
    **options: Any,
) -> None:
    """Filter one file into another and tell what was done: `apply`, and what is `apply` by another name."""
    require_isolation(isolate)
    if as_json and target == "-":
        raise click.UsageError("--json and the image both want stdout; write the image to a file")
    files = {"overwrite": not no_clobber, "file_format": file_format, **take_file_options(options)}
    task_options = {"count": as_json or verbose, **options}
    if isolate:
        streams = os.name == "posix" or "-" in (source, target)
        with start_workers(1, 1, timeout, memory, streams=streams) as workers:
            workers.set_up(make_task(specs, **task_options), **files)
            report = workers.run(source, target)
    else:
        from imgconv.running.reading_ahead import Reading

        reading = Reading(source, files["pages"], files["max_pixels"])
        task = make_task(specs, **task_options)

        from imgconv.running.single import run_file

        report = run_file(source, target, task, reading=reading, **files)
    tell_notes(report)
    if verbose:
        note(describe(report))
    if as_json:
        print_json(report.as_dict())


def describe(report: Report) -> str:
    """Return what was done with one image, in a line."""
    methods = ", ".join(f"{p.method} ({p.engine}{', exact' if p.job.arithmetic.exact else ''})" for p in report.plans)
    pages = f", {report.pages} pages" * (report.pages > 1)
    share = f" ({100 * report.clipped / report.samples:.3g} %)" if report.clipped > 0 else ""
    return (
        f"{report.source} {_size(report.shape)} {report.dtype}{pages} -> "
        f"{report.target} {_size(report.output_shape)} {report.output_dtype}: "
        f"{methods or 'no convolution'}; {report.clipped} of {report.samples} values clipped{share}; {report.seconds:.3f} s"
    )


def tell_notes(report: Report, *, named: bool = False) -> None:
    """Write what the user should know of a result to stderr, after the name of the file where there are several."""
    for text in report.notes:
        note(f"{report.source}: {text}" if named else text)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
