"""Metadata in and out of a PNG: its ancillary chunks (PNG, third edition, 11.3), and what older programs put into texts."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

from imgconv.images.atomic import Piece
from imgconv.images.coding import Coding
from imgconv.images.containers import profiles, raw_profiles
from imgconv.images.containers.container import Fitted, LeftOut, exif_in, fitting, with_exif_read
from imgconv.images.containers.png_texts import Texts
from imgconv.images.containers.texts import text_of, utf_8
from imgconv.images.metadata import Metadata

_INCH = 0.0254  # metres
_METRE = 1  # the unit of pHYs
_MOST_DOTS = (1 << 31) - 1

_XMP = b"XML:com.adobe.xmp"
_HEADER_END = 8 + 25  # the signature and IHDR, with which a PNG begins
_MOST_STEPS = 1 << 17

# Those that are looked at, the first of each; of texts all.
_SINGLE = (b"eXIf", b"iCCP", b"cICP", b"sRGB", b"gAMA", b"cHRM", b"pHYs")
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")

_LONGEST_KEYWORD, _MOST_TEXT = 79, 1 << 20

_GREY = (0, 4)  # colour types


def read(view: memoryview) -> tuple[Metadata, Coding]:
    """Return what a PNG says, and the bits of its samples where they are fewer than 8. Chunks that are damaged say nothing."""
    if len(view) < _HEADER_END or bytes(view[12:16]) != b"IHDR":
        return Metadata(), Coding()
    bits, colour_type = view[24], view[25]
    single: dict[bytes, bytes] = {}
    texts = Texts()
    for kind, content in _chunks(view):
        if kind in _TEXTS:
            texts.add(kind, bytes(content))
        else:
            single.setdefault(kind, bytes(content))
    raw = {kind: raw_profiles.parsed(texts.of(b"Raw profile type " + kind)) for kind in raw_profiles.KINDS}
    app1, resources = raw[b"APP1"], raw[b"8bim"] or raw[b"iptc"]  # the latter may be one of the former
    metadata = Metadata(
        exif=exif_in(single.get(b"eXIf", b"")) or exif_in(raw[b"exif"]) or exif_in(app1),
        xmp=texts.of(_XMP) or raw[b"xmp"] or raw_profiles.xmp_in(app1),
        icc=_profile(single, texts, colours=1 if colour_type in _GREY else 3),
        cicp=single.get(b"cICP", b"") if len(single.get(b"cICP", b"")) == 4 else b"",
        iptc=raw_profiles.resources(resources),
        comment=text_of(texts.of(b"Comment") or texts.of(b"Description")),
        resolution=_density(single.get(b"pHYs", b"")),
        texts=tuple(_texts_of(texts)),
    )
    return with_exif_read(metadata), Coding(bits=bits if bits in (1, 2, 4) else None)


def fitted(metadata: Metadata, colours: int = 3) -> Fitted:
    """Return what goes into a PNG."""
    kept, lost = fitting(metadata, {"exif", "xmp", "icc", "cicp", "iptc", "comment", "resolution", "texts"}, "PNG", colours)
    if kept.resolution and not _dots(kept.resolution):
        lost = (*lost, LeftOut("resolution", f"a PNG holds whole numbers a metre, from 1 to {_MOST_DOTS}"))
        kept = replace(kept, resolution=None)
    return Fitted(kept, lost)


def written(encoded: memoryview, metadata: Metadata) -> list[Piece]:
    """Return an encoder's PNG with metadata put in behind its header, before its palette and its first frame."""
    chunks = b""
    if metadata.cicp:
        chunks += _chunk(b"cICP", metadata.cicp)
    if metadata.icc:
        chunks += _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc))
    if metadata.resolution:
        chunks += _chunk(b"pHYs", _dots(metadata.resolution))
    if metadata.exif:
        chunks += _chunk(b"eXIf", metadata.exif)
    if metadata.xmp:
        chunks += _chunk(b"iTXt", _XMP + bytes(5) + metadata.xmp)  # not compressed, no language, no translated keyword
    if metadata.iptc:
        chunks += _chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(raw_profiles.made(b"iptc", metadata.iptc)))
    if metadata.comment:
        chunks += _text("Comment", metadata.comment)
    for keyword, text in metadata.texts:
        chunks += _text(keyword, text)
    return [encoded[:_HEADER_END], chunks, encoded[_HEADER_END:]] if chunks else [encoded]


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the chunks that are of interest, those that are whole."""
    at = 8
    for _ in range(_MOST_STEPS):
        if at + 12 > len(view):
            return
        size, kind = struct.unpack_from(">I4s", view, at)
        end = at + 12 + size
        if (kind in _SINGLE or kind in _TEXTS) and end <= len(view):
            content = view[at + 8 : end - 4]
            if view[end - 4 : end] == struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))):
                yield kind, content
        at = end


def _profile(single: dict[bytes, bytes], texts: Texts, colours: int) -> bytes:
    """Return the profile, or one that says what gamma and primaries say, where nothing goes before them."""
    _, _, coded = single.get(b"iCCP", b"").partition(b"\0")
    found = texts.inflated(coded[1:]) if coded[:1] == b"\0" else b""
    if found or b"cICP" in single or b"sRGB" in single:
        return found
    gamma, primaries = single.get(b"gAMA", b""), single.get(b"cHRM", b"")
    numbers = [n / 100_000 for n in struct.unpack(">8I", primaries)] if len(primaries) == 32 else []
    return profiles.of_gamma(int.from_bytes(gamma, "big") / 100_000 if len(gamma) == 4 else 0, numbers, colours)


def _density(content: bytes) -> tuple[float, float] | None:
    """Return dots per inch, down and across, from a pHYs."""
    if len(content) != 9:
        return None
    across, down, unit = struct.unpack(">IIB", content)
    return (down * _INCH, across * _INCH) if unit == _METRE and across and down else None


def _dots(dots_per_inch: tuple[float, float]) -> bytes:
    """Return the content of a pHYs, or nothing where it cannot hold the numbers."""
    down, across = (dots / _INCH for dots in dots_per_inch)
    if not all(0.5 < dots < _MOST_DOTS for dots in (down, across)):
        return b""
    return struct.pack(">IIB", round(across), round(down), _METRE)


def _texts_of(texts: Texts) -> Iterator[tuple[str, str]]:
    """Yield the texts that are neither a comment nor anything else that has a place of its own, up to a limit."""
    room = _MOST_TEXT
    for keyword, block in texts.others():
        name, text = keyword.decode("latin-1"), text_of(block)
        room -= len(block) + len(keyword)
        if room < 0:
            return
        if 0 < len(keyword) <= _LONGEST_KEYWORD and text:
            yield name, text


def _text(keyword: str, text: str) -> bytes:
    coded = utf_8(text)
    plain = text.replace("\0", "").encode("latin-1", "replace")
    # In Latin-1, as a tEXt is, unless that would be read as another text, by us too.
    if text_of(plain) == text_of(coded):
        return _chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + plain)
    return _chunk(b"iTXt", keyword.encode("latin-1") + bytes(5) + coded)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
