"""Formats that are only read, as far as Pillow supports them correctly, or that are only recognized."""

from __future__ import annotations

from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.base import Format
from imgconv.images.formats.pillow_codec import header_of, pixels_of
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header

_PLUGIN = "SunImagePlugin:SunImageFile"
_RUNS, _RED_FIRST = 2, 3  # file types: run-length encoded, red first


class SunRaster(Format):
    """Sun raster."""

    name = "ras"
    title = "Sun raster"
    extensions = (".ras", ".sr")
    signatures = (b"\x59\xa6\x6a\x95",)
    dtypes = ()

    def header(self, file: FileBytes) -> Header:
        """Return the header of the picture."""
        columns, bits, kind, table = file.numbers(">I4xI4xI4xI", 4)
        # Pillow decodes 32 bits in the wrong channel order, ignores the colours of 1 bit, and decodes the padding byte of a
        # run-length encoded row as a pixel.
        is_odd = kind == _RUNS and -(-columns * bits // 8) % 2
        if bits not in (1, 8, 24) or kind > _RED_FIRST or (bits == 1 and table) or is_odd:
            raise HeaderError(f"a Sun raster of this kind ({bits} bits per pixel) is not supported; convert it to PNG")
        return header_of(_PLUGIN, file)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture."""
        return self.image(pixels_of(_PLUGIN, file), header, Metadata(), Coding())


class Pam(Format):
    """PAM, which is not supported. The error suggests other formats."""

    name = "pam"
    title = "PAM"
    extensions = (".pam",)
    signatures = (b"P7",)
    dtypes = ()

    def header(self, file: FileBytes) -> Header:
        """Raise a `HeaderError`."""
        raise HeaderError("is PAM, which is not supported; convert it to PPM or PNG")
