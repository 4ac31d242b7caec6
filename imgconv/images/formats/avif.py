"""AVIF: pictures decoded by libavif through imagecodecs and encoded by OpenCV, animations by libavif through Pillow.

OpenCV's decoder rejects files of libheif and grey with alpha, and leaves 10 and 12 bits dark.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.errors import WriteError
from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.animation import AnimatedFormat, Animation
from imgconv.images.formats.base import COMMON_METADATA, QUALITY
from imgconv.images.formats.iso_boxes import Box
from imgconv.images.formats.opencv_codec import scaled, swapped
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Fitted, Metadata, fit_metadata_with_exif, upright, with_exif_read
from imgconv.images.pages import Header, Timing

if TYPE_CHECKING:
    from imgconv.images.formats.avif_items import Samples

_BRANDS = (b"avif", b"avis")
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
    narrow = (10, 12)
    side = 65_535
    plugin = "AvifImagePlugin:AvifImageFile"
    longest = 0xFFFFFFFF

    def recognizes(self, head: bytes) -> bool:
        """Return whether the major brand, or one of the compatible brands, is that of AVIF."""
        size = min(int.from_bytes(head[:4], "big"), len(head))
        return head[4:8] == b"ftyp" and any(head[at : at + 4] in _BRANDS for at in (8, *range(16, size - 3, 4)))

    def header(self, file: FileBytes) -> Header:
        """Return what the boxes say of the picture, or of the frames of a sequence."""
        found = _samples(file)
        dtype = np.uint16 if found.bits > 8 else np.uint8
        channels = found.colours + found.has_alpha
        return Header.of(found.rows, found.columns, channels, dtype, found.has_alpha, found.colours)

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return the metadata of the picture, and its bits per sample where they are more than 8."""
        from imgconv.images.formats.avif_items import Items

        metadata, coding = Metadata(), Coding()
        with contextlib.suppress(HeaderError):
            bits = _samples(file).bits
            coding = Coding(bits=bits if bits > 8 else None)
        with contextlib.suppress(HeaderError):
            metadata = Items(file).metadata()
        return with_exif_read(metadata, comment=True), coding

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture."""
        from imagecodecs import avif_decode

        data = cast(bytes, file.view)  # any buffer will do
        try:
            # Without an index: with one, imagecodecs 2026.3.6 writes beyond the end of its memory.
            pixels = avif_decode(data).reshape(header.shape)
        except MemoryError:
            raise
        except Exception as error:  # imagecodecs has an exception for each codec
            raise self.damaged(name) from error
        return self.image(scaled(swapped(pixels), _samples(file).bits), header, *self.metadata(file))

    def animation(self, file: FileBytes) -> Animation | None:
        """Return the timing of a sequence."""
        track = _colour_track(_tracks(file))
        if track is None:
            return None
        bits = _samples(file).bits
        if bits > 8:
            raise HeaderError(f"an AVIF animation of {bits} bits a sample cannot be read; convert it to 8 bits")
        return Animation(_timing(track))

    def fitted(self, metadata: Metadata, colours: int) -> Fitted:
        """Return metadata with the resolution and the comment in EXIF."""
        return fit_metadata_with_exif(metadata, self.title, colours)

    def stored(self, pixels: NDArray[Any], coding: Coding) -> NDArray[Any]:
        """Return pixels in the range of 10 or 12 bits."""
        if pixels.dtype != np.uint16 or not coding.bits:
            return pixels
        levels = np.arange(65_536) * (((1 << coding.bits) - 1) / 65_535)
        return np.asarray(np.rint(levels).astype(np.uint16)[pixels])

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return quality and bits per sample. OpenCV's own default quality doubles the errors."""
        depth = (("IMWRITE_AVIF_DEPTH", coding.bits),) if np.dtype(dtype) == np.uint16 and coding.bits else ()
        return ("IMWRITE_AVIF_QUALITY", _quality(coding)), *depth

    def encoder_metadata(self, metadata: Metadata) -> Metadata:
        """Return the metadata, which OpenCV's encoder writes."""
        return metadata

    def encode_frames(
        self, frames: Sequence[NDArray[Any]], timing: Timing, coding: Coding, metadata: Metadata, where: str
    ) -> Iterable[Piece]:
        """Return an animation, upright: of a sequence with an orientation, libavif 1.4.2 reads memory out of bounds."""
        colour = frames[0].ndim == 3
        if coding.lossless and colour:
            raise WriteError(f"{where}: an AVIF animation in colour cannot be written without loss; choose .webp or .png")
        view = self.saved(
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


def _samples(file: FileBytes) -> Samples:
    """Return what the boxes say of the samples that a decoder returns.

    Raises:
        HeaderError: they cannot be read.
    """
    from imgconv.images.formats.avif_items import Items

    tracks = _tracks(file)
    found = _samples_of(tracks) if tracks else Items(file).samples()
    if not found.rows or not found.columns:
        raise HeaderError
    return found


def _tracks(file: FileBytes) -> list[Box]:
    """Return the tracks of a sequence. A file whose major brand is that of a still picture is one, as in libavif."""
    return [] if file.head[8:12] == b"avif" else list(Box.whole(file).named(b"moov", b"trak"))


def _colour_track(tracks: list[Box]) -> Box | None:
    """Return the track of the pictures. A track with a reference to the one that it belongs to holds alpha."""
    return next((track for track in tracks if not any(track.named(b"tref", b"auxl"))), None)


def _samples_of(tracks: list[Box]) -> Samples:
    from imgconv.images.formats.avif_items import Samples, coding_of

    track = _colour_track(tracks)
    if track is None:
        raise HeaderError
    head = track.first(b"tkhd")
    columns, rows = head.numbers(">II", head.end - head.start - 8)  # the last of its fields, as 16.16
    coding = track.first(b"mdia", b"minf", b"stbl", b"stsd", b"av01", b"av1C")
    return Samples(rows >> 16, columns >> 16, *coding_of(coding), any(any(t.named(b"tref", b"auxl")) for t in tracks))


def _timing(track: Box) -> Timing:
    """Return the timing of a track (ISO/IEC 14496-12, 8.4.2, 8.6.1, 8.6.6).

    Raises:
        HeaderError: it cannot be read.
    """
    table = track.first(b"mdia", b"minf", b"stbl")
    (count,) = table.first(b"stsz").numbers(">I", 8)
    clock, times = track.first(b"mdia", b"mdhd"), table.first(b"stts")
    (unit,) = clock.numbers(">I", 20 if clock.numbers(">B")[0] else 12)
    if not unit or not 0 < count <= track.file.size:  # a frame takes a byte at least
        raise HeaderError
    durations: list[float] = []
    for i in range(times.numbers(">I", 4)[0]):
        frames, ticks = times.numbers(">II", 8 + 8 * i)
        durations += [float(Fraction(1000 * ticks, unit))] * min(frames, count - len(durations))
    if len(durations) != count:
        raise HeaderError
    loop = 1
    with contextlib.suppress(HeaderError):
        loop = _loop(track)
    return Timing(tuple(durations), loop)


def _loop(track: Box) -> int:
    """Return how many times a track is played: its length in lengths of its one edit, if that is repeated."""
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
    """Limit how many times an animation is played by the length of its tracks: Pillow has no option for it."""
    movie = Box.whole(FileBytes(view)).first(b"moov")
    length = 0
    for track in movie.named(b"trak"):
        edit = loop * track.first(b"edts", b"elst").numbers(">Q", 8)[0]  # libavif writes version 1 of all of these
        length = max(length, edit)
        struct.pack_into(">Q", view, track.first(b"tkhd").start + 28, edit)
    struct.pack_into(">Q", view, movie.first(b"mvhd").start + 24, length)
