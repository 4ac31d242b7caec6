"""JPEGs that OpenCV mistakes or does not read: of four inks, of more than 8 bits a sample."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace

import numpy as np

from imgconv.errors import ReadError
from imgconv.images import containers
from imgconv.images.chunks import Frame, jpeg_frame
from imgconv.images.codecs.channel_order import swapped
from imgconv.images.codecs.depths import scaled
from imgconv.images.coding import Coding
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata
from imgconv.images.seeking import FileBytes

_END = b"\xff\xd9"

_INKS = 4


def read(view: memoryview, name: str) -> Image | None:
    """Return the picture of a JPEG that is not left to OpenCV, or None.

    Four inks become red, green and blue by the profile of the file, of which OpenCV knows nothing. 12 bits a sample, and the
    2 to 16 of a JPEG without loss, are scaled to 16.

    Raises:
        ReadError: it is damaged, or of a kind that nobody reads right.
        HeaderError: it has no frame.
    """
    frame = jpeg_frame(FileBytes(view))
    if frame.bits == 8 and frame.components in (1, 3):
        return None
    metadata, coding = containers.read(view, "jpeg")
    if frame.components not in (1, 3, _INKS):
        raise ReadError(f"{name}: a JPEG of {frame.components} components cannot be read; save it in grey or colour")
    if frame.bits == 8:
        return _of_inks(view, name, metadata, coding)
    if frame.components == _INKS:
        raise ReadError(f"{name}: a JPEG of four inks and {frame.bits} bits a sample cannot be read; save it as TIFF")
    return _deep(view, name, frame, metadata, coding)


def _of_inks(view: memoryview, name: str, metadata: Metadata, coding: Coding) -> Image:
    from PIL.JpegImagePlugin import JpegImageFile

    from imgconv.images.colour import cmyk_to_rgb

    try:
        with warnings.catch_warnings(action="ignore"), JpegImageFile(io.BytesIO(view)) as picture:
            inks = np.asarray(picture)  # 255 is all of it: Pillow turns them round, as every program does with a JPEG
    except MemoryError:
        raise
    except Exception as error:  # whatever Pillow makes of it
        raise _damaged(name) from error
    pixels, profile, note = cmyk_to_rgb(inks, metadata.icc)
    return Image(swapped(pixels), replace(metadata, icc=profile), "jpeg", coding=coding, notes=(note,) if note else ())


def _deep(view: memoryview, name: str, frame: Frame, metadata: Metadata, coding: Coding) -> Image:
    from imagecodecs import jpeg8_decode

    # libjpeg makes something up where the data end; only the marker at the end says that they are all there.
    if bytes(view[-(1 << 16) :]).rfind(_END) < 0:
        raise _damaged(name)
    try:
        pixels = jpeg8_decode(bytes(view))
    except MemoryError:
        raise
    except Exception as error:  # whatever libjpeg makes of it
        raise _damaged(name) from error
    if pixels.dtype not in (np.uint8, np.uint16) or (1 if pixels.ndim == 2 else pixels.shape[2]) != frame.components:
        raise _damaged(name)
    return Image(scaled(swapped(pixels), frame.bits), metadata, "jpeg", coding=replace(coding, bits=frame.bits))


def _damaged(name: str) -> ReadError:
    return ReadError(f"{name}: is damaged or cut short: it begins like JPEG, but cannot be decoded")
