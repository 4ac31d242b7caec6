"""The pages of a TIFF. Each page has its own header, metadata and pixels."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import PHOTOMETRIC

from imgconv.errors import ImgconvError, ReadError
from imgconv.images import directories
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.tiff import Tiff
from imgconv.images.formats.tiff.metadata import metadata_of
from imgconv.images.formats.tiff.pixels import write_pixels
from imgconv.images.formats.tiff.samples import LABS, WORDS
from imgconv.images.formats.tiff.segments import Directories, Segments
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Page, Pages, require_size

_ALL = slice(None)
_STRIP = 1 << 20  # bytes of separate planes that are converted to pixels at a time

# ImageJ stores a stack of pages with a single directory, and their number in the description.
_IMAGEJ_PAGES = re.compile(r"ImageJ=[^\n]*\n(?:[^\n]*\n)*?images=(\d{1,9})(?:\n|$)")


class TiffPages(Pages):
    """The pages of a TIFF: its chain of directories, without reduced copies and masks."""

    def __init__(self, file: FileBytes, name: str, max_pixels: int) -> None:
        layout = directories.layout_of(file)
        if layout is None:
            raise HeaderError
        self._offsets = directories.pages(file, layout)
        if not self._offsets:
            raise HeaderError("is damaged or truncated: recognized as TIFF, but has no page")
        self._directories, self.name, self._max_pixels = Directories(file, layout), name, max_pixels
        self.count, self._step = len(self._offsets), 0
        if self.count == 1:
            self.count, self._step = self._stacked()

    def _page(self, index: int) -> TiffPage:
        name = self.name if self.count == 1 else f"{self.name}: page {index + 1}"
        offset = self._offsets[0 if self._step else index]
        with _named(name):
            return TiffPage(self._directories, offset, index * self._step, name, self.count, self._max_pixels)

    def _stacked(self) -> tuple[int, int]:
        """Return the number of pages of an ImageJ stack and their distance in bytes; (1, 0) for other files."""
        try:
            page = self._page(0)
        except ReadError:  # raised again when the page is opened
            return 1, 0
        claimed, (start, length) = _IMAGEJ_PAGES.match(page.samples.directory.description), page.segments.plain_place
        if not (claimed and length):
            return 1, 0
        # The first truncated page is counted, too, so that reading it reports the damage.
        return max(1, min(int(claimed[1]), -(-(self._directories.file.size - start) // length))), length


class TiffPage(Page):
    """A page of a TIFF.

    Args:
        source: the directories of the file.
        offset: position of the directory of the page.
        shift: offset of the pixels from the position in the directory, in bytes.
        name: name of the page for messages.
        count: number of pages of the file.
        max_pixels: maximum number of pixels.
    """

    def __init__(self, source: Directories, offset: int, shift: int, name: str, count: int, max_pixels: int) -> None:
        self.samples = source.samples(offset)
        super().__init__(self.samples.header, name, max_pixels)
        self.segments = Segments(source.file, self.samples)
        self._source, self._offset, self._shift, self._count = source, offset, shift, count

    @functools.cached_property
    def metadata(self) -> Metadata:
        """The metadata of the page. The colour profile is that of the converted pixels."""
        found = self._stored_metadata
        if self.samples.photometric == PHOTOMETRIC.SEPARATED:
            return replace(found, icc=self._cmyk_conversion[0])
        return replace(found, icc=b"") if self.samples.photometric in LABS else found

    @property
    def coding(self) -> Coding:
        """Compression and bit depth of the pixels."""
        page = self.samples.directory
        is_narrow = self.samples.dtype.kind == "u" and page.bitspersample < 8 * self.samples.dtype.itemsize
        return Coding(compression=WORDS.get(page.compression), bits=page.bitspersample if is_narrow else None)

    def read(self, rows: slice = _ALL, columns: slice = _ALL) -> NDArray[Any]:
        """Return the pixels in a window of rows and columns. Only the strips and tiles that overlap it are decoded."""
        wanted = [range(*part.indices(side)) for part, side in zip((rows, columns), self.header.shape, strict=False)]
        down, across = (range(min(part), max(part) + 1) if part else part for part in wanted)
        shape = (len(down), len(across), *self.header.shape[2:])
        require_size(shape, self.header.dtype, self.name, self._max_pixels)
        with _named(self.name), np.errstate(all="ignore"):
            pixels = np.empty(shape, self.header.dtype)
            if pixels.size:
                self._read_into(pixels, down, across)
        return pixels[:: wanted[0].step, :: wanted[1].step]

    def _image(self) -> Image:
        notes = [self.samples.note]
        if self.samples.photometric == PHOTOMETRIC.SEPARATED:
            notes.append(self._cmyk_conversion[1])
        return Image(
            self.read(),
            self.metadata,
            Tiff.name,
            self._count,
            self.coding,
            self._nodata,
            tuple(filter(None, notes)),
            self.header.has_alpha,
            self.header.colours,
        )

    @property
    def _nodata(self) -> float | None:
        """The value that marks missing values, from the text in GDAL's tag, or None."""
        try:
            return float(self.samples.directory.tags.valueof("GDAL_NODATA"))
        except (TypeError, ValueError):
            return None

    @functools.cached_property
    def _stored_metadata(self) -> Metadata:
        return metadata_of(self._source.file, self._source.layout, self._offset)

    @functools.cached_property
    def _cmyk_conversion(self) -> tuple[bytes, str]:
        """The colour profile after the conversion of CMYK, and the note on the conversion."""
        from imgconv.images.colour.mixing import cmyk_to_rgb

        _, profile, note = cmyk_to_rgb(np.zeros((1, 1, 4), self.samples.dtype), self._stored_metadata.icc)
        return profile, note

    def _read_into(self, pixels: NDArray[Any], rows: range, columns: range) -> None:
        page, together = self.samples, pixels
        profile = self._stored_metadata.icc if page.photometric == PHOTOMETRIC.SEPARATED else b""
        if page.planes > 1:
            together = np.empty((len(rows), len(columns), page.count), page.dtype)

        def take(samples: NDArray[Any], plane: int, row: int, column: int) -> None:
            height, width = samples.shape[:2]
            target = together[row : row + height, column : column + width]
            if page.planes > 1:
                target[:, :, plane] = samples[:, :, 0]
            else:
                write_pixels(samples, page, profile, target)

        self.segments.read(rows, columns, take, self._shift)
        if page.planes > 1:
            step = max(1, _STRIP * len(rows) // together.nbytes)
            for row in range(0, len(rows), step):
                write_pixels(together[row : row + step], page, profile, pixels[row : row + step])


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Convert exceptions to a `ReadError` whose one-line message names the file."""
    try:
        yield
    except ImgconvError:
        raise
    except MemoryError as error:
        raise ReadError(f"{name}: the image does not fit into memory") from error
    except HeaderError as error:
        if str(error):
            raise ReadError(f"{name}: {error}") from None
        raise Tiff().damaged(name, "its directory or pixels cannot be read") from None
    except Exception as error:  # each codec has its own exceptions
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise Tiff().damaged(name, f"cannot be decoded ({reason})") from error
