"""`imgconv edges`: the gradient of one image."""

from __future__ import annotations

from typing import Any

import click

from imgconv.cli.options import filtering_options, format_option, jobs_option
from imgconv.cli.parameters import word
from imgconv.cli.tasks import run_one
from imgconv.vocabulary import EDGE_OUTPUTS


@click.command("edges")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option(
    "--operator",
    default="scharr",
    help="sobel, scharr, prewitt, roberts, kirsch or one of --kernels.",
)
@click.option("--output", type=word(EDGE_OUTPUTS, "output"), default="magnitude", help="The values written to OUT.")
@filtering_options(isolate=False, anchor=False)
@jobs_option
@format_option
def command(source: str, target: str, operator: str, output: str, **options: Any) -> None:
    """Write the gradient of the image IN to OUT: its magnitude, its x or y part, or its direction.

    \b
        magnitude = sqrt(x * x + y * y)        direction = atan2(y, x)

    Each channel alone. Responses are scaled so that a step from black to white along an axis gives white. x is positive
    where it gets brighter to the right, y where it gets brighter downwards; in 8 and 16 bits the middle grey is zero.
    Direction is in degrees, 0 to the right and 90 downwards; in 8 and 16 bits a full turn is the full range.

    \b
        imgconv edges in.png out.png --operator scharr
        imgconv edges in.png gradient.tiff --output x --depth 32f
    """
    run_one((f"edges:operator={operator},output={output}",), source, target, **options)
