"""Atomic writing: either the complete file appears or none.

The bytes are written to a hidden file beside the target, which is renamed to the target when it is complete. Until then
the name refers to the old file, even if the process is killed. `fsync` is not called: it protects only against a crash of
the operating system or a power failure, and would delay every picture.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

from imgconv.errors import ImgconvError, WriteError
from imgconv.images.names import displayed, reason

#: A piece of a file.
Piece = bytes | memoryview

# A system call writes at most 2 GiB. Smaller writes let Python handle signals in between.
_MOST_AT_ONCE = 1 << 28

# Errors that `os.link` raises on file systems without hard links.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES}

_STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/")


class Destination(NamedTuple):
    """The resolved path of an output, the status of the existing file, and whether to write to it in place."""

    path: str
    existing: os.stat_result | None
    direct: bool

    @property
    def folder(self) -> str:
        """The folder of the file."""
        return os.path.dirname(self.path)


def destination(path: str, *, overwrite: bool = True, within: str = "") -> Destination:
    """Resolve and check the path of an output file.

    A symbolic link is followed, and its target is replaced. A device, a fifo, or a stream of the process (`/dev/stdout`)
    is opened and written to in place.

    Args:
        path: the file.
        overwrite: whether the file may exist.
        within: a folder; resolving to a path outside of it is an error. "" for no limit.

    Raises:
        WriteError: the path is a folder or a read-only file, its folder is missing or read-only, it lies outside of
            `within`, or it exists and `overwrite` is false.
    """
    if not path or path.endswith(os.sep):
        raise WriteError(f"{displayed(path) or 'output'}: is not the name of a file; name a file")
    try:
        try:
            existing = os.stat(path)
        except FileNotFoundError:
            existing = None
        if existing and stat.S_ISDIR(existing.st_mode):
            raise WriteError(f"{displayed(path)}: is a folder; name a file")
        resolved = require_within(path, within) if within else os.path.realpath(path)
        if _is_stream(path, existing):
            return Destination(path, existing, True)
        if existing and not overwrite:
            raise WriteError(f"{displayed(path)}: already exists; choose another name, or set `overwrite`")
        found = Destination(resolved, existing, False)
        _require_writable(found, path)
    except WriteError:
        raise
    except ValueError as error:  # a NUL in the name
        raise WriteError(f"{displayed(path)}: is not a valid file name") from error
    except OSError as error:
        raise WriteError(f"{displayed(path)}: {reason(error)}") from error
    return found


def require_within(path: str, folder: str) -> str:
    """Return a path with its links resolved, after checking that it lies in a folder. The path need not exist.

    Raises:
        WriteError: the resolved path is outside of the folder.
    """
    found = os.path.realpath(path)
    if not found.startswith(os.path.join(os.path.realpath(folder), "")):
        raise WriteError(
            f"{displayed(path)}: leads out of the output folder, to {displayed(found)}; remove the link or choose another name"
        )
    return found


def is_stream(path: str) -> bool:
    """Return whether `path` is a device, a fifo or a stream of the process; these are written to in place."""
    try:
        return _is_stream(path, os.stat(path))
    except (OSError, ValueError):
        return False


def _is_stream(path: str, existing: os.stat_result | None) -> bool:
    if os.path.abspath(path).startswith(_STREAMS):
        return True
    return existing is not None and not (stat.S_ISREG(existing.st_mode) or stat.S_ISDIR(existing.st_mode))


def _require_writable(found: Destination, path: str) -> None:
    if not os.path.isdir(found.folder):
        folder = displayed(os.path.dirname(path) or found.folder)
        wrong = "is a file; choose another" if os.path.exists(found.folder) else "does not exist; create it first"
        raise WriteError(f"{displayed(path)}: the folder {folder} {wrong}")
    # A name that is too long raises an error here, before anything is written.
    with contextlib.suppress(FileNotFoundError):
        os.lstat(found.path)
    if not os.access(found.folder, os.W_OK | os.X_OK):
        raise WriteError(f"{displayed(path)}: the folder {displayed(found.folder)} is read-only; choose another")
    # The permissions of the folder allow the replacement, but a read-only file is presumably protected on purpose.
    if found.existing and not os.access(found.path, os.W_OK):
        raise WriteError(f"{displayed(path)}: is read-only; make it writable or choose another name")


def make_folder(path: str | os.PathLike[str]) -> None:
    """Create a folder, with those above it, unless it exists.

    Raises:
        WriteError: it cannot be created.
    """
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{displayed(path)}: the folder cannot be created: {reason(error)}") from error


def write_file(path: str, chunks: Iterable[Piece], *, overwrite: bool = True, within: str = "", backup: bool = False) -> None:
    """Write bytes to a file atomically.

    Args:
        path: the file. An existing file keeps its permissions, a new one gets those of the umask.
        chunks: the bytes, in pieces. If the iterator raises, no file is left.
        overwrite: whether to replace an existing file. If false, a file that appears during writing is kept, too.
        within: a folder; resolving to a path outside of it is an error. "" for no limit.
        backup: whether to keep a file that is replaced, under its name and `~`. An existing file of that name is not changed.

    Raises:
        WriteError: the file cannot be written. No partial file is left and no existing file is changed.
    """
    target = destination(path, overwrite=overwrite, within=within)
    try:
        if target.direct:
            _write_into(target.path, chunks)
        else:
            _write_beside(target, chunks, overwrite=overwrite, backup=backup)
    except FileExistsError as error:
        message = f"{displayed(path)}: was created by another program during writing and is kept; choose another name"
        raise WriteError(message) from error
    except ImgconvError:  # raised by the iterator
        raise
    except OSError as error:
        raise WriteError(f"{displayed(path)}: {reason(error)}") from error


@functools.cache
def mark() -> str:
    """Return the prefix of temporary file names. It is unique to this process, even among machines that share a folder."""
    return f".imgconv-{os.getpid()}-{os.urandom(4).hex()}-"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=mark.cache_clear)


def remove_leftovers(folder: str, mark: str) -> None:
    """Remove the temporary files that a process has left in a folder; `mark` is the value of its `mark()`."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if mark and name.startswith(mark) and name.endswith(".tmp"):
                os.unlink(os.path.join(folder, name))


def _write_into(path: str, chunks: Iterable[Piece]) -> None:
    descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
    try:
        write_all(descriptor, chunks)
    finally:
        os.close(descriptor)


def _write_beside(target: Destination, chunks: Iterable[Piece], *, overwrite: bool, backup: bool) -> None:
    temporary = os.path.join(target.folder, f"{mark()}{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666)
        try:
            if target.existing:
                _copy_permissions(descriptor, target.existing)
            write_all(descriptor, chunks)
        finally:
            os.close(descriptor)
        if backup and target.existing:
            _back_up(target.path)
        if overwrite:
            os.replace(temporary, target.path)
        else:
            _rename_new(temporary, target.path)
    finally:
        # Clean up on Ctrl-C as well. After the replacement the file no longer exists.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _back_up(path: str) -> None:
    """Keep a file under its name and `~`, unless that exists: it is the older original."""
    try:
        os.link(path, f"{path}~")
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        import shutil

        shutil.copy2(path, f"{path}~")


def _copy_permissions(descriptor: int, existing: os.stat_result) -> None:
    """Set owner and permissions of an open file to those of the file that it replaces, as far as the system allows."""
    if not hasattr(os, "fchown"):  # Windows
        return
    status = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (existing.st_uid, existing.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, existing.st_uid, existing.st_gid)
    with contextlib.suppress(PermissionError):
        os.fchmod(descriptor, stat.S_IMODE(existing.st_mode))


def _rename_new(temporary: str, path: str) -> None:
    """Rename a complete file to a new name in one atomic step.

    Raises:
        FileExistsError: the name exists.
    """
    try:
        os.link(temporary, path)
        return
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    # Without links, reserve the name by creating an empty file exclusively, then replace it.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        os.replace(temporary, path)
    except BaseException:
        os.unlink(path)
        raise


def write_all(descriptor: int, chunks: Iterable[Piece]) -> None:
    """Write pieces of bytes completely to an open file."""
    for chunk in chunks:
        rest = memoryview(chunk).cast("B")
        while rest:
            rest = rest[os.write(descriptor, rest[:_MOST_AT_ONCE]) :]
