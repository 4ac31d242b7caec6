"""JPEG 2000 that OpenCV mistakes or does not read, by OpenJPEG through imagecodecs.

OpenCV gives the numbers of colours for a picture with a table of them, does not read fewer than 8 bits, signed samples, grey
with alpha, components of several sizes and inks, leaves 9 to 15 bits dark, and has sYCC wrong by 8 levels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images import containers
from imgconv.images.boxes import Box, first, named
from imgconv.images.codecs.channel_order import swapped
from imgconv.images.codecs.depths import scaled
from imgconv.images.image import Image
from imgconv.images.seeking import FileBytes, HeaderError

_CODESTREAM = b"\xff\x4f\xff\x51"  # its start, and the marker of the size
_SIGNED = 0x80

# Spaces of colours as ISO/IEC 15444-1, table I.10, and 15444-2, table M.25, number them.
_INKS, _YCC = 12, 18
_AS_THEY_ARE = (0, 16, 17, 20, 21)  # none is named, sRGB, grey, e-sRGB, ROMM-RGB

_MOST_BITS = 16


class _Codestream(NamedTuple):
    """Components and their bits, whether they are signed, whether all have one size; the number of the space of colours."""

    components: int
    bits: int
    signed: bool
    alike: bool
    space: int
    table: bool


def read(view: memoryview, name: str) -> Image | None:
    """Return the picture of a JPEG 2000 that is not left to OpenCV, or None.

    Signed samples stay what they are, in int8 or int16; others are scaled to the full range of 8 or 16 bits. Colours in a table
    are looked up, inks become red, green and blue.

    Raises:
        ReadError: it is damaged, or of a kind that nobody reads right.
        HeaderError: its header makes no sense.
    """
    if bytes(view[:4]) != _CODESTREAM and bytes(view[4:8]) != b"jP  ":
        return None
    found = _parsed(FileBytes(view))
    plain = found.components != 2 and found.bits in (8, 16) and not found.signed and found.alike and not found.table
    if plain and found.space in _AS_THEY_ARE:
        return None
    if found.space not in (*_AS_THEY_ARE, _INKS, _YCC):
        raise ReadError(f"{name}: a JPEG 2000 in a space of colours other than RGB cannot be read; save it as RGB")
    if found.bits > _MOST_BITS or (found.signed and found.bits not in (8, 16)):
        signed = " signed" * found.signed
        raise ReadError(f"{name}: a JPEG 2000 of {found.bits}{signed} bits a sample cannot be read; save it in 8 or 16 bits")
    pixels = _decoded(view, name)
    kind = "jp2" if bytes(view[4:8]) == b"jP  " else ""
    metadata, coding = containers.read(view, kind)
    if not found.signed:
        pixels = scaled(pixels, found.bits)
        coding = replace(coding, bits=found.bits if found.bits not in (8, 16) else None)
    if found.space == _INKS:
        from imgconv.images.colour import cmyk_to_rgb

        if pixels.ndim < 3 or pixels.shape[2] != 4:
            raise _damaged(name)
        pixels, profile, note = cmyk_to_rgb(pixels, metadata.icc)
        return Image(swapped(pixels), replace(metadata, icc=profile), kind, coding=coding, notes=(note,) if note else ())
    return Image(swapped(pixels), metadata, kind, coding=coding)


def _parsed(file: FileBytes) -> _Codestream:
    whole = Box(b"", 0, file.size)
    bare = file.head.startswith(_CODESTREAM)
    at = 0 if bare else first(file, whole, b"jp2c").start
    start, components = file.numbers(">4s36xH", at)
    if start != _CODESTREAM or not 1 <= components <= 4:
        raise HeaderError
    depths = file.read(at + 42, 3 * components)
    bits = {depth & ~_SIGNED for depth in depths[::3]}
    signs = {depth & _SIGNED for depth in depths[::3]}
    alike = len(bits) == len(signs) == 1 and set(depths[1::3]) == set(depths[2::3]) == {1}
    if bare:
        return _Codestream(components, max(bits) + 1, _SIGNED in signs, alike, 0, False)
    tables = list(named(file, whole, b"jp2h", b"pclr"))
    if tables:  # the numbers of colours have as many bits as they need; what counts are those of the colours
        (columns,) = file.read(tables[0].start + 2, 1)
        depths = file.read(tables[0].start + 3, columns)
        bits, signs = {depth & ~_SIGNED for depth in depths}, {depth & _SIGNED for depth in depths}
        if len(bits) != 1:
            raise HeaderError
    return _Codestream(components, max(bits) + 1, _SIGNED in signs, alike, _space(file, whole), bool(tables))


def _space(file: FileBytes, whole: Box) -> int:
    """Return the number of the space of colours, 0 where there is a profile, or nothing is said."""
    for box in named(file, whole, b"jp2h", b"colr"):
        (method,) = file.read(box.start, 1)
        return int(file.numbers(">I", box.start + 3)[0]) if method == 1 else 0
    return 0


def _decoded(view: memoryview, name: str) -> NDArray[Any]:
    from imagecodecs import jpeg2k_decode

    try:
        pixels: NDArray[Any] = jpeg2k_decode(bytes(view))
    except MemoryError:
        raise
    except Exception as error:  # whatever OpenJPEG makes of it
        raise _damaged(name) from error
    if pixels.dtype.itemsize > 2 or pixels.dtype.kind not in "iu" or pixels.ndim not in (2, 3) or pixels.shape[2:] > (4,):
        raise _damaged(name)
    return pixels


def _damaged(name: str) -> ReadError:
    return ReadError(f"{name}: is damaged or cut short: it begins like JPEG 2000, but cannot be decoded")
