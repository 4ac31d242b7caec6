"""Animations. Each format parses the number of frames and their durations; Pillow decodes and composes frames one by one."""

from __future__ import annotations

import importlib
import io
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError, WriteError
from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.base import Format
from imgconv.images.formats.opencv_codec import swapped
from imgconv.images.formats.picture import Encoder, Picture
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import MAX_PIXELS, Header, Page, Pages, Timing, require_size

# Pillow's mode for a number of channels.
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


class Animation(NamedTuple):
    """Properties of an animation, parsed without decoding frames.

    Attributes:
        timing: the frame durations and the loop count.
        skipped: number of pictures before the first frame that Pillow counts as frames.
        notes: lines for the user.
    """

    timing: Timing
    skipped: int = 0
    notes: tuple[str, ...] = ()


class AnimatedFormat(Format):
    """A format whose files contain a picture or an animation.

    Attributes:
        plugin: the class of Pillow that reads animations, such as `GifImagePlugin:GifImageFile`.
        max_duration: maximum frame duration in milliseconds.
        alpha_is_a_hint: whether headers may declare alpha for opaque frames, so that frames are decoded to find out.
    """

    pages = "frames"
    plugin: ClassVar[str]
    max_duration: ClassVar[float]
    alpha_is_a_hint: ClassVar[bool] = False

    @abstractmethod
    def animation(self, file: FileBytes) -> Animation | None:
        """Return the properties of an animation; None for a file with one picture, which `decode` reads.

        Raises:
            HeaderError: the structure of the file is damaged.
        """

    @abstractmethod
    def encode_frames(
        self, frames: Sequence[NDArray[Any]], timing: Timing, coding: Coding, metadata: Metadata, where: str
    ) -> Iterable[Piece]:
        """Return a file with an animation, in pieces.

        Args:
            frames: the pixels of at least two frames, of the same shape and type.
            timing: the frame durations, each from 0 to `max_duration`, and the loop count.
            coding: how to store the pixels, as returned by `resolve_coding`.
            metadata: the blocks to be written.
            where: name of the output for messages.

        Raises:
            WriteError: the encoder fails.
        """

    def pillow_file(self, view: memoryview) -> Any:
        """Return a file opened with Pillow."""
        from imgconv.images.formats.pillow_codec import file_of

        return file_of(self.plugin, view)

    def open(self, file: FileBytes, name: str, max_pixels: int) -> Pages:
        """Return the frames of an animation, or the single picture of a file."""
        found = self.animation(file)
        return super().open(file, name, max_pixels) if found is None else _Frames(self, found, file, name, max_pixels)

    def encoder(self, count: int, timing: Timing | None, coding: Coding, where: str) -> Encoder:
        """Return the encoder of a file."""
        if count == 1 or timing is None:
            return super().encoder(count, timing, coding, where)
        return _FramesEncoder(self, timing, coding, where)

    def encode_with_pillow(self, frames: Sequence[NDArray[Any]], where: str, **options: Any) -> memoryview:
        """Return frames encoded as a file by Pillow. `options` are those of Pillow's `save`, including durations and loop."""
        from PIL import Image as Pillow

        importlib.import_module(f"PIL.{self.plugin.partition(':')[0]}")  # registers the encoder
        first, *rest = (Pillow.fromarray(swapped(pixels)) for pixels in frames)
        found = io.BytesIO()
        try:
            first.save(found, self.name, save_all=True, append_images=rest, **options)
        except MemoryError:
            raise
        except Exception as error:  # each plugin has its own exceptions
            reason = " ".join(str(error).split())[:200]
            raise WriteError(f"{where}: the animation cannot be written as {self.title} ({reason})") from error
        return found.getbuffer()


class _Frames(Pages):
    """The frames of an animation. All share one header and the metadata of the file."""

    def __init__(self, chosen: AnimatedFormat, found: Animation, file: FileBytes, name: str, max_pixels: int) -> None:
        self.count = len(found.timing.durations)
        self.timing = found.timing if self.count > 1 else None
        self.header = chosen.header(file)
        self.metadata, self.coding = chosen.metadata(file)
        self.name, self.max_pixels = name, max_pixels
        self._format, self._animation, self._file = chosen, found, file
        self._picture: Any = None  # the file opened with Pillow
        self._last = 0  # index of the last decoded frame
        rows, columns = self.header.shape[:2]
        is_small = self.count * rows * columns <= min(max_pixels, MAX_PIXELS)
        if chosen.alpha_is_a_hint and self.header.has_alpha and is_small and not self._is_transparent():
            self.header = Header.of(rows, columns, self.header.channels - 1, self.header.dtype)

    def _page(self, index: int) -> Page:
        return _Frame(self, index)

    def frame(self, index: int) -> Image:
        """Decode and return a frame. The caller has checked the size."""
        from imgconv.images.formats.pillow_codec import lifted_limit

        skipped, notes = self._animation.skipped, self._animation.notes if index == 0 else ()
        mode = _MODES[self.header.channels]
        try:
            with lifted_limit():
                if self._picture is None or index < self._last:  # some plugins cannot seek backwards
                    self._picture = self._opened()
                picture, self._last = self._picture, index
                picture.seek(index + skipped)
                picture.load()
                pixels = swapped(np.asarray(picture if picture.mode == mode else picture.convert(mode)))
                if pixels.shape != self.header.shape:
                    raise HeaderError
        except HeaderError:
            self._picture = None
            raise self._format.damaged(self.name, f"frame {index + 1} cannot be decoded") from None
        pixels = np.require(pixels, requirements=["C", "W"])  # arrays from Pillow are read-only
        image = self._format.image(pixels, self.header, self.metadata, self.coding, notes)
        return replace(image, pages=self.count)

    def _is_transparent(self) -> bool:
        """Return whether any pixel of any frame is transparent; True if a frame cannot be decoded."""
        try:
            return any(self.frame(index).pixels[:, :, -1].min() < 255 for index in range(self.count))
        except (ReadError, MemoryError):
            return True

    def _opened(self) -> Any:
        picture = self._format.pillow_file(self._file.view)
        if picture.n_frames != self.count + self._animation.skipped or picture.size[::-1] != self.header.shape[:2]:
            raise HeaderError
        return picture


class _Frame(Page):
    """A frame of an animation."""

    def __init__(self, frames: _Frames, index: int) -> None:
        super().__init__(frames.header, frames.name, frames.max_pixels)
        self._frames, self._index = frames, index

    @property
    def metadata(self) -> Metadata:
        return self._frames.metadata

    @property
    def coding(self) -> Coding:
        return self._frames.coding

    def require_size(self) -> None:
        require_size(self.header.shape, self.header.dtype, self.name, self._max_pixels, self._frames.count)

    def _image(self) -> Image:
        return self._frames.frame(self._index)


class _FramesEncoder(Encoder):
    """An encoder that collects the frames of an animation and encodes them at the end."""

    def __init__(self, chosen: AnimatedFormat, timing: Timing, coding: Coding, where: str) -> None:
        if timing.loop < 0:
            raise WriteError(f"{where}: the loop count is {timing.loop}; it must be 0 (endless) or more")
        for duration in timing.durations:
            if not 0 <= duration < float("inf"):
                raise WriteError(f"{where}: a frame duration is {duration:g} ms; it must be finite and 0 ms or more")
            if duration > chosen.max_duration:
                found = f"a frame duration is {duration / 1000:g} s"
                raise WriteError(f"{where}: {found}; the maximum for {chosen.title} is {chosen.max_duration / 1000:g} s")
        self._format, self._timing, self._coding, self._where = chosen, timing, coding, where
        self._frames: list[NDArray[Any]] = []
        self._header: Header | None = None
        self._metadata = Metadata()

    def add(self, picture: Picture) -> Iterable[Piece]:
        if self._header is None:
            self._header, self._metadata = picture.header, picture.metadata
        if picture.header != self._header:
            found = f"frame {len(self._frames) + 1} is {_words(picture.header)}, but frame 1 is {_words(self._header)}"
            raise WriteError(f"{self._where}: {found}; all frames of an animation must have the same shape and type")
        self._frames.append(picture.pixels())
        return ()

    def finish(self) -> Iterable[Piece]:
        count, timed = len(self._frames), len(self._timing.durations)
        if count != timed:
            raise WriteError(f"{self._where}: there are {count} frames, but {timed} durations; give one for each frame")
        return self._format.encode_frames(self._frames, self._timing, self._coding, self._metadata, self._where)


def changed(pixels: NDArray[Any], before: NDArray[Any]) -> tuple[int, int, NDArray[Any]]:
    """Return the smallest window that covers all changes, at least a pixel: top and left, which are even, and its pixels."""
    marked = (pixels != before).any(axis=2)
    down, across = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    if not len(down):
        return 0, 0, np.ascontiguousarray(pixels[:1, :1])
    top, left = int(down[0]) & ~1, int(across[0]) & ~1
    return top, left, np.ascontiguousarray(pixels[top : down[-1] + 1, left : across[-1] + 1])


def _words(header: Header) -> str:
    return f"{' x '.join(map(str, header.shape))} {header.dtype}"
