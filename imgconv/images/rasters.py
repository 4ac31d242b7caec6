"""Headers that are one block, or one text, at the start of the file: BMP, Sun raster, the Netpbm family, Radiance HDR."""

from __future__ import annotations

import re

from imgconv.images.codecs import netpbm, pam
from imgconv.images.seeking import FileBytes, HeaderError, Pixels

# Bits a pixel of a BMP, by compression: none, RLE8, RLE4, bit fields.
_BMP = {0: (1, 4, 8, 16, 24, 32), 1: (8,), 2: (4,), 3: (16, 32)}
_BIT_FIELDS = 3
# Sizes of the header of OS/2, of the part that every later one has, and of those with a place for what bits are alpha.
_OLD_BMP, _BMP_FIELDS, _BMP_WITH_ALPHA = 12, 36, 56

_NUMBER = rb"(\d{1,10})"
_PFM = re.compile(rb"P([Ff])\s+\+?" + _NUMBER + rb"\s+\+?" + _NUMBER + rb"\s+[-+]?[\d.]")
_HDR = re.compile(rb"\n\n[-+]([XY])\s*" + _NUMBER + rb"\s+[-+]([XY])\s*" + _NUMBER + rb"\s")
_SUN_RUNS, _SUN_RED_FIRST = 2, 3


def bmp_pixels(file: FileBytes) -> Pixels:
    """Return what a BMP says of its pixels."""
    (size,) = file.numbers("<I", 14)
    if size == _OLD_BMP:
        columns, rows, bits = file.numbers("<HH2xH", 18)
        if bits not in _BMP[0]:
            raise HeaderError
        table = file.read(14 + size, 3 << bits) if bits <= 8 else b"\0\1"
        return Pixels(rows, columns, 1 if table[::3] == table[1::3] == table[2::3] else 3, "uint8")
    if size < _BMP_FIELDS:
        raise HeaderError
    columns, rows, bits, compression, used = file.numbers("<ii2xHI12xI", 18)
    if bits not in _BMP.get(compression, ()):
        raise HeaderError
    # The mask of alpha stands where later headers have a place for it.
    alpha = bits == 32 and compression == _BIT_FIELDS and size >= _BMP_WITH_ALPHA and any(file.numbers("<I", 66))
    channels = 4 if alpha else 3
    if bits <= 8:
        if used > 256:
            raise HeaderError
        table = file.read(14 + size, 4 * (used or 1 << bits))[: 4 << bits]
        channels = 1 if table[::4] == table[1::4] == table[2::4] else 3
    return Pixels(abs(rows), columns, channels, "uint8")  # a negative number of rows: they begin at the top


def sun_pixels(file: FileBytes) -> Pixels:
    """Return what a Sun raster says of its pixels."""
    columns, rows, bits, encoding, kind, length = file.numbers(">III4xIII", 4)
    runs_unread = encoding == _SUN_RUNS and (bits == 32 or -(-columns * bits // 8) % 2)
    if bits not in (1, 8, 24, 32) or encoding > _SUN_RED_FIRST or runs_unread:
        raise HeaderError
    if not kind and not length:
        return Pixels(rows, columns, 3 if bits > 8 else 1, "uint8")
    if kind != 1 or bits > 8 or not 0 < length <= 3 << bits:
        raise HeaderError
    table, third = file.read(32, length), length // 3
    grey = table[:third] == table[third : 2 * third] == table[2 * third : 3 * third]
    return Pixels(rows, columns, 1 if grey else 3, "uint8")


def pnm_pixels(file: FileBytes) -> Pixels:
    """Return what a PBM, PGM or PPM, as text or binary, says of its pixels."""
    view = memoryview(file.head)
    bitmap = netpbm.bitmap_of(view)
    if bitmap:
        return Pixels(bitmap.rows, bitmap.columns, 1, "uint8")
    header = netpbm.header_of(view)
    if header is None:
        raise HeaderError
    return Pixels(header.rows, header.columns, header.channels, header.dtype.name)


def pfm_pixels(file: FileBytes) -> Pixels:
    """Return what a PFM says of its pixels."""
    found = _PFM.match(file.head)
    if found is None:
        raise HeaderError
    return Pixels(int(found[3]), int(found[2]), 3 if found[1] == b"F" else 1, "float32")


def pam_pixels(file: FileBytes) -> Pixels:
    """Return what a PAM says of its pixels."""
    header = pam.header_of(memoryview(file.text()))
    if header is None:
        raise HeaderError
    return Pixels(header.rows, header.columns, header.channels, "uint8" if header.greatest < 256 else "uint16")


def hdr_pixels(file: FileBytes) -> Pixels:
    """Return what a Radiance HDR says of its pixels."""
    found = _HDR.search(file.text())
    if found is None or found[1] == found[3]:
        raise HeaderError
    first, second = int(found[2]), int(found[4])
    return Pixels(*((first, second) if found[1] == b"Y" else (second, first)), 3, "float32")
