"""`imgconv show`: a kernel and its properties, or the kernels of a filter."""

from __future__ import annotations

import sys
import textwrap
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from imgconv.cli.messages import print_json, terminal_width
from imgconv.cli.options import (
    HeadedCommand,
    border_option,
    convolve_option,
    dilation_option,
    json_option,
    kernels_option,
    mode_option,
    stride_option,
)
from imgconv.cli.parameters import completed_by, size
from imgconv.cli.words import is_file_name
from imgconv.errors import KernelError

if TYPE_CHECKING:
    from imgconv.kernels.kernel import Kernel

_FORMATS = ("yaml", "imagemagick", "vips", "ffmpeg", "numpy")
_NARROWEST, _WIDEST = 40, 120


@click.command("show", cls=HeadedCommand)
@click.argument("spec", shell_complete=completed_by("complete_kernels"))
@click.option("--numbers", is_flag=True, help="Print all weights of a large kernel, in place of a drawing.")
@click.option(
    "--as",
    "form",
    type=click.Choice(_FORMATS),
    metavar="FORM",
    help="Write the kernel for another program: yaml, imagemagick, vips, ffmpeg or numpy.",
)
@click.option(
    "--toeplitz",
    "image",
    type=size(2, 2),
    help="Print the matrix that maps an image of this size to its output. The options below apply to it.",
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
    spec: str,
    numbers: bool,
    form: str | None,
    image: tuple[int, int] | None,
    catalogs: tuple[str, ...],
    as_json: bool,
    **convolution: Any,
) -> None:
    """Show a kernel: its matrix, sum, rank and other properties.

    \b
        imgconv show gaussian:sigma=2
        imgconv show "[1 2 1; 0 0 0; -1 -2 -1]" --json
        imgconv show sharpen --as imagemagick
        imgconv show "[1 2 3; 4 5 6]" --toeplitz 4x5 --border constant

    Of a filter with several kernels, such as edges or a chain, all are shown. A kernel of more than 121 elements is drawn.
    """
    if form and as_json:
        raise click.UsageError("--as and --json both select the form of the output; give one of them")
    if form and image:
        raise click.UsageError("--as writes the kernel, --toeplitz the matrix of a convolution; give one of them")
    if not image and any(context.get_parameter_source(name) != ParameterSource.DEFAULT for name in convolution):
        raise click.UsageError("--border, --mode, --stride, --dilation and --convolve apply to --toeplitz only")
    kernels, scale = _kernels(spec, catalogs)
    if (form or image) and len(kernels) > 1:
        names = ", ".join(kernel.name for kernel in kernels)
        raise click.UsageError(f"{spec} has {len(kernels)} kernels: {names}; name one of them")

    from imgconv.explaining import kernel_text, matrices
    from imgconv.kernels.formats import format_kernel
    from imgconv.kernels.numbers import number_text

    if image:
        if as_json:
            print_json(matrices.as_data(image, kernels[0], **convolution))
        else:
            click.echo(matrices.as_text(image, kernels[0], **convolution))
    elif as_json:
        data = [kernel_text.as_data(kernel) for kernel in kernels]
        print_json(data[0] if len(data) == 1 else data)
    elif form:
        click.echo(format_kernel(kernels[0], form).rstrip("\n"))
    else:
        width = max(min(terminal_width(), _WIDEST), _NARROWEST)
        shades = kernel_text.SHADES if _prints(kernel_text.SHADES) else kernel_text.ASCII_SHADES
        texts = [kernel_text.as_text(kernel, width, numbers=numbers, shades=shades) for kernel in kernels]
        heading = [f"{spec}: {len(kernels)} kernels"] if len(kernels) > 1 else []
        if scale != 1:
            text = f"{spec}: results are {number_text(scale)} of the sums, so that a step from black to white gives white"
            heading = [textwrap.fill(text, width)]
        click.echo("\n\n".join([*heading, *texts]))


def _kernels(spec: str, catalogs: tuple[str, ...]) -> tuple[tuple[Kernel, ...], Fraction]:
    """Return the kernel that a spec names, or those of a filter, and the scale of the results of an edge operator."""
    from imgconv.kernels.catalog import load_catalog
    from imgconv.kernels.notation import Named, parse_notation

    catalog = load_catalog(*catalogs)
    try:
        parsed = parse_notation(spec)
    except KernelError as error:
        if is_file_name(spec):
            raise KernelError(f"{spec} looks like a file; write @{spec} to read a kernel from a file") from None
        raise error
    if not isinstance(parsed, Named) or parsed.name in catalog.kernels:
        return (catalog.kernel(spec),), Fraction(1)
    from imgconv.filters.edges import EdgeFilter
    from imgconv.filters.parsing import parse_filter

    found = parse_filter(spec, catalog)
    scale = found.operator.scale if isinstance(found, EdgeFilter) else 1.0
    return found.kernels, Fraction(scale).limit_denominator(1000)


def _prints(text: str) -> bool:
    """Return whether stdout can print characters."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True
