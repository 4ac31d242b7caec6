"""What the command line prints: one line for each message, with the flags of the command in it."""

from __future__ import annotations

import io
import json
import re
from typing import Any, TextIO

import click

from imgconv.errors import WriteError


class StandardOutput(io.FileIO):
    """A file object for descriptor 1 that raises `WriteError` if writing fails."""

    def write(self, data: Any, /) -> int:
        """Write bytes."""
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise WriteError(f"standard output: {error.strerror or error}") from error


def note(text: str) -> None:
    """Write a line to stderr."""
    print_line(f"imgconv: {text}", err=True)


def print_line(text: str, *, err: bool = False) -> None:
    """Write a line to stdout or stderr, with the flags of the command."""
    context = click.get_current_context(silent=True)
    click.echo(one_line(with_flags(text, context.command if context else None)), err=err)


def one_line(text: str) -> str:
    """Return the text with what does not print (line breaks, escapes, stray bytes) written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def with_flags(text: str, command: click.Command | None) -> str:
    """Return a message of the library with flags in place of the names of parameters: `max_pixels` in backticks.

    Only parameters of the command are replaced.
    """
    flags: dict[str, str] = {}
    for parameter in command.params if command and "`" in text else ():
        if isinstance(parameter, click.Option):
            words = {flag.removeprefix("--").replace("-", "_"): flag for flag in parameter.opts if flag.startswith("--")}
            flags |= {**words, str(parameter.name): next(iter(words.values()))}
    if "no_clobber" in flags:
        text = text.replace("set `overwrite`", "omit --no-clobber")
    return re.sub(r"`(\w+)`", lambda match: flags.get(match[1], match[0]), text)


def on_terminal(stream: TextIO | None) -> bool:
    """Return whether a standard stream is a terminal; None is one that was closed."""
    return stream is not None and stream.isatty()


def terminal_width() -> int:
    """Return the columns of the terminal; 80 where stdout is none."""
    import shutil  # 10 ms, for compression

    return shutil.get_terminal_size((80, 24)).columns


def print_json(data: Any) -> None:
    """Write data to stdout as JSON; see `json_text`."""
    click.echo(json_text(data))


def json_text(data: Any) -> str:
    """Return data as JSON; numbers that JSON lacks (NaN, infinity) become null."""
    context = click.get_current_context(silent=True)
    return json.dumps(_plain(data, context.command if context else None), indent=2)


def _plain(data: Any, command: click.Command | None) -> Any:
    if isinstance(data, dict):
        return {str(key): _plain(value, command) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value, command) for value in data]
    if isinstance(data, str):
        return with_flags(data, command)
    if isinstance(data, float) and (data != data or data in (float("inf"), float("-inf"))):
        return None
    if isinstance(data, complex):
        return {"real": data.real, "imag": data.imag}
    return data
