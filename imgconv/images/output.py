"""The destination of a result and how it is stored: name, format, coding, permission to overwrite, allowed folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from imgconv.errors import ImgconvError, WriteError
from imgconv.images import atomic
from imgconv.images.atomic import Piece
from imgconv.images.formats import registry
from imgconv.images.formats.base import Format
from imgconv.images.formats.picture import Picture, Result
from imgconv.images.image import Coding, Image
from imgconv.images.names import displayed, is_standard_stream, reason
from imgconv.images.pages import Header, Timing

_STANDARD_OUTPUT = "standard output"
_DEFAULT = "png"


class Written(NamedTuple):
    """The outcome of writing a file.

    Attributes:
        header: shape and data type of the first picture as stored, after changes of its orientation or channels.
        notes: one line for each property that could not be stored.
        format: name of the format.
    """

    header: Header
    notes: tuple[str, ...]
    format: str


@dataclass(frozen=True)
class Output:
    """The destination of a result; see `files.write_image`.

    Attributes:
        path: name of the file, or "-" for standard output.
        overwrite: whether to replace an existing file.
        format: name or extension of the format; if "", the extension of the path or the format of the input selects it.
        coding: how to store the pixels.
        within: a folder; writing outside of it is an error. "" for no limit.
        backup: whether to keep a file that is replaced, under its name and `~`.
    """

    path: str | os.PathLike[str]
    overwrite: bool = True
    format: str = ""
    coding: Coding = field(default_factory=Coding)
    within: str = ""
    backup: bool = False

    @property
    def name(self) -> str:
        """The name of the destination in messages."""
        return _STANDARD_OUTPUT if is_standard_stream(self.path) else displayed(self.path)

    def check(self, source_format: str, result: Result) -> None:
        """Check that a result can be written, before it is computed.

        Args:
            source_format: name of the format of the input, the default for streams.
            result: a description of the result.

        Raises:
            WriteError: the result could not be written. The message is one line and names the file.
        """
        if is_standard_stream(self.path):
            _standard_output()
        else:
            atomic.destination(os.fspath(self.path), overwrite=self.overwrite, within=self.within)
        self.check_format(source_format, result)

    def check_format(self, source_format: str, result: Result) -> None:
        """Check that the format can store a result, without access to the destination.

        Raises:
            WriteError: the format cannot store it. The message is one line and names the file.
        """
        self._require(self._format(source_format), result)

    def write(self, images: Iterable[Image], count: int, timing: Timing | None, source_format: str) -> Written:
        """Write pages to the file atomically; see `files.write_pages`."""
        headers: list[Header] = []
        notes: list[str] = []
        chosen = self._format(source_format)
        pieces = self._pieces(images, count, timing, chosen, headers, notes)
        if is_standard_stream(self.path):
            _write_to_standard_output(pieces)
        else:
            atomic.write_file(os.fspath(self.path), pieces, overwrite=self.overwrite, within=self.within, backup=self.backup)
        return Written(headers[0], tuple(notes), chosen.name)

    def _pieces(
        self,
        images: Iterable[Image],
        count: int,
        timing: Timing | None,
        chosen: Format,
        headers: list[Header],
        notes: list[str],
    ) -> Iterator[Piece]:
        """Yield the file in pieces and append to `headers` and `notes`. Each image is requested when the last is written."""
        encoder = None
        for image in images:
            if encoder is None:
                coding = chosen.resolve_coding(self.coding, image)
                encoder = chosen.encoder(count, timing, coding, self.name)
                if timing is not None and count > 1 and chosen.pages == "pages":
                    notes.append(f"left out the frame durations: {chosen.title} cannot store them")
            picture = Picture.of(image)
            self._require(chosen, Result(picture.header, image.is_opaque, coding.bits, count, timing is not None))
            picture, more = chosen.prepare(picture, coding)
            headers.append(picture.header)
            notes += [note for note in more if note not in notes]
            yield from self._encoded(encoder.add, picture)
        if encoder is None:
            raise WriteError(f"{self.name}: no page to write")
        yield from self._encoded(encoder.finish)

    def _encoded(self, encode: Callable[..., Iterable[Piece]], *pictures: Picture) -> Iterator[Piece]:
        try:
            yield from encode(*pictures)
        except MemoryError as error:
            raise WriteError(f"{self.name}: the file does not fit into memory") from error

    def _format(self, source_format: str) -> Format:
        """Return the format to write. Raises a `WriteError` if it is unknown or does not support the coding."""
        path = os.fspath(self.path)
        if self.format:
            chosen = registry.format_named(self.format)
        elif is_standard_stream(self.path) or (atomic.is_stream(path) and not os.path.splitext(path)[1]):
            names = [found.name for found in registry.writable_formats()]
            chosen = registry.format_named(source_format if source_format in names else _DEFAULT)
        else:
            chosen = registry.format_of(path)
        if self.coding != Coding():
            from imgconv.images.formats.write_errors import require_coding

            require_coding(chosen, self.coding, self.name)
        return chosen

    def _require(self, chosen: Format, result: Result) -> None:
        """Raise a `WriteError` if the format cannot store the result without loss."""
        if limitation := chosen.limitation(result):
            from imgconv.images.formats.write_errors import result_error

            raise result_error(chosen, result, limitation, self.name)


def _standard_output() -> BinaryIO:
    stream: BinaryIO | None = getattr(sys.stdout, "buffer", None)
    if stream is None:
        raise WriteError(f"{_STANDARD_OUTPUT}: is closed or is not a binary stream")
    if sys.stdout.isatty():
        raise WriteError(f"{_STANDARD_OUTPUT}: is a terminal; name a file or pipe the output")
    return stream


def _write_to_standard_output(pieces: Iterable[Piece]) -> None:
    stream = _standard_output()
    try:
        for piece in pieces:
            stream.write(piece)
        stream.flush()
    except (BrokenPipeError, ImgconvError):  # the reading program has ended, or a page could not be encoded
        raise
    except OSError as error:
        raise WriteError(f"{_STANDARD_OUTPUT}: {reason(error)}") from error
