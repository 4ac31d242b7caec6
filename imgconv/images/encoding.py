"""An image as the bytes of a file, whole in memory before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import WriteError
from imgconv.images import formats, netpbm
from imgconv.images.atomic import Piece
from imgconv.images.formats import Format
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata, upright
from imgconv.images.tiff import UNCOMPRESSED
from imgconv.opencv import load_cv2

#: OpenCV's names for the blocks of `Metadata`. Of these OpenCV 4 has no CICP.
_KINDS = {
    "exif": "IMAGE_METADATA_EXIF",
    "xmp": "IMAGE_METADATA_XMP",
    "icc": "IMAGE_METADATA_ICCP",
    "cicp": "IMAGE_METADATA_CICP",
}

_TITLES = {"exif": "EXIF", "xmp": "XMP", "icc": "the colour profile", "cicp": "the colour code points"}

#: What precedes XMP in a JPEG, and only there (XMP specification, part 3, 1.1.3).
XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"


class Encoded(NamedTuple):
    """A file in pieces, and what the user may want to know of the way there, a line each."""

    chunks: Iterable[Piece]
    notes: tuple[str, ...]


def encode(image: Image, chosen: Format, *, where: str = "output") -> Encoded:
    """Return an image as a file.

    What a format has another way of saying is adapted: grey for a format that has only colour, alpha that is opaque
    everywhere for one that has none, pixels turned upright for one that has no place for the EXIF orientation.

    Args:
        image: the image.
        chosen: the format.
        where: the name of the output, fit to be shown in a message.

    Raises:
        WriteError: the format cannot hold the image without loss, or the encoder fails.
    """
    opaque = image.is_opaque if image.has_alpha and not chosen.alpha else False
    formats.require(chosen, image.pixels.dtype, image.pixels.shape, opaque=opaque, where=where)
    if chosen.name == "hdr" and image.pixels.min() < 0:
        raise WriteError(f"{where}: Radiance HDR cannot hold negative values; choose another format (.tif, .pfm)")
    pixels = _arranged(image, chosen)
    metadata, notes = _carried(image.metadata, pixels, chosen)
    if chosen.name == "gif" and image.alpha is not None and not np.isin(image.alpha, (0, 255)).all():
        notes.append("kept alpha as on or off: GIF knows nothing between")
    turned = _turned(pixels, image.metadata, metadata)
    if chosen.name in ("ppm", "pgm", "pnm"):
        return Encoded(netpbm.encoded(turned), _told(notes, image.metadata, metadata))
    if chosen.name == "tiff" and not image.compressed:
        chosen = replace(chosen, parameters=(("IMWRITE_TIFF_COMPRESSION", UNCOMPRESSED),))
    encoded = _encoded(turned, metadata, chosen)
    if encoded is None and metadata.blocks():
        kept = _accepted(metadata, chosen)
        notes += _left_behind(metadata, kept, f"{chosen.title} does not take it as it is")
        metadata = kept
        encoded = _encoded(_turned(pixels, image.metadata, kept), kept, chosen)
    if encoded is None and pixels.ndim == 2 and chosen.name == "avif":
        # OpenCV 4.12 writes no grey AVIF. In three equal channels nothing is lost.
        return encode(image.replaced(np.dstack([pixels] * 3)), chosen, where=where)
    if encoded is None:
        rows, columns = pixels.shape[:2]
        raise WriteError(f"{where}: OpenCV cannot write this image of {rows} x {columns} pixels as {chosen.title}")
    return Encoded([encoded.data], _told(notes, image.metadata, metadata))


def _arranged(image: Image, chosen: Format) -> NDArray[Any]:
    """Return the pixels in the channels that the format has, contiguous, in the byte order of the machine."""
    pixels = image.pixels if chosen.alpha else image.colour
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim == 3 and pixels.shape[2] == 2:  # no encoder of OpenCV takes grey with alpha
        pixels = pixels[:, :, [0, 0, 0, 1]]
    elif pixels.ndim == 2 and not chosen.grey:
        pixels = np.dstack([pixels] * 3)
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))


def _carried(metadata: Metadata, pixels: NDArray[Any], chosen: Format) -> tuple[Metadata, list[str]]:
    """Return what of the metadata goes along, and a note on what does not."""
    kept = metadata.only(_places(chosen))
    notes = _left_behind(metadata, kept, f"{chosen.title} has no place for it")
    if kept.icc and kept.profile_channels != (1 if pixels.ndim == 2 else 3):
        notes.append("left out the colour profile: it is for other channels than the image has")
        kept = replace(kept, icc=b"")
    return kept, notes


def _places(chosen: Format) -> frozenset[str]:
    """Return the blocks of metadata that this OpenCV writes into a format."""
    if hasattr(load_cv2(), "IMWRITE_BMP_COMPRESSION"):  # as old as the writing of XMP, profiles, and WebP's blocks: 4.13
        return chosen.metadata
    return frozenset() if chosen.name == "webp" else chosen.metadata & {"exif"}


def _left_behind(before: Metadata, after: Metadata, why: str) -> list[str]:
    lost = [name for name in before.blocks() if name not in after.blocks()]
    return [f"left out {_TITLES[name]}: {why}" for name in lost]


def _turned(pixels: NDArray[Any], before: Metadata, after: Metadata) -> NDArray[Any]:
    """Return the pixels upright where the tag that would have said how to turn them does not go along."""
    return pixels if after.exif else upright(pixels, before.orientation)


def _told(notes: list[str], before: Metadata, after: Metadata) -> tuple[str, ...]:
    """Return the notes, with one more where the pixels were turned."""
    if before.orientation != 1 and not after.exif:
        notes = [*notes, f"turned the pixels upright, from EXIF orientation {before.orientation}"]
    return tuple(notes)


def _encoded(pixels: NDArray[Any], metadata: Metadata, chosen: Format) -> NDArray[np.uint8] | None:
    """Return what the encoder of OpenCV makes of it, or None when that is nothing."""
    cv2 = load_cv2()
    parameters: list[int] = []
    for name, value in chosen.parameters:
        if hasattr(cv2, name):  # some are younger than OpenCV 4.12
            parameters += [getattr(cv2, name), value]
    blocks = {_KINDS[n]: b for n, b in metadata.blocks().items() if hasattr(cv2, _KINDS[n])}
    if chosen.name == "jpeg" and metadata.xmp:
        blocks[_KINDS["xmp"]] = XMP_IN_JPEG + metadata.xmp
    extension = chosen.extensions[0]
    try:
        if blocks:
            kinds = [getattr(cv2, name) for name in blocks]
            arrays = [np.frombuffer(block, np.uint8) for block in blocks.values()]
            done, encoded = cv2.imencodeWithMetadata(extension, pixels, kinds, arrays, parameters)
        else:
            done, encoded = cv2.imencode(extension, pixels, parameters)
    except cv2.error:
        return None
    return encoded if done and encoded is not None and len(encoded) else None


def _accepted(metadata: Metadata, chosen: Format) -> Metadata:
    """Return the blocks that the encoder takes when it is given each alone, on a picture that costs no time."""
    channels = metadata.profile_channels
    patch = np.zeros((16, 16) if channels == 1 else (16, 16, 3), np.uint8)
    names = [name for name in metadata.blocks() if _encoded(patch, metadata.only({name}), chosen) is not None]
    return metadata.only(set(names))
