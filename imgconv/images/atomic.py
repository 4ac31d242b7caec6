"""A file that appears whole or not at all.

The bytes go into a hidden file beside the target, which takes the target's name when it is complete. So whatever happens
on the way, to this process too, the name stands for the old file or for the new one. There is no `fsync`: a process that
is killed loses nothing that it has written; only the machine going down does, and that is worth no wait for every picture.
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
from imgconv.images.names import reason, shown

#: A piece of a file.
Piece = bytes | memoryview

# One call of the system writes no more than 2 GiB, and a signal is noticed between calls.
_MOST_AT_ONCE = 1 << 28

# The errors of a file system that has no hard links.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES}

_STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/")


class Destination(NamedTuple):
    """Where bytes go: a path free of symbolic links, what stands there, and whether it is written to as it is."""

    path: str
    existing: os.stat_result | None
    direct: bool

    @property
    def folder(self) -> str:
        """The folder that the file stands in."""
        return os.path.dirname(self.path)


def destination(path: str, *, overwrite: bool = True, within: str = "") -> Destination:
    """Return where the bytes of a file called `path` go.

    A symbolic link stays, and what it points at is replaced. A device, a fifo, or a stream of the process
    (`/dev/stdout`) is never replaced: it is opened and written to.

    Args:
        path: the file.
        overwrite: whether it may exist.
        within: a folder that no link may lead out of; "" where the file may stand anywhere.

    Raises:
        WriteError: nothing can be written there: a folder, a read-only file, a folder that is missing or read-only,
            a place outside of `within`, or, unless `overwrite`, anything that exists.
    """
    if not path or path.endswith(os.sep):
        raise WriteError(f"{shown(path) or 'output'}: is not the name of a file; give one")
    try:
        try:
            existing = os.stat(path)
        except FileNotFoundError:
            existing = None
        if existing and stat.S_ISDIR(existing.st_mode):
            raise WriteError(f"{shown(path)}: is a folder; give the name of a file")
        resolved = require_within(path, within) if within else os.path.realpath(path)
        if _is_stream(path, existing):
            return Destination(path, existing, True)
        if existing and not overwrite:
            raise WriteError(f"{shown(path)}: exists already; give another name, or allow it to be overwritten")
        found = Destination(resolved, existing, False)
        _make_sure_of(found, path)
    except WriteError:
        raise
    except ValueError as error:  # a NUL in the name
        raise WriteError(f"{shown(path)}: is not a name that a file can have") from error
    except OSError as error:
        raise WriteError(f"{shown(path)}: {reason(error)}") from error
    return found


def require_within(path: str, folder: str) -> str:
    """Return a path without the links in it, and make sure that it stays in a folder; not all of it need exist.

    Raises:
        WriteError: a link leads out of the folder, or the path does by itself.
    """
    found = os.path.realpath(path)
    if not found.startswith(os.path.join(os.path.realpath(folder), "")):
        raise WriteError(
            f"{shown(path)}: leads out of the output folder, to {shown(found)}; take the link away, or name another"
        )
    return found


def is_stream(path: str) -> bool:
    """Return whether `path` is a device, a fifo, or a stream of the process, which is written to but never replaced."""
    try:
        return _is_stream(path, os.stat(path))
    except (OSError, ValueError):
        return False


def _is_stream(path: str, existing: os.stat_result | None) -> bool:
    if os.path.abspath(path).startswith(_STREAMS):
        return True
    return existing is not None and not (stat.S_ISREG(existing.st_mode) or stat.S_ISDIR(existing.st_mode))


def _make_sure_of(found: Destination, path: str) -> None:
    if not os.path.isdir(found.folder):
        folder = shown(os.path.dirname(path) or found.folder)
        wrong = "is a file; name another" if os.path.exists(found.folder) else "does not exist; create it first"
        raise WriteError(f"{shown(path)}: the folder {folder} {wrong}")
    # The name itself may be too long: the call that says so is the one that looks for it in its folder.
    with contextlib.suppress(FileNotFoundError):
        os.lstat(found.path)
    if not os.access(found.folder, os.W_OK | os.X_OK):
        raise WriteError(f"{shown(path)}: the folder {shown(found.folder)} is read-only; choose another")
    # Its folder would let it be replaced, but whoever made it read-only did not want that.
    if found.existing and not os.access(found.path, os.W_OK):
        raise WriteError(f"{shown(path)}: is read-only; make it writable, or choose another name")


def write_file(path: str, chunks: Iterable[Piece], *, overwrite: bool = True, within: str = "") -> None:
    """Write bytes to a file, whole or not at all.

    Args:
        path: the file. One that exists keeps its permissions, a new one gets those that the umask leaves.
        chunks: the bytes, in pieces. An error on the way to the next piece leaves no file either.
        overwrite: whether a file that exists is replaced. Without it none is, not even one that appears meanwhile.
        within: a folder that no link may lead out of; "" where the file may stand anywhere.

    Raises:
        WriteError: it cannot be written; nothing is left behind, nothing overwritten.
    """
    target = destination(path, overwrite=overwrite, within=within)
    try:
        if target.direct:
            _write_into(target.path, chunks)
        else:
            _write_beside(target, chunks, overwrite)
    except FileExistsError as error:
        message = f"{shown(path)}: appeared while it was being made, and is left as it is; give another name"
        raise WriteError(message) from error
    except ImgconvError:  # what was to come next could not be made
        raise
    except OSError as error:
        raise WriteError(f"{shown(path)}: {reason(error)}") from error


@functools.cache
def mark() -> str:
    """Return what the names of this process's temporary files begin with: no other process's do, on no other machine."""
    return f".imgconv-{os.getpid()}-{os.urandom(4).hex()}-"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=mark.cache_clear)


def remove_leftovers(folder: str, mark: str) -> None:
    """Remove the temporary files that a process of that `mark`, which has ended, has left in a folder."""
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


def _write_beside(target: Destination, chunks: Iterable[Piece], overwrite: bool) -> None:
    temporary = os.path.join(target.folder, f"{mark()}{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666)
        try:
            if target.existing:
                _take_after(descriptor, target.existing)
            write_all(descriptor, chunks)
        finally:
            os.close(descriptor)
        if overwrite:
            os.replace(temporary, target.path)
        else:
            _appear(temporary, target.path)
    finally:
        # Also on Ctrl-C. After the replacement the name is gone.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _take_after(descriptor: int, existing: os.stat_result) -> None:
    """Give an open file the owner and the permissions of the one that it replaces, where the system lets us."""
    if not hasattr(os, "fchown"):  # Windows
        return
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (existing.st_uid, existing.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, existing.st_uid, existing.st_gid)
    with contextlib.suppress(PermissionError):
        os.fchmod(descriptor, stat.S_IMODE(existing.st_mode))


def _appear(temporary: str, path: str) -> None:
    """Give a complete file its name, unless something has it: the system decides, in one step.

    Raises:
        FileExistsError: something has the name.
    """
    try:
        os.link(temporary, path)
        return
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    # Without links the name is taken first, by an empty file that nobody else can have made, then replaced.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        os.replace(temporary, path)
    except BaseException:
        os.unlink(path)
        raise


def write_all(descriptor: int, chunks: Iterable[Piece]) -> None:
    """Write pieces of bytes to an open file, each to its last byte."""
    for chunk in chunks:
        rest = memoryview(chunk).cast("B")
        while rest:
            rest = rest[os.write(descriptor, rest[:_MOST_AT_ONCE]) :]
