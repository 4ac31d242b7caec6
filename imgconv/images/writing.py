"""Writing image files, by name or to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.errors import ImgconvError, WriteError
from imgconv.images import atomic, formats, requirements
from imgconv.images.coding import Coding
from imgconv.images.encoding import Encoded, encode_all
from imgconv.images.formats import Format
from imgconv.images.image import Image
from imgconv.images.names import STANDARD_STREAM, reason, shown
from imgconv.images.pages import Timing

_STANDARD_OUTPUT = "standard output"
_ANY = "png"


def write_image(
    target: str | os.PathLike[str],
    image: Image | NDArray[Any],
    *,
    overwrite: bool = True,
    format: str = "",  # noqa: A002 - as in Pillow and imageio
    coding: Coding | None = None,
    within: str = "",
) -> tuple[str, ...]:
    """Write an image to a file, which appears whole or not at all.

    The extension of the name chooses the format, and the format has to hold the depth, the colour and the transparency of
    the image; nothing is lost without a word. What was read from a JPEG is written at its quality, else JPEG and AVIF are
    written at quality 95, WebP and JPEG 2000 without loss, unless `coding` says otherwise.

    Args:
        target: the name of the file, or "-" for standard output.
        image: the image, or its pixels alone, blue first; its metadata go along where the format has a place for them.
        overwrite: whether a file of that name is replaced.
        format: the format, a name or an extension of `formats.FORMATS`, whatever the file is called. By default its
            extension decides; for standard output and what has none, such as `/dev/stdout`, the format that the image was
            read from, or PNG.
        coding: how the pixels are to be stored.
        within: a folder; nothing is written outside of it, whatever symbolic links there are. Anywhere where it is "".

    Returns:
        What the user may want to know: a line for each thing that could not go along, and whether the pixels were turned
        upright because the format has no place for the orientation.

    Raises:
        WriteError: it cannot be written; one line, that names the file. Nothing is left behind, nothing overwritten.
    """
    image = image if isinstance(image, Image) else Image(np.asarray(image))
    return write_pages(
        target,
        iter((image,)),
        1,
        None,
        overwrite=overwrite,
        format=format,
        coding=coding,
        within=within,
        source_format=image.format,
    )


def write_pages(
    target: str | os.PathLike[str],
    images: Iterator[Image],
    count: int,
    timing: Timing | None,
    *,
    overwrite: bool = True,
    format: str = "",  # noqa: A002
    coding: Coding | None = None,
    within: str = "",
    source_format: str = "",
) -> tuple[str, ...]:
    """Write pages, or the frames of an animation, to one file, which appears whole or not at all.

    Args:
        target: as for `write_image`.
        images: the pages, which may be made as they are taken; at least one.
        count: how many there are.
        timing: when frames are shown; None for pages.
        overwrite: as for `write_image`, and so the rest.
        format: name or extension of the format.
        coding: how the pixels are to be stored.
        within: a folder.
        source_format: the format that they were read from.

    Returns:
        As `write_image`.

    Raises:
        WriteError: as for `write_image`; or the format holds no such thing.
    """
    name = _shown(target)
    _check_place(target, overwrite, within)  # before the work of encoding, and again in the end
    chosen = _format(target, format, source_format)
    try:
        encoded = encode_all(images, count, timing, chosen, coding, where=name)
    except MemoryError as error:
        raise WriteError(f"{name}: the file does not fit into memory") from error
    if _is_standard(target):
        _write_to_standard_output(encoded)
    else:
        atomic.write_file(os.fspath(target), encoded.chunks, overwrite=overwrite, within=within)
    return tuple(encoded.notes)


def check_target(
    target: str | os.PathLike[str],
    *,
    overwrite: bool = True,
    dtype: DTypeLike | None = None,
    shape: tuple[int, ...] | None = None,
    opaque: bool = False,
    bits: int | None = None,
    count: int = 1,
    frames: bool = False,
    coding: Coding | None = None,
    format: str = "",  # noqa: A002
    source_format: str = "",
    within: str = "",
) -> None:
    """Find out before the work what would keep its result from being written.

    Args:
        target: the name of the file, or "-" for standard output.
        overwrite: as for `write_image`.
        dtype: the type of the pixels to be written, None where it is not known yet.
        shape: their shape, (H, W) or (H, W, C), None where it is not known yet.
        opaque: alpha, if there is one, says nothing: `Image.is_opaque`.
        bits: bits a sample that carry anything, where they are fewer than those of the type.
        count: how many pages there are.
        frames: whether they are the frames of an animation.
        coding: how the pixels are to be stored.
        format: as for `write_image`.
        source_format: `Image.format` of the image to be written.
        within: as for `write_image`.

    Raises:
        WriteError: it could not be written; one line, that names the file.
    """
    _check_place(target, overwrite, within)
    chosen, where = _format(target, format, source_format), _shown(target)
    requirements.require_pages(chosen, count, frames=frames, where=where)
    requirements.require_coding(chosen, coding or Coding(), where)
    if dtype is not None:
        requirements.require(chosen, dtype, shape or (1, 1), opaque=opaque, bits=bits, where=where)


def _check_place(target: str | os.PathLike[str], overwrite: bool, within: str) -> None:
    if _is_standard(target):
        _standard_output()
    else:
        atomic.destination(os.fspath(target), overwrite=overwrite, within=within)


def _is_standard(target: str | os.PathLike[str]) -> bool:
    # Only the word itself: a `Path("./-")` is "-" too, and means a file.
    return isinstance(target, str) and target == STANDARD_STREAM


def _shown(target: str | os.PathLike[str]) -> str:
    return _STANDARD_OUTPUT if _is_standard(target) else shown(target)


def _format(target: str | os.PathLike[str], asked_for: str, source_format: str) -> Format:
    """Return the format to write: the one asked for, else by the name, else that of the source."""
    if asked_for:
        return formats.format_named(asked_for)
    path = os.fspath(target)
    streams = _is_standard(target) or (atomic.is_stream(path) and not os.path.splitext(path)[1])
    if streams:
        return formats.FORMATS.get(source_format) or formats.FORMATS[_ANY]
    return formats.format_of(path)


def _standard_output() -> BinaryIO:
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        raise WriteError(f"{_STANDARD_OUTPUT}: is closed, or takes no bytes")
    if sys.stdout.isatty():
        raise WriteError(f"{_STANDARD_OUTPUT}: is a terminal; name a file, or send it through a pipe")
    found: BinaryIO = stream
    return found


def _write_to_standard_output(encoded: Encoded) -> None:
    stream = _standard_output()
    try:
        for chunk in encoded.chunks:
            stream.write(chunk)
        stream.flush()
    except (BrokenPipeError, ImgconvError):  # the reader has gone: nothing to tell anybody; or a page could not be made
        raise
    except OSError as error:
        raise WriteError(f"{_STANDARD_OUTPUT}: {reason(error)}") from error
