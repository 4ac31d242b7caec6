"""AVIF. Headers, metadata and animations are handled by libavif through Pillow; pictures are encoded by OpenCV.

Pictures are decoded by libavif through imagecodecs. OpenCV's decoder rejects files of libheif and grey with alpha, and does
not scale 10 and 12 bits to full range; Pillow returns 8 bits only. Bits per sample, colour code points and frame durations
are read from the boxes.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.errors import WriteError
from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError, decoder_errors
from imgconv.images.formats.animation import AnimatedFormat, Animation
from imgconv.images.formats.base import COMMON_METADATA, QUALITY
from imgconv.images.formats.iso_boxes import Box
from imgconv.images.formats.opencv_codec import scaled, swapped
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Fitted, Metadata, exif_in, fit_metadata_with_exif, upright, with_exif_read
from imgconv.images.pages import Header, Timing

_BRANDS = (b"avif", b"avis")
_UNSPECIFIED = b"\2\2"  # primaries and transfer characteristics of colour code points
_REPEATED = 1  # flag of an edit list
_FOR_EVER = (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


class Avif(AnimatedFormat):
    """AVIF."""

    name = "avif"
    title = "AVIF"
    extensions = (".avif",)
    dtypes = ("uint8", "uint16")
    alpha = True
    places = COMMON_METADATA
    quality = True
    bits = (10, 12)
    max_side = 65_535
    plugin = "AvifImagePlugin:AvifImageFile"
    max_duration = 0xFFFFFFFF

    def recognizes(self, head: bytes) -> bool:
        """Return whether the major brand or a compatible brand is that of AVIF."""
        size = min(int.from_bytes(head[:4], "big"), len(head))
        return head[4:8] == b"ftyp" and any(head[at : at + 4] in _BRANDS for at in (8, *range(16, size - 3, 4)))

    def header(self, file: FileBytes) -> Header:
        """Return the header of the picture or of the frames, read by libavif and from the boxes."""
        found = _parsed(file)
        bits, colours = _samples(file, found)
        has_alpha = found.mode.endswith("A")
        return Header.of(*found.shape, colours + has_alpha, np.uint16 if bits > 8 else np.uint8, has_alpha, colours)

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return the metadata, and the bits per sample if more than 8."""
        try:
            found = _parsed(file)
            bits, _ = _samples(file, found)
            code_points = b"" if found.icc else _code_points(file)
        except HeaderError:
            return Metadata(), Coding()
        metadata = Metadata(exif=exif_in(found.exif), xmp=found.xmp, icc=found.icc, cicp=code_points)
        return with_exif_read(metadata.oriented(found.orientation), comment=True), Coding(bits=bits if bits > 8 else None)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture."""
        from imagecodecs import avif_decode

        data = cast(bytes, file.view)  # imagecodecs accepts any buffer
        with decoder_errors():
            # No `index` is passed, because with an index imagecodecs 2026.3.6 writes beyond the end of its buffer.
            pixels = avif_decode(data).reshape(header.shape)
        metadata, coding = self.metadata(file)
        return self.image(scaled(swapped(pixels), coding.bits or 8), header, metadata, coding)

    def animation(self, file: FileBytes) -> Animation | None:
        """Return the frame durations and the loop count of a sequence; None for a single picture."""
        found = _parsed(file)
        if found.frames == 1:
            return None
        bits, _ = _samples(file, found)
        if bits > 8:
            raise HeaderError(f"an AVIF animation with {bits} bits per sample is not supported; convert it to 8 bits")
        return Animation(_timing(_colour_track(file), found.frames))

    def fit(self, metadata: Metadata, colours: int) -> Fitted:
        """Return metadata with the resolution and the comment in EXIF."""
        return fit_metadata_with_exif(metadata, self.title, colours)

    def stored(self, pixels: NDArray[Any], coding: Coding) -> NDArray[Any]:
        """Return 16-bit pixels scaled to 10 or 12 bits if the coding requests it."""
        if pixels.dtype != np.uint16 or not coding.bits:
            return pixels
        levels = np.arange(65_536) * (((1 << coding.bits) - 1) / 65_535)
        return np.asarray(np.rint(levels).astype(np.uint16)[pixels])

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return the encoder parameters for quality and bits per sample. OpenCV's default quality doubles the errors."""
        depth = (("IMWRITE_AVIF_DEPTH", coding.bits),) if np.dtype(dtype) == np.uint16 and coding.bits else ()
        return ("IMWRITE_AVIF_QUALITY", _quality(coding)), *depth

    def encoder_metadata(self, metadata: Metadata) -> Metadata:
        """Return the metadata for OpenCV's encoder."""
        return metadata

    def encode_frames(
        self, frames: Sequence[NDArray[Any]], timing: Timing, coding: Coding, metadata: Metadata, where: str
    ) -> Iterable[Piece]:
        """Return an animation with upright frames: with an orientation, libavif 1.4.2 reads memory out of bounds."""
        colour = frames[0].ndim == 3
        if coding.lossless and colour:
            raise WriteError(f"{where}: lossless AVIF animations in colour are not supported; choose .webp or .png")
        view = self.encode_with_pillow(
            [upright(pixels, metadata.orientation) for pixels in frames],
            where,
            duration=[round(duration) for duration in timing.durations],
            quality=_quality(coding),
            subsampling="4:4:4" if colour else "4:0:0",
            exif=metadata.oriented(1).exif or None,
            xmp=metadata.xmp or None,
            icc_profile=metadata.icc or None,
        )
        if timing.loop:
            _limit_loops(view, timing.loop)
        return [view]


def _quality(coding: Coding) -> int:
    if coding.lossless:
        return 100
    return QUALITY if coding.quality is None else coding.quality


class _Parsed(NamedTuple):
    """The properties of a file that libavif reads without decoding pixels. The mode is that of Pillow."""

    shape: tuple[int, int]
    frames: int
    mode: str
    icc: bytes
    exif: bytes
    orientation: int
    xmp: bytes


def _parsed(file: FileBytes) -> _Parsed:
    """Parse a file with libavif.

    Raises:
        HeaderError: libavif rejects the file.
    """
    from imgconv.images.formats.pillow_codec import lifted_limit

    with lifted_limit():
        from PIL import _avif

        # `AvifImageFile` rejects damaged EXIF, and rewrites EXIF if the orientation is stored in a box.
        decoder = _avif.AvifDecoder(file.view, "auto", 1)
        (columns, rows), frames, mode, icc, exif, orientation, xmp = decoder.get_info()
    return _Parsed((rows, columns), frames, mode, icc or b"", exif or b"", orientation, (xmp or b"").rstrip(b"\0"))


def _samples(file: FileBytes, found: _Parsed) -> tuple[int, int]:
    """Return bits per sample and number of colour channels, from the configuration record (AV1 in ISOBMFF, 2.3.3).

    Raises:
        HeaderError: the configuration record is missing.
    """
    if found.frames > 1:
        box = _colour_track(file).first(b"mdia", b"minf", b"stbl", b"stsd", b"av01", b"av1C")
    else:
        # The record of a grid is that of its tiles.
        boxes = (*_properties(file), *Box.whole(file).named(b"meta", b"iprp", b"ipco", b"av1C"))
        box = next((box for box in boxes if box.name == b"av1C"), Box(file, b"", file.size, file.size))
    (flags,) = box.numbers(">2xB")
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8, 1 if flags & 0x10 else 3


def _properties(file: FileBytes) -> list[Box]:
    """Return the property boxes of the primary picture (ISO/IEC 23008-12, 9.3).

    Raises:
        HeaderError: the boxes are damaged.
    """
    meta = Box.whole(file).first(b"meta")
    boxes = list(meta.first(b"iprp", b"ipco").inner())
    item = meta.first(b"pitm")
    (picture,) = item.numbers(">I" if item.numbers(">B")[0] else ">H", 4)
    for box in meta.named(b"iprp", b"ipma"):
        version, flags, count = box.numbers(">B2xBI")
        head, wide, at = ">IB" if version else ">HB", flags & 1, 8
        for _ in range(count):
            item_number, size = box.numbers(head, at)
            numbers = box.numbers(f">{size}{'H' if wide else 'B'}", at + struct.calcsize(head))
            at += struct.calcsize(head) + size * (1 + wide)
            if item_number == picture:
                numbers = tuple(number & (0x7FFF if wide else 0x7F) for number in numbers)
                return [boxes[number - 1] for number in numbers if 0 < number <= len(boxes)]
    return []


def _code_points(file: FileBytes) -> bytes:
    """Return the colour code points of the decoded pixels, which are full-range RGB; b"" for sRGB or unspecified ones."""
    from imgconv.images.colour import profiles

    for box in _properties(file):
        if box.name == b"colr" and box.end - box.start >= 11 and box.numbers(">4s") == (b"nclx",):
            primaries, transfer = box.numbers(">xBxB", 4)  # 16-bit fields; all defined values are below 256
            found = bytes([primaries, transfer, 0, 1])
            return b"" if found == profiles.SRGB_CODE_POINTS or found[:2] == _UNSPECIFIED else found
    return b""


def _colour_track(file: FileBytes) -> Box:
    """Return the track with the colour pictures. Alpha tracks are recognized by their reference to another track.

    Raises:
        HeaderError: the track is missing.
    """
    for track in Box.whole(file).named(b"moov", b"trak"):
        if not any(track.named(b"tref", b"auxl")):
            return track
    raise HeaderError


def _timing(track: Box, count: int) -> Timing:
    """Return the frame durations and the loop count of a track (ISO/IEC 14496-12, 8.4.2, 8.6.1, 8.6.6).

    Raises:
        HeaderError: the boxes are damaged.
    """
    clock, times = track.first(b"mdia", b"mdhd"), track.first(b"mdia", b"minf", b"stbl", b"stts")
    (unit,) = clock.numbers(">I", 20 if clock.numbers(">B")[0] else 12)
    durations: list[float] = []
    for i in range(times.numbers(">I", 4)[0]):
        frames, ticks = times.numbers(">II", 8 + 8 * i)
        durations += [float(Fraction(1000 * ticks, unit or 1))] * min(frames, count - len(durations))
    if len(durations) != count:
        raise HeaderError
    loop = 1
    with contextlib.suppress(HeaderError):
        loop = _loop(track)
    return Timing(tuple(durations), loop)


def _loop(track: Box) -> int:
    """Return the loop count of a track: its length divided by that of its only edit, if the edit is repeated."""
    edits, head = track.first(b"edts", b"elst"), track.first(b"tkhd")
    version, flags, count = edits.numbers(">B2xBI")
    if not flags & _REPEATED or count != 1:
        return 1
    (edit,) = edits.numbers(">Q" if version else ">I", 8)
    (length,) = head.numbers(">Q", 28) if head.numbers(">B")[0] else head.numbers(">I", 20)
    if length in _FOR_EVER:
        return 0
    return max(1, -(-length // edit)) if edit else 1


def _limit_loops(view: memoryview, loop: int) -> None:
    """Set the loop count of an animation through the lengths of its tracks, because Pillow has no option for it."""
    movie = Box.whole(FileBytes(view)).first(b"moov")
    length = 0
    for track in movie.named(b"trak"):
        edit = loop * track.first(b"edts", b"elst").numbers(">Q", 8)[0]  # libavif writes version 1 of these boxes
        length = max(length, edit)
        struct.pack_into(">Q", view, track.first(b"tkhd").start + 28, edit)
    struct.pack_into(">Q", view, movie.first(b"mvhd").start + 24, length)
