"""`imgconv edges`: the gradient of one image."""

from __future__ import annotations

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
from imgconv.kernels.notation import NAME
from imgconv.vocabulary import EDGE_OUTPUTS

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
@click.argument("source", metavar="IN", shell_complete=completed_by("complete_files"))
@click.argument("target", metavar="OUT", shell_complete=completed_by("complete_files"))
@filtering_options(isolate=False, first=(_OPERATOR, _OUTPUT, _AS_ALPHA, depth_option, verbose_option), without=(anchor_option,))
def command(source: str, target: str, operator: str, output: str, **options: Any) -> None:
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
    if not NAME.fullmatch(operator):
        raise KernelError(f"an operator is given by its name, found {operator!r}")
    run_one((f"edges:operator={operator},output={output}",), source, target, **options)
