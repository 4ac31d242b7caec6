"""The boxes of AVIF, put around a coded picture by hand: a grid, turns, colours."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import features

from imgconv.images.file_bytes import FileBytes
from imgconv.images.files import decode
from imgconv.images.formats import registry
from imgconv.images.metadata import Metadata

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


def box(name: bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    return struct.pack(">I4s", 8 + len(inside), name) + inside


def full_box(name: bytes, version: int, *content: bytes) -> bytes:
    return box(name, struct.pack(">I", version << 24), *content)


def size(rows: int, columns: int) -> bytes:
    return full_box(b"ispe", 0, struct.pack(">II", columns, rows))


TILE = imagecodecs.avif_encode(np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8), level=100)
CODED = TILE[TILE.index(b"mdat") + 4 :]
ESSENTIAL = (b"av1C", b"irot", b"imir")  # a decoder has to know these properties
PROFILE = box(b"colr", b"prof", b"a profile")


def from_tile(name: bytes) -> bytes:
    """Return a box of the tile."""
    at = TILE.index(name) - 4
    return TILE[at : at + struct.unpack_from(">I", TILE, at)[0]]


AV1, PIXI = from_tile(b"av1C"), from_tile(b"pixi")


def by_hand(kinds: list[bytes], properties: list[list[bytes]], *more: bytes, size_of_meta: int = 0) -> bytes:
    """Return an AVIF of items, the first of which is the picture.

    Args:
        kinds: of each item; the content of a grid is that of two tiles side by side, that of others the coded tile.
        properties: of each item.
        more: boxes of the meta box.
        size_of_meta: how its size is stored: as it is (0), as 64 bits (1).
    """
    unique = list(dict.fromkeys(p for of_item in properties for p in of_item))
    links = b"".join(
        struct.pack(">HB", item, len(of_item)) + bytes(0x80 * (p[4:8] in ESSENTIAL) + unique.index(p) + 1 for p in of_item)
        for item, of_item in enumerate(properties, 1)
    )
    infos = [full_box(b"infe", 2, struct.pack(">HH4s", item, 0, kind) + b"\0") for item, kind in enumerate(kinds, 1)]

    def file(at: int) -> bytes:
        places = b"".join(
            struct.pack(">HHHHII", item, *((1, 0, 1, 0, 8) if kind == b"grid" else (0, 0, 1, at, len(CODED))))
            for item, kind in enumerate(kinds, 1)
        )
        meta = full_box(
            b"meta",
            0,
            full_box(b"hdlr", 0, bytes(4) + b"pict" + bytes(13)),
            full_box(b"pitm", 0, b"\0\1"),
            full_box(b"iloc", 1, struct.pack(">BBH", 0x44, 0, len(kinds)) + places),
            full_box(b"iinf", 0, struct.pack(">H", len(kinds)), *infos),
            box(b"iprp", box(b"ipco", *unique), full_box(b"ipma", 0, struct.pack(">I", len(kinds)) + links)),
            *more,
            box(b"idat", struct.pack(">BBBBHH", 0, 0, 0, 1, 128, 64)),
        )
        if size_of_meta:
            meta = struct.pack(">I4sQ", 1, b"meta", len(meta) + 8) + meta[8:]
        head = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + meta
        return head if at else file(len(head) + 8) + box(b"mdat", CODED)

    return file(0)


def said(*properties: bytes, **options: int) -> Metadata:
    """Return the metadata of a picture with some properties."""
    return decode(by_hand([b"av01"], [[size(64, 64), AV1, PIXI, *properties]], **options)).metadata


QUARTERS = {
    (): 1,
    (box(b"irot", b"\x01"),): 8,
    (box(b"irot", b"\x02"),): 3,
    (box(b"irot", b"\x03"),): 6,
    (box(b"imir", b"\x00"),): 4,
    (box(b"imir", b"\x01"),): 2,
    (box(b"irot", b"\x01"), box(b"imir", b"\x00")): 5,
    (box(b"irot", b"\x03"), box(b"imir", b"\x00")): 7,
}


@pytest.mark.parametrize(("properties", "expected"), QUARTERS.items())
def test_turns_and_mirrors_as_orientations(properties, expected) -> None:
    assert said(*properties).orientation == expected


def test_properties_of_other_items_are_not_those_of_the_picture() -> None:
    plain = [size(64, 64), AV1, PIXI]
    other = [*plain, box(b"irot", b"\1"), nclx(9, 16, 9, 0)]
    assert decode(by_hand([b"av01", b"av01"], [[*plain, nclx(12, 13, 6, 0x80)], other])).metadata == Metadata(
        cicp=b"\x0c\x0d\0\1"
    )


def nclx(*points: int) -> bytes:
    return box(b"colr", b"nclx" + struct.pack(">HHHB", *points))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ((nclx(12, 13, 6, 0x80),), Metadata(cicp=b"\x0c\x0d\0\1")),
        ((nclx(9, 16, 9, 0),), Metadata(cicp=b"\x09\x10\0\1")),
        ((nclx(1, 13, 5, 0x80),), Metadata()),
        ((nclx(2, 2, 6, 0x80),), Metadata()),
        ((nclx(12, 13, 6, 0x80), PROFILE), Metadata(icc=b"a profile")),
        ((PROFILE,), Metadata(icc=b"a profile")),
        ((box(b"colr", b"rICC", b"another"),), Metadata(icc=b"another")),
    ],
)
def test_colours(properties, expected) -> None:
    assert said(*properties) == expected


def test_the_colours_are_those_of_the_pixels_that_are_read() -> None:
    """Whatever the matrix and the range in the file, a decoder gives RGB in full range: that is what a PNG has to say."""
    assert said(nclx(9, 1, 9, 0)).cicp == said(nclx(9, 1, 1, 0x80)).cicp == b"\x09\x01\0\1"


def test_sizes_of_64_bits() -> None:
    assert said(box(b"irot", b"\x01"), size_of_meta=1).orientation == 8


def test_a_grid() -> None:
    tile = [size(64, 64), AV1, PIXI]
    tiles = full_box(b"iref", 0, box(b"dimg", struct.pack(">HHHH", 1, 2, 2, 3)))
    found = decode(by_hand([b"grid", b"av01", b"av01"], [[size(64, 128), PIXI], tile, tile], tiles))
    coded = imagecodecs.avif_decode(TILE)
    assert np.array_equal(found.pixels[:, :, ::-1], np.hstack([coded, coded]))


@given(st.binary(max_size=100))
def test_any_bytes_have_metadata(data) -> None:
    file = FileBytes(memoryview(box(b"ftyp", b"avif\0\0\0\0mif1") + data))
    assert registry.format_named("avif").metadata(file)[0].orientation == 1
