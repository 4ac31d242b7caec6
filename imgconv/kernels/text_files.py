"""Reading a small text file that a user names, with every way it can go wrong told in one line."""

from __future__ import annotations

import os

from imgconv.errors import KernelError
from imgconv.kernels.literals import quoted

#: Largest file read as a kernel or a catalog, in bytes: a kernel of a million full decimals.
MAX_BYTES = 32 * 2**20


def read_text(path: str | os.PathLike[str], what: str) -> str:
    """Return the text of the file at `path`, UTF-8, without a byte order mark.

    Args:
        path: the file.
        what: what it should hold, for the message: `kernel file`, `catalog`.

    Raises:
        KernelError: there is no such file, or it cannot be read, is larger than `MAX_BYTES` or is not UTF-8.
    """
    name = quoted(os.fspath(path), 200)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise KernelError(f"there is no {what} {name}; check the path") from None
    except IsADirectoryError:
        raise KernelError(f"the {what} {name} is a directory; name a file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise KernelError(f"the {what} {name} cannot be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise KernelError(f"the {what} {name} is larger than {MAX_BYTES // 2**20} MiB, the limit for one")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise KernelError(f"the {what} {name} is not UTF-8 text: line {line} holds the byte {data[error.start]:#04x}") from None
