"""The items and properties of an AVIF: turning, colours, metadata, as OpenCV and Pillow write them, and made by hand."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps, features

from imgconv.images.containers import avif
from imgconv.images.metadata import Metadata, upright

written_by_pillow = pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")


def saved(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "AVIF", **options)
    return file.getvalue()


def encoded(pixels: np.ndarray, metadata: Metadata, depth: int = 8) -> bytes:
    """Return what OpenCV makes of pixels and metadata."""
    kinds = {"exif": cv2.IMAGE_METADATA_EXIF, "xmp": cv2.IMAGE_METADATA_XMP, "icc": cv2.IMAGE_METADATA_ICCP}
    blocks = metadata.blocks()
    arrays = [np.frombuffer(block, np.uint8) for block in blocks.values()]
    parameters = [cv2.IMWRITE_AVIF_DEPTH, depth, cv2.IMWRITE_AVIF_QUALITY, 95]
    done, found = cv2.imencodeWithMetadata(".avif", pixels, [kinds[name] for name in blocks], arrays, parameters)
    assert done
    return found.tobytes()


def said(data: bytes) -> Metadata:
    return avif.read(memoryview(data))[0]


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


@written_by_pillow
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_pillow_turns_is_read_turned(orientation) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20, :30], pixels[:20, 30:], pixels[20:, :30] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = orientation, "A maker"
    data = saved(pixels, exif=exif.tobytes(), quality=95)
    metadata = said(data)
    assert metadata.orientation == orientation
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    source = Pillow.fromarray(pixels)
    source.getexif()[0x0112] = orientation
    found = upright(stored, orientation)[..., ::-1]
    assert np.abs(found.astype(int) - np.asarray(ImageOps.exif_transpose(source))).mean() < 5


@written_by_pillow
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("frames", [1, 2])
def test_what_pillow_writes_is_read(mode, frames, picture, xmp, profile) -> None:
    fields = Pillow.Exif()
    fields[0x010F] = "A maker"
    first = Pillow.fromarray(picture).convert(mode)
    if mode == "RGBA":
        first.putalpha(Pillow.fromarray(picture[:, :, 1]))
    more = {"save_all": True, "append_images": [first.rotate(180)]} if frames == 2 else {}
    file = io.BytesIO()
    first.save(file, "AVIF", exif=fields.tobytes(), xmp=xmp, icc_profile=profile, **more)
    assert said(file.getvalue()) == Metadata(fields.tobytes()[6:], xmp, profile)
    assert avif.frames(memoryview(file.getvalue())) == frames


@pytest.mark.parametrize("depth", [8, 10, 12])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_what_opencv_writes_is_read(depth, channels, orientation, picture, xmp, profile) -> None:
    pixels = np.dstack([picture, picture[:, :, 1]])[:, :, :channels].squeeze()
    pixels = np.ascontiguousarray(pixels if depth == 8 else pixels.astype(np.uint16) << (depth - 8))
    icc = profile if channels > 1 else profile[:16] + b"GRAY" + profile[20:]
    metadata = Metadata(xmp=xmp, icc=icc).oriented(orientation)
    data = encoded(pixels, metadata, depth)
    assert avif.read(memoryview(data)) == (metadata, avif.Coding(bits=None if depth == 8 else depth))


@written_by_pillow
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pillow_finds_what_opencv_writes(channels, orientation, picture, xmp, profile) -> None:
    """This is how an AVIF is written: nothing here puts metadata in by itself."""
    pixels = np.ascontiguousarray(np.dstack([picture, picture[:, :, 1]])[:, :, :channels].squeeze())
    icc = profile if channels > 1 else profile[:16] + b"GRAY" + profile[20:]
    metadata = Metadata(xmp=xmp, icc=icc).oriented(orientation)
    found = Pillow.open(io.BytesIO(encoded(pixels, metadata)))
    assert found.getexif().get(0x0112, 1) == orientation
    assert (found.info["xmp"], found.info["icc_profile"]) == (xmp, icc)
    expected = upright(pixels, orientation)
    assert ImageOps.exif_transpose(found).size == expected.shape[1::-1]


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


def test_the_resolution_and_the_comment_go_into_exif() -> None:
    fitted = avif.fitted(Metadata(comment="a bird", resolution=(300.0, 150.0), iptc=b"8BIM"))
    assert [left.name for left in fitted.left_out] == ["iptc"]
    fields = Pillow.Exif()
    fields.load(b"Exif\0\0" + fitted.metadata.exif)
    assert (fields[0x010E], fields[0x011A], fields[0x011B]) == ("a bird", 150, 300)
    found = said(encoded(np.zeros((16, 16, 3), np.uint8), Metadata(exif=fitted.metadata.exif)))
    assert (found.comment, found.resolution) == ("a bird", (300, 150))


@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_say_something(data, wrapped) -> None:
    view = memoryview(by_hand(data) if wrapped else data)
    assert 1 <= avif.read(view)[0].orientation <= 8
    assert avif.frames(view) >= 1
