"""Positions of the numeric fields of a file (sizes, depths, counts, lengths, offsets) and of its pieces.

Only undamaged files are parsed, so there are few checks.
"""

from __future__ import annotations

import contextlib
import functools
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

Order = Literal["big", "little"]


class Field(NamedTuple):
    """A number: its offset, its size in bytes, and its byte order ("" for a number in text)."""

    at: int
    size: int
    order: str


class Structure(NamedTuple):
    """The numeric fields of a file, and its pieces as (start, stop), which may be nested."""

    fields: list[Field]
    pieces: list[tuple[int, int]]


@functools.cache
def structure(data: bytes, kind: str) -> Structure:
    """Return the structure of a file of a format."""
    found = Structure([], [])
    with contextlib.suppress(struct.error, IndexError):  # end of the file
        READERS[kind](data, found)
    for match in re.finditer(b"acsp", data):  # signature at byte 36 of an ICC profile
        with contextlib.suppress(IndexError):
            _profile(data, found, match.start() - 36)
    found.fields[:] = [f for f in dict.fromkeys(found.fields) if f.at >= 0 and f.at + f.size <= len(data)]
    return found


def with_valid_checksums(data: bytes) -> bytes:
    """Return a PNG with the checksums of its chunks corrected; other files unchanged."""
    if not data.startswith(b"\x89PNG"):
        return data
    with_valid_checksums = bytearray(data)
    for start, stop in _chunks(data):
        with_valid_checksums[stop - 4 : stop] = zlib.crc32(data[start + 4 : stop - 4]).to_bytes(4, "big")
    return bytes(with_valid_checksums)


def _number(data: bytes, at: int, size: int, order: Order) -> int:
    if at + size > len(data):
        raise IndexError(at)
    return int.from_bytes(data[at : at + size], order)


def _row(found: Structure, at: int, sizes: str, order: Order) -> int:
    """Add adjacent fields with sizes such as "1124", and return the offset of their end."""
    for size in map(int, sizes):
        found.fields.append(Field(at, size, order))
        at += size
    return at


def _chunks(data: bytes) -> Iterator[tuple[int, int]]:
    at = 8
    while at + 12 <= len(data):
        stop = at + 12 + _number(data, at, 4, "big")
        if stop > len(data):
            return
        yield at, stop
        at = stop


_PNG_FIELDS = {b"IHDR": "4411111", b"acTL": "44", b"fcTL": "4444422" + "11", b"fdAT": "4", b"pHYs": "441", b"gAMA": "4"}


def _png(data: bytes, found: Structure) -> None:
    for start, stop in _chunks(data):
        found.pieces.append((start, stop))
        _row(found, start, "44", "big")
        if data[start + 4 : start + 8] == b"eXIf":
            _tiff(data, found, start + 8)
        _row(found, start + 8, _PNG_FIELDS.get(data[start + 4 : start + 8], "1111"), "big")


def _jpeg(data: bytes, found: Structure) -> None:
    at = 2
    while data[at] == 0xFF:
        marker, stop = data[at + 1], at + 2 + _number(data, at + 2, 2, "big")
        found.pieces.append((at, stop))
        inner = _row(found, at + 1, "12", "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # the frame: depth, rows, columns, channels
            _row(found, inner, "122" + "1" * min(stop - inner - 5, 13), "big")
        elif marker == 0xE1 and data[inner : inner + 4] == b"Exif":
            _tiff(data, found, inner + 6)
        elif marker == 0xDD:
            _row(found, inner, "2", "big")
        else:
            _row(found, inner, "1" * min(stop - inner, 24), "big")
        at = stop
        if marker == 0xDA:
            found.pieces.append((at, (at + len(data)) // 2))
            return


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def _tiff(data: bytes, found: Structure, base: int = 0) -> None:
    order: Order = "little" if data[base : base + 2] == b"II" else "big"
    big = _number(data, base + 2, 2, order) == 43
    wide, counted, entry = (8, 8, 20) if big else (4, 2, 12)
    _row(found, base + 2, "2" + "22" * big, order)
    waiting, seen = [base + (8 if big else 4)], set()
    while waiting:
        at = waiting.pop()  # position of a directory offset
        found.fields.append(Field(at, wide, order))
        directory = base + _number(data, at, wide, order)
        if directory == base or directory in seen:
            continue
        seen.add(directory)
        count = _number(data, directory, counted, order)
        rows = _row(found, directory, str(counted), order)
        for row in range(rows, rows + count * entry, entry):
            found.pieces.append((row, row + entry))
            tag, kind = _number(data, row, 2, order), _number(data, row + 2, 2, order)
            here = _row(found, row, f"22{wide}", order)
            found.fields.append(Field(here, wide, order))
            size = _SIZES.get(kind, 1)
            values = _number(data, row + 4, wide, order)
            if values * size <= wide:
                _row(found, here, str(size) * values, order)
            else:
                there = base + _number(data, here, wide, order)
                found.pieces.append((there, there + values * size))
                _row(found, there, str(size) * min(values, 8), order)
            if tag in (330, 34665, 34853):  # tags of sub-directories
                waiting += [here] if values == 1 else [there + n * size for n in range(values)]
        waiting.append(rows + count * entry)


def _profile(data: bytes, found: Structure, base: int) -> None:
    _row(found, base, "444444", "big")
    for row in range(_row(found, base + 128, "4", "big"), base + 132 + 12 * _number(data, base + 128, 4, "big"), 12):
        found.pieces.append((row, row + 12))
        _row(found, row, "444", "big")
        _row(found, base + _number(data, row + 4, 4, "big"), "44444", "big")


def _webp(data: bytes, found: Structure) -> None:
    def inside(at: int, end: int) -> None:
        while at + 8 <= end:
            name, stop = data[at : at + 4], at + 8 + _number(data, at + 4, 4, "little")
            stop += stop % 2
            found.pieces.append((at, stop))
            inner = _row(found, at + 4, "4", "little")
            _row(found, inner, {b"VP8X": "433", b"ANIM": "42", b"ANMF": "333331", b"VP8 ": "33"}.get(name, "114"), "little")
            if name == b"VP8 ":
                _row(found, inner + 6, "22", "little")
            elif name == b"EXIF":
                _tiff(data, found, inner + 6 * (data[inner : inner + 4] == b"Exif"))
            elif name == b"ANMF":
                inside(inner + 16, stop)
            at = stop

    _row(found, 4, "4", "little")
    inside(12, len(data))


# Boxes that contain boxes: number of bytes before the first one.
_CONTAINERS = dict.fromkeys((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"iprp", b"ipco", b"jp2h", b"edts"), 0)
_CONTAINERS |= {b"meta": 4, b"iinf": 6, b"iref": 4, b"dref": 8, b"stsd": 8, b"av01": 78}


def _boxes(data: bytes, found: Structure, start: int = 0, end: int | None = None) -> None:
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        name, size = data[at + 4 : at + 8], _number(data, at, 4, "big")
        stop = at + size if size else end
        if size == 1 or stop > end or stop < at + 8:
            return
        found.pieces.append((at, stop))
        found.fields.append(Field(at, 4, "big"))
        if name in _CONTAINERS:
            _row(found, at + 8, "1" * min(_CONTAINERS[name], 8), "big")
            _boxes(data, found, at + 8 + _CONTAINERS[name], stop)
        elif name == b"jp2c":
            _codestream(data, found, at + 8)
        else:
            length = min(stop - at - 8, 64)
            for width in (1, 2, 4):
                _row(found, at + 8, str(width) * (length // width), "big")
        at = stop


def _codestream(data: bytes, found: Structure, at: int = 0) -> None:
    at += 2
    while data[at] == 0xFF and data[at + 1] != 0x93:
        name, stop = data[at + 1], at + 2 + _number(data, at + 2, 2, "big")
        found.pieces.append((at, stop))
        sizes = {0x51: "2" + "4" * 8 + "2" + "111" * 4, 0x90: "2411", 0x52: "112" + "1" * 10}.get(name, "1" * 12)
        _row(found, _row(found, at + 2, "2", "big"), sizes, "big")
        at = stop


def _jp2(data: bytes, found: Structure) -> None:
    (_codestream if data.startswith(b"\xff\x4f") else _boxes)(data, found)


def _bmp(data: bytes, found: Structure) -> None:
    start = _number(data, 10, 4, "little")
    _row(found, 2, "422444422444444", "little")
    _row(found, 54, "4" * min((start - 54) // 4, 20), "little")
    found.pieces.extend([(0, 14), (14, 54), (54, start), (start, len(data))])


def _gif(data: bytes, found: Structure) -> None:
    at = _row(found, 6, "22111", "little")
    at += 3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0
    while data[at] != 0x3B:
        start = at
        if data[at] == 0x2C:
            at = _row(found, at + 1, "22221", "little")
            at += 3 << (data[at - 1] & 7) + 1 if data[at - 1] & 0x80 else 0
            at = _row(found, at, "1", "little")
        else:
            at = _row(found, at, "11", "little")
        while data[at]:
            found.pieces.append((at, at + 1 + data[at]))
            _row(found, at, "1" * min(8, data[at]), "little")
            at += 1 + data[at]
        at += 1
        found.pieces.append((start, at))


def _text(data: bytes, found: Structure) -> None:
    found.fields.extend([Field(m.start(), len(m[0]), "") for m in re.finditer(rb"-?[0-9.]+", data[:120])])
    found.pieces.extend([(m.start(), m.end()) for m in re.finditer(rb"[^\n]*\n", data[:160])])


def _ras(data: bytes, found: Structure) -> None:
    _row(found, 0, "4" * 8, "big")


READERS: dict[str, Callable[[bytes, Structure], None]] = {
    "png": _png, "jpeg": _jpeg, "tiff": _tiff, "webp": _webp, "avif": _boxes, "bmp": _bmp, "pnm": _text, "jp2": _jp2,
    "gif": _gif, "hdr": _text, "ras": _ras,
}  # fmt: skip
