"""XMP in the segments of a JPEG, of which one holds no more than 64 KB (XMP specification, part 3, 1.1.3).

What is longer is cut: one packet that names the rest by its MD5 digest, and the rest in parts. Here the whole packet is the
rest, and the one in front says nothing but its name; other writers leave some properties there. Those are joined as text.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

_STANDARD = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"

_LONGEST = 65_502  # of the packet in front
_PART = 65_400  # of each part of the rest
_HEAD = struct.Struct(">32sII")  # of each part: the digest, the length of all, where this part begins

_FRONT = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="%s"/>'
    b"</rdf:RDF></x:xmpmeta>"
)

# The name of the rest: an attribute, or an element.
_NAME = re.compile(rb"""\s[\w.-]+:HasExtendedXMP\s*=\s*(?:"([0-9A-Fa-f]{32})"|'([0-9A-Fa-f]{32})')""")
_NAME_ELEMENT = re.compile(rb"<([\w.-]+:HasExtendedXMP)>\s*([0-9A-Fa-f]{32})\s*</\1>")
_NAMESPACE = re.compile(rb"""\sxmlns:([\w.-]+)\s*=\s*("[^"<]*"|'[^'<]*')""")


def parts(packet: bytes) -> Iterator[bytes]:
    """Yield the contents of the segments that hold a packet; none for no packet."""
    if packet and len(packet) > _LONGEST:
        packet = _unwrapped(packet)
    if not packet:
        return
    if len(packet) <= _LONGEST:
        yield _STANDARD + packet
        return
    import hashlib

    digest = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper().encode()
    yield _STANDARD + _FRONT % digest
    for at in range(0, len(packet), _PART):
        yield _EXTENSION + _HEAD.pack(digest, len(packet), at) + packet[at : at + _PART]


def _unwrapped(packet: bytes) -> bytes:
    """Return a packet without what stands around it: marks for programs that know nothing of the file, room to write in."""
    found = packet.strip(b" \t\r\n\0")
    end = found.rfind(b"<?xpacket end")
    if end > 0 and found.find(b"?>", end) == len(found) - 2:
        found = found[:end].rstrip()
    if found.startswith(b"<?xpacket begin"):
        found = found[found.find(b"?>") + 2 :].lstrip()
    return found


def joined(segments: list[bytes]) -> bytes:
    """Return the packet that segments hold, in the order of the file, or nothing; other segments may be among them."""
    front = next((s[len(_STANDARD) :] for s in segments if s.startswith(_STANDARD)), b"").rstrip(b"\0")
    attribute, element = _NAME.search(front), _NAME_ELEMENT.search(front)
    if not attribute and not element:
        return front
    digest = (attribute[1] or attribute[2]) if attribute else element[2] if element else b""
    rest = _rest(segments, digest)
    if not rest:
        return front
    without = _NAME_ELEMENT.sub(b"", _NAME.sub(b"", front))
    if without == _NAME.sub(b"", _FRONT % digest):
        return rest
    return _merged(without, rest) or front


def _rest(segments: list[bytes], digest: bytes) -> bytes:
    """Return what the parts of the rest are together, or nothing where one is missing."""
    found: dict[int, bytes] = {}
    size = 0
    start = len(_EXTENSION) + _HEAD.size
    for segment in segments:
        if segment.startswith(_EXTENSION) and len(segment) > start:
            name, length, at = _HEAD.unpack_from(segment, len(_EXTENSION))
            if name.upper() == digest.upper():
                size = size or length
                found.setdefault(at, segment[start:])
    end = 0
    for at in sorted(found):
        if at != end:
            return b""
        end += len(found[at])
    return b"".join(found[at] for at in sorted(found)) if end == size else b""


def _merged(front: bytes, rest: bytes) -> bytes:
    """Return the packet in front with the descriptions of the rest put behind its own, or nothing where that fails."""
    inside, outside = _description_of(rest), _description_of(front)
    if inside is None or outside is None:
        return b""
    names = {name: value[1:-1] for name, value in _NAMESPACE.findall(front[: outside[0]])}
    missing = b""
    for name, value in _NAMESPACE.findall(rest[: inside[0]]):
        if name not in names:
            names[name] = value[1:-1]
            missing += b" xmlns:" + name + b"=" + value
        elif names[name] != value[1:-1]:
            return b""  # the same prefix means something else there
    tag = outside[0] - 1
    return front[:tag] + missing + front[tag : outside[1]] + rest[inside[0] : inside[1]] + front[outside[1] :]


def _description_of(packet: bytes) -> tuple[int, int] | None:
    """Return where the content of the element rdf:RDF begins and ends."""
    start = packet.find(b"<rdf:RDF")
    begin, end = packet.find(b">", start) + 1, packet.rfind(b"</rdf:RDF")
    return (begin, end) if 0 <= start < begin <= end and packet[begin - 2 : begin] != b"/>" else None
