"""Headers of formats that are a row of chunks, each with its length: PNG, JPEG, GIF, WebP.

What lies between the chunks that matter is stepped over, however long it is.
"""

from __future__ import annotations

from typing import NamedTuple

from imgconv.images.seeking import FileBytes, HeaderError, Pixels

# Colour types of a PNG: the bits that a sample may have, and the channels.
_PNG = {0: ((1, 2, 4, 8, 16), 1), 2: ((8, 16), 3), 3: ((1, 2, 4, 8), 3), 4: ((8, 16), 2), 6: ((8, 16), 4)}

# Markers of a JPEG. A frame header is any of C0 to CF but these three.
_NO_FRAME, _WITHOUT_LENGTH, _TOO_LATE = {0xC4, 0xC8, 0xCC}, {0x00, 0x01, *range(0xD0, 0xD8)}, {0xD8, 0xD9, 0xDA}

_WEBP_ALPHA = 0x10  # of the flags in VP8X
_WEBP_SIDE = 16_383  # the longest side of a picture


def png_pixels(file: FileBytes) -> Pixels:
    """Return what a PNG says of its pixels."""
    kind, columns, rows, bits, colour = file.numbers(">4sIIBB", 12)
    depths, channels = _PNG.get(colour, ((), 0))
    if kind != b"IHDR" or bits not in depths:
        raise HeaderError
    if channels in (1, 3) and _is_png_transparent(file):
        channels += 1
    return Pixels(rows, columns, channels, "uint16" if bits == 16 else "uint8")


def _is_png_transparent(file: FileBytes) -> bool:
    at = 8
    while True:
        size, kind = file.numbers(">I4s", at)
        if kind in (b"IDAT", b"tRNS"):
            return bool(kind == b"tRNS" and size)
        at += 12 + size


class Frame(NamedTuple):
    """The frame header of a JPEG (ITU-T T.81, B.2.2)."""

    bits: int
    rows: int
    columns: int
    components: int


def jpeg_frame(file: FileBytes) -> Frame:
    """Return the frame header of a JPEG.

    Raises:
        HeaderError: there is none.
    """
    at = 2
    while True:
        first, marker = file.read(at, 2)
        if first != 0xFF or marker == 0xFF:  # libjpeg steps over what is no marker, and over those that only fill
            at += 1
            continue
        if marker in _TOO_LATE:
            raise HeaderError
        at += 2
        if marker in _WITHOUT_LENGTH:
            continue
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            return Frame(*file.numbers(">BHHB", at + 2))
        (size,) = file.numbers(">H", at)
        at += max(2, size)


def jpeg_pixels(file: FileBytes) -> Pixels:
    """Return what a JPEG says of its pixels; four inks become three colours."""
    bits, rows, columns, components = jpeg_frame(file)
    if components not in (1, 3, 4) or not 2 <= bits <= 16 or (components == 4 and bits != 8):
        raise HeaderError(f"a JPEG of {components} components of {bits} bits a sample cannot be read; save it as PNG or TIFF")
    return Pixels(rows, columns, min(components, 3), "uint8" if bits <= 8 else "uint16")


def gif_pixels(file: FileBytes) -> Pixels:
    """Return what a GIF says of its pixels: alpha where its first picture names a transparent colour, or leaves places open."""
    columns, rows, flags = file.numbers("<HHB", 6)
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    alpha = False
    while True:
        (block,) = file.read(at, 1)
        if block == 0x2C:  # the picture
            alpha = alpha or file.numbers("<4H", at + 1) != (0, 0, columns, rows)
            return Pixels(rows, columns, 4 if alpha else 3, "uint8")
        if block != 0x21:
            raise HeaderError
        label, size, packed = file.read(at + 1, 3)
        if label == 0xF9:  # the graphic control extension
            alpha = bool(size and packed & 1)
        at = _after_blocks(file, at + 2)


def _after_blocks(file: FileBytes, at: int) -> int:
    """Return where the blocks end, each of them a byte of length and its content, the last one empty."""
    while True:
        (size,) = file.read(at, 1)
        at += 1 + size
        if not size:
            return at


def webp_pixels(file: FileBytes) -> Pixels:
    """Return what a WebP says of its pixels."""
    kind = file.read(12, 4)
    if kind == b"VP8X":
        flags, columns, more, rows, most = file.numbers("<B3xHBHB", 20)
        if more or most or max(columns, rows) >= _WEBP_SIDE:  # a canvas may claim more, but no picture on it can fill it
            raise HeaderError
        return Pixels(rows + 1, columns + 1, 4 if flags & _WEBP_ALPHA else 3, "uint8")
    if kind == b"VP8L":
        signature, packed = file.numbers("<BI", 20)
        if signature == 0x2F:
            return Pixels((packed >> 14 & 0x3FFF) + 1, (packed & 0x3FFF) + 1, 4 if packed >> 28 & 1 else 3, "uint8")
    if kind == b"VP8 ":
        start, columns, rows = file.numbers("<3sHH", 23)
        if start == b"\x9d\x01\x2a":
            return Pixels(rows & 0x3FFF, columns & 0x3FFF, 3, "uint8")
    raise HeaderError
