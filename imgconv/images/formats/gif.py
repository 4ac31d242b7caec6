"""GIF 89a. Pillow decodes files and encodes frames; the frames are assembled here.

Pillow's encoder of animations merges equal consecutive frames. Up to 256 colours per frame are stored exactly (255 with
transparency). With more colours, the mean error of six photographs is 1.8 levels; with OpenCV's encoder
(`IMWRITE_GIF_DITHER` 3) it is 2.8 (2026-11-23, Pillow 13.0, OpenCV 5.0).
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.animation import AnimatedFormat, Animation, changed
from imgconv.images.formats.opencv_codec import swapped
from imgconv.images.formats.picture import Picture
from imgconv.images.image import Coding
from imgconv.images.metadata import Fitted, Metadata, text_of, utf_8
from imgconv.images.pages import Header, Timing

_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_CONTROL, _COMMENT, _APPLICATION = 0xF9, 0xFE, 0xFF  # labels of extensions
_PICTURE, _TRAILER = -1, -2

_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_XMP = b"XMP DataXMP"
# XMP is stored without blocks. This trailer leads programs that expect blocks to its end, wherever they enter it.
_RAMP = b"\x01" + bytes(range(255, -1, -1)) + b"\0"

# Files with many smaller blocks are rejected, because parsing them takes long. Encoders fill blocks with 255 bytes.
_FEWEST_BYTES_A_BLOCK = 16
_MOST_SMALL_BLOCKS = 1 << 16

_ON = 128  # minimum alpha of an opaque pixel, as in OpenCV
_TRANSPARENT = 255  # index of the transparent colour
_KEEP, _RESTORE = 1, 3  # disposal methods; 2 (clear) is not used, because OpenCV ignores it
_LONGEST = 65_535  # hundredths of a second

_NO_TRAILER = "the file ends without a trailer; frames may be missing"


class _Block(NamedTuple):
    """A picture, an extension (with its label) or the trailer: its start, and start and end of its data blocks."""

    label: int
    start: int
    data: int
    end: int


class Gif(AnimatedFormat):
    """GIF 89a."""

    name = "gif"
    title = "GIF"
    extensions = (".gif",)
    signatures = (b"GIF87a", b"GIF89a")
    grey = False
    alpha = True
    places = frozenset({"xmp", "comment"})
    lossless = False
    max_side = 65_535
    plugin = "GifImagePlugin:GifImageFile"
    max_duration = 10.0 * _LONGEST
    alpha_is_a_hint = True

    def header(self, file: FileBytes) -> Header:
        """Return the header of the frames as Pillow decodes them. There is alpha if the first has a transparent colour."""
        alpha = False
        for block in _blocks(file.view):
            if block.label == _CONTROL and file.view[block.data] >= 4:
                alpha = bool(file.view[block.data + 1] & 1)
            elif block.label == _PICTURE:
                columns, rows = map(max, struct.unpack_from("<HH", file.view, 6), _corner(file.view, block))
                if rows and columns:
                    return Header.of(rows, columns, 4 if alpha else 3, np.uint8)
                break
        raise HeaderError

    def animation(self, file: FileBytes) -> Animation:
        """Return number and durations of the frames. A file without a loop count is played once."""
        view = file.view
        rows, columns = self.header(file).shape[:2]
        durations: list[float] = []
        loop, hundredths = 1, 0
        notes: tuple[str, ...] = (_NO_TRAILER,)
        for block in _blocks(view):
            if block.label == _CONTROL and view[block.data] >= 4:
                (hundredths,) = struct.unpack_from("<H", view, block.data + 2)
            elif block.label == _APPLICATION and view[block.data + 1 : block.data + 12] in _LOOPS:
                content = bytes(view[block.data + 12 : block.end])
                if len(content) >= 5 and content[0] >= 3 and content[1] & 7 == 1:  # repeats after the first time
                    repeats = int.from_bytes(content[2:4], "little")
                    loop = repeats + 1 if repeats else 0
            elif block.label == _PICTURE:
                right, bottom = _corner(view, block)
                if right > columns or bottom > rows:
                    raise HeaderError(f"frame {len(durations) + 1} extends beyond the picture of {rows} x {columns} pixels")
                durations.append(10 * hundredths)
                hundredths = 0
            elif block.label == _TRAILER:
                notes = ()
        return Animation(Timing(tuple(durations), loop), notes=notes)

    def pillow_file(self, view: memoryview) -> Any:
        """Return a file opened with Pillow, changed so that frames with grey palettes can be combined with coloured ones."""
        from PIL.GifImagePlugin import GifImageFile

        class Coloured(GifImageFile):
            def _is_palette_needed(self, p: bytes) -> bool:
                return True

        return Coloured(io.BytesIO(view))

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return the first comment and the first XMP block."""
        view, comment, xmp = file.view, "", b""
        try:
            for label, _, data, end in _blocks(view):
                if label == _COMMENT:
                    comment = comment or text_of(_joined(view[data:end]))
                elif label == _APPLICATION and view[data + 1 : data + 12] == _XMP and view[end - len(_RAMP) : end] == _RAMP:
                    xmp = xmp or bytes(view[data + 12 : end - len(_RAMP)])
        except HeaderError:  # the file is truncated
            pass
        return Metadata(comment=comment, xmp=xmp), Coding()

    def fit(self, metadata: Metadata, colours: int) -> Fitted:
        """Return the metadata that GIF can store."""
        kept, lost = super().fit(metadata, colours)
        if b"\0" in kept.xmp:  # UTF-16, in which programs that expect blocks find an end in the middle
            kept, lost["xmp"] = replace(kept, xmp=b""), "GIF stores it only as UTF-8"
        return kept, lost

    def prepare(self, picture: Picture, coding: Coding) -> tuple[Picture, list[str]]:
        """Return the picture as GIF stores it, with a note if alpha has values other than 0 and 255."""
        picture, notes = super().prepare(picture, coding)
        if picture.header.has_alpha:
            pixels = picture.pixels()
            picture = replace(picture, strips=(pixels,))
            if not np.isin(pixels[:, :, -1], (0, 255)).all():
                notes.append(f"stored alpha as opaque (from {_ON}) or transparent: GIF has no partial transparency")
        return picture, notes

    def encode(self, picture: Picture, coding: Coding, where: str) -> Iterable[Piece]:
        """Return a file with one picture."""
        return self.encode_frames([picture.pixels()], Timing((0.0,), 1), coding, picture.metadata, where)

    def encode_frames(
        self, frames: Sequence[NDArray[Any]], timing: Timing, coding: Coding, metadata: Metadata, where: str
    ) -> Iterator[Piece]:
        """Return a file with an animation. Each frame has its own palette."""
        rows, columns = frames[0].shape[:2]
        yield _head(rows, columns, timing.loop, metadata)
        before = None
        for pixels, duration in zip(frames, timing.durations, strict=True):
            # A positive duration is not rounded to 0, which viewers replace with a tenth of a second.
            hundredths = max(math.floor(duration / 10 + 0.5), int(duration > 0))
            yield from _with_alpha(pixels, hundredths) if pixels.shape[2] == 4 else _without_alpha(pixels, before, hundredths)
            before = pixels
        yield bytes([_END])


def _blocks(view: memoryview) -> Iterator[_Block]:
    """Yield the pictures and extensions of a file, and its trailer, which some encoders omit.

    Raises:
        HeaderError: a block has an unknown kind, the file ends within a block, or there are too many small blocks.
    """
    left = _MOST_SMALL_BLOCKS + len(view) // _FEWEST_BYTES_A_BLOCK
    try:
        at = 13 + _colour_table(view[10])
        while at < len(view) and view[at] != _END:
            start, label = at, _PICTURE
            if view[at] == _EXTENSION:
                label, at = view[at + 1], at + 2
            elif view[at] == _IMAGE:
                at += 11 + _colour_table(view[at + 9])
            elif view[at]:
                raise HeaderError
            data = at
            size = -1
            while size:
                size = view[at]
                at += 1 + size
                left -= 1
                if left < 0:
                    raise HeaderError
            if data > start:  # else an extra block terminator, which some encoders write
                yield _Block(label, start, data, at)
        if at < len(view):
            yield _Block(_TRAILER, at, at, at + 1)
    except IndexError:
        raise HeaderError("is damaged or truncated: it ends within a block") from None


def _colour_table(flags: int) -> int:
    """Return the length of a colour table in bytes."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _corner(view: memoryview, picture: _Block) -> tuple[int, int]:
    """Return the right and bottom ends of a picture, in pixels."""
    left, top, columns, rows = struct.unpack_from("<4H", view, picture.start + 1)
    return left + columns, top + rows


def _joined(blocks: memoryview) -> bytes:
    found, at = [], 0
    while size := blocks[at]:
        found.append(blocks[at + 1 : at + 1 + size])
        at += 1 + size
    return b"".join(found)


def _head(rows: int, columns: int, loop: int, metadata: Metadata) -> bytes:
    """Return the bytes before the first frame: size, loop count, metadata."""
    found = b"GIF89a" + struct.pack("<HHBBB", columns, rows, 0x70, 0, 0)  # 8 bits per primary, no global palette
    if loop != 1:
        repeats = min(loop - 1, 65_535) if loop else 0
        found += b"!\xff\x0b" + _LOOPS[0] + b"\x03\x01" + struct.pack("<HB", repeats, 0)
    if metadata.xmp:
        found += b"!\xff\x0b" + _XMP + metadata.xmp + _RAMP
    if metadata.comment:
        text = utf_8(metadata.comment)
        blocks = (text[at : at + 255] for at in range(0, len(text), 255))
        found += b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    return found


def _without_alpha(pixels: NDArray[Any], before: NDArray[Any] | None, hundredths: int) -> list[bytes]:
    """Return a frame of opaque pixels: only the part that differs from the frame before. The frame stays for the next one."""
    top, left, part = (0, 0, pixels) if before is None else changed(pixels, before)
    return _frame(_quantized(part, 256), (left, top), duration=10 * hundredths, disposal=_KEEP)


def _with_alpha(pixels: NDArray[Any], hundredths: int) -> list[bytes]:
    """Return a frame with transparent pixels. It is removed before the next frame, so that it does not show through."""
    from PIL import Image as Pillow

    opaque = pixels[:, :, 3] >= _ON
    indices = np.full(opaque.shape, _TRANSPARENT, np.uint8)
    colours = bytes(3)
    if opaque.any():
        # Transparent pixels are excluded, so that they do not use up palette entries.
        visible = _quantized(pixels[opaque][np.newaxis, :, :3], 255)
        indices[opaque], colours = np.asarray(visible)[0], bytes(visible.getpalette())
    picture = Pillow.fromarray(indices)
    picture.putpalette(colours.ljust(768, b"\0"))
    return _frame(picture, (0, 0), duration=10 * hundredths, disposal=_RESTORE, transparency=_TRANSPARENT)


def _quantized(pixels: NDArray[Any], most: int) -> Any:
    """Return pixels as a Pillow image with a palette of at most `most` colours."""
    from PIL import Image as Pillow

    picture = Pillow.fromarray(swapped(pixels))
    return picture.quantize(most, method=Pillow.Quantize.MEDIANCUT, dither=Pillow.Dither.NONE)


def _frame(picture: Any, place: tuple[int, int], **options: int) -> list[bytes]:
    from PIL.GifImagePlugin import getdata

    return getdata(picture, place, include_color_table=True, **options)
