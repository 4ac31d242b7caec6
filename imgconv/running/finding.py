"""The image files of a folder, and where the result of each goes."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from imgconv.errors import ReadError, UsageError
from imgconv.images.formats import registry
from imgconv.images.names import displayed, reason


class Found(NamedTuple):
    """Files to be worked on.

    Attributes:
        work: each file, and the file of its result.
        notes: lines for the user.
    """

    work: list[tuple[Path, Path]]
    notes: tuple[str, ...] = ()


def find_work(
    folder: Path,
    output: Path,
    *,
    recursive: bool = False,
    pattern: str | None = None,
    file_format: str | None = None,
    follow_symlinks: bool = False,
) -> Found:
    """Return the image files of a folder and the files of their results, in the order of their names.

    Args:
        folder: where to look. Hidden files and folders are ignored, and so is `output` where it lies inside.
        output: where the results go; the tree below `folder` is kept.
        recursive: whether to look into the folders below.
        pattern: shell pattern for the names of files; by default every name with the extension of an image format.
        file_format: extension of the results, with or without a dot; by default each keeps its own.
        follow_symlinks: whether to take links that lead out of the folder, and folders that are links, each folder once.
            Otherwise links that lead out are ignored, and counted in a note.

    Raises:
        ReadError: there is no such folder, it cannot be read, or holds no such file.
        UsageError: input and output are the same folder.
        WriteError: there is no such format.
    """
    extension = f".{file_format.strip().lstrip('.')}" if file_format and registry.format_named(file_format) else ""
    if not folder.is_dir():
        wrong = "not a folder" if folder.exists() else "no such folder"
        raise ReadError(f"{displayed(folder)}: {wrong}; name a folder of images")
    if output.exists() and output.resolve() == folder.resolve():
        raise UsageError(
            f"{displayed(output)}: the input folder is the output folder; name another, so that no original is lost"
        )
    extensions = {extension for found in registry.all_formats() for extension in found.extensions}

    def wanted(name: str) -> bool:
        return fnmatch.fnmatch(name, pattern) if pattern else os.path.splitext(name)[1].lower() in extensions

    walk = _Walk(os.fspath(folder), os.path.realpath(output), wanted, recursive=recursive, follow=follow_symlinks)
    work = []
    for parts in sorted(walk.files(), key=_order):
        target = output.joinpath(*parts)
        work.append((folder.joinpath(*parts), target.with_suffix(extension) if extension else target))
    count = walk.ignored
    links = f"{count} link{'s' * (count > 1)} that lead{'s' * (count == 1)} out of {displayed(folder)}"
    if not work:
        looked_for = f"named {displayed(pattern)}" if pattern else "with an image's extension"
        below = "" if recursive else " (`recursive` takes the folders below it)"
        ignored = f" ({links}: `follow_symlinks` takes them)" if count else ""
        raise ReadError(f"{displayed(folder)}: no file {looked_for}{below}{ignored}")
    note = f"ignored {links}; `follow_symlinks` takes {'them' if count > 1 else 'it'}"
    return Found(work, (note,) if count else ())


def _order(parts: tuple[str, ...]) -> tuple[tuple[bool, str], ...]:
    """Return what sorts files by name, those of a folder before those of the folders below it."""
    return tuple((number < len(parts), part) for number, part in enumerate(parts, 1))


class _Walk:
    """A walk through a folder.

    Attributes:
        ignored: how many links were ignored because they lead out of the folder.
    """

    def __init__(self, folder: str, output: str, wanted: Callable[[str], bool], *, recursive: bool, follow: bool) -> None:
        self._folder, self._output, self._wanted = folder, output, wanted
        self._recursive, self._follow = recursive, follow
        self._inside = os.path.join(os.path.realpath(folder), "")
        self._walked: set[str] = set()
        self._linked: list[tuple[str, ...]] = []
        self.ignored = 0

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
            elif self._wanted(entry.name) and (os.path.isfile(entry) or not os.path.exists(entry)) and self._may_follow(entry):
                yield path

    def _may_follow(self, entry: os.DirEntry[str]) -> bool:
        """Return whether an entry stays in the folder, or links out of it are followed; count those that are ignored."""
        if self._follow or not entry.is_symlink() or os.path.join(os.path.realpath(entry), "").startswith(self._inside):
            return True
        self.ignored += 1
        return False
