"""`imgconv apply`: one image through one or more filters."""

from __future__ import annotations

from typing import Any

import click

from imgconv.cli.options import filtering_options, format_option, jobs_option
from imgconv.cli.tasks import run_one


@click.command("apply")
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True)
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@filtering_options(isolate=False)
@jobs_option
@format_option
def command(specs: tuple[str, ...], source: str, target: str, **options: Any) -> None:
    """Filter the image IN with each SPEC in turn and write OUT.

    \b
        out[y, x] = delta + sum over i, j of w[i, j] * in[y + i - r, x + j - c]

    The kernel is laid on the image as it is written (correlation, as cv2.filter2D does); --convolve rotates it
    first. Nothing is rounded between the steps of a chain. Every page or frame is filtered, and metadata
    are kept. IN and OUT may be the same file; - is stdin or stdout. OUT appears whole or not at all.

    A SPEC is a kernel or filter of `imgconv list`, a matrix, or @FILE:

    \b
        imgconv apply sharpen in.png out.png
        imgconv apply gaussian:sigma=2 "[0 -1 0; -1 5 -1; 0 -1 0]" in.jpg out.jpg --border reflect
        imgconv apply box:size=5 tile.png out.png --border wrap
        imgconv apply laplacian in.png out.tiff --depth 32f
        imgconv apply gaussian:sigma=5 in.jpg out.jpg --linear --auto-orient
    """
    run_one(specs, source, target, **options)
