"""AVIF's own way of saying how a picture is turned, and the rest that OpenCV does not tell."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps, features

from imgconv.images import avif
from imgconv.images.decoding import decode
from imgconv.images.metadata import upright

written_by_pillow = pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")


def box(name: bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    return struct.pack(">I4s", 8 + len(inside), name) + inside


def with_properties(*properties: bytes) -> memoryview:
    return memoryview(box(b"ftyp", b"avif") + box(b"meta", bytes(4), box(b"iprp", box(b"ipco", *properties))))


@written_by_pillow
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_pillow_turns_is_read_turned(orientation, saved) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20, :30], pixels[:20, 30:], pixels[20:, :30] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = orientation, "A maker"
    image = decode(saved(pixels, "AVIF", exif=exif.tobytes(), quality=95))
    assert image.metadata.orientation == orientation
    found = upright(image.pixels, orientation)[..., ::-1]
    source = Pillow.fromarray(pixels)
    source.getexif()[0x0112] = orientation
    assert np.abs(found.astype(int) - np.asarray(ImageOps.exif_transpose(source))).mean() < 5


@written_by_pillow
def test_the_profile_is_found(saved, profile) -> None:
    data = memoryview(saved(np.zeros((8, 8, 3), np.uint8), "AVIF", icc_profile=profile))
    assert avif.profile(data) == profile
    assert decode(data).metadata.icc == profile


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ((), 1),
        ((box(b"irot", b"\x01"),), 8),
        ((box(b"irot", b"\x02"),), 3),
        ((box(b"irot", b"\x03"),), 6),
        ((box(b"imir", b"\x00"),), 4),
        ((box(b"imir", b"\x01"),), 2),
        ((box(b"irot", b"\x01"), box(b"imir", b"\x00")), 5),
        ((box(b"irot", b"\x03"), box(b"imir", b"\x00")), 7),
        ((box(b"irot"),), 1),
    ],
)
def test_turns_and_mirrors_as_orientations(properties, expected) -> None:
    assert avif.orientation(with_properties(*properties)) == expected


def test_sizes_of_64_bits_and_to_the_end() -> None:
    inside = box(b"irot", b"\x01")
    long = struct.pack(">I4sQ", 1, b"ipco", 16 + len(inside)) + inside
    open_ended = struct.pack(">I4s", 0, b"meta") + bytes(4) + box(b"iprp", long)
    assert avif.orientation(memoryview(open_ended)) == 8


@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_say_something(data, wrapped) -> None:
    view = with_properties(data) if wrapped else memoryview(data)
    assert 1 <= avif.orientation(view) <= 8
    assert avif.frames(view) >= 1
    assert isinstance(avif.profile(view), bytes)
