"""WebP: a RIFF file of chunks (RFC 9649). OpenCV decodes and encodes pictures, Pillow decodes animations."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.errors import WriteError
from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats import opencv_codec
from imgconv.images.formats.animation import AnimatedFormat, Animation, changed
from imgconv.images.formats.base import COMMON_METADATA, QUALITY
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Fitted, Metadata, exif_in, fit_metadata_with_exif, with_exif_read
from imgconv.images.pages import Header, Timing

# Flags of the file, in VP8X, and of a frame, in ANMF: the frame replaces the pixels below it.
_ANIMATED, _HAS_XMP, _HAS_EXIF, _HAS_ALPHA, _HAS_PROFILE = 0x02, 0x04, 0x08, 0x10, 0x20
_REPLACES = 0x02

_LOSSLESS = {b"VP8L": True, b"VP8 ": False, b"ALPH": False}  # the chunks of a picture; ALPH precedes VP8
_METADATA = (b"ICCP", b"EXIF", b"XMP ")

_MOST_LOOPS = 65_535
_LARGEST = (1 << 32) - 1024  # maximum size of a RIFF file in bytes, with a reserve for the heads of the chunks


class _Chunk(NamedTuple):
    """A chunk: its name, start and length of its content, and the first bytes of the content, at most 32."""

    kind: bytes
    start: int
    size: int
    head: bytes


class Webp(AnimatedFormat):
    """WebP (RFC 9649)."""

    name = "webp"
    title = "WebP"
    extensions = (".webp",)
    grey = False
    alpha = True
    places = COMMON_METADATA
    quality = True
    max_side = 16_383
    plugin = "WebPImagePlugin:WebPImageFile"
    max_duration = (1 << 24) - 1
    alpha_is_a_hint = True  # libwebp declares alpha if a frame keeps pixels of the one before

    def recognizes(self, head: bytes) -> bool:
        """Return whether a file is a RIFF file of type WEBP."""
        return head[:4] == b"RIFF" and head[8:12] == b"WEBP"

    def header(self, file: FileBytes) -> Header:
        """Return the header, read from the first chunk. libwebp rejects pictures and frames that contradict it."""
        kind, _, _, head = next(_chunks(file), _Chunk(b"", 0, 0, b""))
        rows = columns = 0
        alpha = False
        if kind == b"VP8X" and len(head) >= 10:
            alpha = bool(head[0] & _HAS_ALPHA)
            columns, rows = (1 + int.from_bytes(head[at : at + 3], "little") for at in (4, 7))
        elif kind == b"VP8L" and len(head) >= 5 and head[0] == 0x2F:
            (packed,) = struct.unpack_from("<I", head, 1)
            rows, columns, alpha = (packed >> 14 & 0x3FFF) + 1, (packed & 0x3FFF) + 1, bool(packed >> 28 & 1)
        elif kind == b"VP8 " and len(head) >= 10 and head[3:6] == b"\x9d\x01\x2a":
            columns, rows = (side & 0x3FFF for side in struct.unpack_from("<HH", head, 6))
        if not rows or not columns or max(rows, columns) > self.max_side:  # no picture can fill a larger canvas
            raise HeaderError
        return Header.of(rows, columns, 3 + alpha, np.uint8)

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return the metadata, and whether compression is lossless. Resolution and comment are read from EXIF."""
        found: dict[bytes, bytes] = {}
        lossless = None
        with contextlib.suppress(HeaderError):
            for kind, start, size, head in _chunks(file):
                if kind in _METADATA:
                    found.setdefault(kind, bytes(file.block(start, size)))
                elif lossless is None:
                    lossless = _LOSSLESS.get(head[16:20] if kind == b"ANMF" else kind)
        metadata = Metadata(
            exif=exif_in(found.get(b"EXIF", b"")),
            xmp=found.get(b"XMP ", b"").rstrip(b"\0"),
            icc=found.get(b"ICCP", b""),
        )
        return with_exif_read(metadata, comment=True), Coding(lossless=lossless)

    def animation(self, file: FileBytes) -> Animation | None:
        """Return the frame durations and the loop count."""
        loop, durations = 0, []
        for kind, _, _, head in _chunks(file):
            if kind == b"ANIM" and len(head) >= 6:
                (loop,) = struct.unpack_from("<H", head, 4)
            elif kind == b"ANMF" and len(head) >= 16:
                durations.append(float(int.from_bytes(head[12:15], "little")))
        return Animation(Timing(tuple(durations), loop)) if durations else None

    def fit(self, metadata: Metadata, colours: int) -> Fitted:
        """Return metadata with the resolution and the comment in EXIF."""
        return fit_metadata_with_exif(metadata, self.title, colours)

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return the encoder parameters for a quality, or for lossless mode that keeps the colour of transparent pixels."""
        if coding.quality is not None and not coding.lossless:
            return ("IMWRITE_WEBP_LOSSLESS_MODE", 0), ("IMWRITE_WEBP_QUALITY", coding.quality)
        return (("IMWRITE_WEBP_LOSSLESS_MODE", 2),)

    def resolve_coding(self, wanted: Coding, image: Image) -> Coding:
        """Return the coding, which is lossy by default for images from a lossy file: their lossless form is much larger."""
        coding = super().resolve_coding(wanted, image)
        source_is_lossy = image.coding.quality is not None or image.coding.lossless is False
        if source_is_lossy and coding.quality is None and wanted.lossless is None:
            return replace(coding, quality=QUALITY, lossless=False)
        return coding

    def with_metadata(self, encoded: memoryview, metadata: Metadata) -> list[Piece]:
        """Return an encoded picture with metadata inserted."""
        if not metadata.only({"exif", "xmp", "icc"}).blocks():
            return [encoded]
        return _extended(self.header(FileBytes(encoded)), 0, _coded(encoded), metadata)

    def encode_frames(
        self, frames: Sequence[NDArray[Any]], timing: Timing, coding: Coding, metadata: Metadata, where: str
    ) -> Iterable[Piece]:
        """Return an animation whose frames are encoded like single pictures.

        libwebp's animation encoder, which Pillow uses, merges equal frames and changes transparent pixels. In lossless mode,
        only the changed rectangle of each frame after the first is stored.
        """
        lossy = coding.quality is not None and not coding.lossless
        pieces: list[Piece] = []
        for index, (pixels, duration) in enumerate(zip(frames, timing.durations, strict=True)):
            top, left, part = (0, 0, pixels) if lossy or not index else changed(pixels, frames[index - 1])
            encoded = opencv_codec.encoded(part, ".webp", self.parameters(coding, pixels.dtype))
            if encoded is None:
                raise WriteError(f"{where}: OpenCV cannot write frame {index + 1} of the animation as WebP")
            place = _three(left // 2) + _three(top // 2) + _sides(part) + _three(round(duration)) + bytes([_REPLACES])
            coded = _coded(encoded)
            pieces += [struct.pack("<4sI", b"ANMF", len(place) + sum(map(len, coded))), place, *coded]
        # The background colour, which is never visible, precedes the loop count.
        played = _chunk(b"ANIM", bytes(4) + struct.pack("<H", min(timing.loop, _MOST_LOOPS)))
        rows, columns, channels = frames[0].shape
        if sum(map(len, (*pieces, metadata.icc, metadata.exif, metadata.xmp))) > _LARGEST:
            raise WriteError(f"{where}: the animation exceeds the 4 GB of a WebP file; write fewer frames")
        header = Header.of(rows, columns, channels, np.uint8)
        return _extended(header, _ANIMATED, [*played, *pieces], metadata)


def _chunks(file: FileBytes) -> Iterator[_Chunk]:
    """Yield the chunks of a file. The last one may be truncated.

    Raises:
        HeaderError: there are too many chunks.
    """
    at = 12
    while at + 8 <= file.size:
        head = file.read(at, min(40, file.size - at))
        kind, size = struct.unpack_from("<4sI", head)
        yield _Chunk(kind, at + 8, size, head[8 : 8 + size])
        at += 8 + size + size % 2


def _coded(encoded: memoryview) -> list[Piece]:
    """Return the chunks with the picture in an encoded file."""
    chunks = _chunks(FileBytes(encoded))
    return [encoded[at - 8 : at + size + size % 2] for kind, at, size, _ in chunks if kind in _LOSSLESS]


def _extended(header: Header, flags: int, pictures: list[Piece], metadata: Metadata) -> list[Piece]:
    """Return a file with metadata: the profile before the pictures, EXIF and XMP after them."""
    flags |= _HAS_ALPHA * header.has_alpha | _HAS_PROFILE * bool(metadata.icc)
    flags |= _HAS_EXIF * bool(metadata.exif) | _HAS_XMP * bool(metadata.xmp)
    pieces = [
        *_chunk(b"VP8X", struct.pack("<I", flags) + _sides(header)),
        *_chunk(b"ICCP", metadata.icc),
        *pictures,
        *_chunk(b"EXIF", metadata.exif),
        *_chunk(b"XMP ", metadata.xmp),
    ]
    return [struct.pack("<4sI4s", b"RIFF", 4 + sum(map(len, pieces)), b"WEBP"), *pieces]


def _chunk(kind: bytes, content: bytes) -> list[Piece]:
    return [struct.pack("<4sI", kind, len(content)), content, bytes(len(content) % 2)] if content else []


def _sides(pixels: NDArray[Any] | Header) -> bytes:
    return _three(pixels.shape[1] - 1) + _three(pixels.shape[0] - 1)


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")
