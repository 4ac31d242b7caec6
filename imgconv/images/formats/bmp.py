"""BMP, read by OpenCV or Pillow and written by OpenCV."""

from __future__ import annotations

import numpy as np

from imgconv.images.file_bytes import FileBytes
from imgconv.images.formats import opencv_codec
from imgconv.images.formats.base import Format
from imgconv.images.formats.pillow_codec import header_of, pixels_of
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header

_PLUGIN = "BmpImagePlugin:BmpImageFile"

# Size of the OS/2 header, and of the smallest header with masks for the bits of each channel.
_OS_2, _WITH_MASKS = 12, 56
_UNCOMPRESSED, _MASKS = 0, 3


class Bmp(Format):
    """BMP."""

    name = "bmp"
    title = "BMP"
    extensions = (".bmp", ".dib")
    signatures = (b"BM",)
    alpha = True

    def header(self, file: FileBytes) -> Header:
        """Return the header of the picture. There is alpha only if a mask defines it; a palette of greys gives one channel."""
        if _is_for_pillow(file):
            return header_of(_PLUGIN, file)
        size, columns, rows, bits, compression, used = file.numbers("<Iii2xHI12xI", 14)
        channels = 4 if (bits, compression) == (32, _MASKS) and any(file.numbers("<I", 66)) else 3
        if bits <= 8:
            table = file.read(14 + size, 4 * min(used or 256, 1 << bits))
            channels = 1 if table[::4] == table[1::4] == table[2::4] else 3
        return Header.of(abs(rows), columns, channels, np.uint8)  # negative rows: the top row is stored first

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture."""
        pixels = pixels_of(_PLUGIN, file) if _is_for_pillow(file) else opencv_codec.decoded(file.view, self, name)
        if header.channels == 3 and pixels.ndim == 3:
            pixels = np.ascontiguousarray(pixels[:, :, :3])
        return self.image(pixels, header, Metadata(), Coding())


def _is_for_pillow(file: FileBytes) -> bool:
    """Return whether OpenCV decodes wrong colours: for OS/2, 16 bits, and masks that follow a header without masks."""
    size, bits, compression = file.numbers("<I10xHI", 14)
    masks_follow = (bits, compression) == (32, _MASKS) and size < _WITH_MASKS
    return size == _OS_2 or masks_follow or (bits == 16 and compression in (_UNCOMPRESSED, _MASKS))
