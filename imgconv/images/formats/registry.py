"""The formats: recognized by the content of a file, or found by name and extension.

The classes are imported in the order of this list until one fits, so that most runs import one or two of them.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Iterator

from imgconv.errors import WriteError
from imgconv.images.formats.base import Format
from imgconv.images.names import displayed
from imgconv.vocabulary import suggestion

#: Every format as `module:class`, the more common ones first. Alternatives for a picture are offered in this order.
CLASSES = (
    "png:Png",
    "jpeg:Jpeg",
    "tiff:Tiff",
    "webp:Webp",
    "avif:Avif",
    "jp2:Jp2",
    "bmp:Bmp",
    "netpbm:Ppm",
    "netpbm:Pgm",
    "netpbm:Pbm",
    "netpbm:Pnm",
    "netpbm:Pfm",
    "hdr:Hdr",
    "exr:Exr",
    "gif:Gif",
    "other:SunRaster",
    "other:Pam",
)


@functools.cache
def _instance(place: str) -> Format:
    module, _, name = place.partition(":")
    found: Format = getattr(importlib.import_module(f"imgconv.images.formats.{module}"), name)()
    return found


def all_formats() -> Iterator[Format]:
    """Yield every format, in the order of `CLASSES`; its module is imported when it is its turn."""
    return map(_instance, CLASSES)


def writable_formats() -> Iterator[Format]:
    """Yield the formats that can be written."""
    return (found for found in all_formats() if found.dtypes)


def recognized(head: bytes) -> Format | None:
    """Return the format of a file by its first bytes, 4096 at most; None where no format recognizes them."""
    return next((found for found in all_formats() if found.recognizes(head)), None)


def extensions() -> dict[str, Format]:
    """Return every extension of a format that can be written, with its dot, in the order of the formats."""
    return {extension: found for found in writable_formats() for extension in found.extensions}


def format_named(name: str) -> Format:
    """Return the format that a name or an extension, with or without its dot, stands for.

    Raises:
        WriteError: it is unknown.
    """
    word = name.strip().lower()
    for found in writable_formats():
        if word == found.name or "." + word.removeprefix(".") in found.extensions:
            return found
    names = [found.name for found in writable_formats()]
    close = suggestion(word, [*names, *(extension.removeprefix(".") for extension in extensions())])
    raise WriteError(f"unknown format {displayed(name)!r}{close}; choose one of {', '.join(names)}")


def format_of(path: str) -> Format:
    """Return the format that the extension of a file name stands for.

    Raises:
        WriteError: there is none, or it is unknown; the message lists those that are known.
    """
    extension = os.path.splitext(path)[1].lower()
    for found in writable_formats():
        if extension in found.extensions:
            return found
    known = ", ".join(found.extensions[0] for found in writable_formats())
    if not extension:
        raise WriteError(f"{displayed(path)}: has no extension, which would name the format; add one of {known}")
    raise WriteError(f"{displayed(path)}: no format has the extension {displayed(extension)}; choose one of {known}")
