"""What a format has to hold, made sure of before anything is written; what it lacks is told with what to choose instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from imgconv.errors import WriteError
from imgconv.images.codecs import opencv
from imgconv.images.coding import Coding
from imgconv.images.formats import FORMATS, Format
from imgconv.vocabulary import DEPTHS

# The word of `--depth` for each type that it can choose, as in `vocabulary.DEPTHS`.
_DEPTHS = {"bool": "1", "uint8": "8", "uint16": "16", "float16": "16f", "float32": "32f", "float64": "64f"}

_MOST_ALTERNATIVES = 4


def require(
    chosen: Format,
    dtype: DTypeLike,
    shape: tuple[int, ...],
    *,
    opaque: bool = False,
    bits: int | None = None,
    where: str = "output",
) -> None:
    """Make sure that a format holds pixels of a type and shape without loss.

    Args:
        chosen: the format.
        dtype: of the pixels.
        shape: (H, W) or (H, W, C).
        opaque: alpha, if there is one, says nothing and may be left out.
        bits: bits a sample that carry anything, where they are fewer than those of the type.
        where: what the message begins with: the name of the output, fit to be shown.

    Raises:
        WriteError: it does not; the message says what to choose instead.
    """
    lack = chosen.refusal(dtype, shape, opaque=opaque, bits=bits)
    if not lack and chosen.optional and not opencv.is_built_in(chosen):
        lack = "is not among the formats that this OpenCV was built with"
    if lack:
        advice = _advice(chosen, np.dtype(dtype), shape, opaque)
        raise WriteError(f"{where}: {chosen.title} {lack}; choose {advice}")


def require_pages(chosen: Format, count: int, *, frames: bool, where: str = "output") -> None:
    """Make sure that a format holds so many pages, or frames of an animation.

    Raises:
        WriteError: it does not; the message says what to choose instead.
    """
    if count == 1 or chosen.pages == "pages" or (frames and chosen.pages):
        return
    what = "frames" if frames else "pages"
    others = [
        f.extensions[-1 if f.name == "tiff" else 0] for f in FORMATS.values() if f.pages == "pages" or (frames and f.pages)
    ]
    holds = "holds frames of an animation" if chosen.pages else "holds one picture"
    raise WriteError(
        f"{where}: {chosen.title} {holds}, the input has {count} {what}; choose one with --pages 0, "
        f"or another format ({', '.join(others)})"
    )


def require_coding(chosen: Format, wanted: Coding, where: str = "output") -> None:
    """Make sure that a format can be written as the user wants it.

    Raises:
        WriteError: it cannot; the message says what it knows.
    """
    if wanted.quality is not None and not chosen.quality:
        lossy = ", ".join(f.extensions[0] for f in FORMATS.values() if f.quality)
        raise WriteError(f"{where}: {chosen.title} has no quality to choose; --quality is for {lossy}")
    if wanted.lossless and not chosen.lossless:
        raise WriteError(f"{where}: {chosen.title} cannot be written without loss; choose another format, such as .png")
    if wanted.compression is not None and wanted.compression not in chosen.compressions:
        knows = f"it knows {', '.join(chosen.compressions)}" if chosen.compressions else "it has none to choose"
        raise WriteError(f"{where}: {chosen.title} does not know --compression {wanted.compression}; {knows}")


def _advice(chosen: Format, dtype: np.dtype[Any], shape: tuple[int, ...], opaque: bool) -> str:
    if dtype.kind == "c":
        return "the magnitude, or another real part of the result"
    if dtype.kind == "b" and "bool" in chosen.dtypes and len(shape) == 3 and shape[2] > 1:
        return " ".join(["--gray"] * (shape[2] > 2) + ["--alpha drop"] * (shape[2] in (2, 4))) + ", or --depth 8"
    words = []
    if len(shape) == 3 and shape[2] in (2, 4) and not opaque and not chosen.alpha:
        words.append("--alpha drop")
    if chosen.refusal(dtype, shape[:2], bits=16):
        held = [_DEPTHS[d] for d in chosen.dtypes if d in _DEPTHS and not chosen.refusal(d, shape, opaque=opaque)]
        depths = [d for d in held if d != "1" or len(held) == 1]  # which is a loss that nobody means who has greys
        words += [f"--depth {' or '.join(depths)}"] if depths else []
    others = [f.extensions[-1 if f.name == "tiff" else 0] for f in _holding(dtype, shape, opaque)]
    if others:
        words.append(f"another format ({', '.join(others[:_MOST_ALTERNATIVES])})")
    return ", or ".join(words) or f"another depth (--depth {', '.join(DEPTHS)})"


def _holding(dtype: np.dtype[Any], shape: tuple[int, ...], opaque: bool) -> Iterable[Format]:
    return (f for f in FORMATS.values() if not (f.optional or f.refusal(dtype, shape, opaque=opaque)))
