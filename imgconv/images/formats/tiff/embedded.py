"""Check the sizes of the pictures in strips and tiles: JPEG, JPEG 2000, WebP, LERC.

Decoders allocate memory according to the headers of these pictures, not to the directory, so the headers are checked first.
"""

from __future__ import annotations

from imgconv.images.file_bytes import FileBytes, HeaderError

_LONGEST_END = 4096
_END_OF_JPEG = b"\xff\xd9"


def require_size(data: memoryview, kind: str, rows: int, columns: int) -> None:
    """Raise a `HeaderError` if a picture (one of `samples.PICTURES`) is larger than its strip or tile, or truncated."""
    height, width = _size(FileBytes(data), kind)
    if not (0 < height <= rows and 0 < width <= columns):
        raise HeaderError(f"is damaged: a strip or tile has {height} x {width} pixels, more than {rows} x {columns}")


def _size(file: FileBytes, kind: str) -> tuple[int, ...]:
    if kind == "lerc":
        if not file.head.startswith(b"Lerc2 "):
            raise HeaderError("has an unsupported kind of LERC compression; save it with LZW or Deflate")
        (version,) = file.numbers("<i", 6)
        return file.numbers("<ii", 14 if version >= 3 else 10)  # since version 3 after a checksum
    from imgconv.images.formats import jpeg, registry

    if kind == "jpeg":
        # Decoders fill a truncated JPEG with grey.
        if _END_OF_JPEG not in bytes(file.block(max(0, file.size - _LONGEST_END), min(file.size, _LONGEST_END))):
            raise HeaderError("is damaged or truncated: a strip or tile has too few pixels")
        return jpeg.frame(file)[1:3]
    return registry.format_named(kind).header(file).shape[:2]
