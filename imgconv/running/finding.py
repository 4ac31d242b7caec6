"""The image files of a folder, and where the result of each goes."""

from __future__ import annotations

import fnmatch
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from imgconv.errors import ReadError, UsageError
from imgconv.images.formats import registry
from imgconv.images.names import displayed, reason

#: Extensions that the note on ignored files names.
_MOST_KINDS = 5


class Found(NamedTuple):
    """Files to be worked on.

    Attributes:
        work: each file, and the file of its result.
        notes: lines for the user.
    """

    work: list[tuple[Path, Path]]
    notes: tuple[str, ...] = ()


def find_work(
    inputs: Sequence[Path],
    output: Path,
    *,
    recursive: bool = False,
    pattern: str | None = None,
    file_format: str | None = None,
    follow_symlinks: bool = False,
) -> Found:
    """Return image files and the files of their results: those of each input in turn, sorted by name.

    Args:
        inputs: files, and folders to search. Hidden files and folders in a folder are ignored, and so is `output`. Of
            several inputs, one that does not exist is returned too, so that it fails by name.
        output: folder of the results; the tree below each folder of `inputs` is kept.
        recursive: whether to search the folders below.
        pattern: shell pattern for the names of files in folders; by default every name with the extension of an image format.
        file_format: extension of the results, with or without a dot; by default each keeps its own.
        follow_symlinks: whether to follow links that lead out of a folder, and folders that are links, each folder once.
            Otherwise links that lead out are ignored, and counted in a note.

    Raises:
        ReadError: the only input does not exist, a folder cannot be read, or there is no image file.
        UsageError: an input is in the output folder, and its result would replace it.
        WriteError: there is no such format.
    """
    extension = f".{file_format.strip().lstrip('.')}" if file_format and registry.format_named(file_format) else ""
    extensions = {extension for found in registry.all_formats() for extension in found.extensions}

    def wanted(name: str) -> bool:
        return fnmatch.fnmatch(name, pattern) if pattern else os.path.splitext(name)[1].lower() in extensions

    work: dict[Path, Path] = {}
    walks = []
    for path in inputs:
        if len(inputs) == 1 and not path.exists():
            raise ReadError(f"{displayed(path)}: no such file or folder")
        folder = path if path.is_dir() else path.parent
        if output.exists() and output.resolve() == folder.resolve():
            raise UsageError(f"{displayed(output)}: the output folder holds the input, which would be replaced; name another")
        if folder is not path:
            work.setdefault(path, _renamed(output / path.name, extension))
            continue
        walk = _Walk(os.fspath(path), os.path.realpath(output), wanted, recursive=recursive, follow=follow_symlinks)
        for parts in sorted(walk.files(), key=_order):
            work.setdefault(path.joinpath(*parts), _renamed(output.joinpath(*parts), extension))
        walks.append(walk)
    links = sum(walk.ignored for walk in walks)
    if not work:
        searched = ", ".join(map(displayed, inputs))
        raise ReadError(f"{searched}: {_nothing_found(pattern, links, recursive=recursive)}")
    notes = [f"ignored {_counted(links, 'link')} out of the input folder (`follow_symlinks` to follow)"] if links else []
    others = sum((walk.others for walk in walks), Counter[str]())
    if others and not pattern:
        kinds = ", ".join(
            f"{count} {kind}" for kind, count in sorted(others.items(), key=lambda o: (-o[1], o[0]))[:_MOST_KINDS]
        )
        notes.append(f"ignored {_counted(others.total(), 'file')} without the extension of a supported format: {kinds}")
    return Found(list(work.items()), tuple(notes))


def _nothing_found(pattern: str | None, links: int, *, recursive: bool) -> str:
    named = f"no file named {displayed(pattern)}" if pattern else "no file with the extension of an image"
    below = "" if recursive else " (`recursive` searches the folders below)"
    ignored = f" (ignored {_counted(links, 'link')} out of the input folder; `follow_symlinks` to follow)" if links else ""
    return f"{named}{below}{ignored}"


def _renamed(target: Path, extension: str) -> Path:
    return target.with_suffix(extension) if extension else target


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _order(parts: tuple[str, ...]) -> tuple[tuple[bool, str], ...]:
    """Return what sorts files by name, those of a folder before those of the folders below it."""
    return tuple((number < len(parts), part) for number, part in enumerate(parts, 1))


class _Walk:
    """A walk through a folder.

    Attributes:
        ignored: number of links that lead out of the folder and are not followed.
        others: number of files that are not wanted, by extension.
    """

    def __init__(self, folder: str, output: str, wanted: Callable[[str], bool], *, recursive: bool, follow: bool) -> None:
        self._folder, self._output, self._wanted = folder, output, wanted
        self._recursive, self._follow = recursive, follow
        self._inside = os.path.join(os.path.realpath(folder), "")
        self._walked: set[str] = set()
        self._linked: list[tuple[str, ...]] = []
        self.ignored = 0
        self.others: Counter[str] = Counter()

    def files(self) -> Iterator[tuple[str, ...]]:
        """Yield the files wanted, each as the parts of its path below the folder."""
        yield from self._below(())
        # Folders that are links come last, so that a folder appears under its own name, and no circle is walked.
        while self._linked:
            yield from self._below(self._linked.pop(0))

    def _below(self, parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        here = os.path.join(self._folder, *parts)
        real = os.path.realpath(here)
        if real in self._walked or (parts and real == self._output):
            return
        self._walked.add(real)
        try:
            with os.scandir(here) as entries:
                found = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
        except OSError as error:
            if not parts:
                raise ReadError(f"{displayed(here)}: {reason(error)}") from error
            yield parts  # a folder that cannot be read fails by name later, as a file would
            return
        for entry in found:
            path = (*parts, entry.name)
            # Entries that cannot be examined, such as a link to itself, count as files: they fail by name later.
            if os.path.isdir(entry) if entry.is_symlink() else entry.is_dir():
                if self._recursive and not entry.is_symlink():
                    yield from self._below(path)
                elif self._recursive and self._may_follow(entry) and self._follow:
                    self._linked.append(path)
            # A link to nowhere fails by name later; a fifo would block the batch.
            elif not self._wanted(entry.name):
                self.others[os.path.splitext(entry.name)[1].lower() or entry.name] += 1
            elif (os.path.isfile(entry) or not os.path.exists(entry)) and self._may_follow(entry):
                yield path

    def _may_follow(self, entry: os.DirEntry[str]) -> bool:
        """Return whether an entry stays in the folder, or links out of it are followed; count those that are ignored."""
        if self._follow or not entry.is_symlink() or os.path.join(os.path.realpath(entry), "").startswith(self._inside):
            return True
        self.ignored += 1
        return False
