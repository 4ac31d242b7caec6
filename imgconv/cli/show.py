"""`imgconv show`: one kernel, and what is to be known of it."""

from __future__ import annotations

import click

from imgconv.cli.messages import print_json
from imgconv.cli.options import json_option, kernels_option

_FORMATS = ("yaml", "imagemagick", "vips", "ffmpeg", "numpy")


@click.command("show")
@click.argument("kernel", metavar="KERNEL")
@click.option("--as", "form", type=click.Choice(_FORMATS), default=None, help="Write it as another program reads it.")
@kernels_option
@json_option
def command(kernel: str, form: str | None, catalogs: tuple[str, ...], as_json: bool) -> None:
    """Show a KERNEL: its matrix, sum, anchor, rank, symmetries and separable factors.

    \b
        imgconv show gaussian:sigma=2
        imgconv show "[1 2 1; 0 0 0; -1 -2 -1]" --json
        imgconv show sharpen --as imagemagick
    """
    if form and as_json:
        raise click.UsageError("--as and --json are two forms of one output; choose one")
    from imgconv.explaining.kernel_text import as_data, as_text
    from imgconv.kernels.catalog import load_catalog
    from imgconv.kernels.formats import format_kernel

    value = load_catalog(*catalogs).kernel(kernel)
    if as_json:
        print_json(as_data(value))
    elif form:
        click.echo(format_kernel(value, form).rstrip("\n"))
    else:
        click.echo(as_text(value))
