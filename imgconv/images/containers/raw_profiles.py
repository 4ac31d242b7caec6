"""Blocks of metadata as texts of a PNG, in hexadecimal: the way of ImageMagick, before there were chunks for them.

For IPTC there still is none, and ExifTool, too, reads it here: a line end, the name, the length in decimal, the bytes.
"""

from __future__ import annotations

import re
import struct

#: What such a block may be called, behind `Raw profile type `.
KINDS = (b"exif", b"APP1", b"iptc", b"8bim", b"xmp")

_HEAD = re.compile(rb"\s*[^\n]{1,79}\n\s*(\d{1,10})\s")
_LONGEST_HEAD = 256
_LINE = 36  # bytes
_XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_RECORD = b"8BIM\x04\x04\0\0"  # an image resource: IPTC records, without a name
_IPTC = 0x1C  # the byte that each IPTC record begins with


def parsed(text: bytes) -> bytes:
    """Return the block of a text, or nothing where it is damaged."""
    head = _HEAD.match(text[:_LONGEST_HEAD])
    if head is None:
        return b""
    try:
        found = bytes.fromhex(text[head.end() :].decode("ascii"))
    except ValueError:
        return b""
    size = int(head[1])
    return found[:size] if len(found) >= size else b""


def made(name: bytes, block: bytes) -> bytes:
    """Return the text of a block."""
    lines = (block[at : at + _LINE].hex().encode() for at in range(0, len(block), _LINE))
    return b"\n%s\n%8d\n%s\n" % (name, len(block), b"\n".join(lines))


def xmp_in(app1: bytes) -> bytes:
    """Return the XMP of what was the first segment APP1 of a JPEG, or nothing."""
    return app1.removeprefix(_XMP_IN_JPEG) if app1.startswith(_XMP_IN_JPEG) else b""


def resources(block: bytes) -> bytes:
    """Return a block as Photoshop's image resources; bare IPTC records become the one that holds them."""
    if block[:1] != bytes([_IPTC]):
        return block if block.startswith(b"8BIM") else b""
    return _RECORD + struct.pack(">I", len(block)) + block + bytes(len(block) % 2)
