"""Errors for results and settings that a format cannot store, with advice on alternatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imgconv.errors import WriteError
from imgconv.images.formats.base import Format
from imgconv.images.formats.picture import Result
from imgconv.images.formats.registry import writable_formats
from imgconv.images.image import Coding
from imgconv.images.pages import Header
from imgconv.vocabulary import DEPTHS

# The word of `vocabulary.DEPTHS` for each data type.
_DEPTHS = {"bool": "1", "uint8": "8", "uint16": "16", "float16": "16f", "float32": "32f", "float64": "64f"}

_MOST_ALTERNATIVES = 4


def result_error(chosen: Format, result: Result, limitation: str, where: str) -> WriteError:
    """Return the error for a result that a format cannot store; `limitation` is the text of `Format.limitation`."""
    return WriteError(f"{where}: {chosen.title} {limitation}; choose {_advice(chosen, replace(result, bits=None))}")


def require_coding(chosen: Format, wanted: Coding, where: str) -> None:
    """Raise a `WriteError` if the format does not support the settings in `wanted`. The message lists the alternatives."""
    if wanted.quality is not None and not chosen.quality:
        lossy = ", ".join(f.extensions[0] for f in writable_formats() if f.quality)
        raise WriteError(f"{where}: {chosen.title} has no quality setting; `quality` is for {lossy}")
    if wanted.lossless and not chosen.lossless:
        raise WriteError(f"{where}: {chosen.title} cannot be written without loss; choose another format, such as .png")
    if wanted.compression is not None and wanted.compression not in chosen.compressions:
        known = f"it supports {', '.join(chosen.compressions)}" if chosen.compressions else "it has no compression setting"
        raise WriteError(f"{where}: {chosen.title} does not support `compression` {wanted.compression}; {known}")


def _advice(chosen: Format, result: Result) -> str:
    """Return alternatives for a result that cannot be stored, as the object of "choose"."""
    header, dtype = result.header, result.header.dtype
    if dtype.kind == "c":
        return "the magnitude, or another real part of the result"
    if dtype.kind == "b" and "bool" in chosen.dtypes and header.channels > 1:
        has_colour = header.channels - header.has_alpha > 1
        words = [" ".join(["`gray`"] * has_colour + ["`alpha` drop"] * header.has_alpha)]
        return ", or ".join(words if chosen.limitation(_as_type(result, "uint8")) else [*words, "`depth` 8"])
    words = []
    if not chosen.stores_pages(result):
        words.append("one page with `pages` 0")
    else:
        grey = replace(result, header=Header(header.shape[:2], dtype), bits=16)
        has_colour = header.channels - header.has_alpha == header.colours == 3
        changes = ["`gray`"] if has_colour and not chosen.colour and not chosen.limitation(grey) else []
        if header.has_alpha and not result.opaque and not chosen.alpha and not result.needs_alpha:
            changes.append("`alpha` drop")
        if changes:
            words.append(" ".join(changes))
        if chosen.limitation(grey):
            supported = [word for name, word in _DEPTHS.items() if not chosen.limitation(_as_type(result, name))]
            depths = [word for word in supported if word != "1" or len(supported) == 1]  # 1 bit loses all shades of grey
            words += [f"`depth` {' or '.join(depths)}"] if depths else []
    # Formats that are only written do not replace a format of pictures.
    others = [f for f in writable_formats() if f.readable and not f.optional and not f.limitation(result)]
    if others:
        others.sort(key=lambda other: other.name != chosen.similar)
        words.append(f"another format ({', '.join(map(_usual_extension, others[:_MOST_ALTERNATIVES]))})")
    return ", or ".join(words) or f"another depth (`depth` {', '.join(DEPTHS)})"


def _usual_extension(chosen: Format) -> str:
    return min(chosen.extensions, key=lambda extension: abs(len(extension) - len(".png")))


def _as_type(result: Result, name: str) -> Result:
    return replace(result, header=replace(result.header, dtype=np.dtype(name)))
