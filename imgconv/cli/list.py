"""`imgconv list`: the kernels, operators and filters."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from imgconv.cli.messages import print_json, terminal_width
from imgconv.cli.options import HeadedCommand, json_option, kernels_option
from imgconv.errors import KernelError

_WIDEST = 100


@click.command("list", cls=HeadedCommand)
@click.argument("words", metavar="[WORD...]", nargs=-1)
@kernels_option
@json_option
def command(words: tuple[str, ...], catalogs: tuple[str, ...], as_json: bool) -> None:
    """List the kernels, operators and filters.

    \b
        imgconv list
        imgconv list blur
        imgconv list --kernels my.yaml --json

    With WORDs, list only entries that contain all of them in their name, description or parameters. A parameter without
    a value follows from the others.
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
    groups = {title: [e for e in entries if _matches(e, words)] for title, entries in groups.items()}
    if as_json:
        print_json(groups)
        return
    found = [entry for entries in groups.values() for entry in entries]
    if not found:
        raise KernelError(f"no kernel, operator or filter contains {' '.join(words)!r}; `imgconv list` prints all of them")
    width = max(len(entry["name"]) for entry in found)
    for title, entries in groups.items():
        if entries:
            click.echo(f"{title}:")
        for entry in entries:
            click.echo(_line(entry, width))


def _entry(name: str, about: str, parameters: Any) -> dict[str, Any]:
    return {"name": name, "about": about, "parameters": dict(parameters)}


def _matches(entry: dict[str, Any], words: tuple[str, ...]) -> bool:
    text = " ".join((entry["name"], entry["about"], *entry["parameters"])).lower()
    return all(word.lower() in text for word in words)


def _line(entry: dict[str, Any], width: int) -> str:
    parameters = ", ".join(f"{key}={value}" if value is not None else key for key, value in entry["parameters"].items())
    text = f"{entry['about']} ({parameters})" if parameters else entry["about"]
    columns = max(min(terminal_width(), _WIDEST), width + 24)
    return textwrap.fill(
        text,
        columns,
        initial_indent=f"  {entry['name']:{width}}  ",
        subsequent_indent=" " * (width + 4),
        break_on_hyphens=False,
    )
