"""The options on pictures and their files, which commands that filter share: what is read, filtered of it, and written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from imgconv.cli.parameters import ByteSize, Channels, Compression, Count, Level, Pages, Word
from imgconv.vocabulary import ALPHAS

Command = TypeVar("Command", bound=Callable[..., Any])

_TREATMENT = (
    click.option(
        "--alpha",
        type=Word(ALPHAS, "alpha"),
        default="weighted",
        show_default=True,
        help="weighted: colour counts by its alpha, and alpha is filtered; straight: both as they are stored; "
        "keep: alpha stays; drop: it is left out.",
    ),
    click.option("--linear", is_flag=True, help="Filter in linear light: by sRGB's curve, or that of the colour profile."),
    click.option("--gray", "--grey", "gray", is_flag=True, help="Make the picture grey first."),
    click.option("--luma", is_flag=True, help="Filter the luma only, and keep the colours."),
    click.option(
        "--channels", type=Channels(), default=None, help="Filter these channels only: red, green, blue, alpha, or 0 to 3."
    ),
    click.option(
        "--nodata",
        type=Level(),
        default=None,
        help="The level that stands for a missing value, as NaN does.  [default: what the file says]",
    ),
    click.option(
        "--fill", is_flag=True, help="Give missing values what their neighbours make of them, as far as the kernel reaches."
    ),
)
_READING = (
    click.option("--pages", type=Pages(), default=None, help="Pages or frames to take, from 0.  [default: all]"),
    click.option("--auto-orient", is_flag=True, help="Turn the pixels upright first, as EXIF says."),
    click.option(
        "--max-pixels", type=Count(), default=None, help="Refuse pictures of more pixels than this.  [default: 1.07 billion]"
    ),
)
_WRITING = (
    click.option(
        "--quality",
        type=click.IntRange(1, 100),
        metavar="N",
        default=None,
        help="Of a lossy format.  [default: the input's, or 95]",
    ),
    click.option("--lossless", is_flag=True, help="Write WebP or AVIF without loss."),
    click.option(
        "--compression",
        type=Compression(),
        default=None,
        help="How a TIFF is compressed (default: as the input, else lzw), or the effort for a PNG, 0 to 9.",
    ),
    click.option("--strip", is_flag=True, help="Leave out all metadata."),
)
_ISOLATION = (
    click.option(
        "--timeout",
        type=click.FloatRange(0),
        metavar="SECONDS",
        default=60.0,
        help="The most that reading a file may take, with --isolate; 0: no limit.  [default: 60]",
    ),
    click.option(
        "--memory",
        type=ByteSize(),
        default=0,
        help="The most that reading a file may take, with --isolate, such as 2G.  [default: half of what the machine has]",
    ),
)


def treatment_options(command: Command) -> Command:
    """Give a command every option on what of the pixels is filtered, and in what light."""
    return _with_options(command, *_TREATMENT)


def file_options(command: Command) -> Command:
    """Give a command every option on what is read of a file, and on how the output is stored."""
    return _with_options(command, *_READING, *_WRITING)


def isolation_options(*, default: bool) -> Callable[[Command], Command]:
    """Return what gives a command the options on reading in a process of its own."""

    def with_isolation(command: Command) -> Command:
        isolate = click.option(
            "--isolate/--no-isolate",
            default=default,
            show_default=True,
            help="Read in a process of its own, so that a file made to crash, hang or eat memory costs itself alone.",
        )
        return _with_options(command, isolate, *_ISOLATION)

    return with_isolation


def _with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
