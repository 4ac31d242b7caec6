"""From the options of a command to the work that they describe, and the report of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import click

from imgconv.cli.messages import note, on_terminal, print_json
from imgconv.errors import KernelError, ReadError, WriteError
from imgconv.opencv import opencv_threads

if TYPE_CHECKING:
    from imgconv.images.files import Input
    from imgconv.images.image import Image
    from imgconv.images.output import Output
    from imgconv.running.file import Report
    from imgconv.running.isolation import Workers
    from imgconv.running.regions import Part
    from imgconv.running.task import Task


def make_task(specs: tuple[str, ...], *, catalogs: tuple[str, ...], border_value: tuple[float, ...], **options: Any) -> Task:
    """Return the task for filters in their notation, with options of `Task` and of `make_options`."""
    from imgconv.convolution.options import make_options
    from imgconv.filters.parsing import build_chain
    from imgconv.kernels.catalog import load_catalog
    from imgconv.running.task import Task

    options["border"] = _border(options["border"])
    region, mask = options.pop("region", None), options.pop("mask", None)
    if region or mask:
        options["part"] = _part(region, mask)
    of_task = {field.name: options.pop(field.name) for field in fields(Task) if field.name in options}
    # Written as red, green, blue; pixels are stored as blue, green, red.
    border_value = (*border_value[2::-1], *border_value[3:]) if len(border_value) > 2 else border_value
    convolution = make_options(border_value=border_value, **options)
    catalog = load_catalog(*catalogs)
    try:
        return Task(build_chain(list(specs), catalog, convolution), **of_task)
    except KernelError:
        from imgconv.cli.words import check_specs

        check_specs(specs)
        raise


def _part(region: tuple[int, int, int, int] | None, mask: str | None) -> Part:
    """Return the part of the image that changes."""
    from imgconv.images.files import read_image
    from imgconv.images.pages import MAX_PIXELS
    from imgconv.running.regions import Part, Region, as_mask

    if mask == "-":
        raise click.UsageError("--mask reads a file; standard input is for the image")
    most = click.get_current_context().params["max_pixels"] or MAX_PIXELS
    share = None if mask is None else as_mask(read_image(mask, max_pixels=most))
    return Part(None if region is None else Region(*region), share)


def _border(border: tuple[str, str]) -> tuple[str, str]:
    """Return the border; where only the value of a constant border is given, that border is meant."""
    if not _is_given("border_value") or "constant" in border:
        return border
    if _is_given("border"):
        raise click.UsageError(
            f"--border-value is the level of border constant, found --border {','.join(dict.fromkeys(border))}"
        )
    return "constant", "constant"


def _is_given(option: str) -> bool:
    """Return whether an option of the command stands on the command line."""
    source = click.get_current_context().get_parameter_source(option)
    return source not in (None, click.core.ParameterSource.DEFAULT)


def take_files(source: str, target: str, options: dict[str, Any], *, within: str = "") -> tuple[Input, Output]:
    """Take the options on reading and writing out of the options of a command, and return what they describe."""
    from imgconv.images.files import Input
    from imgconv.images.image import Coding
    from imgconv.images.output import Output
    from imgconv.images.pages import MAX_PIXELS

    quality, lossless, compression = (options.pop(name) for name in ("quality", "lossless", "compression"))
    if quality is not None and lossless:
        raise click.UsageError("--quality and --lossless contradict each other; give one of them")
    coding = Coding(quality=quality, lossless=lossless or None, compression=compression)
    reading = Input(source, options.pop("pages"), options.pop("max_pixels") or MAX_PIXELS, options.pop("auto_orient"))
    overwrite, backup = not options.pop("no_clobber"), options.pop("backup")
    return reading, Output(target, overwrite, options.pop("file_format", ""), coding, within, backup)


def require_isolation(isolate: bool) -> None:
    """Reject limits on reading where files are not read in separate processes."""
    if not isolate and (_is_given("timeout") or _is_given("memory")):
        raise click.UsageError("--timeout and --memory limit the processes of --isolate; add --isolate")


def start_workers(
    jobs: int | None, files: int, timeout: float, memory: int, *, streams: bool = False, on_demand: bool = False
) -> Workers:
    """Start a worker process for each file that is worked on at a time, at once or when it is needed."""
    from imgconv.running.isolation import Workers
    from imgconv.running.read_limits import Limits
    from imgconv.threads import thread_count

    jobs = min(thread_count(jobs), max(files, 1))
    limits = Limits.for_jobs(jobs, timeout=timeout)
    return Workers(0 if on_demand else jobs, replace(limits, memory=memory) if memory else limits, streams=streams)


def run_one(
    specs: tuple[str, ...],
    source: str,
    target: str,
    *,
    as_json: bool,
    verbose: bool,
    isolate: bool,
    timeout: float,
    memory: int,
    preview: str | None,
    **options: Any,
) -> None:
    """Filter one file into another and report what was done."""
    require_isolation(isolate)
    if as_json and target == "-":
        raise click.UsageError("--json prints on stdout, where the image is written; write the image to a file")
    if preview and ("-" in (source, target) or preview in ("-", target)):
        raise click.UsageError("--preview reads IN and OUT, and writes a third file; give the names of three files")
    if preview:
        from imgconv.images.formats.registry import format_of

        if not format_of(preview).colour:
            raise WriteError(f"{preview}: the preview is in colour; choose another format, such as .png or .jpg")
    if os.path.isdir(source):
        raise ReadError(f"{source}: is a folder; `imgconv batch` filters the images in a folder")
    folder = target if os.path.isdir(target) or target.endswith(("/", os.sep)) else ""
    if folder:
        target = _in_folder(folder, source, options["file_format"])
    reading, output = take_files(source, target, options)
    before = reading.open().first if preview else None  # read now, since IN may be OUT
    options |= {"count": as_json or verbose, "estimate": True}
    from imgconv.threads import asked_threads

    threads = asked_threads(options["jobs"])
    if isolate:
        streams = os.name == "posix" or "-" in (source, target)
        with start_workers(1, 1, timeout, memory, streams=streams) as workers, _progress(source):
            workers.set_up(make_task(specs, **options), threads=threads)
            _make_folder(folder, source)
            report = workers.run(reading, output)
    else:
        from imgconv.images.files import ReadingAhead

        with opencv_threads(threads), _progress(source) as progress:
            ahead = ReadingAhead(reading)  # before the imports that follow
            from imgconv.running.file import run_file

            task = make_task(specs, **options)
            _make_folder(folder, source)
            report = run_file(ahead, output, task, progress=progress)
    if preview and before is not None:
        _write_preview(preview, before, (os.path.basename(source), " ".join(specs)), report.target)
    print_notes(report)
    if verbose:
        note(describe(report))
    if as_json:
        print_json(report.as_dict())


def _write_preview(path: str, before: Image, labels: tuple[str, str], target: str) -> None:
    """Write the first pages of the input and the output side by side."""
    from imgconv.explaining.comparison import side_by_side
    from imgconv.images.files import read_image, write_image

    write_image(path, side_by_side(before, read_image(target), labels))


def _make_folder(folder: str, source: str) -> None:
    """Create the folder of the output, if one was named and the input exists."""
    if folder and os.path.exists(source):
        from imgconv.images.atomic import make_folder

        make_folder(folder)


def _progress(source: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Return a context in which the progress of a file is displayed, if stderr is a terminal."""
    if not on_terminal(sys.stderr):
        return nullcontext(lambda done, total: None)
    from imgconv.cli.progress import file_progress

    return file_progress(source)


def _in_folder(folder: str, source: str, file_format: str) -> str:
    """Return the file in a folder that has the name of the source.

    Raises:
        UsageError: the source is standard input, which has no name, or in the folder.
    """
    if source == "-":
        raise click.UsageError(f"{folder} is a folder, and standard input has no name; name the file to write")
    stem, extension = os.path.splitext(os.path.basename(source))
    target = os.path.join(folder, stem + (f".{file_format.strip().lstrip('.')}" if file_format else extension))
    if os.path.realpath(target) == os.path.realpath(source):
        raise click.UsageError(f"{folder} is the folder of {source}, which would be replaced; name the file to write")
    return target


def describe(report: Report) -> str:
    """Return what was done with one file, in a line."""
    methods = ", ".join(f"{p.method} ({p.engine}{', exact' if p.job.arithmetic.exact else ''})" for p in report.plans)
    pages = f", {report.pages} pages" * (report.pages > 1)
    share = f" ({100 * report.clipped / report.samples:.3g} %)" if report.clipped > 0 else ""
    return (
        f"{report.source} {_size(report.shape)} {report.dtype}{pages} -> "
        f"{report.target} {_size(report.output_shape)} {report.output_dtype}: "
        f"{methods or 'no convolution'}; {report.clipped} of {report.samples} values clipped{share}; {report.seconds:.3f} s"
    )


def print_notes(report: Report) -> None:
    """Write the notes on a result to stderr."""
    for text in report.all_notes:
        note(text)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
