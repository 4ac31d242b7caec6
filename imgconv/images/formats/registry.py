"""The registry of formats: recognition by file content, lookup by name and extension.

The classes are imported one by one, in the order of `CLASSES`, until one matches. Most runs import only one or two.
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

#: All formats as `module:class`, the more common ones first. Error messages list alternatives in this order.
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
    "npy:Npy",
    "text:Txt",
    "text:Csv",
    "other:SunRaster",
    "other:Pam",
)


@functools.cache
def _instance(place: str) -> Format:
    module, _, name = place.partition(":")
    found: Format = getattr(importlib.import_module(f"imgconv.images.formats.{module}"), name)()
    return found


def all_formats() -> Iterator[Format]:
    """Yield all formats in the order of `CLASSES`. Modules are imported lazily."""
    return map(_instance, CLASSES)


def writable_formats() -> Iterator[Format]:
    """Yield the formats that imgconv can write."""
    return (found for found in all_formats() if found.dtypes)


def readable_formats() -> Iterator[Format]:
    """Yield the formats of files that are read as pictures, or recognized to report that they are not supported."""
    return (found for found in all_formats() if found.readable)


def write_only_format(path: str) -> Format | None:
    """Return the format for the extension of a file name if it is only written; None otherwise."""
    extension = os.path.splitext(path)[1].lower()
    return next((found for found in all_formats() if not found.readable and extension in found.extensions), None)


def recognized(head: bytes) -> Format | None:
    """Return the format of a file by its first bytes, at most 4096; None if no format recognizes them."""
    return next((found for found in all_formats() if found.recognizes(head)), None)


def extensions() -> dict[str, Format]:
    """Return the extensions, with the dot, of all formats that can be written, in the order of the formats."""
    return {extension: found for found in writable_formats() for extension in found.extensions}


def format_named(name: str) -> Format:
    """Return the writable format with a name or an extension. The dot is optional.

    Raises:
        WriteError: the name is unknown.
    """
    word = name.strip().lower()
    for found in writable_formats():
        if word == found.name or "." + word.removeprefix(".") in found.extensions:
            return found
    names = [found.name for found in writable_formats()]
    close = suggestion(word, dict.fromkeys([*names, *(extension.removeprefix(".") for extension in extensions())]))
    raise WriteError(f"unknown format {displayed(name)!r}{close}; choose one of {', '.join(names)}")


def format_of(path: str) -> Format:
    """Return the writable format for the extension of a file name.

    Raises:
        WriteError: the extension is missing or unknown. The message lists the supported extensions.
    """
    extension = os.path.splitext(path)[1].lower()
    for found in writable_formats():
        if extension in found.extensions:
            return found
    known = ", ".join(found.extensions[0] for found in writable_formats())
    if not extension:
        raise WriteError(f"{displayed(path)}: has no extension to select the format; add one of {known}")
    import mimetypes

    # The extension of another format is no spelling mistake.
    close = "" if mimetypes.guess_type(f"x{extension}")[0] else suggestion(extension, extensions())
    raise WriteError(f"{displayed(path)}: unknown extension {displayed(extension)}{close}; choose one of {known}")
