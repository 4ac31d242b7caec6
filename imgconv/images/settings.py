"""What an encoder is told: how the pixels of a file are to be stored, from what the user wants and what the input was."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from imgconv.images.coding import Coding
from imgconv.images.formats import Format

#: Where neither the user nor the input says anything. OpenCV's own default for AVIF gives a fifth of the size and errors
#: twice as large.
QUALITY = 95


def settled(chosen: Format, wanted: Coding, source: Coding, source_format: str) -> Coding:
    """Return how to store the pixels: what the user wants, else what the input was where it has the same format."""
    if wanted.quality is not None or wanted.lossless:
        source = Coding(bits=source.bits, subsampling=source.subsampling)
    return wanted.over(source) if source_format == chosen.name else wanted.over(Coding(bits=source.bits))


def parameters(chosen: Format, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
    """Return what OpenCV's encoder of a format is told: names of its constants, and their values.

    Args:
        chosen: the format.
        coding: how to store the pixels.
        dtype: of the pixels, bool for black and white.
    """
    quality = coding.quality if coding.quality is not None else QUALITY
    if chosen.name == "jpeg":
        found = [("IMWRITE_JPEG_QUALITY", quality)]
        if coding.subsampling in _SAMPLING:
            found.append(("IMWRITE_JPEG_SAMPLING_FACTOR", _SAMPLING[coding.subsampling]))
        return tuple(found)
    if chosen.name == "webp":
        if coding.quality is not None and not coding.lossless:
            return ("IMWRITE_WEBP_LOSSLESS_MODE", 0), ("IMWRITE_WEBP_QUALITY", quality)
        return (("IMWRITE_WEBP_LOSSLESS_MODE", 2),)  # which keeps the colour under transparent pixels as well
    if chosen.name == "avif":
        depth = (("IMWRITE_AVIF_DEPTH", coding.bits),) if np.dtype(dtype) == np.uint16 and coding.bits else ()
        return ("IMWRITE_AVIF_QUALITY", 100 if coding.lossless else quality), *depth
    if chosen.name == "png":
        if np.dtype(dtype) == np.bool_:
            return (("IMWRITE_PNG_BILEVEL", 1),)
        return (("IMWRITE_PNG_COMPRESSION", int(coding.compression)),) if coding.compression else ()
    if chosen.name == "exr":
        return (("IMWRITE_EXR_TYPE", 1 if np.dtype(dtype) == np.float16 else 2),)  # half, float
    return _FIXED.get(chosen.name, ())


# The values of OpenCV's IMWRITE_JPEG_SAMPLING_FACTOR_*: the sampling factors of the three components, a byte each.
_SAMPLING = {"411": 0x411111, "420": 0x221111, "422": 0x211111, "440": 0x121111, "444": 0x111111}

_FIXED = {
    # At OpenCV's default JPEG 2000 is lossy; at 1000 it is exact.
    "jp2": (("IMWRITE_JPEG2000_COMPRESSION_X1000", 1000),),
}
