"""The segments of a JPEG: what they say of the coding, the resolution, texts; what is too long for them."""

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

from imgconv.images.containers import jpeg
from imgconv.images.metadata import Metadata

NOISE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)


def saved(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", **options)
    return file.getvalue()


def coding_of(data: bytes) -> jpeg.Coding:
    return jpeg.read(memoryview(data))[1]


def said(data: bytes) -> Metadata:
    return jpeg.read(memoryview(data))[0]


def segment(marker: int, *content: bytes) -> bytes:
    joined = b"".join(content)
    return struct.pack(">BBH", 0xFF, marker, 2 + len(joined)) + joined


def with_segments(*segments: bytes, jfif: bytes = b"") -> bytes:
    """Return a JPEG with segments before those that Pillow writes, JFIF's left out or replaced."""
    plain = saved(NOISE)
    assert plain[2:4] == b"\xff\xe0"
    return plain[:2] + jfif + b"".join(segments) + plain[20:]


@pytest.mark.parametrize("quality", range(1, 101))
def test_the_quality_is_the_one_asked_for(quality) -> None:
    for pixels in (NOISE, NOISE[:, :, 0].copy()):
        assert coding_of(saved(pixels, quality=quality)).quality == quality
        encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        assert coding_of(encoded).quality == quality
    assert coding_of(saved(NOISE, quality=quality, progressive=True)).quality == quality


@pytest.mark.parametrize("name", [n for n in JpegPresets.presets if n != "web_low"])
def test_other_tables_are_as_good_as_those_of_the_quality_found(name) -> None:
    """Photoshop's tables: a file of the quality found has the same error as one with them, give or take a few steps."""
    photo = skimage.data.astronaut()[:256, :256]
    tables = JpegPresets.presets[name]["quantization"]
    found = coding_of(saved(photo, qtables=tables, subsampling=0)).quality

    def error(**options) -> float:
        picture = Pillow.open(io.BytesIO(saved(photo, subsampling=0, **options)))
        return float(((np.asarray(picture, float) - photo) ** 2).mean())

    assert error(quality=max(1, found - 10)) > error(qtables=tables) > error(quality=min(100, found + 4))


def test_the_coarser_a_flat_table_the_lower_its_quality() -> None:
    found = [coding_of(saved(NOISE, qtables=[[level] * 64])).quality for level in (1, 3, 10, 30, 100, 255)]
    assert found == sorted(set(found), reverse=True)
    assert (found[0], found[-1]) == (100, 1)


def test_tables_of_16_bits() -> None:
    """Qualities below 25 go beyond 255, where an encoder may write 16 bits, as libjpeg does when it is not held to baseline."""
    plain = saved(NOISE[:, :, 0].copy(), quality=50)
    at = plain.index(b"\xff\xdb\0\x43\0")
    base = np.frombuffer(plain, np.uint8, 64, at + 5).astype(int)  # quality 50 is the table of the standard itself
    wide = segment(0xDB, b"\x10", ((base * (5000 // 10) + 50) // 100).astype(">u2").tobytes())
    assert coding_of(plain[:at] + wide + plain[at + 69 :]).quality == 10


@pytest.mark.parametrize(("name", "expected"), [("444", "444"), ("440", "440"), ("422", "422"), ("420", "420"), ("411", "411")])
def test_subsampling(name, expected) -> None:
    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}")
    encoded = cv2.imencode(".jpg", NOISE, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])[1].tobytes()
    assert coding_of(encoded).subsampling == expected


def test_subsampling_of_what_has_none() -> None:
    assert coding_of(saved(NOISE[:, :, 0].copy())).subsampling is None
    assert coding_of(cmyk()).subsampling is None
    assert coding_of(saved(NOISE, keep_rgb=True)).subsampling == "444"


def cmyk() -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(NOISE).convert("CMYK").save(file, "JPEG")
    return file.getvalue()


JFIF = b"JFIF\0\1\1"


@pytest.mark.parametrize(
    ("density", "expected"),
    [
        ((1, 300, 150), (150, 300)),
        ((2, 100, 50), (127, 254)),
        ((0, 4, 3), None),
        ((1, 0, 72), None),
        ((7, 72, 72), None),
    ],
)
def test_density(density, expected) -> None:
    file = with_segments(jfif=segment(0xE0, JFIF, struct.pack(">BHH", *density), bytes(2)))
    assert said(file).resolution == (expected and pytest.approx(expected))
    if expected:
        assert Pillow.open(io.BytesIO(file)).info["dpi"] == pytest.approx(expected[::-1])


def test_without_jfif_the_resolution_is_that_of_exif() -> None:
    exif = Pillow.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 240.0, 120.0, 2
    assert said(with_segments(segment(0xE1, exif.tobytes()))).resolution == (120, 240)
    aspect = segment(0xE0, JFIF, struct.pack(">BHH", 0, 1, 1), bytes(2))
    assert said(with_segments(segment(0xE1, exif.tobytes()), jfif=aspect)).resolution == (120, 240)
    inches = segment(0xE0, JFIF, struct.pack(">BHH", 1, 72, 72), bytes(2))
    assert said(with_segments(segment(0xE1, exif.tobytes()), jfif=inches)).resolution == (72, 72)


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
def test_resolutions_are_written_in_the_unit_that_suits_them(put, resolution, unit, written) -> None:
    picture = Pillow.open(io.BytesIO(put("jpeg", Metadata(resolution=resolution))))
    assert (picture.info["jfif_unit"], picture.info["jfif_density"]) == (unit, written)


@pytest.mark.parametrize("resolution", [(0.1, 72.0), (1e9, 1e9)])
def test_a_resolution_beyond_its_place_is_told(resolution) -> None:
    fitted = jpeg.fitted(Metadata(resolution=resolution))
    assert fitted.metadata.resolution is None
    assert [left.name for left in fitted.left_out] == ["resolution"]


def test_exif_keeps_its_own_resolution(put) -> None:
    exif = Pillow.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 240.0, 240.0, 2
    picture = Pillow.open(io.BytesIO(put("jpeg", Metadata(exif=exif.tobytes()[6:], resolution=(300.0, 300.0)))))
    assert picture.info["dpi"] == (300, 300)
    assert picture.getexif()[0x011A] == 240


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_profile_in_parts_of_any_order(order, profile) -> None:
    parts = [
        segment(0xE2, b"ICC_PROFILE\0", bytes([n + 1, 3]), profile[200 * n : 200 * n + 200 if n < 2 else None])
        for n in range(3)
    ]
    assert said(with_segments(*(parts[n] for n in order))).icc == profile
    assert Pillow.open(io.BytesIO(with_segments(*(parts[n] for n in order)))).info["icc_profile"] == profile


def test_a_profile_with_a_part_missing_is_none(profile) -> None:
    part = segment(0xE2, b"ICC_PROFILE\0\x01\x02", profile)
    assert said(with_segments(part)).icc == b""
    assert said(with_segments(segment(0xE2, b"ICC_PROFILE\0"), segment(0xE2, b"ICC_PROFILE\0\1\0", profile))).icc == b""


def test_image_resources_in_parts(iptc, put) -> None:
    parts = [segment(0xED, b"Photoshop 3.0\0", part) for part in (iptc[:9], iptc[9:])]
    assert said(with_segments(*parts)).iptc == iptc
    long = iptc + b"8BIM\x04\x0f\0\0" + struct.pack(">I", 100_000) + bytes(100_000)
    file = put("jpeg", Metadata(iptc=long))
    assert file.count(b"Photoshop 3.0\0") == 2
    assert said(file).iptc == long


@pytest.mark.parametrize(
    ("content", "expected"), [("grün".encode(), "grün"), ("grün".encode("latin-1"), "grün"), (b"old\0", "old"), (b"", "next")]
)
def test_comments(content, expected) -> None:
    assert said(with_segments(segment(0xFE, content), segment(0xFE, b"next"))).comment == expected


def test_what_belongs_to_other_pictures_is_not_carried(photo) -> None:
    """A file of several pictures says where the others are; in another file that would be wrong."""
    file = io.BytesIO()
    picture = Pillow.fromarray(photo)
    picture.save(file, "MPO", save_all=True, append_images=[picture])
    assert b"MPF\0" in file.getvalue()
    metadata = said(file.getvalue())
    assert metadata.blocks().keys() <= {"resolution"}


def test_exif_that_is_too_long_leaves_its_orientation(exif, put) -> None:
    long = exif + bytes(70_000)
    fitted = jpeg.fitted(Metadata(exif=long))
    assert [left.name for left in fitted.left_out] == ["exif"]
    assert f"{len(long)} bytes" in fitted.left_out[0].why
    picture = Pillow.open(io.BytesIO(put("jpeg", Metadata(exif=long))))
    assert dict(picture.getexif()) == {0x0112: 6}
    fits = exif + bytes(65_527 - len(exif))
    assert jpeg.fitted(Metadata(exif=fits)) == (Metadata(exif=fits), ())
    assert Pillow.open(io.BytesIO(put("jpeg", Metadata(exif=fits)))).getexif()[0x010F] == "A maker"


def test_comments_and_profiles_that_are_too_long_are_told(profile) -> None:
    metadata = Metadata(comment="ü" * 32_767, icc=profile + bytes(17_000_000))
    fitted = jpeg.fitted(metadata)
    assert fitted.metadata == Metadata()
    assert {left.name for left in fitted.left_out} == {"icc", "comment"}
    assert jpeg.fitted(replace(metadata, icc=b"", comment="ü" * 32_766)).left_out == ()


def test_nothing_behind_the_first_scan_is_looked_at() -> None:
    plain = saved(NOISE)
    scan = plain.index(b"\xff\xda")
    behind = plain[:scan] + segment(0xDA, bytes(10)) + segment(0xFE, b"no comment") + plain[scan:]
    assert said(behind).comment == ""
    assert said(plain[:scan] + segment(0xFE, b"a comment") + plain[scan:]).comment == "a comment"


def test_bytes_that_fill() -> None:
    assert said(with_segments(b"\xff\xff\xff" + segment(0xFE, b"filled"), b"\0\0" + segment(0xFE, b"x"))).comment == "filled"
