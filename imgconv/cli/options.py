"""The options that commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import click

from imgconv.cli import parameters
from imgconv.cli.parameters import whole_pair, word
from imgconv.vocabulary import ALPHAS, DEFAULT_BORDER, DEPTHS, ENGINES, MODES, RANGES

Command = TypeVar("Command", bound=Callable[..., Any])

border_option = click.option(
    "--border",
    type=parameters.borders,
    default=DEFAULT_BORDER,
    help="Pixels outside the image: constant, replicate, reflect, reflect101, wrap, renormalize; one, or down,across.",
)
mode_option = click.option("--mode", type=word(MODES, "mode"), default="same", help="Size of the output, as in SciPy.")
stride_option = click.option("--stride", type=whole_pair("N|ROWS,COLUMNS", 1), default="1", help="Keep every n-th output.")
dilation_option = click.option(
    "--dilation",
    type=whole_pair("N|ROWS,COLUMNS", 1),
    default="1",
    help="Put n-1 zeros between neighbouring kernel elements.",
)
convolve_option = click.option(
    "--convolve/--correlate",
    "rotate",
    default=False,
    help="Rotate the kernel by 180 degrees first, or lay it on the image as it is written, as cv2.filter2D does.",
)
kernels_option = click.option(
    "--kernels",
    "catalogs",
    metavar="FILE",
    multiple=True,
    help="YAML file of further kernels; repeatable. IMGCONV_KERNELS names more.",
)
anchor_option = click.option(
    "--anchor",
    type=whole_pair("ROW,COLUMN", 0, single=False),
    help="Kernel element that lies on the pixel computed.  [default: the kernel's own, or its middle]",
)
engine_option = click.option(
    "--engine",
    type=word(ENGINES, "engine"),
    default="opencv",
    help="Convolution backend: opencv or numpy.",
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Number of threads.  [default: IMGCONV_JOBS, else one per processor]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
format_option = click.option(
    "--format",
    "file_format",
    metavar="EXT",
    default="",
    show_default=False,
    help="Format of OUT, whatever its name says: png, tiff, ...",
)

_CONVOLUTION = (
    border_option,
    click.option(
        "--border-value",
        type=parameters.numbers,
        default="0",
        help="Level of border constant: one, or red,green,blue.",
    ),
    engine_option,
    click.option("--method", default="auto", help="Method of the engine, or auto for the fastest exact one."),
    click.option(
        "--tolerance",
        type=parameters.ratio,
        default=Fraction(0),
        help="Error allowed to approximate methods: in levels for integer images, relative to the largest sum for floats.",
    ),
    mode_option,
    stride_option,
    dilation_option,
    convolve_option,
)
_RESULT = (
    click.option("--scale", type=parameters.ratio, default=Fraction(1), help="Multiply the result."),
    click.option(
        "--delta",
        type=parameters.ratio,
        default=Fraction(0),
        help="Add to the result, in levels of the input.",
    ),
    click.option(
        "--range",
        "range_policy",
        type=word(RANGES, "range"),
        help="Treatment of out-of-range values.  [default: clip; offset for signed edges]",
    ),
    click.option(
        "--depth",
        type=word(DEPTHS, "depth"),
        help="Bits of the output; white stays white (255, 65535, 1.0).  [default: the input's]",
    ),
    kernels_option,
)
_PIXELS = (
    click.option(
        "--alpha",
        type=word(ALPHAS, "alpha"),
        default="weighted",
        help="weighted: colour counts by its alpha, and alpha is filtered; straight: both as they are stored; "
        "keep: alpha stays; drop: it is left out.",
    ),
    click.option("--linear", is_flag=True, help="Filter in linear light: by sRGB's curve, or that of the colour profile."),
    click.option("--gray", "--grey", "gray", is_flag=True, help="Make the picture grey first."),
    click.option("--luma", is_flag=True, help="Filter the luma only, and keep the colours."),
    click.option(
        "--channels",
        type=parameters.channels,
        help="Filter these channels only: red, green, blue, alpha, or numbers from 0; 3 is alpha unless there is a "
        "fourth band.",
    ),
    click.option(
        "--nodata",
        type=parameters.level,
        help="Level that marks missing values, as NaN does.  [default: that of the file]",
    ),
    click.option("--fill", is_flag=True, help="Compute missing values from their neighbours within reach of the kernel."),
)
_READING = (
    click.option("--pages", type=parameters.pages, help="Pages or frames to take, from 0.  [default: all]"),
    click.option("--auto-orient", is_flag=True, help="Turn the pixels upright first, as EXIF says."),
    click.option(
        "--max-pixels",
        type=parameters.pixel_count,
        help="Reject pictures with more pixels.  [default: 1.07 billion]",
    ),
)
_WRITING = (
    click.option(
        "--quality",
        type=click.IntRange(1, 100),
        metavar="N",
        help="Compression quality, 1-100, for JPEG, WebP and AVIF.  [default: the input's, or 95]",
    ),
    click.option("--lossless", is_flag=True, help="Write WebP or AVIF without loss."),
    click.option(
        "--compression",
        type=parameters.compression,
        help="Compression of a TIFF (default: that of the input, or lzw), or level of a PNG, 0-9.",
    ),
    click.option("--strip", is_flag=True, help="Leave out all metadata."),
    click.option("--no-clobber", is_flag=True, help="Never replace a file that exists."),
)
_REPORTING = (json_option, click.option("-v", "--verbose", is_flag=True, help="Report on stderr what was done."))
_LIMITS = (
    click.option(
        "--timeout",
        type=click.FloatRange(0),
        metavar="SECONDS",
        default=60,
        help="Time limit for reading a file, with --isolate; 0: none.",
    ),
    click.option(
        "--memory",
        type=parameters.byte_size,
        default=0,
        show_default=False,
        help="Memory limit for reading a file, with --isolate, such as 2G.  [default: half of the machine's]",
    ),
)


def planning_options(command: Command) -> Command:
    """Add every option that decides how a picture is filtered."""
    return _with_options(command, anchor_option, *_CONVOLUTION, *_RESULT, *_PIXELS)


def filtering_options(*, isolate: bool, anchor: bool = True) -> Callable[[Command], Command]:
    """Return what adds every option of a command that filters files.

    Args:
        isolate: whether files are read in processes of their own by default.
        anchor: whether the kernels are the user's, so that the anchor can be chosen.
    """
    isolation = click.option(
        "--isolate/--no-isolate",
        default=isolate,
        help="Decode in a separate process, so that a corrupt file cannot crash, hang or exhaust the run.",
    )

    def add(command: Command) -> Command:
        groups = _CONVOLUTION, _RESULT, _REPORTING, _PIXELS, _READING, _WRITING, (isolation,), _LIMITS
        return _with_options(command, *(anchor_option,) * anchor, *(option for group in groups for option in group))

    return add


def _with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
