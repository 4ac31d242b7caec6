"""TIFF and BigTIFF, decoded and encoded by tifffile.

`pages` reads pages, using `samples` (number, type and meaning of the samples), `segments` (strips and tiles), `pixels`
(conversion of samples to pixels) and `metadata`. `encoder` writes pages. `imgconv.images.directories` handles directories.
"""

from __future__ import annotations

from imgconv.images.file_bytes import FileBytes
from imgconv.images.formats.base import COMMON_METADATA, Format
from imgconv.images.formats.picture import Encoder
from imgconv.images.image import Coding
from imgconv.images.metadata import Fitted, Metadata, fit_metadata_with_exif
from imgconv.images.pages import Header, Pages, Timing


class Tiff(Format):
    """TIFF 6.0 and BigTIFF."""

    name = "tiff"
    title = "TIFF"
    extensions = (".tiff", ".tif")
    signatures = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    dtypes = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")
    alpha = grey_alpha = bands = True
    places = COMMON_METADATA | {"iptc"}
    pages = "pages"
    compressions = ("none", "lzw", "deflate", "zstd", "packbits")

    def open(self, file: FileBytes, name: str, max_pixels: int) -> Pages:
        """Return the pages of a file."""
        from imgconv.images.formats.tiff.pages import TiffPages

        return TiffPages(file, name, max_pixels)

    def header(self, file: FileBytes) -> Header:
        """Return the header of the first page."""
        return self.open(file, self.title, 0).open_page(0).header

    def fit(self, metadata: Metadata, colours: int) -> Fitted:
        """Return metadata with resolution and comment in the EXIF fields, which TIFF shares."""
        return fit_metadata_with_exif(metadata, self.title, colours, self.places)

    def encoder(self, count: int, timing: Timing | None, coding: Coding, where: str) -> Encoder:
        """Return the encoder of a file."""
        from imgconv.images.formats.tiff.encoder import TiffEncoder

        return TiffEncoder(count, coding.compression or "lzw", where)
