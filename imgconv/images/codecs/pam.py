"""PAM: samples one after another behind a header that is a text (Netpbm, pam(5))."""

from __future__ import annotations

import re
from typing import Any

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


def read(view: memoryview, name: str) -> Image | None:
    """Return the picture of a PAM, its samples scaled to the full range of 8 or 16 bits; None where it is none.

    Raises:
        ReadError: it is damaged, or has more channels than can be kept.
    """
    header = _HEADER.match(bytes(view[:_LONGEST_HEADER]))
    if header is None:
        return None
    fields = {key: int(value) for key, value in _FIELD.findall(header[0])}
    if len(fields) < 4 or not (fields[b"WIDTH"] and fields[b"HEIGHT"] and 0 < fields[b"MAXVAL"] < 65_536):
        raise ReadError(f"{name}: is damaged: it begins like PAM, but its header makes no sense")
    channels, greatest = fields[b"DEPTH"], fields[b"MAXVAL"]
    if not 1 <= channels <= 4:
        raise ReadError(f"{name}: has {channels} channels, at most 4 can be read; split it")
    kind = _TYPE.search(header[0])
    if kind and kind[1] == b"CMYK":
        raise ReadError(f"{name}: a PAM of inks cannot be read; save it as RGB")
    dtype = np.dtype(np.uint8 if greatest < 256 else ">u2")
    shape = (fields[b"HEIGHT"], fields[b"WIDTH"], channels)
    count = shape[0] * shape[1] * channels
    if len(view) - header.end() < count * dtype.itemsize:
        raise ReadError(f"{name}: is cut short: it begins like PAM, but ends before its last sample")
    samples: NDArray[Any] = np.frombuffer(view, dtype, count, header.end()).reshape(shape if channels > 1 else shape[:2])
    pixels = swapped(samples.astype(dtype.newbyteorder("=")))
    return Image(scaled_from(pixels, greatest))
