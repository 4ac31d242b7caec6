"""The tree of errors, each with the exit code that the command line gives it.

    ImgconvError             1   a fault of imgconv itself
    ├── DependencyError      1   a library that imgconv needs cannot be imported
    ├── UsageError           2   an argument that cannot be used
    ├── KernelError          3   a kernel or catalog that cannot be used
    ├── ReadError            4   an input that cannot be read
    ├── WriteError           5   an output that cannot be written
    │   └── RangeError       5   a result that the output cannot hold
    └── BatchError           6   a batch that finished with some files failed

Each derives from the built-in that fits as well, so that code which knows nothing of imgconv catches it.
The message is one line: what, what was found, what to do.
"""

from __future__ import annotations


class ImgconvError(Exception):
    """Base of every error that imgconv raises on purpose."""

    exit_code = 1


class DependencyError(ImgconvError, ImportError):
    """A library cannot be imported; the message names the package to install."""


class UsageError(ImgconvError, ValueError):
    """An argument or option that cannot be used."""

    exit_code = 2


class KernelError(ImgconvError, ValueError):
    """A kernel, a filter's notation or a catalog that cannot be used."""

    exit_code = 3


class ReadError(ImgconvError, OSError):
    """An input that cannot be read."""

    exit_code = 4


class WriteError(ImgconvError, OSError):
    """An output that cannot be written."""

    exit_code = 5


class RangeError(WriteError, ValueError):
    """A result outside the range of the output, where `range="error"` was asked for."""


class BatchError(ImgconvError):
    """A batch that finished, but with some files failed."""

    exit_code = 6
