"""Metadata of TIFF: read from files of other libraries, written, and read back by them."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image as Pillow

from imgconv import Image
from imgconv.images.metadata import Metadata
from tests.images.formats.tiff_files import Entries, build, encode, open_pages, page, page_tags

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
#: GeoTIFF: pixel scale in degrees, tie point, and geo keys of the coordinate system.
GEOGRAPHIC = {
    33550: (12, [0.5, 0.25, 0.0]),
    33922: (12, [0.0, 0.0, 0.0, -120.0, 48.5, 0.0]),
    34735: (3, [1, 1, 0, 1, 1024, 0, 1, 2]),
    34737: (2, b"WGS 84|\0"),
    42112: (2, b"<GDALMetadata/>\0"),
    42113: (2, b"-9999\0"),
}


def metadata_of(data: bytes) -> Metadata:
    return open_pages(data).open_page(0).metadata


def encode_with(metadata: Metadata, compression: str = "none") -> bytes:
    return encode(Image(PIXELS[:, :, ::-1], metadata), compression=compression)


def exif(data: bytes) -> Pillow.Exif:
    found = Pillow.Exif()
    found.load(b"Exif\0\0" + data)
    return found


def full_exif() -> bytes:
    """Return EXIF like that of a camera, written by Pillow, big-endian."""
    found = Pillow.Exif()
    found[270], found[271], found[274], found[305] = "a tower", "Maker", 6, "firmware 1.0"
    found[306], found[33432] = "2020:01:02 03:04:05", "a photographer"
    inner = found.get_ifd(0x8769)
    inner[33434], inner[36867], inner[37500] = 0.0125, "2020:01:02 03:04:05", b"a maker's note" * 9
    inner[37386], inner[40962] = 35.0, 9
    inner[40965] = {1: "R98", 2: b"0100"}
    place = found.get_ifd(0x8825)
    place[1], place[2], place[5], place[6] = "N", (51.0, 30.0, 12.5), b"\0", 120.5
    return found.tobytes().removeprefix(b"Exif\0\0")


def assert_same_exif(found: Pillow.Exif, expected: Pillow.Exif) -> None:
    pointers = {0x8769, 0x8825}
    for tag in expected.keys() - pointers:
        assert found[tag] == expected[tag]
    for directory, pointer in ((0x8769, 0xA005), (0x8825, 0)):
        first, second = found.get_ifd(directory), expected.get_ifd(directory)
        assert {t: v for t, v in first.items() if t != pointer} == {t: v for t, v in second.items() if t != pointer}
        assert len(first) > 3
    assert dict(found.get_ifd(0xA005)) == dict(expected.get_ifd(0xA005)) == {1: "R98", 2: b"0100"}


@pytest.mark.parametrize("compression", ["none", "lzw"])
def test_exif_of_a_camera_is_written_and_read_back(compression) -> None:
    block = full_exif()
    assert block[:2] == b"MM"
    data = encode_with(Metadata(exif=block), compression)
    with Pillow.open(io.BytesIO(data)) as image:
        assert_same_exif(image.getexif(), exif(block))
    assert np.array_equal(tifffile.imread(io.BytesIO(data)), PIXELS)
    found = metadata_of(data)
    assert_same_exif(exif(found.exif), exif(block))
    assert found.orientation == 6
    copy = encode_with(found, compression)
    assert copy == data
    assert metadata_of(copy) == found


def test_exif_in_a_tiff_of_pillow_is_read() -> None:
    file = io.BytesIO()
    Pillow.fromarray(PIXELS).save(file, "TIFF", exif=exif(full_exif()))
    with Pillow.open(file) as image:
        expected = image.getexif()
        found = exif(metadata_of(file.getvalue()).exif)
        assert found[271] == "Maker"
        for directory in (0x8769, 0x8825):
            first, second = found.get_ifd(directory), expected.get_ifd(directory)
            assert {t: v for t, v in first.items() if t != 0xA005} == {t: v for t, v in second.items() if t != 0xA005}
            assert len(first) > 3


def test_exif_of_a_tiff_is_valid_in_a_jpeg(save) -> None:
    """EXIF read from a TIFF is valid in a JPEG written by Pillow."""
    block = metadata_of(encode_with(Metadata(exif=full_exif()))).exif
    with Pillow.open(io.BytesIO(save(PIXELS, "JPEG", exif=b"Exif\0\0" + block))) as image:
        assert_same_exif(image.getexif(), exif(full_exif()))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_geotiff_tags_are_kept(order, big) -> None:
    data = build([(page_tags(7, 9, 8, 3, 2) | GEOGRAPHIC, [PIXELS.tobytes()])], order, big)
    copy = encode_with(metadata_of(data))
    for content in (data, copy, encode_with(metadata_of(copy))):
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            assert file.geotiff_metadata["ModelTiepoint"] == [0.0, 0.0, 0.0, -120.0, 48.5, 0.0]
            assert file.geotiff_metadata["ModelPixelScale"] == [0.5, 0.25, 0.0]
            assert file.pages[0].tags[42113].value == "-9999"


def test_entries_about_the_stored_pixels_are_dropped() -> None:
    """Palette, tiles, value ranges and layers of the input do not describe the output."""
    layout = {
        254: (4, 0),
        280: (3, [1] * 3),
        281: (3, [2] * 3),
        297: (3, [0, 9]),
        301: (3, [7] * 768),
        320: (3, [5] * 768),
        330: (4, [8]),
        339: (3, [1] * 3),
        340: (3, [0] * 3),
        513: (4, 8),
        529: (5, [1, 2] * 3),
        532: (5, [1, 2] * 6),
        33421: (3, [2, 2]),
        37724: (7, b"layers"),
        34412: (1, b"offsets"),
        50706: (1, b"\1\4\0\0"),
        50714: (3, 4),
    }
    kept: Entries = {
        271: (2, b"Maker\0"),
        269: (2, b"name\0"),
        318: (5, [1, 3, 1, 3]),
        60_001: (7, b"private"),
        60_002: (13, 8),
    }
    data = build([(page_tags(7, 9, 8, 3, 2) | layout | kept, [PIXELS.tobytes()])])
    assert set(exif(metadata_of(data).exif)) == {269, 271, 318, 60_001}
    other = encode_with(Metadata(exif=tiff_of({**page_tags(500, 600, 16), **layout, **kept})))
    with tifffile.TiffFile(io.BytesIO(other)) as file:
        assert np.array_equal(file.pages[0].asarray(), PIXELS)
        assert {269, 271, 318, 60_001} <= {tag.code for tag in file.pages[0].tags}
        assert not {297, 320, 330, 513, 37_724, 60_002} & {tag.code for tag in file.pages[0].tags}


def tiff_of(entries: Entries) -> bytes:
    return build([({**entries, 273: (4, None), 279: (4, None)}, [])])


@pytest.mark.parametrize(
    ("unit", "expected"), [(2, (300.0, 72.5)), (3, (762.0, 184.15)), (1, None), (None, (300.0, 72.5)), (9, None)]
)
def test_resolution_is_read(unit, expected) -> None:
    entries = page_tags(7, 9, 8, 3, 2) | {282: (5, [145, 2]), 283: (5, [300, 1]), 296: (3, unit)}
    metadata = metadata_of(build([(entries, [PIXELS.tobytes()])]))
    assert metadata.resolution == (pytest.approx(expected) if expected else None)
    assert metadata.exif == b""


@pytest.mark.parametrize("values", [[0, 1], [1, 0], [0, 0]])
def test_an_invalid_resolution_is_none(values) -> None:
    entries = page_tags(7, 9, 8, 3, 2) | {282: (5, values), 283: (5, [300, 1]), 296: (3, 2)}
    assert metadata_of(build([(entries, [PIXELS.tobytes()])])).resolution is None


@pytest.mark.parametrize("resolution", [(300.0, 72.0), (118.11, 0.5), (1e-3, 2400.25)])
def test_resolution_is_written_down_and_across(resolution) -> None:
    data = encode_with(Metadata(resolution=resolution))
    with Pillow.open(io.BytesIO(data)) as image:
        assert image.info["dpi"] == pytest.approx(resolution[::-1], rel=1e-4)
    image = pyvips.Image.new_from_buffer(data, "")
    assert (image.yres * 25.4, image.xres * 25.4) == pytest.approx(resolution, rel=1e-4)
    assert metadata_of(data).resolution == pytest.approx(resolution, rel=1e-4)


def test_resolution_overrides_that_of_exif_unless_they_agree() -> None:
    block = tiff_of({271: (2, b"Maker\0"), 282: (5, [100, 1]), 283: (5, [100, 1]), 296: (3, 3)})
    for resolution, unit, value in ((None, 3, (100, 1)), ((254.0, 254.0), 3, (100, 1)), ((300.0, 300.0), 2, (300, 1))):
        with tifffile.TiffFile(io.BytesIO(encode_with(Metadata(exif=block, resolution=resolution)))) as file:
            assert (file.pages[0].tags[296].value, file.pages[0].tags[282].value) == (unit, value)


@pytest.mark.parametrize("resolution", [(0.0, 0.0), (-1.0, 5.0), (1e300, 1.0), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_an_unrepresentable_resolution_is_not_written(resolution) -> None:
    with tifffile.TiffFile(io.BytesIO(encode_with(Metadata(resolution=resolution)))) as file:
        assert 282 not in file.pages[0].tags


def test_profile_xmp_and_iptc_are_kept(profile) -> None:
    resources = b"8BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x78\0\x03abc" + b"8BIM\x03\xed\0\0\0\0\0\x02\0\1"
    metadata = Metadata(icc=profile, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", iptc=resources)
    data = encode_with(metadata)
    with Pillow.open(io.BytesIO(data)) as image:
        assert image.info["icc_profile"] == profile
        assert image.info["xmp"] == metadata.xmp
        assert image.tag_v2[34377] == resources
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.pages[0].iccprofile == profile
    assert cv2.imdecodeWithMetadata(np.frombuffer(data, np.uint8), flags=-1)[0] is not None
    assert metadata_of(data) == metadata


@pytest.mark.parametrize(
    ("kind", "iptc"), [(7, b"\x1c\x02\x78\0\x03abc"), (1, b"\x1c\x02\x78\0\x02ab"), (4, (0x0078021C, 0x6362610A))]
)
def test_bare_iptc_is_wrapped_in_image_resources(save, kind, iptc) -> None:
    content = iptc if isinstance(iptc, bytes) else struct.pack("<2I", *iptc)
    entries = page_tags(7, 9, 8, 3, 2) | {33723: (kind, iptc)}
    resources = metadata_of(build([(entries, [PIXELS.tobytes()])])).iptc
    assert resources[:8] == b"8BIM\x04\x04\0\0"
    assert len(resources) % 2 == 0
    segment = b"Photoshop 3.0\0" + resources
    jpeg = save(PIXELS, "JPEG")
    jpeg = jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]
    with Pillow.open(io.BytesIO(jpeg)) as image:
        assert image.info["photoshop"] == {0x0404: content}
    assert metadata_of(encode_with(Metadata(iptc=resources))).iptc == resources
    both = {34377: (1, b"8BIM\x04\x04\0\0\0\0\0\0"), 33723: (kind, iptc)}
    assert metadata_of(build([(page_tags(7, 9, 8, 3, 2) | both, [PIXELS.tobytes()])])).iptc == both[34377][1]


def test_a_comment_becomes_the_description_unless_exif_has_one() -> None:
    with Pillow.open(io.BytesIO(encode_with(Metadata(comment="grüße\0x")))) as image:
        assert image.tag_v2[270].encode("latin-1").decode() == "grüßex"
    with Pillow.open(io.BytesIO(encode_with(Metadata(comment="other", exif=full_exif())))) as image:
        assert image.tag_v2[270] == "a tower"
    assert metadata_of(encode_with(Metadata(comment="kept"))).comment == "kept"
    assert exif(metadata_of(encode_with(Metadata(comment="kept"))).exif)[270] == "kept"


@pytest.mark.parametrize(
    "words", [b'{"shape": [7, 9, 3]}\0', b'{"shape": [7, 9], "axes": "YX"}\0', b"shape=(7,9,3)\0", b"ImageJ=1\nimages=4"]
)
def test_page_counts_of_programs_are_not_read_as_descriptions(words) -> None:
    entries = page_tags(7, 9, 8, 3, 2) | {270: (2, words)}
    block = metadata_of(build([(entries, [PIXELS.tobytes()])])).exif
    assert b"shape" not in block
    assert b"images" not in block


def test_a_plain_file_has_no_metadata() -> None:
    entries = page_tags(7, 9, 8, 3, 2) | {274: (3, 1), 282: (5, [1, 1]), 283: (5, [1, 1]), 296: (3, 1)}
    assert metadata_of(build([(entries, [PIXELS.tobytes()])])) == Metadata()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_and_orientation_are_read_as_stored(orientation) -> None:
    entries = page_tags(7, 9, 8, 3, 2) | {274: (3, orientation)}
    image = page(build([(entries, [PIXELS.tobytes()])]))
    assert np.array_equal(image.pixels, PIXELS[:, :, ::-1])
    assert image.metadata.orientation == orientation
    with tifffile.TiffFile(io.BytesIO(encode_with(image.metadata.oriented(3)))) as file:
        assert file.pages[0].tags[274].value == 3


@pytest.mark.parametrize(
    "block", [b"", b"no TIFF at all", b"II*\0\xff\xff\xff\xff", full_exif()[:60], b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_damaged_exif_does_not_prevent_writing(block) -> None:
    data = encode_with(Metadata(exif=block, xmp=b"<x/>"))
    assert np.array_equal(tifffile.imread(io.BytesIO(data)), PIXELS)
    assert metadata_of(data).xmp == b"<x/>"


def test_overlapping_private_entries_are_limited_in_size() -> None:
    data = bytearray(build([(page_tags(7, 9, 8, 3, 2) | {60_000 + n: (7, bytes(8)) for n in range(2000)}, [PIXELS.tobytes()])]))
    data += bytes(1_000_000)
    at = data.find(struct.pack("<HHI", 60_000, 7, 8))
    for n in range(2000):
        struct.pack_into("<II", data, at + 12 * n + 4, 900_000, 1000)
    assert len(metadata_of(bytes(data)).exif) < 2 * len(data)


@pytest.mark.parametrize(
    ("text", "value"), [("-9999", -9999.0), ("0 ", 0.0), ("-3.4e38", -3.4e38), ("", None), ("none", None), ("\xff", None)]
)
def test_the_nodata_value_is_read(text, value) -> None:
    entries = page_tags(7, 9, 8, 3, 2) | {42113: (2, text.encode("latin-1") + b"\0")}
    assert page(build([(entries, [PIXELS.tobytes()])])).nodata == value


@pytest.mark.parametrize(
    ("level", "text"), [(-9999.0, "-9999"), (0.1, "0.10000000000000001"), (float("nan"), "nan"), (None, None)]
)
def test_the_nodata_value_is_written(level, text) -> None:
    data = encode(Image(np.ones((4, 5), np.float32), nodata=level))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.pages[0].tags.valueof(42113) == text
    assert page(data).nodata == (pytest.approx(level, nan_ok=True) if text else None)
