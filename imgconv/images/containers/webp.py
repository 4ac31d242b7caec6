"""Metadata in and out of a WebP: the chunks of its RIFF file (RFC 9649, 2.7)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from imgconv.images.atomic import Piece
from imgconv.images.coding import Coding
from imgconv.images.containers.container import Fitted, exif_in, fitting_with_exif, with_exif_read
from imgconv.images.metadata import Metadata

_MOST_STEPS = 1 << 16

# Flags in VP8X.
_HAS_PROFILE, _HAS_ALPHA, _HAS_EXIF, _HAS_XMP = 0x20, 0x10, 0x08, 0x04
_BLOCKS = (b"ICCP", b"EXIF", b"XMP ")

_LOSSLESS = {b"VP8L": True, b"VP8 ": False}


def read(view: memoryview) -> tuple[Metadata, Coding]:
    """Return what a WebP says, and whether it is lossless. Its resolution and comment are those of EXIF."""
    found: dict[bytes, bytes] = {}
    lossless = None
    for kind, content in _chunks(view):
        if kind in _BLOCKS:
            found.setdefault(kind, bytes(content))
        elif lossless is None:
            coded = next((k for k, _ in _chunks(content, 16)), b"") if kind == b"ANMF" else kind
            if coded == b"ALPH":  # goes before VP8 only
                coded = b"VP8 "
            lossless = _LOSSLESS.get(coded)
    metadata = Metadata(
        exif=exif_in(found.get(b"EXIF", b"")),
        xmp=found.get(b"XMP ", b"").rstrip(b"\0"),
        icc=found.get(b"ICCP", b""),
    )
    return with_exif_read(metadata, comment=True), Coding(lossless=lossless)


def fitted(metadata: Metadata, colours: int = 3) -> Fitted:
    """Return what goes into a WebP: the resolution and the comment in EXIF."""
    return fitting_with_exif(metadata, "WebP", colours)


def written(encoded: memoryview, metadata: Metadata) -> list[Piece]:
    """Return an encoder's WebP with metadata put in: the profile before the picture, EXIF and XMP behind it."""
    chunks = [(kind, content) for kind, content in _chunks(encoded) if kind not in _BLOCKS]
    if not (metadata.icc or metadata.exif or metadata.xmp) or not chunks:
        return [encoded]
    extended = bytearray(chunks[0][1]) if chunks[0][0] == b"VP8X" else _extended(*chunks[0])
    extended[0] &= ~(_HAS_PROFILE | _HAS_EXIF | _HAS_XMP)
    flags = ((metadata.icc, _HAS_PROFILE), (metadata.exif, _HAS_EXIF), (metadata.xmp, _HAS_XMP))
    extended[0] |= sum(flag for block, flag in flags if block)
    pieces: list[Piece] = [_chunk(b"VP8X", bytes(extended))]
    if metadata.icc:
        pieces.append(_chunk(b"ICCP", metadata.icc))
    for kind, content in chunks:
        if kind != b"VP8X":
            pieces += [struct.pack("<4sI", kind, len(content)), content, bytes(len(content) % 2)]
    if metadata.exif:
        pieces.append(_chunk(b"EXIF", metadata.exif))
    if metadata.xmp:
        pieces.append(_chunk(b"XMP ", metadata.xmp))
    return [struct.pack("<4sI4s", b"RIFF", 4 + sum(map(len, pieces)), b"WEBP"), *pieces]


def _chunks(view: memoryview, at: int = 12) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the chunks that are whole."""
    for _ in range(_MOST_STEPS):
        if at + 8 > len(view):
            return
        kind, size = struct.unpack_from("<4sI", view, at)
        if at + 8 + size > len(view):
            return
        yield kind, view[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _extended(kind: bytes, content: memoryview) -> bytearray:
    """Return the content of a VP8X for a picture that had none: no flags but that of alpha, the size of the canvas."""
    if kind == b"VP8L":  # RFC 9649, 3.4
        (packed,) = struct.unpack_from("<I", content, 1)
        columns, rows, alpha = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, packed >> 28 & 1
    else:  # RFC 6386, 9.1
        columns, rows = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 6))
        alpha = 0
    sides = (columns - 1).to_bytes(3, "little") + (rows - 1).to_bytes(3, "little")
    return bytearray(bytes([_HAS_ALPHA * alpha, 0, 0, 0]) + sides)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(content)) + content + bytes(len(content) % 2)
