"""Images as the bytes of a file: what a format has another way of saying is adapted, and told."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import WriteError
from imgconv.images import containers, requirements
from imgconv.images.atomic import Piece
from imgconv.images.codecs import netpbm, opencv
from imgconv.images.coding import Coding
from imgconv.images.formats import Format
from imgconv.images.image import Image
from imgconv.images.metadata import upright
from imgconv.images.pages import Timing
from imgconv.images.settings import parameters, settled

_TITLES = {
    "exif": "EXIF",
    "xmp": "XMP",
    "icc": "the colour profile",
    "cicp": "the colour code points",
    "iptc": "IPTC",
    "comment": "the comment",
    "resolution": "the resolution",
    "texts": "the texts beside the comment (title, author and the like)",
}

_NETPBM = ("ppm", "pgm", "pbm", "pnm")


class Encoded(NamedTuple):
    """A file in pieces, and what the user may want to know of the way there, a line each.

    Where there are several pages the notes are complete when the last piece has been taken.
    """

    chunks: Iterable[Piece]
    notes: list[str]


def encode(image: Image, chosen: Format, wanted: Coding | None = None, *, where: str = "output") -> Encoded:
    """Return an image as a file.

    What a format has another way of saying is adapted: grey for a format that has only colour, alpha that is opaque
    everywhere for one that has none, pixels turned upright for one that has no place for the EXIF orientation.

    Args:
        image: the image.
        chosen: the format.
        wanted: how the user wants the pixels stored; what it does not say is as in the file that the image is of, if that
            has the same format.
        where: the name of the output, fit to be shown in a message.

    Raises:
        WriteError: the format cannot hold the image without loss, or the encoder fails.
    """
    return encode_all(iter((image,)), 1, None, chosen, wanted, where=where)


def encode_all(
    images: Iterator[Image],
    count: int,
    timing: Timing | None,
    chosen: Format,
    wanted: Coding | None = None,
    *,
    where: str = "output",
) -> Encoded:
    """Return pages, or the frames of an animation, as a file; metadata are those of the first.

    Args:
        images: the pages, which may be made as they are taken; at least one.
        count: how many there are.
        timing: when frames are shown; None for pages.
        chosen: the format.
        wanted: as for `encode`.
        where: the name of the output, fit to be shown in a message.

    Raises:
        WriteError: the format cannot hold them without loss, or the encoder fails.
    """
    requirements.require_pages(chosen, count, frames=timing is not None, where=where)
    wanted = wanted or Coding()
    requirements.require_coding(chosen, wanted, where)
    first = next(images)
    coding = settled(chosen, wanted, first.coding, first.format)
    prepared, notes = _prepared(first, chosen, coding, where)
    coding = replace(coding, bits=_bits(prepared.pixels, chosen, coding))
    if chosen.name == "tiff":
        from imgconv.images.codecs.tagging import encode_tiff

        if timing is not None and count > 1:
            notes.append("left out the durations: TIFF has no place for them")
        pages = itertools.chain((prepared,), _others(images, chosen, coding, where, notes))
        return Encoded(encode_tiff(pages, count, coding, where), notes)
    if chosen.name == "gif" or (count > 1 and timing is not None):  # OpenCV chooses worse colours for a GIF than Pillow
        from imgconv.images.codecs.animating import encode_animation

        timing = timing or Timing((0.0,), 1)

        frames: Iterable[Image] = itertools.chain((prepared,), _others(images, chosen, coding, where, notes))
        if chosen.name == "avif":  # of frames that are to be turned by whoever shows them libavif makes nothing
            frames, prepared = (frame.upright() for frame in frames), prepared.upright()
        pieces = encode_animation(frames, timing, chosen.name, coding, prepared.metadata, where)
        return Encoded(pieces, notes)
    if chosen.name in _NETPBM:
        return Encoded(netpbm.encoded(prepared.pixels), notes)
    return Encoded(_with_metadata(prepared, chosen, coding, where), notes)


def _others(images: Iterator[Image], chosen: Format, coding: Coding, where: str, notes: list[str]) -> Iterator[Image]:
    """Yield the pages after the first as the format takes them, and put what has not been noted yet to the notes."""
    for image in images:
        prepared, more = _prepared(image, chosen, coding, where)
        notes += [note for note in more if note not in notes]
        yield prepared


def _prepared(image: Image, chosen: Format, coding: Coding, where: str) -> tuple[Image, list[str]]:
    """Return an image as the format takes it, with the metadata that go along, and a note on all that does not."""
    opaque = image.is_opaque if image.has_alpha and not chosen.alpha else False
    requirements.require(chosen, image.pixels.dtype, image.pixels.shape, opaque=opaque, bits=coding.bits, where=where)
    if chosen.name == "hdr" and image.pixels.min() < 0:
        raise WriteError(f"{where}: Radiance HDR cannot hold negative values; choose another format (.tif, .pfm)")
    pixels = _arranged(image, chosen)
    notes = []
    if chosen.name == "gif" and image.alpha is not None and not np.isin(image.alpha, (0, 255)).all():
        notes.append("kept alpha as on or off: GIF knows nothing between")
        pixels = np.dstack([pixels[:, :, :-1], np.where(pixels[:, :, -1] < 128, np.uint8(0), np.uint8(255))])
    metadata, colours = image.metadata, 1 if pixels.ndim == 2 or pixels.shape[2] == 2 else 3
    if metadata.icc and metadata.profile_channels != colours:
        notes.append("left out the colour profile: it is for other channels than the image has")
        metadata = replace(metadata, icc=b"")
    fitted = containers.fitted(chosen, metadata, colours)
    notes += [f"left out {_TITLES[name]}: {why}" for name, why in fitted.left_out]
    if metadata.orientation != 1 and not fitted.metadata.exif:
        notes.append(f"turned the pixels upright, from EXIF orientation {metadata.orientation}")
        pixels = upright(pixels, metadata.orientation)
    return replace(image, pixels=pixels, metadata=fitted.metadata), notes


def _arranged(image: Image, chosen: Format) -> NDArray[Any]:
    """Return the pixels in the channels that the format has, contiguous, in the byte order of the machine."""
    pixels = image.pixels if chosen.alpha else image.colour
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim == 3 and pixels.shape[2] == 2 and chosen.name not in ("tiff", "png"):  # OpenCV takes no grey with alpha
        pixels = pixels[:, :, [0, 0, 0, 1]]
    elif pixels.ndim == 2 and not chosen.grey:
        pixels = np.dstack([pixels] * 3)
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))


def _bits(pixels: NDArray[Any], chosen: Format, coding: Coding) -> int | None:
    """Return how many bits a sample the file is to have, where they are fewer than those of the type."""
    if pixels.dtype == bool:
        return 1
    return coding.bits if pixels.dtype == np.uint16 and coding.bits in chosen.narrow else None


def _with_metadata(image: Image, chosen: Format, coding: Coding, where: str) -> list[Piece]:
    """Return the file that OpenCV makes of the pixels, with the metadata put in."""
    pixels = _stored(image.pixels, coding)
    told = parameters(chosen, coding, image.pixels.dtype)
    blocks = image.metadata if containers.is_left_to_encoder(chosen) else None
    if chosen.name == "png" and pixels.ndim == 3 and pixels.shape[2] == 2:
        from imgconv.images.codecs import png_pixels

        found: memoryview | None = png_pixels.encoded(pixels, coding.compression)
    else:
        found = opencv.encoded(pixels, chosen.extensions[0], told, blocks)
    if found is None:
        rows, columns = pixels.shape[:2]
        raise WriteError(f"{where}: OpenCV cannot write this image of {rows} x {columns} pixels as {chosen.title}")
    return [found] if blocks is not None else containers.written(chosen, found, image.metadata)


def _stored(pixels: NDArray[Any], coding: Coding) -> NDArray[Any]:
    """Return the pixels as the encoder takes them: black and white as 0 and 255, 10 and 12 bits in those numbers, no halves."""
    if pixels.dtype == np.float16:
        return pixels.astype(np.float32)
    if pixels.dtype == bool:
        return pixels.view(np.uint8) * np.uint8(255)
    if pixels.dtype == np.uint16 and coding.bits:
        table = np.rint(np.arange(65_536) * (((1 << coding.bits) - 1) / 65_535)).astype(np.uint16)
        found: NDArray[Any] = table[pixels]
        return found
    return pixels
