"""`imgconv plan`: the method chosen for each convolution, its predicted cost, and why others were rejected."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click

from imgconv.cli.messages import print_json
from imgconv.cli.options import HeadedCommand, planning_options
from imgconv.cli.parameters import completed_by, size
from imgconv.cli.tasks import make_task

_NARROWEST, _WIDEST = 80, 120


@click.command("plan", cls=HeadedCommand)
@click.argument("words", metavar="SPEC... [IN]", nargs=-1, shell_complete=completed_by("complete_words"))
@click.option("--shape", type=size(2, 3), help="Size of the image, in place of IN.")
@click.option("--dtype", metavar="TYPE", help="Type of the pixels, with --shape.  [default: uint8]")
@planning_options
def command(words: tuple[str, ...], shape: tuple[int, ...] | None, dtype: str | None, as_json: bool, **options: Any) -> None:
    """Show the method chosen for a convolution, and its cost.

    \b
        imgconv plan gaussian:sigma=9 big.tif
        imgconv plan sharpen in.png --engine numpy --border wrap
        imgconv plan gaussian:2 sobel --shape 3000x4000x3 --dtype uint16

    Print, for each convolution of `imgconv apply` with these SPECs, the method and its predicted time, work and error;
    the same for every other method of both engines; and why others cannot be used. Nothing is filtered. Only the header of
    IN is read, except from a pipe. Manual: imgconv help methods, numbers
    """
    if shape and len(words) > 1 and Path(words[-1]).suffix and Path(words[-1]).is_file():
        raise click.UsageError(f"--shape replaces the image, found {words[-1]} too; give one of them")
    specs = words if shape else words[:-1]
    if not specs:
        raise click.UsageError("IN is missing: imgconv plan SPEC... IN, or imgconv plan SPEC... --shape ROWSxCOLUMNS")
    if dtype and not shape:
        raise click.UsageError("--dtype is the type of pixels with --shape; the type of IN is that of its file")
    task = make_task(specs, **options)

    from imgconv.convolution.options import as_dtype
    from imgconv.convolution.plan_text import as_text
    from imgconv.images.files import read_header
    from imgconv.images.pages import Header
    from imgconv.running.picture_path import PicturePath

    if shape:
        header = Header.of(shape[0], shape[1], (*shape, 1)[2], as_dtype(dtype or "uint8"), has_alpha=False)
    else:
        header = read_header(words[-1])
    plans = PicturePath.of(header, task).plans()
    others = PicturePath.of(header, task.on_engine("numpy" if options["engine"] == "opencv" else "opencv")).plans()
    if as_json:
        pairs = zip(plans, others, strict=True)
        print_json([{**plan.as_dict(), "other_engine": other.as_dict()} for plan, other in pairs])
    elif not plans:
        click.echo("no convolution")
    else:
        columns = shutil.get_terminal_size((100, 24)).columns
        click.echo(as_text(plans, min(max(columns, _NARROWEST), _WIDEST), others))
