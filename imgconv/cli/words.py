"""The words of a command line: filters, then files; and the errors for words in the wrong place."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from imgconv.errors import KernelError
from imgconv.vocabulary import suggestion

if TYPE_CHECKING:
    from imgconv.kernels.catalog import Catalog

#: A word that no filter can be, since names have neither dots nor slashes: the name of a file.
_FILE_NAME = re.compile(r"[^:\[@(]*[./\\][^:]*")
_PICTURES = re.compile(r"\.(png|jpe?g|tiff?|webp|gif|bmp|avif|jp2|exr|hdr|p[bgnp]m|pfm|heic|svg|pdf)$", re.IGNORECASE)


def missing_words(words: Sequence[str]) -> click.UsageError:
    """Return the error for `apply` with less than a filter, an input and an output."""
    names_file = bool(words and is_file_name(words[0]))
    missing = {
        (0, False): "SPEC, IN and OUT are missing",
        (1, False): "IN and OUT are missing",
        (1, True): "SPEC and OUT are missing",
        (2, False): "OUT is missing",
        (2, True): "SPEC is missing",
    }
    return click.UsageError(f"{missing[len(words), names_file]}: imgconv apply SPEC... IN OUT")


def check_specs(specs: Sequence[str]) -> None:
    """Reject words that cannot be filters: names of files, and parts of a matrix that is not in quotes.

    Raises:
        KernelError: a word is the name of a file.
        UsageError: a word is a part of a matrix.
    """
    for spec in specs:
        _check_quotes(spec)
        if is_file_name(spec):
            if _PICTURES.search(spec) or os.path.isdir(spec):
                raise KernelError(f"{spec} looks like a file; filters come first, then files")
            raise KernelError(f"{spec} looks like a file; write @{spec} to read a kernel from a file")


def is_file_name(word: str) -> bool:
    """Return whether a word is the name of a file by its form."""
    return bool(_FILE_NAME.fullmatch(word))


def _check_quotes(word: str, ctx: click.Context | None = None) -> None:
    if word.startswith("[") and "]" not in word and " " not in word:
        raise click.UsageError(f'{word} begins a matrix; put the matrix in quotes: "[0 -1 0; -1 5 -1; 0 -1 0]"', ctx)


def split_batch(words: Sequence[str], catalog: Catalog) -> tuple[list[str], list[str]]:
    """Return the filters and the input files and folders among the words of `batch`, of which the first is a filter.

    A word that is the name of a filter, a matrix or @FILE is a filter, even where a folder has that name.
    """
    specs = [*words[:1]]
    for word in words[1:]:
        if not _names_filter(word, catalog) and (os.path.lexists(word) or is_file_name(word)):
            break
        specs.append(word)
    inputs = list(words[len(specs) :])
    last = specs[-1]
    if not inputs and len(specs) > 1 and (os.path.lexists(last) or not _names_filter(last, catalog)):
        inputs = [specs.pop()]
    return specs, inputs


def _names_filter(word: str, catalog: Catalog) -> bool:
    """Return whether a word is a filter by its form: a name of the catalog, a matrix or @FILE."""
    from imgconv.filters import FILTERS

    name = word.partition(":")[0].strip()
    return word[:1] in ("[", "@") or any(
        name in names for names in (catalog.kernels, catalog.operators, catalog.filters, FILTERS)
    )


def unknown_option(option: str, arguments: list[str], flags: list[str], ctx: click.Context) -> click.UsageError:
    """Return the error for an option that does not exist: it may be a parameter of a filter, or a number of a matrix.

    Args:
        option: as written, without a value.
        arguments: the words of the command line.
        flags: the options of the command.
        ctx: the context of the command.
    """
    for word in arguments:
        _check_quotes(word, ctx)
    name = option.lstrip("-").replace("-", "_")
    place = next((index for index, word in enumerate(arguments) if word.partition("=")[0] == option), 0)
    words = arguments[place : place + 1] if "=" in arguments[place] else arguments[place : place + 2]
    for filter_name in _filters_with(name, arguments):
        value = "=".join(words).partition("=")[2] or "..."
        hint = f"parameters are written after the filter: {filter_name}:{name}={value}"
        return click.UsageError(f"no option {option}; {hint}", ctx)
    names = [flag.removeprefix("--") for flag in flags if flag.startswith("--")]
    return click.UsageError(f"no option {option}{suggestion(option.lstrip('-'), names, '--')}", ctx)


def _filters_with(parameter: str, arguments: list[str]) -> list[str]:
    """Return the names of filters that have a parameter, those on the command line first."""
    from imgconv.filters import FILTERS
    from imgconv.kernels.catalog import load_catalog

    try:
        kernels = load_catalog().kernels
    except KernelError:  # a damaged catalog; a command that needs it reports it
        return []
    given = [word.partition(":")[0] for word in arguments]
    parameters = {name: tuple(entry.parameters) for name, entry in kernels.items()}
    parameters |= {name: tuple(kind.parameters) for name, kind in FILTERS.items()}
    found = [name for name, names in parameters.items() if parameter in names]
    return sorted(found, key=lambda name: name not in given)
