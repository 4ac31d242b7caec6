"""How the command line writes: one line a message, whatever a file may be called."""

from __future__ import annotations

import json
from typing import Any

import click


def one_line(text: str) -> str:
    """Return the text with what does not print (line breaks, escapes, stray bytes) written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def note(text: str) -> None:
    """Write a line to stderr."""
    click.echo(f"imgconv: {one_line(text)}", err=True)


def print_json(data: Any) -> None:
    """Write data to stdout as JSON; see `json_text`."""
    click.echo(json_text(data))


def json_text(data: Any) -> str:
    """Return data as JSON; numbers that JSON lacks (NaN, infinity) become null."""
    return json.dumps(_plain(data), indent=2)


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    if isinstance(data, float) and (data != data or data in (float("inf"), float("-inf"))):
        return None
    if isinstance(data, complex):
        return {"real": data.real, "imag": data.imag}
    return data
