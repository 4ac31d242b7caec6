"""What an image format is: a class that holds everything imgconv knows about the format.

A format with one picture per file defines `header`, and overrides `metadata`, `decode`, `encode` where OpenCV's decoder and
encoder are not enough. A format with pages or frames overrides `open` and `encoder`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.errors import ReadError, WriteError
from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes
from imgconv.images.formats.picture import Encoder, OnePictureEncoder, Picture, Result
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Fitted, Metadata, fit_metadata, left_out_notes, upright
from imgconv.images.pages import Header, OnePage, Pages, StillPage, Timing

#: Blocks of `Metadata` that most formats with metadata store.
COMMON_METADATA = frozenset({"exif", "xmp", "icc", "resolution", "comment"})

#: Compression quality where neither the user nor the input names one.
QUALITY = 95

_DTYPE_WORDS = {
    "uint8": "8-bit",
    "int8": "signed 8-bit",
    "uint16": "16-bit",
    "int16": "signed 16-bit",
    "uint32": "32-bit integer",
    "int32": "signed 32-bit integer",
    "float16": "16-bit floating-point",
    "float32": "32-bit floating-point",
    "float64": "64-bit floating-point",
    "bool": "1-bit",
}


class Format(ABC):
    """An image format.

    Attributes:
        name: the word for it in Python and on the command line.
        title: its name in messages.
        extensions: of its files, each with the dot; the first one names OpenCV's encoder.
        signatures: the bytes that its files begin with.
        dtypes: types of pixels that it stores; empty where imgconv only reads it.
        grey: whether it stores one channel; otherwise grey becomes three equal channels.
        colour: whether it stores three channels.
        alpha: whether it stores alpha.
        grey_alpha: whether it stores grey with alpha; otherwise that becomes colour with alpha.
        bands: whether it stores any number of channels.
        places: the blocks of `Metadata` that it stores.
        pages: what several pictures in one file are: `pages`, `frames` (of an animation), or "" where it stores one.
        frame_dtypes: types of pixels that it stores in the frames of an animation.
        quality: whether it can be written lossy, at a quality.
        lossless: whether it can be written without loss.
        compressions: the words or levels of `Coding.compression` that it supports.
        narrow: bits per sample that it stores of 16-bit pixels, where it does not store all 16.
        side: the most rows and columns; 0 where no picture comes near to the limit.
        least: the fewest rows and columns.
        optional: whether there are builds of OpenCV without it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    extensions: ClassVar[tuple[str, ...]]
    signatures: ClassVar[tuple[bytes, ...]] = ()
    dtypes: ClassVar[tuple[str, ...]] = ("uint8",)
    grey: ClassVar[bool] = True
    colour: ClassVar[bool] = True
    alpha: ClassVar[bool] = False
    grey_alpha: ClassVar[bool] = False
    bands: ClassVar[bool] = False
    places: ClassVar[frozenset[str]] = frozenset()
    pages: ClassVar[str] = ""
    frame_dtypes: ClassVar[tuple[str, ...]] = ("uint8",)
    quality: ClassVar[bool] = False
    lossless: ClassVar[bool] = True
    compressions: ClassVar[tuple[str, ...]] = ()
    narrow: ClassVar[tuple[int, ...]] = ()
    side: ClassVar[int] = 0
    least: ClassVar[int] = 1
    optional: ClassVar[bool] = False

    def recognizes(self, head: bytes) -> bool:
        """Return whether a file that begins with `head`, 4096 bytes at most, is of this format."""
        return head.startswith(self.signatures)

    def open(self, file: FileBytes, name: str, max_pixels: int) -> Pages:
        """Return the pages of a file. Only headers are read here.

        Args:
            file: the file.
            name: its name for messages.
            max_pixels: the most pixels of a picture, and of all frames of an animation together.

        Raises:
            HeaderError: the header cannot be read.
            ReadError: the same, with the name of the file.
        """
        return OnePage(StillPage(self, file, name, max_pixels))

    @abstractmethod
    def header(self, file: FileBytes) -> Header:
        """Return what the header of a file with one picture says of its pixels.

        Raises:
            HeaderError: it cannot be read.
        """

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return the metadata of a file, and how its pixels are stored. Damaged blocks are left out; nothing is raised."""
        return Metadata(), Coding()

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture of a file with its metadata; the size has been checked.

        Raises:
            ReadError: it cannot be decoded.
            HeaderError: the same, without the name of the file.
        """
        from imgconv.images.formats import opencv_codec

        pixels = opencv_codec.decoded(file.view, self, name)
        metadata, coding = self.metadata(file)
        return self.image(pixels, header, metadata, coding)

    def image(
        self, pixels: NDArray[Any], header: Header, metadata: Metadata, coding: Coding, notes: tuple[str, ...] = ()
    ) -> Image:
        """Return decoded pixels as an image of this format, with the channels that the header announced."""
        if pixels.shape != header.shape:
            rows, columns, channels = (*pixels.shape, 1)[:3]
            header = Header.of(rows, columns, channels, pixels.dtype)
        return Image(
            pixels, metadata, self.name, coding=coding, notes=notes, has_alpha=header.has_alpha, colours=header.colours
        )

    def damaged(self, name: str, reason: str = "cannot be decoded") -> ReadError:
        """Return the error for a file that this format recognizes but cannot read."""
        return ReadError(f"{name}: is damaged or cut short: it begins like {self.title}, but {reason}")

    # Writing

    def stores_pages(self, result: Result) -> bool:
        """Return whether the format stores as many pages, or frames of an animation."""
        return result.count == 1 or self.pages == "pages" or (result.frames and self.pages == "frames")

    def refusal(self, result: Result) -> str:
        """Return what the format lacks to store a result without loss, or "" when it can."""
        header, dtype = result.header, result.header.dtype
        rows, columns = header.shape[:2]
        others = header.channels - header.has_alpha
        word = _DTYPE_WORDS.get(dtype.name, dtype.name)
        if not self.stores_pages(result):
            holds = "holds frames of an animation" if self.pages else "holds one picture"
            return f"{holds}, the input has {result.count} {'frames' if result.frames else 'pages'}"
        if dtype.kind == "c":
            return "cannot hold complex numbers"
        if dtype.name not in self.dtypes or (dtype.name == "uint16" and self.narrow and result.bits not in self.narrow):
            return f"cannot hold {word} pixels"
        if result.count > 1 and self.pages == "frames" and dtype.name not in self.frame_dtypes:
            return f"cannot hold an animation of {word} pixels"
        if others > header.colours and not self.bands:
            return f"cannot hold {others} bands"
        if header.has_alpha and not self.alpha and not result.opaque:
            return "has no alpha channel"
        if others >= 3 and not self.colour:
            return "cannot hold colour"
        if header.channels > 1 and dtype.name == "bool":
            return f"cannot hold {'alpha' if others == 1 else 'colour'} in 1 bit"
        if self.side and max(rows, columns) > self.side:
            return f"cannot hold {rows} x {columns} pixels, at most {self.side} a side"
        if min(rows, columns) < self.least:
            return f"cannot hold {rows} x {columns} pixels, at least {self.least} a side are needed"
        return "" if self.is_built_in() else "is not among the formats that this OpenCV was built with"

    def is_built_in(self) -> bool:
        """Return whether the libraries in use can write this format."""
        from imgconv.images.formats.opencv_codec import has_writer

        return not self.optional or has_writer(self.extensions[0])

    def settled(self, wanted: Coding, image: Image) -> Coding:
        """Return how to store an image: as the user wants, else as its file did where that has the same format."""
        source = image.coding
        if wanted.quality is not None or wanted.lossless:
            source = Coding(bits=source.bits, subsampling=source.subsampling)
        coding = wanted.over(source if image.format == self.name else Coding(bits=source.bits))
        if image.pixels.dtype.kind == "b":
            return replace(coding, bits=1)
        return coding if image.pixels.dtype == np.uint16 and coding.bits in self.narrow else replace(coding, bits=None)

    def fitted(self, metadata: Metadata, colours: int) -> Fitted:
        """Return metadata in the form in which this format stores it beside 1 or 3 colours, and what is left out."""
        return fit_metadata(metadata, self.places, self.title, colours)

    def prepared(self, picture: Picture, coding: Coding) -> tuple[Picture, list[str]]:
        """Return a picture in the channels and with the metadata that the format stores, and notes on what is left out.

        Grey becomes colour for a format without grey, alpha that is opaque is left out where the format has none, and
        pixels are turned upright where it cannot store the orientation.
        """
        notes = []
        header, strips, metadata = picture.header, picture.strips, picture.metadata
        order = self._channel_order(header)
        if order is not None:
            rows, columns = header.shape[:2]
            header = Header.of(rows, columns, len(order), header.dtype, header.has_alpha and self.alpha)
            strips = (_arranged(strip, order) for strip in strips)
        if metadata.icc and metadata.profile_channels != header.colours:
            notes.append("left out the colour profile: it is for other channels than the image has")
            metadata = replace(metadata, icc=b"")
        kept, lost = self.fitted(metadata, header.colours)
        notes += left_out_notes(lost)
        picture = replace(picture, header=header, strips=strips, metadata=kept)
        if metadata.orientation != 1 and not kept.exif:
            notes.append(f"turned the pixels upright, from EXIF orientation {metadata.orientation}")
            pixels = upright(picture.pixels(), metadata.orientation)
            picture = replace(picture, header=replace(header, shape=pixels.shape), strips=(pixels,))
        return picture, notes

    def _channel_order(self, header: Header) -> list[int] | None:
        """Return the channels of the picture in the order in which the format stores them; None where they stay."""
        order = list(range(header.channels))
        if header.has_alpha and not self.alpha:
            order.pop()
        if len(order) - (header.has_alpha and self.alpha) == 1 and not self.grey:
            return [0, 0, 0, *order[1:]]
        if len(order) == 2 and header.has_alpha and not self.grey_alpha:
            return [0, 0, 0, 1]
        # A single channel of an array (H, W, 1) is an array (H, W).
        return order if len(order) < header.channels or header.shape[2:] == (1,) else None

    def encoder(self, count: int, timing: Timing | None, coding: Coding, where: str) -> Encoder:
        """Return the encoder of a file.

        Args:
            count: number of pages or frames; more than one only for a format with pages.
            timing: when frames are displayed; None for pages.
            coding: how to store the pixels, as `settled` returns it.
            where: name of the output for messages.
        """
        return OnePictureEncoder(self, coding, where)

    def encode(self, picture: Picture, coding: Coding, where: str) -> Iterable[Piece]:
        """Return a file with one picture, as `prepared` returns it, in pieces; see `encoder`.

        Raises:
            WriteError: the encoder fails.
        """
        from imgconv.images.formats import opencv_codec

        pixels = self.stored(picture.pixels(), coding)
        parameters = self.parameters(coding, picture.header.dtype)
        found = opencv_codec.encoded(pixels, self.extensions[0], parameters, self.encoder_metadata(picture.metadata))
        if found is None:
            rows, columns = pixels.shape[:2]
            raise WriteError(f"{where}: OpenCV cannot write this image of {rows} x {columns} pixels as {self.title}")
        return self.with_metadata(found, picture.metadata)

    def stored(self, pixels: NDArray[Any], coding: Coding) -> NDArray[Any]:
        """Return pixels in the type and range that OpenCV's encoder expects: black and white are 0 and 255."""
        return pixels.view(np.uint8) * np.uint8(255) if pixels.dtype == bool else pixels

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return the parameters of OpenCV's encoder for a type of pixels: names of its constants, and values."""
        return ()

    def encoder_metadata(self, metadata: Metadata) -> Metadata | None:
        """Return the metadata that OpenCV's encoder writes; None where `with_metadata` adds them."""
        return None

    def with_metadata(self, encoded: memoryview, metadata: Metadata) -> list[Piece]:
        """Return an encoded file with metadata added, in pieces; the bytes of the picture are not copied."""
        return [encoded]


def _arranged(strip: NDArray[Any], order: list[int]) -> NDArray[Any]:
    planes = strip if strip.ndim == 3 else strip[:, :, np.newaxis]
    return planes[:, :, order[0]] if len(order) == 1 else planes[:, :, order]
