"""Where a result goes and how it is stored: name, format, coding, permission to overwrite, allowed folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import numpy as np

from imgconv.errors import ImgconvError, WriteError
from imgconv.images import atomic
from imgconv.images.atomic import Piece
from imgconv.images.formats import registry
from imgconv.images.formats.base import Format
from imgconv.images.formats.picture import Picture
from imgconv.images.image import Coding, Image
from imgconv.images.names import STANDARD_STREAM, displayed, reason
from imgconv.images.pages import Header, Timing

_STANDARD_OUTPUT = "standard output"
_DEFAULT = "png"


@dataclass(frozen=True)
class Output:
    """The destination of a result.

    Attributes:
        path: name of the file, or "-" for standard output.
        overwrite: whether a file of that name is replaced.
        format: name or extension of the format; where it is "", the extension of the path, or the format of the input.
        coding: how the pixels are to be stored.
        within: a folder that nothing is written outside of; "" for no such limit.
    """

    path: str | os.PathLike[str]
    overwrite: bool = True
    format: str = ""
    coding: Coding = field(default_factory=Coding)
    within: str = ""

    @property
    def name(self) -> str:
        """The destination as messages call it."""
        return _STANDARD_OUTPUT if self._is_standard else displayed(self.path)

    def format_for(self, source_format: str) -> Format:
        """Return the format to write.

        Args:
            source_format: name of the format of the input, which streams follow.

        Raises:
            WriteError: it is unknown.
        """
        if self.format:
            return registry.format_named(self.format)
        path = os.fspath(self.path)
        if self._is_standard or (atomic.is_stream(path) and not os.path.splitext(path)[1]):
            names = [found.name for found in registry.writable_formats()]
            return registry.format_named(source_format if source_format in names else _DEFAULT)
        return registry.format_of(path)

    def check(
        self,
        source_format: str,
        header: Header,
        *,
        opaque: bool = False,
        bits: int | None = None,
        count: int = 1,
        frames: bool = False,
    ) -> None:
        """Raise before the work what would keep its result from being written.

        Args:
            source_format: name of the format of the input.
            header: of the first picture to be written.
            opaque: whether its alpha is full everywhere.
            bits: bits per sample that carry information, where they are fewer than those of the type.
            count: number of pages.
            frames: whether they are frames of an animation.

        Raises:
            WriteError: it could not be written; one line that names the file.
        """
        if self._is_standard:
            _standard_output()
        else:
            atomic.destination(os.fspath(self.path), overwrite=self.overwrite, within=self.within)
        chosen = self._checked_format(source_format, count, frames)
        self._require_header(chosen, header, opaque=opaque, bits=bits, count=count)

    def write(self, images: Iterator[Image], count: int, timing: Timing | None, source_format: str) -> tuple[str, ...]:
        """Write pages to the file, which appears whole or not at all, and return notes; see `files.write_pages`."""
        notes: list[str] = []
        chosen = self._checked_format(source_format, count, timing is not None)
        pieces = self._pieces(images, count, timing, chosen, notes)
        if self._is_standard:
            _write_to_standard_output(pieces)
        else:
            atomic.write_file(os.fspath(self.path), pieces, overwrite=self.overwrite, within=self.within)
        return tuple(notes)

    def _pieces(
        self, images: Iterator[Image], count: int, timing: Timing | None, chosen: Format, notes: list[str]
    ) -> Iterator[Piece]:
        """Yield the file in pieces. The next image is taken when the one before is written."""
        encoder = None
        for image in images:
            picture = Picture.of(image)
            if encoder is None:
                coding = chosen.settled(self.coding, picture.coding, picture.format)
                coding = replace(coding, bits=_bits(picture.header, chosen, coding))
                encoder = chosen.encoder(count, timing, coding, self.name)
                if timing is not None and count > 1 and chosen.pages == "pages":
                    notes.append(f"left out the durations: {chosen.title} cannot store them")
            self._require_header(chosen, picture.header, opaque=picture.opaque, bits=coding.bits, count=count)
            picture, more = chosen.prepared(picture, coding)
            notes += [note for note in more if note not in notes]
            try:
                yield from encoder.add(picture)
            except MemoryError as error:
                raise WriteError(f"{self.name}: the file does not fit into memory") from error
        if encoder is not None:
            try:
                yield from encoder.finish()
            except MemoryError as error:
                raise WriteError(f"{self.name}: the file does not fit into memory") from error

    @property
    def _is_standard(self) -> bool:
        # Only the word itself: `Path("./-")` is "-" too, and names a file.
        return isinstance(self.path, str) and self.path == STANDARD_STREAM

    def _checked_format(self, source_format: str, count: int, frames: bool) -> Format:
        """Return the format to write, which can store the number of pages and supports the coding."""
        chosen = self.format_for(source_format)
        if count > 1 or self.coding != Coding():
            from imgconv.images.formats import refusals

            refusals.require_pages(chosen, count, self.name, frames=frames)
            refusals.require_coding(chosen, self.coding, self.name)
        return chosen

    def _require_header(self, chosen: Format, header: Header, *, opaque: bool, bits: int | None, count: int) -> None:
        """Raise an error for a picture that a format cannot store without loss; see `Format.refusal`."""
        lack = chosen.refusal(header, opaque=opaque, bits=bits, count=count)
        if not lack and not chosen.is_built_in():
            lack = "is not among the formats that this OpenCV was built with"
        if lack:
            from imgconv.images.formats import refusals

            raise refusals.header_error(chosen, header, lack, self.name, opaque=opaque, count=count)


def _bits(header: Header, chosen: Format, coding: Coding) -> int | None:
    """Return how many bits per sample the file stores, where they are fewer than those of the type."""
    if header.dtype == bool:
        return 1
    return coding.bits if header.dtype == np.uint16 and coding.bits in chosen.narrow else None


def _standard_output() -> BinaryIO:
    stream: BinaryIO | None = getattr(sys.stdout, "buffer", None)
    if stream is None:
        raise WriteError(f"{_STANDARD_OUTPUT}: is closed, or takes no bytes")
    if sys.stdout.isatty():
        raise WriteError(f"{_STANDARD_OUTPUT}: is a terminal; name a file, or send it through a pipe")
    return stream


def _write_to_standard_output(pieces: Iterator[Piece]) -> None:
    stream = _standard_output()
    try:
        for piece in pieces:
            stream.write(piece)
        stream.flush()
    except (BrokenPipeError, ImgconvError):  # the reader has ended; or a page could not be encoded
        raise
    except OSError as error:
        raise WriteError(f"{_STANDARD_OUTPUT}: {reason(error)}") from error
