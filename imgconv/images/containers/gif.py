"""Metadata in and out of a GIF: a comment and XMP, each in an extension (GIF 89a, 24, 26; XMP specification, part 3, 1.1.2)."""

from __future__ import annotations

from dataclasses import replace

from imgconv.images.atomic import Piece
from imgconv.images.coding import Coding
from imgconv.images.containers.container import Fitted, LeftOut, fitting
from imgconv.images.containers.texts import text_of, utf_8
from imgconv.images.metadata import Metadata

_EXTENSION, _PICTURE = 0x21, 0x2C
_COMMENT, _APPLICATION = 0xFE, 0xFF

_XMP = b"\x0bXMP DataXMP"
# XMP stands there as it is, not in blocks. Whoever steps through it as blocks lands somewhere in this ramp, and so at its end.
_RAMP = b"\x01" + bytes(range(255, -1, -1)) + b"\0"

_MOST_STEPS = 1 << 16


def read(view: memoryview) -> tuple[Metadata, Coding]:
    """Return what a GIF says, as far as it is found in some ten thousand blocks."""
    comment, xmp = "", b""
    at = _after_header(view)
    steps = 0
    while at + 2 <= len(view) and steps < _MOST_STEPS:
        start = at
        if view[at] == _EXTENSION:
            at += 2
        elif view[at] == _PICTURE and at + 10 <= len(view):
            at += 11 + _colour_table(view[at + 9])
        else:
            break
        first = at
        at, taken = _after_blocks(view, at, _MOST_STEPS - steps)
        steps += taken + 1
        if at > len(view):
            break
        if view[start] == _EXTENSION and view[start + 1] == _COMMENT and not comment:
            comment = text_of(_joined(view[first:at]))
        elif view[start] == _EXTENSION and view[start + 1] == _APPLICATION and view[first : first + 12] == _XMP and not xmp:
            xmp = _packet(bytes(view[first + len(_XMP) : at]))
    return Metadata(comment=comment, xmp=xmp), Coding()


def fitted(metadata: Metadata, colours: int = 3) -> Fitted:
    """Return what goes into a GIF."""
    kept, lost = fitting(metadata, {"comment", "xmp"}, "GIF", colours)
    if b"\0" in kept.xmp:  # UTF-16: it would end in the middle
        lost = (*lost, LeftOut("xmp", "a GIF holds it in UTF-8 only"))
        kept = replace(kept, xmp=b"")
    return Fitted(kept, lost)


def written(encoded: memoryview, metadata: Metadata) -> list[Piece]:
    """Return an encoder's GIF with metadata put in before its first picture, behind what says how often it is played."""
    at = _after_header(encoded)
    while encoded[at : at + 2] == bytes([_EXTENSION, _APPLICATION]):
        at, _ = _after_blocks(encoded, at + 2, _MOST_STEPS)
    extensions = b""
    if metadata.xmp:
        extensions += bytes([_EXTENSION, _APPLICATION]) + _XMP + metadata.xmp + _RAMP
    if metadata.comment:
        text = utf_8(metadata.comment)
        blocks = (text[i : i + 255] for i in range(0, len(text), 255))
        extensions += bytes([_EXTENSION, _COMMENT]) + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0"
    if not extensions:
        return [encoded]
    return [b"GIF89a", encoded[6:at], extensions, encoded[at:]]


def _after_header(view: memoryview) -> int:
    return 13 + _colour_table(view[10]) if len(view) >= 13 else len(view)


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(view: memoryview, at: int, most: int) -> tuple[int, int]:
    """Return where the blocks end, each a byte of length and its content, the last one empty, and how many there were.

    Where there are more than `most`, or the file ends before, that is behind its end.
    """
    for taken in range(most):
        if at >= len(view):
            break
        size = view[at]
        at += 1 + size
        if not size:
            return at, taken
    return len(view) + 1, most


def _joined(blocks: memoryview) -> bytes:
    found, at = [], 0
    while at < len(blocks) and blocks[at]:
        found.append(bytes(blocks[at + 1 : at + 1 + blocks[at]]))
        at += 1 + blocks[at]
    return b"".join(found)


def _packet(content: bytes) -> bytes:
    """Return the XMP before the ramp, or nothing where there is none: some writers put it into blocks after all."""
    return content[: -len(_RAMP)] if content.endswith(_RAMP) else b""
