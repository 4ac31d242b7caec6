"""The frames of an AVIF: in 8 bits through Pillow; in 10 and 12, which Pillow would cut to 8, through OpenCV."""

from __future__ import annotations

import contextlib
import io
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images.boxes import Box, Coded, avif_picture, first, named
from imgconv.images.codecs.channel_order import swapped
from imgconv.images.codecs.depths import scaled
from imgconv.images.codecs.frame_pages import FramePages
from imgconv.images.image import Image
from imgconv.images.limits import require_size
from imgconv.images.pages import Timing
from imgconv.images.seeking import FileBytes, HeaderError
from imgconv.opencv import load_cv2

_REPEATED = 1  # of the flags of an edit list
_FOR_EVER = (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


class _Track(NamedTuple):
    """Milliseconds of each frame of a sequence, and how often they are played (0: for ever)."""

    durations: tuple[float, ...]
    loop: int


class AvifPages(FramePages):
    """The frames of an AVIF. One after the other each costs its own decoding; going back may begin with the first one again."""

    def __init__(self, view: memoryview, name: str, max_pixels: int) -> None:
        super().__init__(view, "avif", name, max_pixels)
        self._view = view
        try:
            self._rows, self._columns, coded, self._alpha = avif_picture(FileBytes(view))
            track = _track(FileBytes(view), self._rows * self._columns, max_pixels)
        except HeaderError as error:
            raise self._damaged() from error
        self.count = len(track.durations)
        if self.count < 1:
            raise self._damaged()
        self._require_room(self._rows, self._columns, np.uint16 if coded.bits > 8 else np.uint8)
        self.timing = Timing(track.durations, track.loop)
        self._coded: Coded = coded
        self._frames: list[NDArray[Any]] = []
        if coded.bits > 8:
            self._require_room_for_all(coded)
        self._file = None if coded.bits > 8 else self._opened()

    def _frame(self, index: int) -> Image:
        """Return a frame, uint8, or uint16 of a file of 10 or 12 bits, the channels alike for all of them."""
        try:
            pixels = self._deep(index) if self._file is None else self._plain(index)
        except (ReadError, MemoryError):
            raise
        except Exception as error:  # whatever the libraries make of it
            raise self._undecodable(index) from error
        return self._image(pixels)

    def _require_room_for_all(self, coded: Coded) -> None:
        """Make sure that OpenCV can have all frames in memory: it decodes them at once."""
        if coded.channels == 1 and self._alpha:
            raise ReadError(f"{self._name}: an animation in grey with alpha of {coded.bits} bits a sample cannot be read")
        shape = (self.count * self._rows, self._columns, coded.channels + self._alpha)
        require_size(shape, np.dtype(np.uint16), self._name, self._max_pixels)

    def _opened(self) -> Any:
        from PIL.AvifImagePlugin import AvifImageFile

        try:
            file = AvifImageFile(io.BytesIO(self._view))
        except MemoryError:
            raise
        except Exception as error:  # whatever Pillow makes of it
            raise self._damaged() from error
        if file.n_frames != self.count or file.size != (self._columns, self._rows):
            raise self._damaged()
        return file

    def _plain(self, index: int) -> NDArray[Any]:
        assert self._file is not None
        self._file.seek(index)
        pixels = swapped(np.asarray(self._file))
        # Of grey with alpha Pillow makes colour.
        return np.ascontiguousarray(pixels[:, :, 2:]) if self._coded.channels == 1 and pixels.ndim == 3 else pixels

    def _deep(self, index: int) -> NDArray[Any]:
        if not self._frames:
            cv2 = load_cv2()
            row = np.frombuffer(self._view, np.uint8).reshape(1, -1)  # OpenCV 4 takes no column
            done, found = cv2.imdecodeanimation(row)
            if not done or len(found.frames) != self.count:
                raise self._damaged()
            self._frames = list(found.frames)
        frame = self._frames[index]
        if frame.shape[:2] != (self._rows, self._columns):
            raise self._undecodable(index)
        return scaled(frame, self._coded.bits)


def _track(file: FileBytes, size: int, max_pixels: int) -> _Track:
    """Return what the track of the pictures says of their times (ISO/IEC 14496-12, 8.4.2, 8.6.1, 8.6.6).

    No more frames are listed than are allowed, and one.

    Raises:
        HeaderError: it makes no sense.
    """
    most = max_pixels // max(1, size) + 1
    tracks = list(named(file, Box(b"", 0, file.size), b"moov", b"trak")) if file.head[8:12] == b"avis" else []
    for track in tracks:
        if any(named(file, track, b"tref", b"auxl")):  # alpha
            continue
        clock = first(file, track, b"mdia", b"mdhd")
        unit, length = _numbers(file, clock, 12, 20)
        table = first(file, track, b"mdia", b"minf", b"stbl", b"stts")
        (count,) = file.numbers(">I", table.start + 4)
        durations: list[float] = []
        for i in range(count):
            frames, ticks = file.numbers(">II", table.start + 8 + 8 * i)
            durations += [float(Fraction(1000 * ticks, unit))] * min(frames, most - len(durations))
            if len(durations) == most:
                break
        loop = 1
        with contextlib.suppress(HeaderError):
            loop = _loop(file, track, unit, length)
        return _Track(tuple(durations), loop)
    return _Track((0.0,), 1)


def _numbers(file: FileBytes, box: Box, short: int, long: int) -> tuple[int, int]:
    """Return the time scale of a header and its length, which are at one place in version 0 and at another in version 1."""
    (version,) = file.read(box.start, 1)
    unit, length = file.numbers(">IQ" if version else ">II", box.start + (long if version else short))
    if not unit:
        raise HeaderError
    return unit, length


def _loop(file: FileBytes, track: Box, unit: int, length: int) -> int:
    """Return how often a track is played: as often as its one edit goes into its length, if the edit is repeated."""
    edits = first(file, track, b"edts", b"elst")
    version, flags, count = file.numbers(">B3sI", edits.start)
    if not flags[2] & _REPEATED or count != 1:
        return 1
    (edit,) = file.numbers(">Q" if version else ">I", edits.start + 8)
    header = first(file, track, b"tkhd")
    (version,) = file.read(header.start, 1)
    (whole,) = file.numbers(">Q" if version else ">I", header.start + (28 if version else 20))
    if whole in _FOR_EVER:
        return 0
    return max(1, -(-whole // edit)) if edit else 1
