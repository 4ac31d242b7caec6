"""Errors for pictures and settings that a format cannot store, with what to choose instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imgconv.errors import WriteError
from imgconv.images.formats.base import Format
from imgconv.images.formats.registry import writable_formats
from imgconv.images.image import Coding
from imgconv.images.pages import Header
from imgconv.vocabulary import DEPTHS

# The word of `vocabulary.DEPTHS` for each type.
_DEPTHS = {"bool": "1", "uint8": "8", "uint16": "16", "float16": "16f", "float32": "32f", "float64": "64f"}

_MOST_ALTERNATIVES = 4


def header_error(chosen: Format, header: Header, lack: str, where: str, *, opaque: bool, count: int) -> WriteError:
    """Return the error for a picture that a format cannot store without loss; the message names what to choose instead.

    Args:
        chosen: the format.
        header: shape, type and channels of the picture.
        lack: what the format lacks.
        where: name of the output for the message.
        opaque: whether alpha, if there is one, is full everywhere and may be left out.
        count: number of pages or frames.
    """
    return WriteError(f"{where}: {chosen.title} {lack}; choose {_advice(chosen, header, opaque, count)}")


def require_pages(chosen: Format, count: int, where: str, *, frames: bool) -> None:
    """Raise an error for a number of pages, or of frames of an animation, that a format cannot store.

    Raises:
        WriteError: it cannot; the message names what to choose instead.
    """
    if count == 1 or chosen.pages == "pages" or (frames and chosen.pages):
        return
    what = "frames" if frames else "pages"
    others = [_usual_extension(f) for f in writable_formats() if f.pages == "pages" or (frames and f.pages)]
    holds = "holds frames of an animation" if chosen.pages else "holds one picture"
    raise WriteError(
        f"{where}: {chosen.title} {holds}, the input has {count} {what}; choose one with `pages` 0, "
        f"or another format ({', '.join(others)})"
    )


def require_coding(chosen: Format, wanted: Coding, where: str) -> None:
    """Raise an error for settings that a format does not support.

    Raises:
        WriteError: it does not; the message names those that it supports.
    """
    if wanted.quality is not None and not chosen.quality:
        lossy = ", ".join(f.extensions[0] for f in writable_formats() if f.quality)
        raise WriteError(f"{where}: {chosen.title} has no quality to choose; `quality` is for {lossy}")
    if wanted.lossless and not chosen.lossless:
        raise WriteError(f"{where}: {chosen.title} cannot be written without loss; choose another format, such as .png")
    if wanted.compression is not None and wanted.compression not in chosen.compressions:
        known = f"it supports {', '.join(chosen.compressions)}" if chosen.compressions else "it has none to choose"
        raise WriteError(f"{where}: {chosen.title} does not support `compression` {wanted.compression}; {known}")


def _usual_extension(chosen: Format) -> str:
    return min(chosen.extensions, key=lambda extension: abs(len(extension) - len(".png")))


def _advice(chosen: Format, header: Header, opaque: bool, count: int) -> str:
    dtype, colour = header.dtype, header.channels - header.has_alpha
    if dtype.kind == "c":
        return "the magnitude, or another real part of the result"
    if dtype.kind == "b" and "bool" in chosen.dtypes and header.channels > 1:
        return " ".join(["`gray`"] * (colour > 1) + ["`alpha` drop"] * header.has_alpha) + ", or `depth` 8"
    words = []
    if header.has_alpha and not opaque and not chosen.alpha:
        words.append("`alpha` drop")
    if chosen.refusal(Header.of(header.shape[0], header.shape[1], 1, dtype), bits=16, count=count):
        held = [word for name, word in _DEPTHS.items() if not _lacks(chosen, header, name, opaque, count)]
        depths = [word for word in held if word != "1" or len(held) == 1]  # 1 bit loses all shades of grey
        words += [f"`depth` {' or '.join(depths)}"] if depths else []
    others = [_usual_extension(f) for f in writable_formats() if _is_alternative(f, header, opaque, count)]
    if others:
        words.append(f"another format ({', '.join(others[:_MOST_ALTERNATIVES])})")
    return ", or ".join(words) or f"another depth (`depth` {', '.join(DEPTHS)})"


def _is_alternative(other: Format, header: Header, opaque: bool, count: int) -> bool:
    return not (other.optional or (count > 1 and not other.pages) or other.refusal(header, opaque=opaque, count=count))


def _lacks(chosen: Format, header: Header, dtype: str, opaque: bool, count: int) -> bool:
    return bool(chosen.refusal(replace(header, dtype=np.dtype(dtype)), opaque=opaque, count=count))
