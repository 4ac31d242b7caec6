"""Search for image files in folders, and the output path of each."""

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

#: Number of extensions listed in the note on ignored files.
_MOST_KINDS = 5


class Found(NamedTuple):
    """Files to filter.

    Attributes:
        work: pairs of an input path and its output path.
        notes: messages for the user, one line each.
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
    """Return image files with their output paths, in the order of `inputs` and sorted by name within each folder.

    Args:
        inputs: files, and folders to search. Hidden files and folders in a folder are ignored, and so is `output`. If there
            are several inputs, missing ones are returned too; each fails later with its name.
        output: output folder; it mirrors the tree below each input folder.
        recursive: whether to search subfolders.
        pattern: shell pattern for file names in folders (default: every name with the extension of an image format).
        file_format: extension of the outputs, with or without a dot (default: that of each input).
        follow_symlinks: whether to follow symbolic links to folders and links that lead out of an input folder. Each folder is
            searched once. Otherwise links that lead out are ignored and counted in a note.

    Raises:
        ReadError: the only input does not exist, a folder cannot be read, or no image file was found.
        UsageError: an input is in the output folder, where its result would replace it.
        WriteError: `file_format` is unknown.
    """
    extension = f".{file_format.strip().lstrip('.')}" if file_format and registry.format_named(file_format) else ""
    extensions = {extension for found in registry.readable_formats() for extension in found.extensions}

    def matches(name: str) -> bool:
        return fnmatch.fnmatch(name, pattern) if pattern else os.path.splitext(name)[1].lower() in extensions

    work: dict[Path, Path] = {}
    notes = []
    walks = []
    for path in inputs:
        if len(inputs) == 1 and not path.exists():
            quoted = "; a pattern in quotes is not expanded" if any(c in str(path) for c in "*?[") else ""
            raise ReadError(f"{displayed(path)}: no such file or folder{quoted}")
        folder = path if path.is_dir() else path.parent
        if output.exists() and output.resolve() == folder.resolve():
            raise UsageError(f"{displayed(output)}: the output folder holds the input, which would be replaced; choose another")
        if folder is not path and path.exists() and not path.is_file():
            notes.append(f"ignored {displayed(path)}: it is not a regular file")
        elif folder is not path:
            work.setdefault(path, _renamed(output / path.name, extension))
        if folder is not path:
            continue
        walk = _Walk(os.fspath(path), os.path.realpath(output), matches, recursive=recursive, follow=follow_symlinks)
        for parts in sorted(walk.files(), key=_order):
            work.setdefault(path.joinpath(*parts), _renamed(output.joinpath(*parts), extension))
        walks.append(walk)
    links = sum(walk.ignored for walk in walks)
    if not work:
        searched = ", ".join(map(displayed, inputs))
        raise ReadError(f"{searched}: {_nothing_found(pattern, links, recursive=recursive)}")
    if links:
        notes.append(f"ignored {_counted(links, 'link')} out of the input folder (`follow_symlinks` to follow)")
    others = sum((walk.others for walk in walks), Counter[str]())
    if others and not pattern:
        kinds = ", ".join(
            f"{count} {kind}" for kind, count in sorted(others.items(), key=lambda o: (-o[1], o[0]))[:_MOST_KINDS]
        )
        more = ", ..." if len(others) > _MOST_KINDS else ""
        notes.append(f"ignored {_counted(others.total(), 'file')} without the extension of a supported format: {kinds}{more}")
    return Found(list(work.items()), tuple(notes))


def _nothing_found(pattern: str | None, links: int, *, recursive: bool) -> str:
    named = f"no file named {displayed(pattern)}" if pattern else "no file with the extension of an image"
    below = "" if recursive else " (`recursive` searches subfolders)"
    ignored = f" (ignored {_counted(links, 'link')} out of the input folder; `follow_symlinks` to follow)" if links else ""
    return f"{named}{below}{ignored}"


def _renamed(target: Path, extension: str) -> Path:
    return target.with_suffix(extension) if extension else target


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _order(parts: tuple[str, ...]) -> tuple[tuple[bool, str], ...]:
    """Return a sort key: by name, with the files of a folder before those of its subfolders."""
    return tuple((number < len(parts), part) for number, part in enumerate(parts, 1))


class _Walk:
    """Traversal of a folder.

    Attributes:
        ignored: number of links that lead out of the folder and are not followed.
        others: number of files that do not match, by extension.
    """

    def __init__(self, folder: str, output: str, matches: Callable[[str], bool], *, recursive: bool, follow: bool) -> None:
        self._folder, self._output, self._matches = folder, output, matches
        self._recursive, self._follow = recursive, follow
        self._inside = os.path.join(os.path.realpath(folder), "")
        self._walked: set[str] = set()
        self._linked: list[tuple[str, ...]] = []
        self.ignored = 0
        self.others: Counter[str] = Counter()

    def files(self) -> Iterator[tuple[str, ...]]:
        """Yield matching files, each as the parts of its path below the folder."""
        yield from self._below(())
        # Links to folders come last: a folder is found under its own name first, and cycles end.
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
            yield parts  # an unreadable folder is reported later, like an unreadable file
            return
        for entry in found:
            path = (*parts, entry.name)
            # Entries without a readable type, such as a link to itself, count as files and are reported later.
            if os.path.isdir(entry) if entry.is_symlink() else entry.is_dir():
                if self._recursive and not entry.is_symlink():
                    yield from self._below(path)
                elif self._recursive and self._may_follow(entry) and self._follow:
                    self._linked.append(path)
            # A dangling link is reported later; a FIFO would block the batch.
            elif not self._matches(entry.name):
                self.others[os.path.splitext(entry.name)[1].lower() or entry.name] += 1
            elif (os.path.isfile(entry) or not os.path.exists(entry)) and self._may_follow(entry):
                yield path

    def _may_follow(self, entry: os.DirEntry[str]) -> bool:
        """Return whether an entry is inside the folder or may be followed out of it; count ignored links."""
        if self._follow or not entry.is_symlink() or os.path.join(os.path.realpath(entry), "").startswith(self._inside):
            return True
        self.ignored += 1
        return False
