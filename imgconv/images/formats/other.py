"""Formats that are only read, as far as Pillow reads them right, or that are only recognized."""

from __future__ import annotations

from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.base import Format
from imgconv.images.formats.pillow_codec import header_of, pixels_of
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header

_PLUGIN = "SunImagePlugin:SunImageFile"
_RUNS, _RED_FIRST = 2, 3  # kinds of files


class SunRaster(Format):
    """Sun raster."""

    name = "ras"
    title = "Sun raster"
    extensions = (".ras", ".sr")
    signatures = (b"\x59\xa6\x6a\x95",)
    dtypes = ()

    def header(self, file: FileBytes) -> Header:
        """Return what the header says of the pixels."""
        columns, bits, kind, table = file.numbers(">I4xI4xI4xI", 4)
        # Pillow mistakes the order of 32 bits, ignores the colours of 1 bit, and takes the byte that fills up a row of runs
        # for a pixel.
        is_odd = kind == _RUNS and -(-columns * bits // 8) % 2
        if bits not in (1, 8, 24) or kind > _RED_FIRST or (bits == 1 and table) or is_odd:
            raise HeaderError(f"a Sun raster of this kind ({bits} bits per pixel) is not supported; convert it to PNG")
        return header_of(_PLUGIN, file)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture."""
        return self.image(pixels_of(_PLUGIN, file), header, Metadata(), Coding())


class Pam(Format):
    """PAM, which is not supported: the error names what to convert it to."""

    name = "pam"
    title = "PAM"
    extensions = (".pam",)
    signatures = (b"P7",)
    dtypes = ()

    def header(self, file: FileBytes) -> Header:
        """Raise an error."""
        raise HeaderError("is PAM, which is not supported; convert it to PPM or PNG")
