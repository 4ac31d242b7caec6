"""The exception hierarchy, with the exit codes of the command line.

    ImgconvError             1   internal error
    ├── DependencyError      1   a required library cannot be imported
    ├── UsageError           2   an argument is invalid
    ├── KernelError          3   a kernel or catalog is invalid
    ├── ReadError            4   an input cannot be read
    ├── WriteError           5   an output cannot be written
    │   └── RangeError       5   a result is outside the range of the output
    └── BatchError           6   a batch finished, but some files failed

Exceptions also derive from a matching built-in exception, so that code unaware of imgconv can catch them.
Messages are one line: what is wrong, the value found, what to do.
"""

from __future__ import annotations


class ImgconvError(Exception):
    """Base of all exceptions that imgconv raises."""

    exit_code = 1


class DependencyError(ImgconvError, ImportError):
    """A required library cannot be imported; the message names the package to install."""


class UsageError(ImgconvError, ValueError):
    """An argument or option is invalid."""

    exit_code = 2


class KernelError(ImgconvError, ValueError):
    """A kernel, a filter specification or a catalog is invalid."""

    exit_code = 3


class ReadError(ImgconvError, OSError):
    """An input cannot be read."""

    exit_code = 4


class WriteError(ImgconvError, OSError):
    """An output cannot be written."""

    exit_code = 5


class RangeError(WriteError, ValueError):
    """A value is outside the range of the output, and `range="error"` rejects it."""


class BatchError(ImgconvError):
    """A batch finished, but some files failed."""

    exit_code = 6
