"""JPEG segments: quality, subsampling, resolution, other metadata, and blocks that exceed a segment."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image as Pillow
from PIL import JpegPresets

import imgconv
from imgconv.images.files import decode
from imgconv.images.image import Coding
from imgconv.images.metadata import Metadata
from tests.cases import each
from tests.images.formats.pictures import page, segment

NOISE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)


def save(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", **options)
    return file.getvalue()


def coding_of(data: bytes) -> Coding:
    return page(data).coding


def metadata_of(data: bytes) -> Metadata:
    return page(data).metadata


def open_with_pillow(data: bytes) -> Pillow.Image:
    return Pillow.open(io.BytesIO(data))


def with_segments(*segments: bytes, jfif: bytes = b"") -> bytes:
    """Return a JPEG of Pillow with segments added at its start, and its JFIF segment removed or replaced."""
    plain = save(NOISE)
    assert plain[2:4] == b"\xff\xe0"
    return plain[:2] + jfif + b"".join(segments) + plain[20:]


# Coding


@each("quality", range(1, 101))
def test_the_quality_is_read_from_the_tables(quality) -> None:
    for pixels in (NOISE, NOISE[:, :, 0].copy()):
        assert coding_of(save(pixels, quality=quality)).quality == quality
        encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        assert coding_of(encoded).quality == quality
    assert coding_of(save(NOISE, quality=quality, progressive=True)).quality == quality


@pytest.mark.parametrize("name", [n for n in JpegPresets.presets if n != "web_low"])
def test_the_quality_of_other_tables_is_estimated(name) -> None:
    """Photoshop's tables: the estimated quality gives about the same error as the tables."""
    photo = skimage.data.astronaut()[:256, :256]
    tables = JpegPresets.presets[name]["quantization"]
    found = coding_of(save(photo, qtables=tables, subsampling=0)).quality

    def error(**options) -> float:
        return float(((np.asarray(open_with_pillow(save(photo, subsampling=0, **options)), float) - photo) ** 2).mean())

    assert error(quality=max(1, found - 10)) > error(qtables=tables) > error(quality=min(100, found + 4))


def test_coarser_tables_have_a_lower_quality() -> None:
    found = [coding_of(save(NOISE, qtables=[[level] * 64])).quality for level in (1, 3, 10, 30, 100, 255)]
    assert found == sorted(set(found), reverse=True)
    assert (found[0], found[-1]) == (100, 1)


def test_16_bit_tables_are_read() -> None:
    """Below quality 25, values exceed 255; libjpeg stores them in 16 bits unless restricted to baseline."""
    plain = save(NOISE[:, :, 0].copy(), quality=50)
    at = plain.index(b"\xff\xdb\0\x43\0")
    base = np.frombuffer(plain, np.uint8, 64, at + 5).astype(int)  # at quality 50: the table of the standard
    wide = segment(0xDB, b"\x10", ((base * (5000 // 10) + 50) // 100).astype(">u2").tobytes())
    assert coding_of(plain[:at] + wide + plain[at + 69 :]).quality == 10


@pytest.mark.parametrize("name", ["444", "440", "422", "420", "411"])
def test_subsampling_is_read_and_written(tmp_path, name) -> None:
    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}")
    encoded = cv2.imencode(".jpg", NOISE, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])[1].tobytes()
    assert coding_of(encoded).subsampling == name
    imgconv.write_image(tmp_path / "out.jpg", decode(encoded))
    assert coding_of((tmp_path / "out.jpg").read_bytes()) == coding_of(encoded)


def test_pictures_without_chroma_subsampling() -> None:
    assert coding_of(save(NOISE[:, :, 0].copy())).subsampling is None
    file = io.BytesIO()
    Pillow.fromarray(NOISE).convert("CMYK").save(file, "JPEG")
    assert coding_of(file.getvalue()).subsampling is None
    assert coding_of(save(NOISE, keep_rgb=True)).subsampling == "444"


# Resolution

JFIF = b"JFIF\0\1\1"


def density(*numbers: int) -> bytes:
    return segment(0xE0, JFIF, struct.pack(">BHH", *numbers), bytes(2))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((1, 300, 150), (150, 300)),
        ((2, 100, 50), (127, 254)),
        ((0, 4, 3), None),
        ((1, 0, 72), None),
        ((7, 72, 72), None),
    ],
)
def test_jfif_density_is_read(numbers, expected) -> None:
    file = with_segments(jfif=density(*numbers))
    assert metadata_of(file).resolution == (expected and pytest.approx(expected))
    if expected:
        assert open_with_pillow(file).info["dpi"] == pytest.approx(expected[::-1])


def test_the_resolution_of_exif_is_used_without_jfif() -> None:
    exif = Pillow.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 240.0, 120.0, 2
    block = segment(0xE1, exif.tobytes())
    assert metadata_of(with_segments(block)).resolution == (120, 240)
    assert metadata_of(with_segments(block, jfif=density(0, 1, 1))).resolution == (120, 240)
    assert metadata_of(with_segments(block, jfif=density(1, 72, 72))).resolution == (72, 72)


@pytest.mark.parametrize(
    ("resolution", "unit", "written"),
    [
        ((300.0, 150.0), 1, (150, 300)),
        ((72.009, 72.009), 1, (72, 72)),
        ((118 * 2.54, 59 * 2.54), 2, (59, 118)),
        ((100_000.0, 100_000.0), 2, (39_370, 39_370)),
        ((0.7, 0.9), 1, (1, 1)),
    ],
)
def test_resolutions_are_written_in_the_closest_unit(file_with, resolution, unit, written) -> None:
    info = open_with_pillow(file_with("jpeg", Metadata(resolution=resolution))).info
    assert (info["jfif_unit"], info["jfif_density"]) == (unit, written)


@pytest.mark.parametrize("resolution", [(0.1, 72.0), (1e9, 1e9)])
def test_a_resolution_out_of_range_is_reported(loss_notes, resolution) -> None:
    [note] = loss_notes("jpeg", Metadata(resolution=resolution))
    assert note.startswith("left out the resolution: ")


def test_exif_keeps_its_own_resolution(file_with) -> None:
    exif = Pillow.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 240.0, 240.0, 2
    picture = open_with_pillow(file_with("jpeg", Metadata(exif=exif.tobytes()[6:], resolution=(300.0, 300.0))))
    assert picture.info["dpi"] == (300, 300)
    assert picture.getexif()[0x011A] == 240


# Other blocks


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_profile_in_parts_is_read_in_any_order(order, profile) -> None:
    parts = [
        segment(0xE2, b"ICC_PROFILE\0", bytes([n + 1, 3]), profile[200 * n : 200 * n + 200 if n < 2 else None])
        for n in range(3)
    ]
    file = with_segments(*(parts[n] for n in order))
    assert metadata_of(file).icc == profile == open_with_pillow(file).info["icc_profile"]


def test_a_profile_with_a_missing_part_is_dropped(profile) -> None:
    part = segment(0xE2, b"ICC_PROFILE\0\x01\x02", profile)
    assert metadata_of(with_segments(part)).icc == b""
    assert metadata_of(with_segments(segment(0xE2, b"ICC_PROFILE\0"), segment(0xE2, b"ICC_PROFILE\0\1\0", profile))).icc == b""


def test_image_resources_in_parts_are_joined(iptc, file_with) -> None:
    parts = [segment(0xED, b"Photoshop 3.0\0", part) for part in (iptc[:9], iptc[9:])]
    assert metadata_of(with_segments(*parts)).iptc == iptc
    long = iptc + b"8BIM\x04\x0f\0\0" + struct.pack(">I", 100_000) + bytes(100_000)
    file = file_with("jpeg", Metadata(iptc=long))
    assert file.count(b"Photoshop 3.0\0") == 2
    assert metadata_of(file).iptc == long


@pytest.mark.parametrize(
    ("content", "expected"), [("grün".encode(), "grün"), ("grün".encode("latin-1"), "grün"), (b"old\0", "old"), (b"", "next")]
)
def test_the_first_comment_is_read(content, expected) -> None:
    assert metadata_of(with_segments(segment(0xFE, content), segment(0xFE, b"next"))).comment == expected


def test_extended_xmp_is_dropped_with_a_note(xmp) -> None:
    name = b"http://ns.adobe.com/xmp/extension/\0"
    standard = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0", xmp, b"\0")
    extended = segment(0xE1, name, b"0" * 32, struct.pack(">II", 5, 0), b"<a/>\n")
    image = decode(with_segments(segment(0xE1, b"Exif\0\0II"), extended, standard))
    assert image.metadata.xmp == xmp
    assert image.notes == ("left out the extended part of XMP: only the standard packet is read",)
    image = decode(with_segments(standard))
    assert (image.metadata.xmp, image.notes) == (xmp, ())


def test_multi_picture_segments_are_dropped(photo) -> None:
    """The MPF segment contains offsets of other pictures in the file, which are wrong in another file."""
    file = io.BytesIO()
    picture = Pillow.fromarray(photo)
    picture.save(file, "MPO", save_all=True, append_images=[picture])
    assert b"MPF\0" in file.getvalue()
    assert metadata_of(file.getvalue()).blocks().keys() <= {"resolution"}


def test_of_too_long_exif_only_the_orientation_is_written(exif, file_with, loss_notes) -> None:
    long = exif + bytes(70_000)
    [note] = loss_notes("jpeg", Metadata(exif=long))
    assert f"left out EXIF: it has {len(long)} bytes, but JPEG stores at most 65527" in note
    assert dict(open_with_pillow(file_with("jpeg", Metadata(exif=long))).getexif()) == {0x0112: 6}
    fits = exif + bytes(65_527 - len(exif))
    assert loss_notes("jpeg", Metadata(exif=fits)) == []
    assert open_with_pillow(file_with("jpeg", Metadata(exif=fits))).getexif()[0x010F] == "A maker"


def test_too_long_blocks_are_reported(profile, xmp, file_with, loss_notes) -> None:
    fits = Metadata(comment="ü" * 32_766, xmp=xmp + b" " * (65_504 - len(xmp)))
    assert loss_notes("jpeg", fits) == []
    found = metadata_of(file_with("jpeg", fits))
    assert (found.comment, found.xmp) == (fits.comment, fits.xmp)
    long = Metadata(comment="ü" * 32_767, xmp=fits.xmp + b" ", icc=profile + bytes(17_000_000))
    assert [note.split(":")[0] for note in loss_notes("jpeg", long)] == [
        "left out XMP", "left out the colour profile", "left out the comment",
    ]  # fmt: skip
    assert metadata_of(file_with("jpeg", replace(long, icc=b""))) == Metadata()


# Structure


def test_segments_after_the_first_scan_are_ignored() -> None:
    plain = save(NOISE)
    scan = plain.index(b"\xff\xda")
    with_second_scan = plain[:scan] + segment(0xDA, bytes(10)) + segment(0xFE, b"no comment") + plain[scan:]
    assert metadata_of(with_second_scan).comment == ""
    assert metadata_of(plain[:scan] + segment(0xFE, b"a comment") + plain[scan:]).comment == "a comment"


def test_fill_bytes_are_skipped() -> None:
    file = with_segments(b"\xff\xff\xff" + segment(0xFE, b"filled"), b"\0\0" + segment(0xFE, b"x"))
    assert metadata_of(file).comment == "filled"
    assert decode(file).pixels.shape == NOISE.shape
