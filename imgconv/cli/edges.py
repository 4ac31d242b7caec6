"""`imgconv edges`: the gradient of one image."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import click

from imgconv.cli.options import (
    HeadedCommand,
    anchor_option,
    depth_option,
    filtering_options,
    verbose_option,
)
from imgconv.cli.parameters import colour, completed_by, word
from imgconv.cli.tasks import run_one
from imgconv.errors import KernelError
from imgconv.vocabulary import EDGE_OUTPUTS, suggestion

_OPERATOR = click.option(
    "--operator",
    default="scharr",
    shell_complete=completed_by("complete_operators"),
    help="sobel, scharr, prewitt, roberts, kirsch, or an operator of --kernels.",
)
_OUTPUT = click.option(
    "--output", type=word(EDGE_OUTPUTS, "output"), default="magnitude", help="Values to write: magnitude, x, y or direction."
)
_AS_ALPHA = click.option(
    "--as-alpha", type=colour, help="Write this colour with the magnitude as its alpha: black, white, ... or #ff8000."
)


@click.command("edges", cls=HeadedCommand)
@click.argument("words", metavar="IN OUT", nargs=-1, shell_complete=completed_by("complete_files"))
@filtering_options(isolate=False, first=(_OPERATOR, _OUTPUT, _AS_ALPHA, depth_option, verbose_option), without=(anchor_option,))
def command(words: tuple[str, ...], operator: str, output: str, **options: Any) -> None:
    """Write the gradient of an image: magnitude, x, y or direction.

    \b
        imgconv edges in.png out.png --operator sobel
        imgconv edges in.png gradient.tiff --output x --depth 32f

    \b
        magnitude = sqrt(x * x + y * y)        direction = atan2(y, x)

    Each channel is filtered alone. A step from black to white along an axis gives white. x is positive where the image
    becomes brighter to the right, y where it becomes brighter downwards; in 8 and 16 bits, middle grey is zero.
    Direction is in degrees: 0 is to the right, 90 downwards; in 8 and 16 bits, 360 degrees are the full range.
    Manual: imgconv help edges, range-and-depth
    """
    if options["as_alpha"] and output != "magnitude":
        raise click.UsageError(f"--as-alpha writes the magnitude, found --output {output}")
    from imgconv.kernels.catalog import load_catalog

    operators = load_catalog(*options["catalogs"]).operators
    source, target = _files(words, operators)
    if operator not in operators:
        close = suggestion(operator, operators)
        raise KernelError(f"there is no operator {operator!r}{close}; choose one of {', '.join(operators)}")
    run_one((f"edges:operator={operator},output={output}",), source, target, **options)


def _files(words: tuple[str, ...], operators: Collection[str]) -> tuple[str, str]:
    """Return the input and the output.

    Raises:
        UsageError: there are fewer or more words.
    """
    if len(words) == 2:
        return words[0], words[1]
    if len(words) < 2:
        missing = "OUT is" if words else "IN and OUT are"
        raise click.UsageError(f"{missing} missing: imgconv edges IN OUT")
    first = " ".join(words[:-2])
    files = " ".join(words[-2:])
    hint = f"imgconv edges {files} --operator {first}" if first in operators else f"imgconv apply {first} edges {files}"
    raise click.UsageError(f"edges takes IN and OUT, found {len(words)} words: {hint}")
