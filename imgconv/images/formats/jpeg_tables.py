"""Estimate the quality of a JPEG from its quantisation tables.

Encoders that follow the Independent JPEG Group scale the example tables of ITU-T T.81, annex K, by a quality from 1 to 100
(`jpeg_set_quality` of libjpeg). For such files the exact quality is returned; for others, the quality with the nearest
tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

# ITU-T T.81, tables K.1 (luminance) and K.2 (chrominance).
_LUMINANCE = """
16 11 10 16  24  40  51  61   12 12 14 19  26  58  60  55   14 13 16 24  40  57  69  56   14 17 22 29  51  87  80  62
18 22 37 56  68 109 103  77   24 35 55 64  81 104 113  92   49 64 78 87 103 121 120 101   72 92 95 98 112 100 103  99
"""
_CHROMINANCE = """
17 18 24 47 99 99 99 99   18 21 26 66 99 99 99 99   24 26 56 99 99 99 99 99   47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99   99 99 99 99 99 99 99 99   99 99 99 99 99 99 99 99   99 99 99 99 99 99 99 99
"""

# Maximum entry of a table with 8-bit entries, and of one with 16-bit entries.
_GREATEST, _GREATEST_WIDE = 255, 32_767

# Zigzag order, in which files store the entries of a table.
_ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8))


def tables_of(segments: Iterable[bytes]) -> dict[int, NDArray[np.int64]]:
    """Return the quantisation tables in the contents of DQT segments, by number: 64 entries each, in zigzag order."""
    found = {}
    for content in segments:
        at = 0
        while at < len(content):
            wide, number = divmod(content[at], 16)
            size = 128 if wide else 64
            if at + 1 + size > len(content):
                break
            found[number] = np.frombuffer(content, ">u2" if wide else np.uint8, 64, at + 1).astype(np.int64)
            at += 1 + size
    return found


def quality_of(tables: Mapping[int, NDArray[np.int64]], components: list[int]) -> int | None:
    """Return the quality, 1 to 100, or None if a table is missing.

    Args:
        tables: the tables by number, as returned by `tables_of`.
        components: the table number of each colour component, luminance first.
    """
    if not components or not set(components) <= tables.keys():
        return None
    luminance, others = tables[components[0]], [tables[number] for number in components[1:3]]
    most = _GREATEST if max(table.max() for table in (luminance, *others)) <= _GREATEST else _GREATEST_WIDE
    # Mean ratio of the entries to those of each quality. At the nearest quality it is about 1.
    pairs = [(_scaled(0, most), luminance), *((_scaled(1, most), table) for table in others)]
    coarser = np.mean([(table / scaled).mean(axis=1) for scaled, table in pairs], axis=0)
    return int(np.abs(np.log(coarser)).argmin()) + 1


@cache
def _scaled(which: int, most: int) -> NDArray[np.int64]:
    """Return the tables of luminance (0) or chrominance (1) for all qualities from 1 to 100, (100, 64)."""
    base = np.array((_LUMINANCE, _CHROMINANCE)[which].split(), np.int64)[_ZIGZAG]
    quality = np.arange(1, 101)
    percent = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((base * percent[:, np.newaxis] + 50) // 100, 1, most)
