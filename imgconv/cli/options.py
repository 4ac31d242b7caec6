"""The options that commands share, each defined once, and their headings in the help."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias, TypeVar

import click

from imgconv.cli import parameters
from imgconv.cli.parameters import completed_by, whole, whole_pair, word
from imgconv.vocabulary import ALPHAS, DEFAULT_BORDER, DEPTHS, ENGINES, LEVELS, MODES, RANGES

Command = TypeVar("Command", bound=Callable[..., Any])
Option: TypeAlias = Callable[[Any], Any]

#: Width of the names of options in the help.
_COLUMN = 28


class HeadedCommand(click.Command):
    """A command whose help lists options under headings, which `add_options` sets."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and (record := option.get_help_record(ctx)):
                aligned = record[0].ljust(_COLUMN), record[1]
                sections.setdefault(getattr(option, "heading", "Options"), []).append(aligned)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; the error for an unknown option explains common mistakes."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from imgconv.cli.words import unknown_option

            flags = [flag for parameter in self.get_params(ctx) for flag in (*parameter.opts, *parameter.secondary_opts)]
            raise unknown_option(error.option_name, given, flags, ctx) from None


border_option = click.option(
    "--border",
    type=parameters.borders,
    default=DEFAULT_BORDER,
    help="Pixels outside the image: constant, replicate, reflect, reflect101, wrap or renormalize; two for rows,columns.",
)
mode_option = click.option("--mode", type=word(MODES, "mode"), default="same", help="Size of the output, as in SciPy.")
stride_option = click.option("--stride", type=whole_pair("N|ROWS,COLUMNS", 1), default="1", help="Keep every N-th output.")
dilation_option = click.option(
    "--dilation",
    type=whole_pair("N|ROWS,COLUMNS", 1),
    default="1",
    help="Spacing of the kernel elements: N-1 zeros between neighbours.",
)
convolve_option = click.option(
    "--convolve/--correlate",
    "rotate",
    default=False,
    help="Rotate the kernel by 180 degrees, or use it as written, as cv2.filter2D does.",
)
kernels_option = click.option(
    "--kernels",
    "catalogs",
    metavar="FILE",
    multiple=True,
    is_eager=True,
    shell_complete=completed_by("complete_files"),
    help="YAML file with more kernels; repeatable.  [environment: IMGCONV_KERNELS]",
)
engine_option = click.option(
    "--engine", type=word(ENGINES, "engine"), default="opencv", help="Convolution backend: opencv or numpy."
)
jobs_option = click.option(
    "--jobs",
    type=whole("N", 1, 256),
    help="Number of threads, 1-256.  [default: IMGCONV_JOBS, else one per processor]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Report methods, clipped values and time on stderr.")
preview_option = click.option(
    "--preview",
    metavar="FILE",
    shell_complete=completed_by("complete_files"),
    help="Write IN and OUT side by side, with labels.",
)
format_option = click.option(
    "--format",
    "file_format",
    metavar="EXT",
    default="",
    show_default=False,
    shell_complete=completed_by("complete_formats"),
    help="Format of OUT: png, tiff, csv, ...  [default: by the extension of OUT]",
)
depth_option = click.option(
    "--depth",
    type=word(DEPTHS, "depth"),
    help="Bits of the output; white stays white (255, 65535, 1.0).  [default: that of the input]",
)
range_option = click.option(
    "--range",
    "range_policy",
    type=word(RANGES, "range"),
    help="Out-of-range values: clip, abs, offset, stretch or error.  [default: clip; offset for x and y of edges]",
)
quality_option = click.option(
    "--quality",
    type=whole("N", 1, 100),
    help="Quality of JPEG, WebP and AVIF, 1-100.  [default: that of a JPEG input, else 95 or lossless WebP]",
)

anchor_option = click.option(
    "--anchor",
    type=whole_pair("ROW,COLUMN", 0, single=False),
    help="Kernel element over the computed pixel.  [default: that of the kernel, else its middle]",
)

_KERNEL = (
    border_option,
    click.option(
        "--border-value",
        type=parameters.numbers,
        default="0",
        help="Level outside the image, with border constant: one, or red,green,blue.",
    ),
    anchor_option,
    convolve_option,
    mode_option,
    stride_option,
    dilation_option,
    kernels_option,
)
_PICTURE = (
    click.option(
        "--alpha",
        type=word(ALPHAS, "alpha"),
        default="weighted",
        help="weighted: weight colour by alpha, filter alpha; straight: filter all channels alike; keep: copy alpha; "
        "drop: remove it.",
    ),
    click.option("--linear", is_flag=True, help="Filter in linear light, by the curve of the colour profile, else sRGB."),
    click.option("--gray", "--grey", "gray", is_flag=True, help="Convert to grey first."),
    click.option("--luma", is_flag=True, help="Filter the luma only; keep the chroma."),
    click.option(
        "--channels",
        type=parameters.channels,
        help="Channels to filter: red, green, blue, alpha, or indices from 0.  [default: all]",
    ),
)
_PART = (
    click.option(
        "--region",
        type=parameters.region,
        help="Change only this rectangle of the image; the kernel reads its surroundings, too.",
    ),
    click.option(
        "--mask",
        metavar="FILE",
        shell_complete=completed_by("complete_files"),
        help="Change the image only where this mask is white, or opaque; grey blends.",
    ),
)
_READING = (
    click.option(
        "--pages", type=parameters.pages, help="Pages or frames to filter and write, from 0: 0,2-4 or 5-.  [default: all]"
    ),
    click.option("--auto-orient", is_flag=True, help="Rotate the pixels by the EXIF orientation before filtering."),
)
_VALUES = (
    range_option,
    depth_option,
    click.option(
        "--levels",
        type=word(LEVELS, "levels"),
        default="white",
        help="Conversion to --depth: white stays white, or keep the numbers.",
    ),
    click.option("--scale", type=parameters.ratio, default=Fraction(1), help="Factor for the result, such as 2 or 1/9."),
    click.option("--delta", type=parameters.ratio, default=Fraction(0), help="Offset of the result, in levels of the input."),
    click.option(
        "--nodata",
        type=parameters.level,
        help="Level that marks missing values, as NaN does.  [default: GDAL_NODATA of a TIFF]",
    ),
    click.option("--fill", is_flag=True, help="Compute missing values from neighbours within reach of the kernel."),
)
_WRITING = (
    quality_option,
    click.option("--lossless", is_flag=True, help="Write WebP or AVIF without loss."),
    click.option(
        "--compression",
        type=parameters.compression,
        help="TIFF: none, lzw, deflate, zstd or packbits (default: that of the input, else lzw). PNG: level, 0-9.",
    ),
    click.option("--strip", is_flag=True, help="Write no metadata."),
    click.option("--no-clobber", is_flag=True, help="Do not replace an existing file."),
    click.option("--backup", is_flag=True, help="Keep a file that is replaced, as OUT~."),
    json_option,
    verbose_option,
)
_SPEED = (
    engine_option,
    click.option(
        "--method",
        metavar="METHOD",
        default="auto",
        shell_complete=completed_by("complete_methods"),
        help="Method of the engine, or auto for the fastest exact one.",
    ),
    click.option(
        "--tolerance",
        type=parameters.ratio,
        default=Fraction(0),
        help="Error allowed to faster methods, in levels; for floats relative to the largest sum.",
    ),
)
_SAFETY = (
    click.option(
        "--max-pixels", type=parameters.pixel_count, help="Reject images with more pixels, such as 500M.  [default: 1.07G]"
    ),
    click.option(
        "--timeout", type=parameters.seconds, default="60", help="Seconds to read a file, with --isolate; 0: no limit."
    ),
    click.option(
        "--memory",
        type=parameters.byte_size,
        default=0,
        show_default=False,
        help="Memory to read a file, with --isolate, such as 2G.  [default: half of the machine's]",
    ),
)

#: The options that most people need, which stand first in the help.
MOST_USED = (border_option, range_option, depth_option, quality_option, verbose_option)


def planning_options(command: Command) -> Command:
    """Add every option that affects the pixels of a result, and so the plan."""
    return add_options(
        command,
        MOST_USED[:3],
        {
            "Kernel": _KERNEL,
            "Picture": _PICTURE,
            "Values": _VALUES,
            "Speed": (*_SPEED, jobs_option),
            "Output": (json_option,),
        },
    )


def filtering_options(
    *,
    isolate: bool,
    first: tuple[Option, ...] = MOST_USED,
    output: tuple[Option, ...] = (format_option, preview_option),
    jobs: Option = jobs_option,
    without: tuple[Option, ...] = (),
) -> Callable[[Command], Command]:
    """Return a decorator that adds every option of a command that filters files.

    Args:
        isolate: whether files are read in separate processes by default.
        first: the options that stand first in the help.
        output: the options on the files to write that differ between commands.
        jobs: the option that sets the number of threads or processes.
        without: options to leave out.
    """
    isolation = click.option(
        "--isolate/--no-isolate",
        default=isolate,
        help="Decode in a separate process, so that a corrupt file cannot crash, hang or exhaust the run.",
    )
    groups = {
        "Kernel": tuple(option for option in _KERNEL if option not in without),
        "Picture": (*_PICTURE, *_PART, *_READING),
        "Values": _VALUES,
        "Output": (*output, *_WRITING),
        "Speed": (*_SPEED, jobs),
        "Safety": (isolation, *_SAFETY),
    }
    return lambda command: add_options(command, first, groups)


def add_options(command: Command, first: tuple[Option, ...], groups: dict[str, tuple[Option, ...]]) -> Command:
    """Add options to a command; its help lists them in this order, each group under its heading."""
    headed = [("Options", option) for option in first]
    headed += [(heading, option) for heading, options in groups.items() for option in options if option not in first]
    for heading, option in reversed(headed):
        command = option(command)
        command.__click_params__[-1].heading = heading  # type: ignore[attr-defined]
    return command
