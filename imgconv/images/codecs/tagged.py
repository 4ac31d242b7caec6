"""Reading TIFF: its pages, each with its own pixels and its own metadata.

What the directories claim is read and checked here and in `tiff`, `directories` and `samples`; tifffile decodes the strips and
tiles, in threads, and what follows on one of them (odd depths, alpha, blue first) is done while it is in the cache.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ImgconvError, ReadError
from imgconv.images import directories, tiff
from imgconv.images import samples as meanings
from imgconv.images.codecs.tiff_metadata import description_of, metadata_of, no_data_of
from imgconv.images.codecs.tiff_pixels import finish_of, interleaved, put
from imgconv.images.codecs.tiff_samples import read_samples, shown
from imgconv.images.codecs.tiff_segments import Segments, cut_anew, segments_of
from imgconv.images.coding import Coding
from imgconv.images.directories import Field
from imgconv.images.image import Image
from imgconv.images.limits import MAX_PIXELS, require_size
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Pages
from imgconv.images.samples import Samples, described
from imgconv.images.seeking import HeaderError

_COMPRESSIONS = {
    meanings.PLAIN: "none",
    meanings.LZW: "lzw",
    meanings.PACKBITS: "packbits",
    **dict.fromkeys(meanings.DEFLATE, "deflate"),
    **dict.fromkeys(meanings.ZSTD, "zstd"),
}

# XYZ to linear red, green and blue with the primaries of sRGB (IEC 61966-2-1).
_FROM_XYZ = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]], np.float32)

_IMAGEJ_PAGES = re.compile(rb"ImageJ=[^\n]*\n(?:[^\n]*\n)*?images=(\d{1,9})(?:\n|$)")

# Rows of separate planes that are put together at a time, in bytes.
_STRIP = 1 << 20


def open_tiff(view: memoryview, name: str, max_pixels: int = MAX_PIXELS) -> TiffPages:
    """Open a TIFF, to read its pages one at a time.

    Args:
        view: the whole file.
        name: what a message calls it, fit to be shown.
        max_pixels: a page of more is refused.

    Raises:
        ReadError: it has no page; one line, that names the file.
    """
    return TiffPages(view, name, max_pixels)


class TiffPages(Pages):
    """The pages of a TIFF: its chain of directories, without those of smaller copies and of masks."""

    def __init__(self, view: memoryview, name: str, max_pixels: int = MAX_PIXELS) -> None:
        layout = tiff.layout_of(view)
        offsets = tiff.pages(view, layout) if layout else []
        if layout is None or not offsets:
            raise ReadError(f"{name}: is damaged or cut short: it begins like TIFF, but has no page")
        self._view, self._name, self._max_pixels, self._layout = view, name, max_pixels, layout
        self._offsets, self._step = offsets, 0
        self.count = len(offsets)
        if self.count == 1:
            self.count, self._step = self._stacked()

    def page(self, index: int) -> Image:
        """Return a page, counted from 0.

        Raises:
            ReadError: it cannot be read; one line, that names the file.
        """
        if not 0 <= index < self.count:
            raise ReadError(f"{self._name}: has {self.count} pages; there is no page {index + 1}")
        where = self._name if self.count == 1 else f"{self._name}: page {index + 1}"
        try:
            with np.errstate(all="ignore"):
                return self._image(0 if self._step else index, index * self._step)
        except HeaderError as error:
            reason = str(error) or "is damaged or cut short: it begins like TIFF, but what it says of its pixels cannot be read"
            raise ReadError(f"{where}: {reason}") from None
        except ImgconvError:
            raise
        except MemoryError as error:
            raise ReadError(f"{where}: the image does not fit into memory") from error
        except Exception as error:  # each codec has errors of its own
            raise ReadError(f"{where}: is damaged: its pixels cannot be decoded ({_one_line(error)})") from error

    def _stacked(self) -> tuple[int, int]:
        """Return how many pages there are, and how many bytes apart, where ImageJ wrote them behind a single directory."""
        found = directories.fields(self._view, self._layout, self._offsets[0])
        match = _IMAGEJ_PAGES.match(description_of(found))
        if match is None or int(match[1]) < 2:
            return 1, 0
        try:
            page = described(found, self._layout.order)
            cut = segments_of(found, self._layout.order, page, len(self._view))
        except HeaderError:
            return 1, 0
        if page.compression != meanings.PLAIN or not cut.is_one_block:
            return 1, 0
        # The first one that is cut short is counted too, so that it is missed.
        room = len(self._view) - cut.end
        return min(int(match[1]), 1 + -(-room // cut.length)), cut.length

    def _image(self, number: int, shift: int) -> Image:
        view, order, offset = self._view, self._layout.order, self._offsets[number]
        found = directories.fields(view, self._layout, offset)
        page = described(found, order)
        require_size((page.rows, page.columns, page.channels), page.dtype, self._name, self._max_pixels)
        cut = segments_of(found, order, page, len(view), shift)
        decode = _by_libtiff if page.is_for_libtiff else _decoded
        pixels = decode(view, found, order, page, cut)
        metadata, notes = metadata_of(view, self._layout, offset), page.notes
        if page.photometric == meanings.INKS:
            pixels, metadata, note = _printed(pixels, metadata)
            notes = (*notes, note) if note else notes
        elif page.photometric in (meanings.CIE_LAB, meanings.ICC_LAB):
            metadata = replace(metadata, icc=b"")
        bits = page.bits if page.kind == meanings.UNSIGNED and page.bits < 8 * page.stored.itemsize else None
        coding = Coding(compression=_COMPRESSIONS.get(page.compression), bits=bits)
        return Image(pixels, metadata, "tiff", self.count, coding, no_data_of(found), notes)


def _decoded(view: memoryview, found: Mapping[int, Field], order: str, page: Samples, cut: Segments) -> NDArray[Any]:
    """Return the pixels of a page; those of CMYK are its inks."""
    channels = page.samples if page.photometric == meanings.INKS else page.channels
    pixels = np.empty((page.rows, page.columns, channels)[: 2 + (channels > 1)], page.dtype)
    planes = np.empty((page.planes, page.rows, page.columns) if page.separate else (0,), page.stored)
    finish = finish_of(page)

    def take(samples: NDArray[Any], plane: int, row: int, column: int) -> None:
        where = slice(row, row + samples.shape[0]), slice(column, column + samples.shape[1])
        if page.separate:
            planes[plane][where] = samples[:, :, 0]
        else:
            finish(samples, pixels[where])

    read_samples(view, found, order, page, cut_anew(cut, page), take)
    if page.separate:
        step = max(1, _STRIP // (pixels.nbytes // page.rows))
        for row in range(0, page.rows, step):
            finish(interleaved(planes[:, row : row + step]), pixels[row : row + step])
    return pixels


def _by_libtiff(view: memoryview, found: Mapping[int, Field], order: str, page: Samples, cut: Segments) -> NDArray[Any]:
    """Return what tifffile has no decoder for, blue first: YCbCr outside of JPEG; LogL and LogLuv, in linear light.

    OpenCV writes colour in 32-bit floats as LogLuv, unless it is told otherwise.
    """
    import imagecodecs

    colours = page.photometric == meanings.YCBCR
    samples = imagecodecs.tiff_decode(b"".join(shown(view, found, order, page, cut)), asrgb=colours)
    if samples.shape[:2] != (page.rows, page.columns):
        raise HeaderError
    if samples.ndim == 2:
        return samples
    pixels = np.empty((page.rows, page.columns, 3), page.dtype)
    put(samples[:, :, :3] if colours else samples @ _FROM_XYZ.T, pixels)
    return pixels


def _printed(inks: NDArray[Any], metadata: Metadata) -> tuple[NDArray[Any], Metadata, str]:
    """Return what CMYK looks like, blue first, the metadata with the profile of that, and a line for the user."""
    from imgconv.images.colour import cmyk_to_rgb

    colours, profile, note = cmyk_to_rgb(inks, metadata.icc)
    pixels = np.empty_like(colours)
    put(colours, pixels)
    return pixels, replace(metadata, icc=profile), note


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
