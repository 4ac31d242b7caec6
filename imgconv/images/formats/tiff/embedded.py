"""The sizes of the pictures in strips and tiles: JPEG, JPEG 2000, WebP, LERC.

Their decoders allocate what these pictures claim, whatever the directory says, so the claim is checked first.
"""

from __future__ import annotations

from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.tiff import samples

_LONGEST_END = 4096
_END_OF_JPEG = b"\xff\xd9"


def require_size(data: memoryview, compression: int, rows: int, columns: int) -> None:
    """Raise a `HeaderError` for a picture that is larger than its strip or tile, or that is cut short.

    Args:
        data: the strip or tile.
        compression: one of `samples.OF_PICTURES`.
        rows: rows of the strip or tile.
        columns: its columns.
    """
    height, width = _size(FileBytes(data), compression)
    if not (0 < height <= rows and 0 < width <= columns):
        raise HeaderError(f"is damaged: a strip or tile claims {height} x {width} pixels, not {rows} x {columns}")


def _size(file: FileBytes, compression: int) -> tuple[int, ...]:
    if compression == samples.LERC:
        return _lerc_size(file)
    from imgconv.images.formats import jpeg, registry

    if compression != samples.JPEG:
        return registry.format_named("webp" if compression in samples.WEBP else "jp2").header(file).shape[:2]
    # A decoder fills a JPEG that is cut short with grey.
    end = file.block(max(0, file.size - _LONGEST_END), min(file.size, _LONGEST_END))
    if _END_OF_JPEG not in bytes(end):
        raise HeaderError("is damaged or cut short: a strip or tile has too few pixels")
    return jpeg.frame(file)[1:3]


def _lerc_size(file: FileBytes) -> tuple[int, int]:
    if not file.head.startswith(b"Lerc2 "):
        raise HeaderError("has strips or tiles in a LERC that cannot be read; save it with LZW or Deflate")
    (version,) = file.numbers("<i", 6)
    rows, columns = file.numbers("<ii", 14 if version >= 3 else 10)  # since version 3 behind a checksum
    return rows, columns
