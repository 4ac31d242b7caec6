"""Metadata of damaged and malicious files: read as far as possible, and quickly."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgconv.images.file_bytes import FileBytes
from imgconv.images.formats import registry
from imgconv.images.image import Coding
from imgconv.images.metadata import Metadata


def read(kind: str, data: bytes | bytearray | memoryview) -> tuple[Metadata, Coding]:
    """Return the metadata and the coding that a format reads from data."""
    return registry.format_named(kind).metadata(FileBytes(memoryview(data)))


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
def test_random_bytes_raise_nothing(kind, data) -> None:
    tail = data.draw(st.lists(st.sampled_from(WORDS[kind]) | st.binary(max_size=9), max_size=30).map(b"".join))
    metadata, coding = read(kind, HEADS[kind] + tail)
    assert isinstance(metadata, Metadata)
    assert coding.quality is None or 1 <= coding.quality <= 100


@pytest.mark.parametrize("kind", HEADS)
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_files_raise_nothing(kind, data, full_metadata, file_with) -> None:
    damaged = bytearray(file_with(kind, full_metadata))
    for position in data.draw(st.lists(st.integers(0, min(len(damaged), 3000) - 1), max_size=8)):
        damaged[position] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    metadata, _ = read(kind, memoryview(damaged)[:cut])
    assert 1 <= metadata.orientation <= 8
    # The metadata that was read can be written.
    for name in ("jpeg", "png", "webp"):
        chosen = registry.format_named(name)
        chosen.with_metadata(memoryview(file_with(name, Metadata())), chosen.fit(metadata, 3)[0])


@pytest.mark.parametrize("kind", HEADS)
def test_truncated_files_raise_nothing(kind, full_metadata, file_with) -> None:
    data = file_with(kind, full_metadata)
    for cut in range(0, min(len(data), 2500), 3):
        read(kind, data[:cut])


HOSTILE = {
    "empty segments": ("jpeg", HEADS["jpeg"][:2] + b"\xff\xe5\0\2" * 2_000_000),
    "no markers": ("jpeg", HEADS["jpeg"] + bytes(8_000_000)),
    "empty chunks of WebP": ("webp", HEADS["webp"] + b"aaaa\0\0\0\0" * 1_000_000),
    "empty boxes": ("avif", HEADS["avif"] + b"\0\0\0\x08free" * 1_000_000),
    "empty meta boxes": ("avif", HEADS["avif"] + b"\0\0\0\x0cmeta\0\0\0\0" * 700_000),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_malicious_files_are_read_quickly(case) -> None:
    kind, data = HOSTILE[case]
    start = time.process_time()
    read(kind, data)
    assert time.process_time() - start < 2
