"""`imgconv plan`: the method for each convolution, its predicted cost, and why others were rejected."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click

from imgconv.cli.messages import print_json
from imgconv.cli.options import jobs_option, json_option, planning_options
from imgconv.cli.parameters import size
from imgconv.cli.tasks import make_task

_NARROWEST, _WIDEST = 80, 120


@click.command("plan")
@click.argument("words", metavar="SPEC... [IN]", nargs=-1, required=True)
@click.option("--shape", type=size(2, 3), help="Plan for an image of this size, in place of IN.")
@click.option("--dtype", metavar="TYPE", help="The type of its pixels, with --shape.  [default: uint8]")
@planning_options
@jobs_option
@json_option
def command(words: tuple[str, ...], shape: tuple[int, ...] | None, dtype: str | None, as_json: bool, **options: Any) -> None:
    """Show which method would be used, its predicted cost, and why others were rejected.

    For each convolution of `imgconv apply` with these SPECs: the method, its predicted time, work and error, what every
    other method of both engines would cost, and why some cannot do it. Nothing is filtered, and of IN only the header is
    read (but - and pipes are read whole).

    \b
        imgconv plan gaussian:sigma=9 big.tif
        imgconv plan sharpen in.png --engine numpy --border wrap
        imgconv plan gaussian:sigma=2 edges:operator=sobel --shape 3000x4000x3 --dtype uint16 --json
    """
    if shape and len(words) > 1 and Path(words[-1]).suffix and Path(words[-1]).is_file():
        raise click.UsageError(f"{words[-1]} has a size of its own; give the image or --shape, not both")
    specs = words if shape else words[:-1]
    if not specs:
        raise click.UsageError("name one SPEC or several, then the image, or give --shape in its place")
    if dtype and not shape:
        raise click.UsageError("an image has a type of its own; --dtype goes with --shape")
    task = make_task(specs, **options)

    from imgconv.convolution.options import as_dtype
    from imgconv.explaining.plan_text import as_text
    from imgconv.images.files import read_header
    from imgconv.images.pages import Header
    from imgconv.running.picture_path import plan_picture

    if shape:
        header = Header.of(shape[0], shape[1], (*shape, 1)[2], as_dtype(dtype or "uint8"), has_alpha=False)
    else:
        header = read_header(words[-1])
    plans = plan_picture(header, task)
    others = plan_picture(header, task.on_engine("numpy" if options["engine"] == "opencv" else "opencv"))
    if as_json:
        pairs = zip(plans, others, strict=True)
        print_json([{**plan.as_dict(), "other_engine": other.as_dict()} for plan, other in pairs])
    elif not plans:
        click.echo("no convolution")
    else:
        columns = shutil.get_terminal_size((100, 24)).columns
        click.echo(as_text(plans, min(max(columns, _NARROWEST), _WIDEST), others))
