"""`imgconv completion`: the scripts for shell completion, and the words that complete an incomplete one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from imgconv.cli.options import HeadedCommand
from imgconv.cli.parameters import word

#: The variable by which the scripts request words.
VARIABLE = "_IMGCONV_COMPLETE"

#: Characters that bash interprets, and what escapes them.
_SPECIAL, _BACKSLASH = re.compile(r"([^\w@%+=:,./~\n-])"), r"\\\1"

_BASH = """\
%(complete_func)s() {
    local response type value current=${COMP_WORDS[COMP_CWORD]}
    [[ $current == [:=] ]] && current=
    response=$(COMP_LINE=${COMP_LINE:0:COMP_POINT} COMP_CURRENT=$current %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            plain) COMPREPLY+=("$value") ;;
            file) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames ;;
        esac
    done <<< "$response"
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[:=/] ]] && compopt -o nospace
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


@add_completion_class
class _Bash(BashComplete):
    """Completion for bash, which splits words at `:` and `=`, and replaces only the part after the last one."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)
        self._incomplete = "" if line[-1:].isspace() or len(words) < 2 else words.pop()
        return words[1:], self._incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        value, current = item.value, os.environ.get("COMP_CURRENT", "")
        quote = current[:1] if current[:1] in ("'", '"') else ""
        if value.startswith(self._incomplete) and not value.startswith("@"):
            value = value[len(self._incomplete) - len(current) + len(quote) :]
        return f"{item.type},{value if quote else _SPECIAL.sub(_BACKSLASH, value)}"


@click.command("completion", cls=HeadedCommand)
@click.argument("shell", type=word(dict.fromkeys(("bash", "zsh", "fish"), ()), "shell"))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script for completion in a shell.

    \b
        eval "$(imgconv completion bash)"      # in ~/.bashrc
        eval "$(imgconv completion zsh)"       # in ~/.zshrc, after compinit
        imgconv completion fish | source       # in ~/.config/fish/config.fish

    Commands, options and their values, filters, their parameters and files are completed.
    """
    found = get_completion_class(shell)
    assert found is not None
    assert context.parent is not None
    script = found(context.parent.command, {}, "imgconv", VARIABLE)
    click.echo(found.source_template % script.source_vars())


def complete_words(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Return filters, and a request for files, for the words of a command that filters."""
    from imgconv.filters import FILTERS
    from imgconv.kernels.catalog import load_catalog

    if incomplete.startswith("["):
        return []
    if incomplete.startswith("@"):
        return _items(incomplete, map("@{}".format, _paths(incomplete.removeprefix("@"))))
    name, colon, arguments = incomplete.partition(":")
    catalog = load_catalog(*ctx.params.get("catalogs") or ())
    groups: tuple[Iterable[Any], ...] = (
        catalog.kernels.values(),
        catalog.operators.values(),
        catalog.filters.values(),
        FILTERS.values(),
    )
    entries: dict[str, Any] = {}
    for entry in (entry for group in groups for entry in group):
        entries.setdefault(entry.name, entry)
    if not colon:
        return [*_items(name, entries), CompletionItem(incomplete, type="file")]
    if name not in entries:
        return []
    before, _, last = arguments.rpartition(",")
    start = f"{name}:{before}{',' * bool(before)}"
    key, equals, value = last.partition("=")
    if equals:
        return _items(f"{start}{key}={value}", (f"{start}{key}={word}" for word in _values(key, catalog)))
    is_operator = name in catalog.operators and name not in catalog.kernels
    parameters = {"output": ""} if is_operator else getattr(entries[name], "parameters", {})
    return _items(f"{start}{key}", (f"{start}{parameter}=" for parameter in parameters))


def _paths(incomplete: str) -> list[str]:
    """Return the files and folders that begin with a text; folders end in a slash."""
    folder, name = os.path.split(incomplete)
    try:
        with os.scandir(folder or ".") as entries:
            found = [(entry.name, entry.is_dir()) for entry in entries if name or not entry.name.startswith(".")]
    except OSError:
        return []
    return sorted(os.path.join(folder, entry, *[""] * is_folder) for entry, is_folder in found)


def _values(parameter: str, catalog: Any) -> Iterable[str]:
    """Return the words that a parameter of a filter accepts, as far as they are words."""
    from imgconv.kernels.differences import DIRECTIONS
    from imgconv.vocabulary import EDGE_OUTPUTS

    words: dict[str, Iterable[str]] = {
        "operator": catalog.operators,
        "output": EDGE_OUTPUTS,
        "direction": DIRECTIONS,
        "light": DIRECTIONS,
    }
    return words.get(parameter, ())


def complete_kernels(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Return filters for `show`, and files after @."""
    return [item for item in complete_words(ctx, incomplete) if item.type == "plain"]


def complete_files(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Return a request for files."""
    return [CompletionItem(incomplete, type="file")]


def complete_operators(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Return the operators of the catalog."""
    from imgconv.kernels.catalog import load_catalog

    return _items(incomplete, load_catalog(*ctx.params.get("catalogs") or ()).operators)


def complete_methods(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Return the methods of the engine."""
    from imgconv.convolution.methods import ENGINES

    engine = ctx.params.get("engine", "opencv")
    return _items(incomplete, ("auto", *(name for name, engines in ENGINES.items() if engine in engines)))


def complete_formats(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Return the extensions of the formats."""
    from imgconv.images.formats.registry import extensions

    return _items(incomplete, (extension.removeprefix(".") for extension in extensions()))


def complete_topics(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Return the pages of the manual and the commands."""
    from imgconv.cli.help import find_pages
    from imgconv.cli.main import COMMANDS

    return _items(incomplete, dict.fromkeys((*find_pages(), *COMMANDS)))


def _items(incomplete: str, words: Iterable[str]) -> list[CompletionItem[str]]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]
