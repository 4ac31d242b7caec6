"""File names and system errors as text for one-line messages."""

from __future__ import annotations

import errno
import os

_REASONS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "a component of the path is a file, not a folder",
    errno.EISDIR: "is a folder, not a file",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.ENAMETOOLONG: "the name is too long for the file system",
    errno.ELOOP: "the symbolic links form a loop",
    errno.EPIPE: "the program that was reading the output has ended",
}


def is_standard_stream(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is the string "-", for standard input or output. A path object such as `Path("-")` names a file."""
    return isinstance(path, str) and path == "-"


def displayed(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> str:
    r"""Return a file name as printable text on one line, for a message.

    >>> displayed("été/図 1.png")
    'été/図 1.png'
    >>> displayed("two\nlines.png")
    'two\\nlines.png'
    """
    name = os.fsdecode(path)
    # `os.fsdecode` maps undecodable bytes to lone surrogates, which a terminal cannot print.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)


def reason(error: OSError) -> str:
    """Return a short description of a system error."""
    known = _REASONS.get(error.errno) if error.errno is not None else None
    return known or " ".join((error.strerror or str(error) or type(error).__name__).split()).lower()
