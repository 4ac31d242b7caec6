"""AVIF boxes built here around a coded picture: grids, rotations and colour properties."""

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
ESSENTIAL = (b"av1C", b"irot", b"imir")  # properties marked as essential
PROFILE = box(b"colr", b"prof", b"a profile")


def from_tile(name: bytes) -> bytes:
    """Return a box copied from TILE."""
    at = TILE.index(name) - 4
    return TILE[at : at + struct.unpack_from(">I", TILE, at)[0]]


AV1, PIXI = from_tile(b"av1C"), from_tile(b"pixi")


def avif(kinds: list[bytes], properties: list[list[bytes]], *more: bytes, size_of_meta: int = 0) -> bytes:
    """Return an AVIF of items; the first is the picture.

    Args:
        kinds: type of each item; a grid has two tiles side by side, other items contain the coded tile.
        properties: properties of each item.
        more: further boxes in the meta box.
        size_of_meta: whether the size of the meta box is stored in 32 (0) or 64 bits (1).
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


def metadata_of(*properties: bytes, **options: int) -> Metadata:
    """Return the metadata of a picture with these properties."""
    return decode(avif([b"av01"], [[size(64, 64), AV1, PIXI, *properties]], **options)).metadata


ORIENTATIONS = {
    (): 1,
    (box(b"irot", b"\x01"),): 8,
    (box(b"irot", b"\x02"),): 3,
    (box(b"irot", b"\x03"),): 6,
    (box(b"imir", b"\x00"),): 4,
    (box(b"imir", b"\x01"),): 2,
    (box(b"irot", b"\x01"), box(b"imir", b"\x00")): 5,
    (box(b"irot", b"\x03"), box(b"imir", b"\x00")): 7,
}


@pytest.mark.parametrize(("properties", "expected"), ORIENTATIONS.items())
def test_rotations_and_mirrors_become_orientations(properties, expected) -> None:
    assert metadata_of(*properties).orientation == expected


def test_properties_of_other_items_are_ignored() -> None:
    plain = [size(64, 64), AV1, PIXI]
    other = [*plain, box(b"irot", b"\1"), nclx(9, 16, 9, 0)]
    assert decode(avif([b"av01", b"av01"], [[*plain, nclx(12, 13, 6, 0x80)], other])).metadata == Metadata(cicp=b"\x0c\x0d\0\1")


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
def test_colour_properties(properties, expected) -> None:
    assert metadata_of(*properties) == expected


def test_code_points_describe_the_decoded_pixels() -> None:
    """Decoders return full-range RGB for any matrix and range, so the code points must describe full-range RGB."""
    assert metadata_of(nclx(9, 1, 9, 0)).cicp == metadata_of(nclx(9, 1, 1, 0x80)).cicp == b"\x09\x01\0\1"


def test_64_bit_box_sizes_are_read() -> None:
    assert metadata_of(box(b"irot", b"\x01"), size_of_meta=1).orientation == 8


def test_a_grid_is_read() -> None:
    tile = [size(64, 64), AV1, PIXI]
    tiles = full_box(b"iref", 0, box(b"dimg", struct.pack(">HHHH", 1, 2, 2, 3)))
    found = decode(avif([b"grid", b"av01", b"av01"], [[size(64, 128), PIXI], tile, tile], tiles))
    coded = imagecodecs.avif_decode(TILE)
    assert np.array_equal(found.pixels[:, :, ::-1], np.hstack([coded, coded]))


@given(st.binary(max_size=100))
def test_arbitrary_bytes_raise_nothing(data) -> None:
    file = FileBytes(memoryview(box(b"ftyp", b"avif\0\0\0\0mif1") + data))
    assert registry.format_named("avif").metadata(file)[0].orientation == 1
