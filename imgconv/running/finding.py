"""Which files of a folder are worked on, and where the result of each belongs."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from imgconv.errors import ReadError, UsageError
from imgconv.images.formats import EXTENSIONS, format_named
from imgconv.images.names import reason, shown

#: Extensions of the files that are taken for images: those that are written, and those that are only read.
_READABLE = frozenset({*EXTENSIONS, ".pbm", ".pam", ".j2k"})


class Found(NamedTuple):
    """What is to be worked on.

    Attributes:
        work: each file, and where its result belongs.
        notes: what the user should know, a line each.
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
    """Return the files of a folder and where the result of each belongs, in the order of their names.

    Args:
        folder: where to look. Hidden files and folders, and `output` where it lies inside, are passed over.
        output: where the results go; the tree below `folder` is kept.
        recursive: whether to look into the folders below.
        pattern: shell pattern that the file's name must match; unless given, every name with an image's extension counts.
        file_format: extension of the results, with or without a dot; unless given, each keeps its own.
        follow_symlinks: whether links are taken that lead out of the folder, and folders that are links: each folder once,
            under its own name where it has one. Else the links that lead out are passed over, and counted in a note.

    Raises:
        ReadError: the folder is none, cannot be read, or holds no such file.
        UsageError: input and output are the same folder.
        WriteError: there is no such format.
    """
    extension = f".{file_format.strip().lstrip('.')}" if file_format and format_named(file_format) else ""
    if not folder.is_dir():
        raise ReadError(f"{shown(folder)}: {'not a folder' if folder.exists() else 'no such folder'}; name a folder of images")
    if output.exists() and output.resolve() == folder.resolve():
        raise UsageError(
            f"{shown(output)}: the input folder is the output folder; name another one, so that no original is lost"
        )

    def wanted(name: str) -> bool:
        return fnmatch.fnmatch(name, pattern) if pattern else os.path.splitext(name)[1].lower() in _READABLE

    walk = _Walk(os.fspath(folder), os.path.realpath(output), wanted, recursive=recursive, follow=follow_symlinks)
    work = []
    for parts in sorted(walk.files(), key=_order):
        target = output.joinpath(*parts)
        work.append((folder.joinpath(*parts), target.with_suffix(extension) if extension else target))
    count = walk.passed_over
    led_out = f"{count} link{'s' * (count > 1)} that lead{'s' * (count == 1)} out of {shown(folder)}"
    if not work:
        looked_for = f"named {shown(pattern)}" if pattern else "with an image's extension"
        below = "" if recursive else " (folders below it: --recursive)"
        links = f" ({led_out}: --follow-symlinks)" if count else ""
        raise ReadError(f"{shown(folder)}: no file {looked_for}{below}{links}")
    passed_over = (
        f"{led_out} {'were' if count > 1 else 'was'} passed over; --follow-symlinks takes {'them' if count > 1 else 'it'}"
    )
    return Found(work, (passed_over,) if count else ())


def _order(parts: tuple[str, ...]) -> tuple[tuple[bool, str], ...]:
    """Return what sorts files by name, those of a folder before those of the folders below it."""
    return tuple((number < len(parts), part) for number, part in enumerate(parts, 1))


class _Walk:
    """A walk through a folder."""

    def __init__(self, folder: str, output: str, wanted: Callable[[str], bool], *, recursive: bool, follow: bool) -> None:
        self._folder, self._output, self._wanted = folder, output, wanted
        self._recursive, self._follow = recursive, follow
        self._inside = os.path.join(os.path.realpath(folder), "")
        self._walked: set[str] = set()
        self._linked: list[tuple[str, ...]] = []
        #: How many links were passed over that lead out of the folder.
        self.passed_over = 0

    def files(self) -> Iterator[tuple[str, ...]]:
        """Yield the files wanted, each as the parts of its path from the folder on."""
        yield from self._below(())
        # Folders that are links come last: what has been walked under its own name is not walked again, nor in circles.
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
                raise ReadError(f"{shown(here)}: {reason(error)}") from error
            yield parts  # a folder that cannot be looked into fails by name later, and costs itself alone
            return
        for entry in found:
            path = (*parts, entry.name)
            # What cannot be looked at, a link to itself too, is taken for a file: it fails by name later.
            if os.path.isdir(entry) if entry.is_symlink() else entry.is_dir():
                if self._recursive and not entry.is_symlink():
                    yield from self._below(path)
                elif self._recursive and self._may_follow(entry) and self._follow:
                    self._linked.append(path)
            # A link to nowhere fails by name later; a fifo would hold up the batch for ever.
            elif self._wanted(entry.name) and (os.path.isfile(entry) or not os.path.exists(entry)) and self._may_follow(entry):
                yield path

    def _may_follow(self, entry: os.DirEntry[str]) -> bool:
        """Return whether an entry stays in the folder, or may be taken though it does not; count those that may not."""
        if self._follow or not entry.is_symlink() or os.path.join(os.path.realpath(entry), "").startswith(self._inside):
            return True
        self.passed_over += 1
        return False
