"""`imgconv list`: the kernels, operators and filters."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from imgconv.cli.messages import print_json
from imgconv.cli.options import json_option, kernels_option


@click.command("list")
@kernels_option
@json_option
def command(catalogs: tuple[str, ...], as_json: bool) -> None:
    """List the kernels, the operators of `edges` and the filters, with their parameters.

    \b
        imgconv list
        imgconv list --kernels my.yaml --json
    """
    from imgconv.filters import FILTERS
    from imgconv.kernels.catalog import load_catalog

    catalog = load_catalog(*catalogs)
    groups: dict[str, list[dict[str, Any]]] = {
        "kernels": [_entry(e.name, e.about, e.parameters) for e in catalog.kernels.values()],
        "operators": [_entry(e.name, e.about, {}) for e in catalog.operators.values()],
        "filters": [
            *(_entry(e.name, e.about, e.parameters) for e in FILTERS.values()),
            *(_entry(e.name, e.about, {}) for e in catalog.filters.values()),
        ],
    }
    if as_json:
        print_json(groups)
        return
    width = max(len(entry["name"]) for entries in groups.values() for entry in entries)
    for title, entries in groups.items():
        click.echo(f"{title}:")
        for entry in entries:
            click.echo(_line(entry, width))


def _entry(name: str, about: str, parameters: Any) -> dict[str, Any]:
    return {"name": name, "about": about, "parameters": dict(parameters)}


def _line(entry: dict[str, Any], width: int) -> str:
    parameters = ", ".join(f"{key}={value}" if value is not None else key for key, value in entry["parameters"].items())
    text = f"{entry['about']} ({parameters})" if parameters else entry["about"]
    indent = " " * (width + 4)
    return textwrap.fill(text, 100, initial_indent=f"  {entry['name']:{width}}  ", subsequent_indent=indent)
