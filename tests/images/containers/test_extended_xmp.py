"""XMP that is longer than a segment: cut as the specification of XMP says, and joined, whoever has cut it."""

from __future__ import annotations

import hashlib
import io
import struct
import xml.etree.ElementTree as ElementTree

import pytest
import pyvips
from PIL import Image as Pillow

from imgconv.images.containers import extended_xmp
from imgconv.images.metadata import Metadata

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
NOTE = "{http://ns.adobe.com/xmp/note/}"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
STANDARD = b"http://ns.adobe.com/xap/1.0/\0"


def packet(size: int, *, wrapped: bool = False) -> bytes:
    """Return a packet whose description has so many bytes."""
    found = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:a="http://example.com/a/"><a:text>%s</a:text></rdf:Description>'
        b"</rdf:RDF></x:xmpmeta>" % (b"0123456789" * (size // 10))
    )
    if wrapped:
        return (
            b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
            + found
            + b"\n"
            + b" " * 2000
            + b'<?xpacket end="w"?>'
        )
    return found


def descriptions(data: bytes) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(data).iter(RDF + "Description"))


@pytest.mark.parametrize("size", [10, 60_000, 65_400, 65_800, 150_000, 1_000_000])
def test_what_is_cut_can_be_joined(size) -> None:
    found = list(extended_xmp.parts(packet(size)))
    assert all(len(part) <= 65_533 for part in found)
    assert (len(found) > 1) == (len(packet(size)) > 65_502)
    assert extended_xmp.joined(found) == packet(size)
    assert extended_xmp.joined([b"Exif\0\0II", found[0], *reversed(found[1:])]) == packet(size)


def test_the_parts_are_as_the_specification_has_them() -> None:
    front, *rest = extended_xmp.parts(packet(150_000))
    [description] = descriptions(front.removeprefix(STANDARD))
    digest = description.attrib[NOTE + "HasExtendedXMP"]
    joined = b""
    for part in rest:
        assert part.startswith(EXTENSION)
        name, length, offset = struct.unpack_from(">32sII", part, len(EXTENSION))
        assert (name.decode(), length, offset) == (digest, len(packet(150_000)), len(joined))
        joined += part[len(EXTENSION) + 40 :]
    assert hashlib.md5(joined).hexdigest().upper() == digest
    assert joined == packet(150_000)


def test_what_stands_around_a_packet_is_left_out_where_it_is_too_long() -> None:
    wrapped = packet(64_000, wrapped=True)
    assert len(wrapped) > 65_502
    [only] = extended_xmp.parts(wrapped)
    assert only == STANDARD + packet(64_000)
    assert extended_xmp.joined(list(extended_xmp.parts(packet(90_000, wrapped=True)))) == packet(90_000)
    assert extended_xmp.joined(list(extended_xmp.parts(packet(100, wrapped=True)))) == packet(100, wrapped=True)


def test_other_programs_read_what_stands_in_front(put) -> None:
    file = put("jpeg", Metadata(xmp=packet(150_000)))
    front = Pillow.open(io.BytesIO(file)).info["xmp"]
    assert NOTE + "HasExtendedXMP" in descriptions(front)[0].attrib
    assert pyvips.Image.new_from_buffer(file, "").get("xmp-data") == front


FRONT = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmlns:b="http://example.com/b/"%s>%s<b:kept>1</b:kept>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)  # fmt: skip


def extension(data: bytes, digest: bytes, size: int | None = None) -> list[bytes]:
    parts = [data[:70], data[70:]]
    places = [0, 70]
    return [
        EXTENSION + digest + struct.pack(">II", len(data) if size is None else size, at) + part
        for at, part in zip(places, parts, strict=True)
    ]


@pytest.mark.parametrize("kind", ["attribute", "element", "single quotes"])
def test_what_others_have_cut_is_joined(kind) -> None:
    digest = b"0123456789ABCDEF0123456789ABCDEF"
    front = {
        "attribute": FRONT % (b' xmpNote:HasExtendedXMP="%s"' % digest, b""),
        "single quotes": FRONT % (b" xmpNote:HasExtendedXMP='%s'" % digest, b""),
        "element": FRONT % (b"", b"<xmpNote:HasExtendedXMP>%s</xmpNote:HasExtendedXMP>" % digest),
    }[kind]
    # A prefix that is declared around the descriptions comes along with them.
    rest = (
        packet(400)
        .replace(b' xmlns:a="http://example.com/a/"', b"")
        .replace(b"<rdf:RDF", b'<rdf:RDF xmlns:a="http://example.com/a/"')
    )
    joined = extended_xmp.joined([STANDARD + front, *extension(rest, digest.lower())])
    first, second = descriptions(joined)
    assert first.find("{http://example.com/b/}kept").text == "1"
    assert second.find("{http://example.com/a/}text").text == "0123456789" * 40
    assert b"HasExtendedXMP" not in joined


@pytest.mark.parametrize("damage", ["missing part", "wrong length", "another digest", "no RDF", "another meaning"])
def test_a_rest_that_is_damaged_is_left_out(damage) -> None:
    digest = b"0" * 32
    front = FRONT % (b' xmpNote:HasExtendedXMP="%s"' % digest, b"")
    rest = extension(packet(400), digest)
    if damage == "missing part":
        rest = rest[1:]
    elif damage == "wrong length":
        rest = extension(packet(400), digest, 7)
    elif damage == "another digest":
        rest = extension(packet(400), b"1" * 32)
    elif damage == "no RDF":
        rest = extension(b"<a/>" * 50, digest)
    else:
        rest = extension(packet(400).replace(b"adobe:ns:meta/", b"something:else/"), digest)
    assert extended_xmp.joined([STANDARD + front, *rest]) == front


def test_none_is_none() -> None:
    assert list(extended_xmp.parts(b"")) == []
    assert extended_xmp.joined([b"", b"Exif\0\0", EXTENSION]) == b""
