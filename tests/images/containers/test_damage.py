"""Damaged files, files made to mislead, files made to take for ever: they say what can be read, soon."""

from __future__ import annotations

import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgconv.images import containers
from imgconv.images.formats import FORMATS
from imgconv.images.metadata import Metadata

WRITABLE = [name for name in containers.CONTAINERS if containers.container_of(name).written]


@pytest.fixture(scope="module")
def files(everything, put, picture) -> dict[str, bytes]:
    return {
        **{kind: put(kind, everything) for kind in WRITABLE},
        "avif": cv2.imencodeWithMetadata(
            ".avif",
            picture,
            [cv2.IMAGE_METADATA_EXIF, cv2.IMAGE_METADATA_XMP, cv2.IMAGE_METADATA_ICCP],
            [np.frombuffer(b, np.uint8) for b in (everything.exif, everything.xmp, everything.icc)],
        )[1].tobytes(),
    }


HEADS = {
    "jpeg": b"\xff\xd8\xff",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\0\0\0\0",
    "webp": b"RIFF\xff\0\0\0WEBP",
    "gif": b"GIF89a\x01\0\x01\0\0\0\0",
    "avif": b"\0\0\0\x10ftypavif\0\0\0\0",
}
WORDS = {
    "jpeg": [b"\xff\xe0\0\x10JFIF\0", b"\xff\xe1\0\x10Exif\0\0II*\0", b"\xff\xdb\0\x43\0", b"\xff\xc0\0\x11", b"ICC_PROFILE\0"],
    "png": [b"\0\0\0\x08eXIf", b"\0\0\0\x09pHYs", b"\0\0\0\x20cHRM", b"\0\0\0\x04gAMA", b"\0\0\0\x0ciCCPa\0\0"],
    "webp": [b"VP8X\x0a\0\0\0", b"EXIF\x08\0\0\0II*\0", b"ANMF", b"XMP "],
    "gif": [b"\x21\xfe", b"\x21\xff\x0bXMP DataXMP", b"\x2c", b"\x02", b"\0"],
    "avif": [struct.pack(">I4s", size, b"i" + n) for size in (0, 24) for n in (b"prp", b"pco", b"pma", b"inf", b"loc", b"ref")]
    + [b"\0\0\0\0meta\0\0\0\0"],
}  # fmt: skip


@pytest.mark.parametrize("kind", HEADS)
@settings(max_examples=60)
@given(data=st.data())
def test_any_bytes_say_something(kind, data) -> None:
    tail = data.draw(st.lists(st.sampled_from(WORDS[kind]) | st.binary(max_size=9), max_size=30).map(b"".join))
    metadata, coding = containers.read(memoryview(HEADS[kind] + tail), kind)
    assert isinstance(metadata, Metadata)
    assert coding.quality is None or 1 <= coding.quality <= 100


@pytest.mark.parametrize("kind", HEADS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_say_something(kind, data, files) -> None:
    damaged = bytearray(files[kind])
    for position in data.draw(st.lists(st.integers(0, min(len(damaged), 3000) - 1), max_size=8)):
        damaged[position] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    metadata, _ = containers.read(memoryview(damaged)[:cut], kind)
    assert 1 <= metadata.orientation <= 8
    # What was read of it can be written again.
    for name in WRITABLE:
        again = containers.fitted(FORMATS[name], metadata, 3).metadata
        containers.written(FORMATS[name], memoryview(files[name]), again)


@pytest.mark.parametrize("kind", HEADS)
def test_every_cut_says_something(kind, files) -> None:
    for cut in range(0, min(len(files[kind]), 2500), 3):
        containers.read(memoryview(files[kind])[:cut], kind)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))


BOMB = zlib.compress(bytes(60_000_000), 9)

HOSTILE = {
    "segments of nothing": ("jpeg", HEADS["jpeg"][:2] + b"\xff\xe5\0\2" * 2_000_000),
    "no markers": ("jpeg", HEADS["jpeg"] + bytes(8_000_000)),
    "extensions of XMP": (
        "jpeg",
        HEADS["jpeg"][:2]
        + b'\xff\xe1\0\x5bhttp://ns.adobe.com/xap/1.0/\0 x:HasExtendedXMP="' + b"A" * 32 + b'"' + bytes(7)
        + b"".join(b"\xff\xe1\0\x4dhttp://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">II", 50_000, i) + b"."
                   for i in range(50_000)),
    ),
    "blanks and names in XMP": (
        "jpeg",
        b"\xff\xd8" + b"".join(
            b"\xff\xe1\xff\xffhttp://ns.adobe.com/xap/1.0/\0" + word * (65_504 // len(word)) + bytes(65_504 % len(word))
            for word in (b" ", b" xmlns:a", b"<a:", b" a:HasExtendedXMP=", b"<rdf:RDF ")
        ),
    ),
    "empty chunks": ("png", HEADS["png"] + chunk(b"aaaa", b"") * 700_000),
    "empty texts": ("png", HEADS["png"] + chunk(b"tEXt", b"") * 700_000),
    "a bomb in each text": (
        "png",
        HEADS["png"] + chunk(b"iCCP", b"a\0\0" + BOMB) + b"".join(
            chunk(b"zTXt", b"%s\0\0" % name + BOMB)
            for name in (b"Comment", b"Description", *(b"Raw profile type " + t for t in (b"exif", b"APP1", b"iptc", b"xmp")))
            for _ in range(20)
        ),
    ),
    "blanks before a raw profile": ("png", HEADS["png"] + chunk(b"tEXt", b"Raw profile type exif\0" + b" " * 9_000_000)),
    "empty chunks of WebP": ("webp", HEADS["webp"] + b"aaaa\0\0\0\0" * 1_000_000),
    "comments of nothing": ("gif", HEADS["gif"] + b"\x21\xfe\0" * 3_000_000),
    "comments of one byte": ("gif", HEADS["gif"] + (b"\x21\xfe" + b"\x01a" * 40_000 + b"\0") * 100),
    "pictures of nothing": ("gif", HEADS["gif"] + (b"\x2c" + bytes(11)) * 500_000),
    "boxes of nothing": ("avif", HEADS["avif"] + b"\0\0\0\x08free" * 1_000_000),
    "metas of nothing": ("avif", HEADS["avif"] + b"\0\0\0\x0cmeta\0\0\0\0" * 700_000),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_files_made_to_take_for_ever_do_not(case) -> None:
    kind, data = HOSTILE[case]
    start = time.process_time()
    containers.read(memoryview(data), kind)
    assert time.process_time() - start < 2
