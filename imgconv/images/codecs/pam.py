"""PAM: samples one after another behind a header that is a text (Netpbm, pam(5))."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images.codecs.channel_order import swapped
from imgconv.images.codecs.depths import scaled_from
from imgconv.images.image import Image

_HEADER = re.compile(rb"P7\s.*?^[ \t]*ENDHDR[ \t\r]*\n", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(rb"^[ \t]*(WIDTH|HEIGHT|DEPTH|MAXVAL)[ \t]+(\d{1,10})[ \t\r]*$", re.MULTILINE)
_TYPE = re.compile(rb"^[ \t]*TUPLTYPE[ \t]+(\S+)[ \t\r]*$", re.MULTILINE)
_LONGEST_HEADER = 1 << 16


class Header(NamedTuple):
    """The header of a PAM."""

    columns: int
    rows: int
    channels: int
    greatest: int
    kind: bytes
    start: int


def header_of(data: memoryview) -> Header | None:
    """Return the header of a PAM that makes sense, or None."""
    match = _HEADER.match(bytes(data[:_LONGEST_HEADER]))
    fields = {key: int(value) for key, value in _FIELD.findall(match[0])} if match else {}
    if match is None or len(fields) < 4:
        return None
    kind = _TYPE.search(match[0])
    columns, rows, channels, greatest = (fields[key] for key in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    header = Header(columns, rows, channels, greatest, kind[1] if kind else b"", match.end())
    return header if header.columns and header.rows and 0 < header.greatest < 65_536 else None


def read(view: memoryview, name: str) -> Image | None:
    """Return the picture of a PAM, its samples scaled to the full range of 8 or 16 bits; None where it is none.

    Raises:
        ReadError: it is damaged, or has more channels than can be kept.
    """
    header = header_of(view)
    if header is None:
        if bytes(view[:2]) != b"P7":
            return None
        raise ReadError(f"{name}: is damaged: it begins like PAM, but its header makes no sense")
    channels, greatest = header.channels, header.greatest
    if not 1 <= channels <= 4:
        raise ReadError(f"{name}: has {channels} channels, at most 4 can be read; split it")
    if header.kind == b"CMYK":
        raise ReadError(f"{name}: a PAM of inks cannot be read; save it as RGB")
    dtype = np.dtype(np.uint8 if greatest < 256 else ">u2")
    shape = (header.rows, header.columns, channels)
    count = math.prod(shape)
    if len(view) - header.start < count * dtype.itemsize:
        raise ReadError(f"{name}: is cut short: it begins like PAM, but ends before its last sample")
    samples: NDArray[Any] = np.frombuffer(view, dtype, count, header.start).reshape(shape if channels > 1 else shape[:2])
    pixels = swapped(samples.astype(dtype.newbyteorder("=")))
    return Image(scaled_from(pixels, greatest))
