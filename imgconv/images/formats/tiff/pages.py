"""The pages of a TIFF: each has a header, metadata and pixels of its own."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ImgconvError, ReadError
from imgconv.images import directories
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.tiff import samples as meanings
from imgconv.images.formats.tiff.metadata import imagej_pages, metadata_of, nodata_of
from imgconv.images.formats.tiff.pixels import finish_of
from imgconv.images.formats.tiff.samples import Samples, described
from imgconv.images.formats.tiff.segments import Directories, Segments
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Page, Pages, require_size

_COMPRESSIONS = {
    meanings.PLAIN: "none",
    meanings.LZW: "lzw",
    meanings.PACKBITS: "packbits",
    **dict.fromkeys(meanings.DEFLATE, "deflate"),
    **dict.fromkeys(meanings.ZSTD, "zstd"),
}

_ALL = slice(None)
_STRIP = 1 << 20  # bytes of separate planes that are put together at a time


class TiffPages(Pages):
    """The pages of a TIFF: its chain of directories, without those of smaller copies and masks."""

    def __init__(self, file: FileBytes, name: str, max_pixels: int) -> None:
        layout = directories.layout_of(file)
        if layout is None:
            raise HeaderError
        self._offsets = directories.pages(file, layout)
        if not self._offsets:
            raise HeaderError("is damaged or cut short: it begins like TIFF, but has no page")
        self._source = _Source(file, layout, Directories(file), max_pixels)
        self._name, self._step = name, 0
        self.count = len(self._offsets)
        if self.count == 1 and (claimed := imagej_pages(file, layout, self._offsets[0])) > 1:
            self.count, self._step = self._stacked(claimed)

    def open_page(self, index: int) -> TiffPage:
        """Return a page, counted from 0, without decoding it.

        Raises:
            ReadError: it does not exist, or its header cannot be read; one line that names the file.
        """
        if not 0 <= index < self.count:
            raise ReadError(f"{self._name}: has {self.count} pages; there is no page {index + 1}")
        name = self._name if self.count == 1 else f"{self._name}: page {index + 1}"
        offset = self._offsets[0 if self._step else index]
        with _named(name):
            return TiffPage(self._source, offset, index * self._step, name, self.count)

    def _stacked(self, claimed: int) -> tuple[int, int]:
        """Return the number of pages that ImageJ stored behind one directory, and their distance in bytes."""
        try:
            start, length = TiffPage(self._source, self._offsets[0], 0, self._name, 1).segments.plain_place
        except Exception:  # it is reported when the page is read
            return 1, 0
        # The first page that is cut short is counted too, so that it is missed.
        return (max(1, min(claimed, -(-(self._source.file.size - start) // length))), length) if length else (1, 0)


class _Source(NamedTuple):
    """What the pages of a file share."""

    file: FileBytes
    layout: directories.Layout
    directories: Directories
    max_pixels: int


class TiffPage(Page):
    """A page of a TIFF.

    Args:
        source: the file.
        offset: position of its directory.
        shift: distance of its pixels behind the places that the directory names.
        name: its name for messages.
        count: number of pages of the file.
    """

    def __init__(self, source: _Source, offset: int, shift: int, name: str, count: int) -> None:
        found = directories.fields(source.file, source.layout, offset, meanings.TAGS.__contains__)
        self.samples: Samples = described(found, source.layout.order)
        super().__init__(self.samples.header, name, source.max_pixels)
        self._source, self._offset, self._shift, self._count = source, offset, shift, count

    @functools.cached_property
    def metadata(self) -> Metadata:
        """The metadata of the page; the colour profile is that of the pixels after conversion."""
        found = self._stored_metadata
        if self.samples.photometric == meanings.CMYK:
            return replace(found, icc=self._printed[0])
        return replace(found, icc=b"") if self.samples.photometric in meanings.LABS else found

    @property
    def coding(self) -> Coding:
        """How the pixels are stored."""
        page = self.samples
        is_narrow = page.kind == meanings.UNSIGNED and page.bits < 8 * page.stored.itemsize
        return Coding(compression=_COMPRESSIONS.get(page.compression), bits=page.bits if is_narrow else None)

    def read(self, rows: slice = _ALL, columns: slice = _ALL) -> NDArray[Any]:
        """Return the pixels of some rows and columns; only the strips and tiles that they touch are decoded."""
        wanted = [range(*part.indices(side)) for part, side in zip((rows, columns), self.header.shape, strict=False)]
        down, across = (range(min(part), max(part) + 1) if part else part for part in wanted)
        shape = (len(down), len(across), *self.header.shape[2:])
        require_size(shape, self.header.dtype, self.name, self._max_pixels)
        pixels = np.empty(shape, self.header.dtype)
        if pixels.size:
            with _named(self.name), np.errstate(all="ignore"):
                self._read_into(pixels, down, across)
        if all(part.step == 1 for part in wanted):
            return pixels
        return pixels[[row - down.start for row in wanted[0]]][:, [column - across.start for column in wanted[1]]]

    def _image(self) -> Image:
        page, notes = self.samples, [self.samples.note]
        if page.photometric == meanings.CMYK:
            notes.append(self._printed[1])
        elif page.photometric in meanings.LABS:
            notes.append("turned Lab into sRGB")
        return Image(
            self.read(),
            self.metadata,
            "tiff",
            self._count,
            self.coding,
            nodata_of(self._source.file, self._source.layout, self._offset),
            tuple(filter(None, notes)),
            self.header.has_alpha,
            self.header.colours,
        )

    @functools.cached_property
    def segments(self) -> Segments:
        """The strips or tiles, of which no more than the table is read here."""
        return Segments(self._source.file, self.samples, self._source.directories.page(self._offset))

    @functools.cached_property
    def _stored_metadata(self) -> Metadata:
        return metadata_of(self._source.file, self._source.layout, self._offset)

    @functools.cached_property
    def _printed(self) -> tuple[bytes, str]:
        """The colour profile after the conversion of CMYK, and the note on it."""
        from imgconv.images.colour.mixing import cmyk_to_rgb

        _, profile, note = cmyk_to_rgb(np.zeros((1, 1, 4), self.samples.stored), self._stored_metadata.icc)
        return profile, note

    def _read_into(self, pixels: NDArray[Any], rows: range, columns: range) -> None:
        page, segments = self.samples, self.segments
        finish = finish_of(page, self._stored_metadata.icc if page.photometric == meanings.CMYK else b"")
        order = self._source.layout.order
        if not page.separate:

            def take(samples: NDArray[Any], _: int, row: int, column: int) -> None:
                height, width = samples.shape[:2]
                finish(samples, pixels[row : row + height, column : column + width])

            segments.read(rows, columns, take, order, self._shift)
            return
        planes = np.empty((page.samples, len(rows), len(columns)), page.stored)

        def take_plane(samples: NDArray[Any], plane: int, row: int, column: int) -> None:
            planes[plane, row : row + samples.shape[0], column : column + samples.shape[1]] = samples[:, :, 0]

        segments.read(rows, columns, take_plane, order, self._shift)
        step = max(1, _STRIP * len(rows) // planes.nbytes)
        for row in range(0, len(rows), step):
            finish(np.ascontiguousarray(np.moveaxis(planes[:, row : row + step], 0, 2)), pixels[row : row + step])


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Turn whatever is raised into a `ReadError` of one line that names the file."""
    try:
        yield
    except HeaderError as error:
        reason = str(error) or "is damaged or cut short: it begins like TIFF, but what it says of its pixels cannot be read"
        raise ReadError(f"{name}: {reason}") from None
    except ImgconvError:
        raise
    except MemoryError as error:
        raise ReadError(f"{name}: the image does not fit into memory") from error
    except Exception as error:  # each codec has exceptions of its own
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ReadError(f"{name}: is damaged: its pixels cannot be decoded ({reason})") from error
