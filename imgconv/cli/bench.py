"""`imgconv bench`: the speed of each method on this machine, beside OpenCV and SciPy."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

import imgconv
from imgconv.cli.messages import note, on_terminal, print_json
from imgconv.cli.options import HeadedCommand, jobs_option, json_option
from imgconv.cli.parameters import Parsed, completed_by, word
from imgconv.vocabulary import ENGINES, EngineWord

if TYPE_CHECKING:
    from imgconv.benchmark.cells import Picture


def _sizes(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise ValueError("odd numbers separated by commas, such as 3,5,9")
    return tuple(map(int, parts))


@click.command("bench", cls=HeadedCommand)
@click.argument("source", metavar="[IN]", required=False, shell_complete=completed_by("complete_files"))
@click.option("--quick", is_flag=True, help="Small grey images and fewer kernels: less than a minute.")
@click.option("--sizes", type=Parsed("N[,N...]", _sizes), help="Sizes of the kernels, such as 3,5,9.  [default: 3 to 63]")
@click.option("--engine", type=word(ENGINES, "engine"), help="Measure one engine only.  [default: both]")
@jobs_option
@json_option
@click.option(
    "--plot",
    "plot_file",
    metavar="FILE",
    shell_complete=completed_by("complete_files"),
    help="Plot time against kernel size, as .png or .svg; needs matplotlib.",
)
@click.option(
    "--calibrate",
    is_flag=True,
    help="Fit the planner to this machine, and store its constants: six minutes, or one with --quick.",
)
def command(
    source: str | None,
    quick: bool,
    sizes: tuple[int, ...] | None,
    engine: EngineWord | None,
    jobs: int | None,
    as_json: bool,
    plot_file: str | None,
    calibrate: bool,
) -> None:
    """Measure the speed of every method, of OpenCV and of SciPy.

    \b
        imgconv bench --quick --plot times.png
        imgconv bench photo.jpg --sizes 3,5,9 --engine opencv --json > times.json
        imgconv bench --calibrate

    Random, Gaussian and box kernels of several sizes are applied to IN, or to generated images: grey in float32 and 8 bits,
    and colour of 12 megapixels. The full run takes half an hour or more; with --quick, small grey images, or the middle of
    IN, take less than a minute. Each result is checked before it is timed. Manual: imgconv help bench, methods
    """
    _warn_of_settings()
    if calibrate:
        if as_json or any(value is not None for value in (source, sizes, engine, jobs, plot_file)):
            raise click.UsageError(
                "--calibrate measures its own images and writes its own file; no other option but --quick applies"
            )
        _calibrate(quick)
        return
    from imgconv.benchmark import cells, contestants, measuring
    from imgconv.benchmark.machine import describe_machine
    from imgconv.benchmark.plotting import plot, plot_format
    from imgconv.benchmark.report import report_data, report_text
    from imgconv.images.atomic import destination, write_file

    # Places that cannot be written to are found before the measuring, not after it.
    file_format = plot_format(plot_file) if plot_file else ""
    if plot_file:
        destination(plot_file)
    pictures = [_picture(source, quick)] if source else list(cells.make_pictures(quick=quick))
    grid = cells.make_cells(pictures, sizes or (cells.QUICK_SIZES if quick else cells.SIZES))
    effort = measuring.QUICK if quick else measuring.FULL
    engines = (engine,) if engine else contestants.BOTH
    with _progress() as progress:
        results = measuring.measure_cells(grid, effort, engines=engines, jobs=jobs, progress=progress)
    machine = describe_machine(imgconv.__version__, jobs)
    if as_json:
        print_json(report_data(results, machine, effort))
    else:
        click.echo(report_text(results, machine))
    if plot_file:
        write_file(plot_file, [plot(results, machine, file_format)])


def _picture(source: str, quick: bool) -> Picture:
    from pathlib import PurePath

    from imgconv.benchmark.cells import given_picture
    from imgconv.images.files import read_image

    name = "standard input" if source == "-" else PurePath(source).name
    return given_picture(name, read_image(source).colour, quick=quick)


def _calibrate(quick: bool) -> None:
    from imgconv.benchmark.calibration import calibrate, check_place, write_costs
    from imgconv.convolution.costs import rates_of, user_file

    path = user_file()
    rates_of("definition", "float32")  # a file there that holds no costs is rejected, and not overwritten
    check_place(path)  # before the measuring, not after it
    with _progress() as progress:
        costs = calibrate(quick=quick, progress=progress)
    write_costs(costs, path)
    click.echo(f"{path}: constants of the planner for this machine, used from now on; delete the file to restore the defaults")


def _warn_of_settings() -> None:
    from imgconv.benchmark.machine import HOLD_BLAS_BACK

    found = [name for name in HOLD_BLAS_BACK if os.environ.get(name)]
    if found:
        note(f"the environment variables {' and '.join(found)} may slow BLAS down; unset them before measuring")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Yield a function that prints what is being measured, on one line of the terminal, if stderr is one."""
    displayed = on_terminal(sys.stderr)

    def progress(line: str) -> None:
        if displayed:
            click.echo(f"\r\x1b[K{line[:78]}", nl=False, err=True)

    try:
        yield progress
    finally:
        progress("")
