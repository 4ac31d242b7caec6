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
        _check_parameter(spec, specs)
        if is_file_name(spec):
            if names_image(spec) or os.path.isdir(spec):
                raise KernelError(f"{spec} looks like a file; filters come first, then files")
            raise KernelError(f"{spec} looks like a file; write @{spec} to read a kernel from a file")


def _check_parameter(spec: str, specs: Sequence[str]) -> None:
    """Reject a parameter without its filter, and one that only another filter has."""
    name, colon, rest = spec.partition(":")
    parameter, equals, value = (rest if colon else name).partition("=")
    if not (equals and parameter.isidentifier()):
        return
    others = _filters_with(parameter, list(specs))
    if others and not colon:
        raise KernelError(f"{spec} is no filter; parameters are written after the filter: {others[0]}:{parameter}={value}")
    if others and name not in others and not _parameters().get(name, (parameter,)):
        raise KernelError(f"{name} has no parameters; {others[0]}:{parameter}={value} is possible")


def names_image(word: str) -> bool:
    """Return whether a word is the name of an image by its extension."""
    return bool(_PICTURES.search(word))


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
        if not names_filter(word, catalog) and (os.path.lexists(word) or is_file_name(word)):
            break
        specs.append(word)
    inputs = list(words[len(specs) :])
    last = specs[-1]
    if not inputs and len(specs) > 1 and (os.path.lexists(last) or not names_filter(last, catalog)):
        inputs = [specs.pop()]
    return specs, inputs


def names_filter(word: str, catalog: Catalog | None = None) -> bool:
    """Return whether a word is a filter by its form: a name of the catalog (by default the built-in one), a matrix or @FILE."""
    from imgconv.filters import FILTERS
    from imgconv.kernels.catalog import builtin_catalog

    catalog = catalog or builtin_catalog()
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
    if len(option) == 2:  # `-sigma` is read as the short options -s, -i, ...
        option = next((word.partition("=")[0] for word in arguments if re.match(rf"{re.escape(option)}[a-z_]", word)), option)
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
    """Return the names of filters that have a parameter, those on the command line first, then those with similar names."""
    given = [word.partition(":")[0] for word in arguments]
    found = [name for name, names in _parameters().items() if parameter in names]
    return sorted(found, key=lambda name: (name not in given, not any(word in name or name in word for word in given)))


def _parameters() -> dict[str, tuple[str, ...]]:
    """Return the parameters of every kernel and filter by its name."""
    from imgconv.filters import FILTERS
    from imgconv.kernels.catalog import load_catalog

    try:
        kernels = load_catalog().kernels
    except KernelError:  # a damaged catalog; a command that needs it reports it
        return {}
    parameters = {name: tuple(entry.parameters) for name, entry in kernels.items()}
    return parameters | {name: tuple(kind.parameters) for name, kind in FILTERS.items()}
