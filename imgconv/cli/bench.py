"""`imgconv bench`: the speed of each method on this machine, beside OpenCV and SciPy."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

import imgconv
from imgconv.cli.messages import json_text, note
from imgconv.cli.options import jobs_option
from imgconv.cli.parameters import Parsed, word
from imgconv.vocabulary import ENGINES, EngineWord

if TYPE_CHECKING:
    from imgconv.benchmark.cells import Picture


def _sizes(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise ValueError("odd numbers separated by commas, such as 3,5,9")
    return tuple(map(int, parts))


@click.command("bench")
@click.argument("source", metavar="[IN]", required=False)
@click.option("--quick", is_flag=True, help="Small grey pictures and fewer kernels: ends in under a minute.")
@click.option("--sizes", type=Parsed("N[,N...]", _sizes), help="Sides of the kernels.  [default: 3 to 63]")
@click.option("--engine", type=word(ENGINES, "engine"), help="Time one engine only.  [default: both]")
@jobs_option
@click.option("--json", "json_file", metavar="FILE", help="Write all measurements as JSON; - for stdout.")
@click.option("--plot", "plot_file", metavar="FILE", help="Draw time against kernel size as .png or .svg.")
@click.option(
    "--calibrate",
    is_flag=True,
    help="Fit the planner's constants to this machine instead, in a file of yours: six minutes, or one with --quick.",
)
def command(
    source: str | None,
    quick: bool,
    sizes: tuple[int, ...] | None,
    engine: EngineWord | None,
    jobs: int | None,
    json_file: str | None,
    plot_file: str | None,
    calibrate: bool,
) -> None:
    """Time every method, cv2.filter2D, and SciPy where it is installed, over kinds and sizes of kernels.

    On the image IN, or else on pictures that it draws: grey in float32 and 8 bits, and a colour photograph's size, which
    takes half an hour or more. With --quick only grey ones, and of IN the middle. Each result is checked before it is timed.
    The tables on stdout give the median of the runs, and how imgconv's choice stands against the others.

    \b
        imgconv bench --quick --plot times.png
        imgconv bench photo.jpg --sizes 3,5,9 --engine opencv --json times.json
        imgconv bench --calibrate
    """
    _warn_of_settings()
    if calibrate:
        if any(value is not None for value in (source, sizes, engine, jobs, json_file, plot_file)):
            raise click.UsageError(
                "--calibrate measures on its own pictures and writes its own file; only --quick goes with it"
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
    for path in (plot_file, json_file):
        if path and path != "-":
            destination(path)
    pictures = [_picture(source, quick)] if source else list(cells.make_pictures(quick=quick))
    grid = cells.make_cells(pictures, sizes or (cells.QUICK_SIZES if quick else cells.SIZES))
    effort = measuring.QUICK if quick else measuring.FULL
    engines = (engine,) if engine else contestants.BOTH
    with _progress() as progress:
        results = measuring.measure_cells(grid, effort, engines=engines, jobs=jobs, progress=progress)
    machine = describe_machine(imgconv.__version__, jobs)
    if json_file != "-":
        click.echo(report_text(results, machine))
    if json_file:
        text = json_text(report_data(results, machine, effort))
        click.echo(text) if json_file == "-" else write_file(json_file, [f"{text}\n".encode()])
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
    click.echo(f"{path}: the planner's constants for this machine, used from now on; delete it to go back to the built-in ones")


def _warn_of_settings() -> None:
    from imgconv.benchmark.machine import HOLD_BLAS_BACK

    found = [name for name in HOLD_BLAS_BACK if os.environ.get(name)]
    if found:
        note(f"{' and '.join(found)} in the environment may hold BLAS back; unset, imgconv may be faster than what is measured")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Yield a function that prints what is being measured, on one line of the terminal, if stderr is one."""
    on_terminal = sys.stderr.isatty()

    def progress(line: str) -> None:
        if on_terminal:
            click.echo(f"\r\x1b[K{line[:78]}", nl=False, err=True)

    try:
        yield progress
    finally:
        progress("")
