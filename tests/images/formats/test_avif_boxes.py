"""The boxes of AVIF, made by hand: a grid, turns, colours, and items with metadata."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.images.file_bytes import FileBytes
from imgconv.images.files import decode
from imgconv.images.formats import registry
from imgconv.images.metadata import Metadata


def said(data: bytes) -> Metadata:
    return registry.format_named("avif").metadata(FileBytes(memoryview(data)))[0]


def box(name: bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    return struct.pack(">I4s", 8 + len(inside), name) + inside


def full_box(name: bytes, version: int, *content: bytes) -> bytes:
    return box(name, struct.pack(">I", version << 24), *content)


AV1 = box(b"av1C", b"\x81\x04\x0c\0")
SIZE = full_box(b"ispe", 0, struct.pack(">II", 30, 20))
PROFILE = box(b"colr", b"prof", b"a profile")


def by_hand(*properties: bytes, more: bytes = b"", others: tuple[bytes, ...] = ()) -> bytes:
    """Return an AVIF without its pixels, whose only picture, item 1, has the properties given, not `others`.

    `more` are boxes in its meta box.
    """
    all_of_them = (AV1, SIZE, *properties)
    associations = b"".join(bytes([len(others) + n + 1]) for n in range(len(all_of_them)))
    pictures = full_box(b"ipma", 0, struct.pack(">IHB", 1, 1, len(all_of_them)) + associations)
    return box(b"ftyp", b"avif\0\0\0\0mif1") + full_box(
        b"meta", 0, full_box(b"pitm", 0, b"\0\1"), box(b"iprp", box(b"ipco", *others, *all_of_them), pictures), more
    )


QUARTERS = {
    (): 1,
    (box(b"irot", b"\x01"),): 8,
    (box(b"irot", b"\x02"),): 3,
    (box(b"irot", b"\x03"),): 6,
    (box(b"imir", b"\x00"),): 4,
    (box(b"imir", b"\x01"),): 2,
    (box(b"irot", b"\x01"), box(b"imir", b"\x00")): 5,
    (box(b"irot", b"\x03"), box(b"imir", b"\x00")): 7,
    (box(b"irot"),): 1,
}


@pytest.mark.parametrize(("properties", "expected"), QUARTERS.items())
def test_turns_and_mirrors_as_orientations(properties, expected) -> None:
    assert said(by_hand(*properties)).orientation == expected


def test_properties_of_other_items_are_not_those_of_the_picture() -> None:
    metadata = said(by_hand(PROFILE, others=(box(b"irot", b"\1"), box(b"colr", b"prof", b"another"))))
    assert (metadata.orientation, metadata.icc) == (1, b"a profile")


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
        ((box(b"colr", b"nclx\0"),), Metadata()),
    ],
)
def test_colours(properties, expected) -> None:
    assert said(by_hand(*properties)) == expected


def test_the_colours_are_those_of_the_pixels_that_are_read() -> None:
    """Whatever the matrix and the range in the file, a decoder gives RGB in full range: that is what a PNG has to say."""
    assert said(by_hand(nclx(9, 1, 9, 0))).cicp == said(by_hand(nclx(9, 1, 0, 0x80))).cicp == b"\x09\x01\0\1"


TIFF = b"II*\0\x0e\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
PACKET = b"<x:xmpmeta/>"


def entry(number: int, kind: bytes, more: bytes = b"", *, wide: bool = False) -> bytes:
    return full_box(b"infe", 3 if wide else 2, struct.pack(">IH4s" if wide else ">HH4s", number, 0, kind), b"\0" + more)


def test_items_in_the_meta_box_itself_and_in_pieces() -> None:
    exif = struct.pack(">I", 6) + b"Exif\0\0" + TIFF
    inside = exif + PACKET
    infos = full_box(b"iinf", 0, b"\0\3", entry(1, b"av01"), entry(2, b"Exif"), entry(3, b"mime", b"application/rdf+xml\0"))
    places = struct.pack(">BBH", 0x44, 0x00, 2)
    places += struct.pack(">HHHHIIII", 2, 1, 0, 2, 0, 9, 9, len(exif) - 9)
    places += struct.pack(">HHHHII", 3, 1, 0, 1, len(exif), len(PACKET))
    file = by_hand(more=infos + full_box(b"iloc", 1, places) + box(b"idat", inside))
    assert said(file) == Metadata(exif=TIFF, xmp=PACKET)


def test_items_of_wide_numbers_and_base_offsets() -> None:
    infos = full_box(b"iinf", 1, b"\0\0\0\2", entry(1, b"av01", wide=True), entry(70_000, b"Exif", wide=True))
    # Numbers, offsets and lengths of 4 bytes, base offsets of 8, indices of 4.
    places = struct.pack(">BBI", 0x44, 0x84, 1) + struct.pack(">IHHQHIII", 70_000, 0, 0, 1000, 1, 7, 500, 4 + len(TIFF))
    file = by_hand(more=infos + full_box(b"iloc", 2, places))
    file = file.ljust(1500, b".") + bytes(4) + TIFF
    assert said(file).exif == TIFF


def test_metadata_of_another_picture_are_left_out() -> None:
    infos = full_box(b"iinf", 0, b"\0\3", entry(1, b"av01"), entry(2, b"Exif"), entry(3, b"Exif"))
    other = b"MM\0*\0\0\0\x0e" + bytes(12)
    inside = bytes(4) + other + bytes(4) + TIFF
    places = struct.pack(">BBH", 0x44, 0x00, 2)
    places += struct.pack(">HHHHII", 2, 1, 0, 1, 0, 24) + struct.pack(">HHHHII", 3, 1, 0, 1, 24, 24)
    for of, expected in ((2, other), (3, TIFF)):
        describes = full_box(b"iref", 0, box(b"cdsc", struct.pack(">HHH", of, 1, 1)))
        file = by_hand(more=infos + full_box(b"iloc", 1, places) + describes + box(b"idat", inside))
        assert said(file).exif == expected


@pytest.mark.parametrize("size", [21, 0xFFFFFFFF])
def test_an_item_that_leads_out_of_the_file_costs_no_more_than_itself(size) -> None:
    infos = full_box(b"iinf", 0, b"\0\2", entry(1, b"av01"), entry(2, b"Exif"))
    places = struct.pack(">BBH", 0x44, 0x00, 1) + struct.pack(">HHHHII", 2, 1, 0, 1, 0, size)
    file = by_hand(box(b"irot", b"\1"), PROFILE, more=infos + full_box(b"iloc", 1, places) + box(b"idat", bytes(20)))
    metadata = said(file)
    assert (metadata.icc, metadata.orientation, len(metadata.exif) < 40) == (b"a profile", 8, True)


def test_sizes_of_64_bits_and_to_the_end() -> None:
    file = by_hand(box(b"irot", b"\x01"))
    meta = file.index(b"meta") - 4
    assert said(file[:meta] + bytes(4) + file[meta + 4 :]).orientation == 8
    size = struct.unpack_from(">I", file, meta)[0] + 8
    assert said(file[:meta] + struct.pack(">I4sQ", 1, b"meta", size) + file[meta + 8 :]).orientation == 8


def test_a_grid() -> None:
    """Made of two pictures of libavif: the second becomes a tile beside the first one."""
    tile = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    data = imagecodecs.avif_encode(tile, level=100)
    coded = imagecodecs.avif_decode(data)
    picture = data[data.index(b"mdat") + 4 :]
    record = data[data.index(b"av1C") - 4 :][: struct.unpack_from(">I", data, data.index(b"av1C") - 4)[0]]
    pixi = data[data.index(b"pixi") - 4 :][: struct.unpack_from(">I", data, data.index(b"pixi") - 4)[0]]
    colr = data[data.index(b"colr") - 4 :][: struct.unpack_from(">I", data, data.index(b"colr") - 4)[0]]
    sizes = [full_box(b"ispe", 0, struct.pack(">II", *size)) for size in ((128, 64), (64, 64))]
    properties = [sizes[0], sizes[1], record, pixi, colr]
    links = b"".join(
        struct.pack(">HB", item, len(numbers)) + bytes(numbers)
        for item, numbers in ((1, (1, 4, 5)), (2, (2, 0x83, 4, 5)), (3, (2, 0x83, 4, 5)))
    )
    grid = struct.pack(">BBBBHH", 0, 0, 0, 1, 128, 64)

    def file(at: int) -> bytes:
        places = struct.pack(">BBH", 0x44, 0, 3)
        for item, method, start, size in ((1, 1, 0, 8), (2, 0, at, len(picture)), (3, 0, at, len(picture))):
            places += struct.pack(">HHHHII", item, method, 0, 1, start, size)
        meta = full_box(
            b"meta",
            0,
            full_box(b"hdlr", 0, bytes(4) + b"pict" + bytes(13)),
            full_box(b"pitm", 0, b"\0\1"),
            full_box(b"iloc", 1, places),
            full_box(b"iinf", 0, b"\0\3", entry(1, b"grid"), entry(2, b"av01"), entry(3, b"av01")),
            full_box(b"iref", 0, box(b"dimg", struct.pack(">HHHH", 1, 2, 2, 3))),
            box(b"iprp", box(b"ipco", *properties), full_box(b"ipma", 0, struct.pack(">I", 3) + links)),
            box(b"idat", grid),
        )
        head = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + meta
        return head if at else file(len(head) + 8) + box(b"mdat", picture)

    found = decode(file(0))
    assert np.array_equal(found.pixels[:, :, ::-1], np.hstack([coded, coded]))


@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_say_something(data, wrapped) -> None:
    assert 1 <= said(by_hand(data) if wrapped else data).orientation <= 8
