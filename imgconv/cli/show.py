"""`imgconv show`: one kernel and its properties."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from imgconv.cli.messages import print_json
from imgconv.cli.options import (
    border_option,
    convolve_option,
    dilation_option,
    json_option,
    kernels_option,
    mode_option,
    stride_option,
)
from imgconv.cli.parameters import size
from imgconv.errors import KernelError

_FORMATS = ("yaml", "imagemagick", "vips", "ffmpeg", "numpy")


@click.command("show")
@click.argument("kernel", metavar="KERNEL")
@click.option("--as", "form", type=click.Choice(_FORMATS), help="Write the kernel in the notation of another program.")
@click.option(
    "--toeplitz",
    "image",
    type=size(2, 2),
    help="Write the matrix that takes a small image of this size, row by row, to its output. --border, --mode, --stride, "
    "--dilation and --convolve apply to it.",
)
@border_option
@mode_option
@stride_option
@dilation_option
@convolve_option
@kernels_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    kernel: str,
    form: str | None,
    image: tuple[int, int] | None,
    catalogs: tuple[str, ...],
    as_json: bool,
    **convolution: Any,
) -> None:
    """Show a KERNEL: its matrix, sum, anchor, rank, symmetries and separable factors.

    \b
        imgconv show gaussian:sigma=2
        imgconv show "[1 2 1; 0 0 0; -1 -2 -1]" --json
        imgconv show sharpen --as imagemagick
        imgconv show "[1 2 3; 4 5 6]" --toeplitz 4x5 --border constant
    """
    if form and as_json:
        raise click.UsageError("--as and --json are two forms of one output; choose one")
    if form and image:
        raise click.UsageError("--as writes the kernel, --toeplitz the matrix of a convolution; choose one")
    if not image and any(context.get_parameter_source(name) != ParameterSource.DEFAULT for name in convolution):
        raise click.UsageError("a kernel has no border, mode, stride or dilation of its own; they go with --toeplitz")
    from imgconv.explaining import kernel_text, matrices
    from imgconv.filters import FILTERS
    from imgconv.kernels.catalog import load_catalog
    from imgconv.kernels.formats import format_kernel

    catalog = load_catalog(*catalogs)
    if (name := kernel.partition(":")[0].strip()) in FILTERS and name not in catalog.kernels:
        raise KernelError(f"{name} is a filter, and a kernel is needed here; see `imgconv list`")
    value = catalog.kernel(kernel)
    if image and as_json:
        print_json(matrices.as_data(image, value, **convolution))
    elif image:
        click.echo(matrices.as_text(image, value, **convolution))
    elif as_json:
        print_json(kernel_text.as_data(value))
    elif form:
        click.echo(format_kernel(value, form).rstrip("\n"))
    else:
        click.echo(kernel_text.as_text(value))
