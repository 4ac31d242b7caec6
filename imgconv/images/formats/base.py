"""The base class of image formats. Each format is a class with its capabilities, its decoder and its encoder.

A format with one picture per file defines `header`, and overrides `metadata`, `decode`, `encode` if OpenCV's decoder and
encoder do not suffice. A format with pages or frames overrides `open` and `encoder`.
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

#: Names of the `Metadata` blocks that most formats with metadata store.
COMMON_METADATA = frozenset({"exif", "xmp", "icc", "resolution", "comment"})

#: Default compression quality, unless the user or the input specifies one.
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
        name: name in Python and on the command line.
        title: name in messages.
        extensions: file extensions, with the dot; the first one selects OpenCV's encoder.
        signatures: byte sequences that files of the format begin with.
        dtypes: data types of pixels that can be written; empty for a format that imgconv only reads.
        grey: whether one channel is supported; otherwise grey is written as three equal channels.
        colour: whether three channels are supported.
        alpha: whether an alpha channel is supported.
        grey_alpha: whether grey with alpha is supported; otherwise it is written as colour with alpha.
        bands: whether any number of channels is supported.
        places: names of the `Metadata` blocks that the format stores.
        pages: kind of the pictures in one file: `pages`, `frames` (of an animation), or "" for a single picture.
        frame_dtypes: data types of pixels in the frames of an animation.
        quality: whether lossy compression with a quality setting is supported.
        lossless: whether lossless writing is supported.
        compressions: the supported words or levels of `Coding.compression`.
        bits: supported bits per sample of 16-bit pixels; empty if all 16 are supported.
        max_side: maximum number of rows and columns; 0 if the limit is irrelevant in practice.
        min_side: minimum number of rows and columns.
        optional: whether some builds of OpenCV lack the format.
        readable: whether files are read as pictures; otherwise the format is only written.
        similar: name of the format that is suggested first for a result that this format cannot store.
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
    bits: ClassVar[tuple[int, ...]] = ()
    max_side: ClassVar[int] = 0
    min_side: ClassVar[int] = 1
    optional: ClassVar[bool] = False
    readable: ClassVar[bool] = True
    similar: ClassVar[str] = ""

    def recognizes(self, head: bytes) -> bool:
        """Return whether a file that begins with `head`, at most 4096 bytes, has this format."""
        return head.startswith(self.signatures)

    def open(self, file: FileBytes, name: str, max_pixels: int) -> Pages:
        """Return the pages of a file. Only headers are read, no pixels.

        Args:
            file: the file.
            name: the name of the file in messages.
            max_pixels: maximum number of pixels of a picture, or of all frames of an animation together.

        Raises:
            HeaderError: the header cannot be read.
            ReadError: the header cannot be read; the message contains the name of the file.
        """
        return OnePage(StillPage(self, file, name, max_pixels))

    @abstractmethod
    def header(self, file: FileBytes) -> Header:
        """Return the header of a file with one picture.

        Raises:
            HeaderError: the header cannot be read.
        """

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return the metadata of a file and the coding of its pixels. Damaged blocks are ignored without an error."""
        return Metadata(), Coding()

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture of a file with its metadata. The caller has checked the size.

        Raises:
            ReadError: the picture cannot be decoded.
            HeaderError: the picture cannot be decoded; the message does not contain the name of the file.
        """
        from imgconv.images.formats import opencv_codec

        pixels = opencv_codec.decoded(file.view, self, name)
        metadata, coding = self.metadata(file)
        return self.image(pixels, header, metadata, coding)

    def image(
        self, pixels: NDArray[Any], header: Header, metadata: Metadata, coding: Coding, notes: tuple[str, ...] = ()
    ) -> Image:
        """Return decoded pixels as an image of this format. Channels are those of the header unless the shape differs."""
        if pixels.shape != header.shape:
            rows, columns, channels = (*pixels.shape, 1)[:3]
            header = Header.of(rows, columns, channels, pixels.dtype)
        return Image(
            pixels, metadata, self.name, coding=coding, notes=notes, has_alpha=header.has_alpha, colours=header.colours
        )

    def damaged(self, name: str, reason: str = "cannot be decoded") -> ReadError:
        """Return the error for a file that has the signature of this format but cannot be read."""
        return ReadError(f"{name}: is damaged or truncated: recognized as {self.title}, but {reason}")

    # Writing

    def stores_pages(self, result: Result) -> bool:
        """Return whether the format can store the number of pages or frames of a result."""
        return result.count == 1 or self.pages == "pages" or (result.frames and self.pages == "frames")

    def limitation(self, result: Result) -> str:
        """Return why the format cannot store a result without loss, as the predicate of a sentence; "" if it can."""
        header, dtype = result.header, result.header.dtype
        rows, columns = header.shape[:2]
        others = header.channels - header.has_alpha
        word = _DTYPE_WORDS.get(dtype.name, dtype.name)
        if not self.stores_pages(result):
            holds = "stores only frames of an animation" if self.pages else "stores only one picture"
            return f"{holds}, but the input has {result.count} {'frames' if result.frames else 'pages'}"
        if dtype.kind == "c":
            return "cannot store complex numbers"
        if dtype.name not in self.dtypes or (dtype.name == "uint16" and self.bits and result.bits not in self.bits):
            return f"cannot store {word} pixels"
        if result.count > 1 and self.pages == "frames" and dtype.name not in self.frame_dtypes:
            return f"cannot store an animation of {word} pixels"
        if others > header.colours and not self.bands:
            return f"cannot store {others} bands"
        if header.has_alpha and not self.alpha and not result.opaque:
            return "has no alpha channel"
        if others >= 3 and not self.colour:
            return "cannot store colour"
        if header.channels > 1 and dtype.name == "bool":
            return f"cannot store {'alpha' if others == 1 else 'colour'} in 1 bit"
        if self.max_side and max(rows, columns) > self.max_side:
            return f"cannot store {rows} x {columns} pixels, at most {self.max_side} per side"
        if min(rows, columns) < self.min_side:
            return f"cannot store {rows} x {columns} pixels, at least {self.min_side} per side"
        return "" if self.is_built_in() else "is not supported by this build of OpenCV"

    def is_built_in(self) -> bool:
        """Return whether the installed libraries can write this format."""
        from imgconv.images.formats.opencv_codec import has_writer

        return not self.optional or has_writer(self.extensions[0])

    def resolve_coding(self, wanted: Coding, image: Image) -> Coding:
        """Return the coding to write an image with: `wanted`, completed by the coding of an input of the same format."""
        source = image.coding
        if wanted.quality is not None or wanted.lossless:
            source = Coding(bits=source.bits, subsampling=source.subsampling)
        coding = wanted.over(source if image.format == self.name else Coding(bits=source.bits))
        if image.pixels.dtype.kind == "b":
            return replace(coding, bits=1)
        return coding if image.pixels.dtype == np.uint16 and coding.bits in self.bits else replace(coding, bits=None)

    def fit(self, metadata: Metadata, colours: int) -> Fitted:
        """Return the metadata in the form that this format stores beside 1 or 3 colours, and reasons for dropped blocks."""
        return fit_metadata(metadata, self.places, self.title, colours)

    def prepare(self, picture: Picture, coding: Coding) -> tuple[Picture, list[str]]:
        """Return the picture with the channels and metadata that the format supports, and notes on what was left out.

        Grey becomes colour and opaque alpha is dropped if the format does not support them. If it cannot store the
        orientation, the orientation is applied to the pixels.
        """
        notes = []
        header, strips, metadata = picture.header, picture.strips, picture.metadata
        order = self._channel_order(header)
        if order is not None:
            rows, columns = header.shape[:2]
            header = Header.of(rows, columns, len(order), header.dtype, header.has_alpha and self.alpha)
            strips = (_arranged(strip, order) for strip in strips)
        if metadata.icc and metadata.profile_channels != header.colours:
            notes.append("left out the colour profile: its channels are not those of the image")
            metadata = replace(metadata, icc=b"")
        kept, lost = self.fit(metadata, header.colours)
        notes += left_out_notes(lost)
        picture = replace(picture, header=header, strips=strips, metadata=kept)
        if metadata.orientation != 1 and not kept.exif:
            notes.append(f"applied EXIF orientation {metadata.orientation} to the pixels: {self.title} cannot store it")
            pixels = upright(picture.pixels(), metadata.orientation)
            picture = replace(picture, header=replace(header, shape=pixels.shape), strips=(pixels,))
        return picture, notes

    def _channel_order(self, header: Header) -> list[int] | None:
        """Return the indices of the channels to store, in the order of the format; None if nothing changes."""
        order = list(range(header.channels))
        if header.has_alpha and not self.alpha:
            order.pop()
        if len(order) - (header.has_alpha and self.alpha) == 1 and not self.grey:
            return [0, 0, 0, *order[1:]]
        if len(order) == 2 and header.has_alpha and not self.grey_alpha:
            return [0, 0, 0, 1]
        # An array (H, W, 1) has to become (H, W).
        return order if len(order) < header.channels or header.shape[2:] == (1,) else None

    def encoder(self, count: int, timing: Timing | None, coding: Coding, where: str) -> Encoder:
        """Return the encoder of a file.

        Args:
            count: number of pages or frames; more than one only for a format with pages.
            timing: the durations of the frames; None for pages.
            coding: how to store the pixels, as returned by `resolve_coding`.
            where: name of the output for messages.
        """
        return OnePictureEncoder(self, coding, where)

    def encode(self, picture: Picture, coding: Coding, where: str) -> Iterable[Piece]:
        """Return a file with one picture in pieces. The picture comes from `prepare`; see `encoder` for the arguments.

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
        """Return pixels in the type and range that OpenCV's encoder expects; bool becomes 0 and 255."""
        return pixels.view(np.uint8) * np.uint8(255) if pixels.dtype == bool else pixels

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return the parameters of OpenCV's encoder for a data type: pairs of a constant's name and its value."""
        return ()

    def encoder_metadata(self, metadata: Metadata) -> Metadata | None:
        """Return the metadata for OpenCV's encoder; None if `with_metadata` adds them."""
        return None

    def with_metadata(self, encoded: memoryview, metadata: Metadata) -> list[Piece]:
        """Return an encoded file with metadata inserted, in pieces. The bytes of the picture are not copied."""
        return [encoded]


def _arranged(strip: NDArray[Any], order: list[int]) -> NDArray[Any]:
    planes = strip if strip.ndim == 3 else strip[:, :, np.newaxis]
    return planes[:, :, order[0]] if len(order) == 1 else planes[:, :, order]
