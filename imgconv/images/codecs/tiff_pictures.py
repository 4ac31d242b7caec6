"""How large the pictures are that a TIFF keeps in its strips or tiles: JPEG, JPEG 2000, WebP, LERC.

Their decoders make room for what the pictures claim, whatever the TIFF around them says; so this is looked at before.
"""

from __future__ import annotations

import struct

from imgconv.images import chunks, samples
from imgconv.images.seeking import FileBytes, HeaderError

_CODESTREAM = b"\xff\x4f\xff\x51"  # of JPEG 2000, at its beginning or in a box
_LONGEST_BOXES = 4096
_LERC = b"Lerc2 "
_END_OF_JPEG = b"\xff\xd9"

# Markers of JPEG that no length follows, frames, and among the numbers of frames what is none (ITU-T T.81, table B.1).
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
_SCAN, _END = 0xDA, 0xD9


def size_of(data: memoryview, compression: int) -> tuple[int, int]:
    """Return the rows and columns of a picture.

    Args:
        data: the whole strip or tile.
        compression: one of `samples.OF_PICTURES`.

    Raises:
        HeaderError: it does not say, or is cut short.
    """
    if compression == samples.JPEG:
        return _of_jpeg(data)
    if compression in samples.WEBP:
        pixels = chunks.webp_pixels(FileBytes(data))
        return pixels.rows, pixels.columns
    if compression == samples.LERC:
        return _of_lerc(data)
    return _of_jpeg_2000(data)


def _of_jpeg(data: memoryview) -> tuple[int, int]:
    # A JPEG that is cut short is decoded all the same, and grey where it ends.
    if _END_OF_JPEG not in bytes(data[-_LONGEST_BOXES:]):
        raise HeaderError("is damaged or cut short: a strip or tile has too few pixels")
    file, at = FileBytes(data), 2
    while True:
        first, marker = file.read(at, 2)
        at += 1 if first != 0xFF or marker == 0xFF else 2
        if first != 0xFF or marker == 0xFF or marker in _ALONE:
            continue
        if marker in (_SCAN, _END):
            raise HeaderError
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            rows, columns = file.numbers(">HH", at + 3)
            return rows, columns
        (length,) = file.numbers(">H", at)
        at += max(2, length)


def _of_jpeg_2000(data: memoryview) -> tuple[int, int]:
    head = bytes(data[:_LONGEST_BOXES])
    at = head.find(_CODESTREAM)
    if at < 0 or at + 24 > len(head):
        raise HeaderError
    right, lower, left, upper = struct.unpack_from(">4I", head, at + 8)
    return lower - upper, right - left


def _of_lerc(data: memoryview) -> tuple[int, int]:
    head = bytes(data[:32])
    if not head.startswith(_LERC) or len(head) < 32:
        raise HeaderError("has strips or tiles in a LERC that cannot be read; save it with LZW or Deflate")
    (version,) = struct.unpack_from("<i", head, len(_LERC))
    rows, columns = struct.unpack_from("<ii", head, len(_LERC) + (8 if version >= 3 else 4))  # since 3 behind a checksum
    return rows, columns
