"""PNG files written by Pillow with added chunks, and their chunks and metadata."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image as Pillow

from imgconv.images.metadata import Metadata
from tests.images.formats.animations import open_pages


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at + 8 : at + 8 + size]))
        assert data[at + 8 + size : at + 12 + size] == struct.pack(">I", zlib.crc32(kind + found[-1][1]))
        at += 12 + size
    return found


def save(mode: str, **options) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8) * 5).convert(mode).save(file, "PNG", **options)
    return file.getvalue()


def with_chunks(*added: bytes, mode: str = "RGB", at_the_end: bool = False) -> bytes:
    plain = save(mode)
    random_place = len(plain) - 12 if at_the_end else 33
    return plain[:random_place] + b"".join(added) + plain[random_place:]


def metadata(data: bytes) -> Metadata:
    return open_pages(data).open_page(0).metadata
