"""Pixels through OpenCV's decoders and encoders: most formats, one picture a file, without its metadata."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images import formats
from imgconv.images.codecs import netpbm
from imgconv.images.codecs.depths import scaled_from
from imgconv.images.coding import Coding
from imgconv.images.exr import exr_pixels
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata
from imgconv.images.seeking import FileBytes
from imgconv.opencv import load_cv2

_KEPT = ("uint8", "uint16", "float32")

#: OpenCV's names for blocks of `Metadata`.
_KINDS = {"exif": "IMAGE_METADATA_EXIF", "xmp": "IMAGE_METADATA_XMP", "icc": "IMAGE_METADATA_ICCP"}


def read(view: memoryview, kind: str, name: str, metadata: Metadata, coding: Coding) -> Image:
    """Return the picture of a file, with what its container says of it.

    Raises:
        ReadError: OpenCV cannot read it, or it is of a kind that would lose something.
    """
    cv2 = load_cv2()
    try:
        pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(view, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ReadError(f"{name}: {_fault(error)}") from error
    if pixels is None or not pixels.size:
        raise ReadError(f"{name}: {_unreadable(kind)}")
    if pixels.dtype.name not in _KEPT or not (pixels.ndim == 2 or 1 <= pixels.shape[2] <= 4):
        raise ReadError(f"{name}: pixels of {pixels.shape[2:] or (1,)} x {pixels.dtype} cannot be kept; save it as TIFF")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if kind == "pnm" and (header := netpbm.header_of(view)) and header.greatest > 255:
        # A PGM or PPM that is text; up to 255 OpenCV scales those itself.
        pixels = scaled_from(pixels, header.greatest)
    elif kind == "exr" and exr_pixels(FileBytes(view)).dtype == "float16":
        pixels = pixels.astype(np.float16)  # which is what they were
    return Image(pixels, metadata, kind, coding=coding)


def encoded(
    pixels: NDArray[Any], extension: str, parameters: tuple[tuple[str, int], ...], metadata: Metadata | None = None
) -> memoryview | None:
    """Return the file that OpenCV makes of pixels, or None when that is nothing.

    Args:
        pixels: contiguous, in channels and of a type that the format has.
        extension: of the format, with its dot.
        parameters: names of OpenCV's constants, and their values; those that this OpenCV does not know are left out.
        metadata: what the encoder is to put into the file itself: of EXIF, XMP and the colour profile what there is.
    """
    cv2 = load_cv2()
    numbers = [n for name, value in parameters if hasattr(cv2, name) for n in (getattr(cv2, name), value)]
    blocks = {} if metadata is None else {n: b for n, b in metadata.blocks().items() if n in _KINDS}
    try:
        if blocks:
            kinds = [getattr(cv2, _KINDS[name]) for name in blocks]
            arrays = [np.frombuffer(block, np.uint8) for block in blocks.values()]
            done, found = cv2.imencodeWithMetadata(extension, pixels, kinds, arrays, numbers)
        else:
            done, found = cv2.imencode(extension, pixels, numbers)
    except cv2.error:
        return None
    return found.data if done and found is not None and len(found) else None


def is_built_in(chosen: formats.Format) -> bool:
    """Return whether this OpenCV has a format."""
    cv2 = load_cv2()
    try:
        return bool(cv2.haveImageWriter(chosen.extensions[0]))
    except cv2.error:  # it has it, but was loaded by somebody who has not switched it on
        return False


def _unreadable(kind: str) -> str:
    """Return why OpenCV may have found no image in the data."""
    if not kind:
        return "is not an image that OpenCV can read"
    chosen = formats.FORMATS[kind]
    if chosen.optional and not is_built_in(chosen):
        return f"is {chosen.title}, which is not among the formats that this OpenCV was built with"
    return f"is damaged or cut short: it begins like {chosen.title}, but OpenCV cannot read it"


def _fault(error: Exception) -> str:
    """Return in one line what an exception of OpenCV says of a file."""
    text = " ".join(str(error).split())
    if "allocate" in text or "(-4:" in text:
        return "the image does not fit into memory"
    return f"OpenCV cannot read it ({text[:200]})"
