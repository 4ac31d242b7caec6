"""`imgconv apply`: one image through one or more filters."""

from __future__ import annotations

from typing import Any

import click

from imgconv.cli.options import HeadedCommand, filtering_options
from imgconv.cli.parameters import completed_by
from imgconv.cli.tasks import run_one


@click.command("apply", cls=HeadedCommand)
@click.argument("words", metavar="SPEC... IN OUT", nargs=-1, shell_complete=completed_by("complete_words"))
@filtering_options(isolate=False)
def command(words: tuple[str, ...], **options: Any) -> None:
    """Filter an image with kernels and other filters.

    \b
        imgconv apply sharpen in.png out.png
        imgconv apply gaussian:sigma=2 sharpen in.jpg out.jpg --border reflect
        imgconv apply "[0 -1 0; -1 5 -1; 0 -1 0]" in.png out.png
        imgconv apply laplacian in.png out.tiff --depth 32f

    Each SPEC is a name of `imgconv list` with its parameters, a matrix in quotes, or @FILE. Several are a chain, rounded
    once at its end. The kernel is used as written (correlation, as cv2.filter2D); --convolve rotates it.

    Every page or frame is filtered, and metadata are kept. OUT may be a folder, or the same file as IN; - is stdin or
    stdout. Manual: imgconv help.
    """
    if len(words) < 3:
        from imgconv.cli.words import missing_words

        raise missing_words(words)
    *specs, source, target = words
    run_one(tuple(specs), source, target, **options)
