"""The header of a TIFF: the entries of its first directory, read without the rest of the file."""

from __future__ import annotations

import struct

from imgconv.images import tiff
from imgconv.images.seeking import FileBytes, HeaderError, Pixels

_COLUMNS, _ROWS = 256, 257  # tags
_WANTED = {
    *(_COLUMNS, _ROWS, tiff.BITS, tiff.PHOTOMETRIC, tiff.ORIENTATION),
    *(tiff.SAMPLES, tiff.PLANAR, tiff.SAMPLE_FORMAT),
}

# Sizes of the types that hold whole numbers.
_SIZES = {1: 1, tiff.SHORT: 2, 4: 4, 16: 8}

_MOST_ENTRIES = 4096  # as in libtiff
_ENTRIES_AT_ONCE = 1024
_MOST_BYTES = 128  # of values; `tiff.entries` takes no longer ones

_LAST_GREY, _LAST_PLAIN, _PALETTE = 1, 2, 3  # photometric interpretations
_SEPARATE = 2

# The type of pixels by the format of the samples (1 unsigned, 2 signed, 3 floating-point), then by their bits.
_DTYPES = {
    1: {**dict.fromkeys((1, 4, 8), "uint8"), **dict.fromkeys((10, 12, 14, 16), "uint16"), 32: "float64"},
    2: {**dict.fromkeys((1, 4, 8), "int8"), **dict.fromkeys((10, 12, 14, 16), "int16"), 32: "int32"},
    3: {32: "float32", 64: "float64"},
}


def tiff_pixels(file: FileBytes) -> Pixels:
    """Return what the first page of a TIFF says of its pixels, turned upright as OpenCV turns them."""
    layout = tiff.layout_of(memoryview(file.head))
    if layout is None:
        raise HeaderError
    found = {tag: max(entry.values) for tag, entry in _entries(file, layout).items()}
    if not found.keys() >= {_ROWS, _COLUMNS, tiff.PHOTOMETRIC}:
        raise HeaderError
    photometric, bits, kind = found[tiff.PHOTOMETRIC], found.get(tiff.BITS, 1), found.get(tiff.SAMPLE_FORMAT, 1)
    samples = found.get(tiff.SAMPLES, 1 if photometric <= _LAST_GREY or photometric == _PALETTE else 3)
    if samples not in (1, 3, 4):
        raise HeaderError(f"a TIFF of {samples} samples a pixel cannot be read whole; split it, or save it as PNG")
    dtype = _DTYPES.get(kind, {}).get(bits)
    in_planes = samples > 1 and found.get(tiff.PLANAR) == _SEPARATE
    if dtype is None or (bits > 8 and (photometric > _LAST_PLAIN or in_planes)) or (bits == 4 and photometric != _PALETTE):
        raise HeaderError(f"a {bits}-bit TIFF of this kind cannot be read whole; save it as RGB or grey, 8 or 16 bits")
    channels = _channels(photometric, bits, samples)
    if found.get(tiff.ORIENTATION, 1) in (5, 6, 7, 8):
        return Pixels(found[_COLUMNS], found[_ROWS], channels, dtype)
    return Pixels(found[_ROWS], found[_COLUMNS], channels, dtype)


def _channels(photometric: int, bits: int, samples: int) -> int:
    if photometric == _PALETTE:
        return 3
    if photometric <= _LAST_GREY and bits <= 16:
        return 1
    return min(samples, 3) if photometric > _LAST_PLAIN else samples  # the fourth ink of CMYK is none


def _entries(file: FileBytes, layout: tiff.Layout) -> dict[int, tiff.Entry]:
    """Return the entries that matter, by tag: a directory of them alone is made, with their values behind it."""
    count_code = layout.order + ("Q" if layout.big else "H")
    (count,) = file.numbers(count_code, layout.first)
    if not 0 < count <= _MOST_ENTRIES:
        raise HeaderError
    start = layout.first + struct.calcsize(count_code)
    rows = [row for row in _rows(file, layout, start, count) if struct.unpack_from(layout.order + "H", row)[0] in _WANTED]
    end = struct.calcsize(count_code) + len(rows) * layout.entry_size
    directory, values = struct.pack(count_code, len(rows)), b""
    for row in rows:
        elsewhere = _values(file, layout, row)
        if elsewhere:
            row = row[: -struct.calcsize(layout.offset_code)] + struct.pack(layout.offset_code, end + len(values))
        directory, values = directory + row, values + elsewhere
    return tiff.entries(memoryview(directory + values), layout, 0)


def _rows(file: FileBytes, layout: tiff.Layout, start: int, count: int) -> list[bytes]:
    size, rows = layout.entry_size, []
    for first in range(0, count, _ENTRIES_AT_ONCE):
        block = file.read(start + first * size, min(_ENTRIES_AT_ONCE, count - first) * size)
        rows += [block[at : at + size] for at in range(0, len(block), size)]
    return rows


def _values(file: FileBytes, layout: tiff.Layout, row: bytes) -> bytes:
    """Return the values of an entry that have no room in it, or nothing."""
    kind, count, where = struct.unpack_from(layout.order + ("HQQ" if layout.big else "HII"), row, 2)
    size = _SIZES.get(kind, 0) * count
    return file.read(where, size) if struct.calcsize(layout.offset_code) < size <= _MOST_BYTES else b""
