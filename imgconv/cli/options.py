"""The options that commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import click

from imgconv.cli.parameters import Borders, Numbers, Ratio, WholePair, Word
from imgconv.vocabulary import DEPTHS, ENGINES, MODES, RANGES

Command = TypeVar("Command", bound=Callable[..., Any])

border_option = click.option(
    "--border",
    type=Borders(),
    default="reflect101",
    show_default=True,
    help="What lies outside: constant, replicate, reflect, reflect101, wrap, renormalize; one, or down,across.",
)
border_value_option = click.option(
    "--border-value",
    type=Numbers(),
    default="0",
    help="The level of border constant: one, or red,green,blue.  [default: 0]",
)
engine_option = click.option(
    "--engine", type=Word(ENGINES, "engine"), default="opencv", show_default=True, help="Who computes."
)
method_option = click.option(
    "--method",
    default="auto",
    show_default=True,
    help="How: a method of the engine, or auto for the fastest exact one.",
)
tolerance_option = click.option(
    "--tolerance",
    type=Ratio(),
    default=Fraction(0),
    help="Error that an approximate method may make: levels for integer images, relative to the largest sum for floats.  "
    "[default: 0]",
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    default=None,
    help="Threads.  [default: IMGCONV_JOBS, else one per processor]",
)
mode_option = click.option(
    "--mode", type=Word(MODES, "mode"), default="same", show_default=True, help="Size of the output, as in SciPy."
)
stride_option = click.option(
    "--stride", type=WholePair("N|ROWS,COLUMNS", 1), default="1", show_default=True, help="Keep every n-th output."
)
dilation_option = click.option(
    "--dilation",
    type=WholePair("N|ROWS,COLUMNS", 1),
    default="1",
    show_default=True,
    help="Put n-1 zeros between neighbouring taps.",
)
anchor_option = click.option(
    "--anchor",
    type=WholePair("ROW,COLUMN", 0, single=False),
    default=None,
    help="The tap that lies on the pixel computed.  [default: the kernel's own, or its middle]",
)
convolve_option = click.option(
    "--convolve/--correlate",
    "rotate",
    default=False,
    help="Rotate the kernel by 180 degrees first, or lay it on the image as it is written, as cv2.filter2D does.  "
    "[default: correlate]",
)
scale_option = click.option("--scale", type=Ratio(), default=Fraction(1), help="Multiply the result.  [default: 1]")
delta_option = click.option(
    "--delta", type=Ratio(), default=Fraction(0), help="Add to the result, in levels of the input.  [default: 0]"
)
range_option = click.option(
    "--range",
    "range_policy",
    type=Word(RANGES, "range"),
    default=None,
    help="What becomes of values that the output cannot hold.  [default: clip; offset for signed edges]",
)
depth_option = click.option(
    "--depth",
    type=Word(DEPTHS, "depth"),
    default=None,
    help="Bits of the output; white stays white (255, 65535, 1.0).  [default: the input's]",
)
kernels_option = click.option(
    "--kernels",
    "catalogs",
    metavar="FILE",
    multiple=True,
    help="YAML file of further kernels; repeatable. IMGCONV_KERNELS names more.",
)
no_clobber_option = click.option("--no-clobber", is_flag=True, help="Never replace a file that exists.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Say what was done on stderr.")

_CONVOLUTION = (
    border_option,
    border_value_option,
    engine_option,
    method_option,
    tolerance_option,
    mode_option,
    stride_option,
    dilation_option,
    convolve_option,
)
_VALUES = (scale_option, delta_option, range_option, depth_option, kernels_option)
_WRITING = (no_clobber_option, json_option, verbose_option)


def filtering_options(command: Command) -> Command:
    """Give a command every option on how to convolve and what to write."""
    return _with_options(command, *_CONVOLUTION, *_VALUES, *_WRITING)


def planning_options(command: Command) -> Command:
    """Give a command every option on how to convolve, and what decides on that though it is about the output."""
    return _with_options(command, *_CONVOLUTION, *_VALUES)


def _with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


format_option = click.option(
    "--format",
    "file_format",
    metavar="EXT",
    default="",
    help="Format of OUT, whatever its name says: png, tiff, ...",
)
