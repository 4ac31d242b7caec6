"""The blocks of a GIF (GIF 89a): where its pictures are, when they are shown, and what becomes of them after that.

A GIF is a screen, onto which one picture after another is drawn, each in its own place and with its own colours. Nothing is
decoded here.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_EXTENSION, _PICTURE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION, _PLAIN_TEXT = 0xF9, 0xFF, 0x01
_LOCAL_COLOURS, _INTERLACED = 0x80, 0x40

# Encoders fill their blocks, but for the last one of a picture: 255 bytes. A file of smaller ones is long to step through.
_FEWEST_BYTES_A_BLOCK = 16
_MOST_BLOCKS = 1 << 16


class GifError(ValueError):
    """The blocks make no sense, or end too early."""


class GifFrame(NamedTuple):
    """A picture of a GIF.

    Attributes:
        top, left, rows, columns: where it is drawn; it may reach beyond the screen.
        interlaced: whether its rows are stored in four passes.
        colours: its own red, green, blue, ...; None where those of the file hold.
        codes: where the codes of its pixels are, from the byte that gives their size to the empty block.
        transparent: the index that draws nothing, or -1.
        disposal: 2: its place is cleared before the next one is drawn; 3: what was there before is put back.
        duration: milliseconds.
    """

    top: int
    left: int
    rows: int
    columns: int
    interlaced: bool
    colours: memoryview | None
    codes: memoryview
    transparent: int
    disposal: int
    duration: int


class GifFile(NamedTuple):
    """A GIF: rows and columns of its screen, its own colours, its pictures, how often they are played (0: for ever)."""

    rows: int
    columns: int
    colours: memoryview | None
    frames: list[GifFrame]
    loop: int


class _Control(NamedTuple):
    """What the extension before a picture says of it."""

    transparent: int = -1
    disposal: int = 0
    duration: int = 0


def parsed(view: memoryview) -> GifFile:
    """Return what the blocks of a GIF say.

    Raises:
        GifError: they make no sense, or the file ends before they do.
    """
    try:
        return _parsed(view)
    except (struct.error, IndexError) as error:
        raise GifError("ends too early") from error


def _parsed(view: memoryview) -> GifFile:
    columns, rows, flags = struct.unpack_from("<HHB", view, 6)
    if not rows or not columns:
        raise GifError(f"has {rows} x {columns} pixels")
    colours, at = _colours(view, 13, flags)
    frames: list[GifFrame] = []
    loop, control = 1, _Control()  # without a word on it, it is played once
    steps = _MOST_BLOCKS + len(view) // _FEWEST_BYTES_A_BLOCK
    while True:
        block = view[at]
        if block == _TRAILER:
            return GifFile(rows, columns, colours, frames, loop)
        if block == _PICTURE:
            frame, at, steps = _frame(view, at + 1, control, steps)
            frames.append(frame)
            control = _Control()
        elif block == _EXTENSION:
            label, start = view[at + 1], at + 2
            at, steps = _after_blocks(view, start, steps)
            if label == _GRAPHIC_CONTROL and view[start] >= 4:
                control = _control(view, start + 1)
            elif label == _APPLICATION and bytes(view[start + 1 : start + 12]) in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
                loop = _loop(view, start + 12, loop)
            elif label == _PLAIN_TEXT:
                control = _Control()
        elif block == 0:  # an end of blocks too many, as some encoders write
            at += 1
        else:
            raise GifError("has a block of an unknown kind")
        steps -= 1


def _control(view: memoryview, at: int) -> _Control:
    flags, hundredths, transparent = struct.unpack_from("<BHB", view, at)
    # Disposal 4 is what some encoders understood by the third of three bits; browsers take it for 3.
    disposal = {2: 2, 3: 3, 4: 3}.get(flags >> 2 & 7, 0)
    return _Control(transparent if flags & 1 else -1, disposal, 10 * hundredths)


def _loop(view: memoryview, at: int, otherwise: int) -> int:
    """Return how often it is played: the number in the file is how often it is repeated after the first time."""
    size, kind, repeats = struct.unpack_from("<BBH", view, at)
    if size < 3 or kind & 7 != 1:
        return otherwise
    return repeats + 1 if repeats else 0


def _frame(view: memoryview, at: int, control: _Control, steps: int) -> tuple[GifFrame, int, int]:
    left, top, columns, rows, flags = struct.unpack_from("<HHHHB", view, at)
    colours, start = _colours(view, at + 9, flags)
    end, steps = _after_blocks(view, start + 1, steps)
    interlaced = bool(flags & _INTERLACED)
    frame = GifFrame(top, left, rows, columns, interlaced, colours, view[start:end], *control)
    return frame, end, steps


def _colours(view: memoryview, at: int, flags: int) -> tuple[memoryview | None, int]:
    if not flags & _LOCAL_COLOURS:
        return None, at
    end = at + (3 << (flags & 7) + 1)
    if end > len(view):
        raise GifError("ends too early")
    return view[at:end], end


def _after_blocks(view: memoryview, at: int, steps: int) -> tuple[int, int]:
    """Return where the blocks end, each a byte of length and its content, the last one empty, and the steps that are left."""
    while True:
        size = view[at]
        at += 1 + size
        if not size:
            return at, steps
        steps -= 1
        if steps < 0:
            raise GifError("is made of blocks of next to nothing")
