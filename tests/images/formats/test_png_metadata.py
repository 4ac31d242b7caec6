"""Metadata of PNG: chunks of other programs, texts, and colour descriptions."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import PngImagePlugin

import imgconv
from imgconv.images.files import decode
from imgconv.images.formats import registry
from imgconv.images.metadata import Metadata
from tests.images.formats.animations import (
    chunk,
)
from tests.images.formats.png_files import chunks, metadata, save, with_chunks

XMP = b"XML:com.adobe.xmp"
PACKET = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
EXIF = Metadata().oriented(6).exif


@pytest.fixture
def write_png(tmp_path):
    """Write a PNG with metadata, and return its bytes and the notes: `write_png(**blocks)`."""

    def file(**blocks) -> tuple[bytes, tuple[str, ...]]:
        notes = imgconv.write_image(tmp_path / "out.png", imgconv.Image(np.zeros((6, 8, 3), np.uint8), Metadata(**blocks)))
        return (tmp_path / "out.png").read_bytes(), notes

    return file


@pytest.mark.parametrize("at_the_end", [False, True])
def test_chunks_are_read_before_and_after_the_pixels(at_the_end) -> None:
    added = (chunk(b"eXIf", EXIF), chunk(b"iTXt", XMP + bytes(5) + PACKET), chunk(b"tEXt", b"Comment\0gr\xfcn"))
    found = metadata(with_chunks(*added, at_the_end=at_the_end))
    assert (found.exif, found.xmp, found.comment) == (EXIF, PACKET, "grün")


def test_compressed_blocks_are_read(profile) -> None:
    xmp = chunk(b"iTXt", XMP + b"\0\1\0en\0XMP\0" + zlib.compress(PACKET))
    found = metadata(with_chunks(xmp, chunk(b"iCCP", b"any name\0\0" + zlib.compress(profile))))
    assert (found.xmp, found.icc) == (PACKET, profile)


TEXTS = {
    "tEXt": (chunk(b"tEXt", b"Comment\0gr\xfcn"), "grün"),
    "tEXt in UTF-8": (chunk(b"tEXt", b"comment\0" + "grün".encode()), "grün"),
    "zTXt": (chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"gr\xfcn")), "grün"),
    "iTXt": (chunk(b"iTXt", b"Comment\0\0\0de\0Kommentar\0" + "grün 中".encode()), "grün 中"),
    "iTXt compressed": (chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress("中".encode())), "中"),
    "description": (chunk(b"tEXt", b"Description\0a bird"), "a bird"),
    "both": (
        chunk(b"tEXt", b"Description\0a bird") + chunk(b"tEXt", b"Comment\0first") + chunk(b"tEXt", b"Comment\0x"),
        "first",
    ),
    "another": (chunk(b"tEXt", b"Author\0somebody"), ""),
    "damaged": (chunk(b"zTXt", b"Comment\0\0nonsense"), ""),
    "cut": (chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a long story" * 9)[:-5]), ""),
    "too long": (chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 25))), ""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_comments_are_read(name) -> None:
    added, expected = TEXTS[name]
    assert metadata(with_chunks(added)).comment == expected


@pytest.mark.parametrize("text", ["plain", "grün", "中文", "two\nlines", "Ã¼", "\udc80x"])
def test_comments_are_written_as_latin_1_or_utf_8(write_png, text) -> None:
    file, _ = write_png(comment=text)
    expected = text.encode("utf-8", "replace").decode()
    assert metadata(file).comment == expected
    assert Pillow.open(io.BytesIO(file)).text["Comment"] == expected
    is_latin = text in ("plain", "grün", "two\nlines", "\udc80x")
    assert ([kind for kind, _ in chunks(file) if kind in (b"tEXt", b"iTXt")] == [b"tEXt"]) == is_latin


def test_a_description_is_not_written_twice(tmp_path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Description", "a bird")
    image = decode(save("RGB", pnginfo=info))
    assert image.metadata.comment == "a bird"
    imgconv.write_image(tmp_path / "out.png", image)
    with Pillow.open(tmp_path / "out.png") as found:
        assert found.text == {"Description": "a bird"}
    assert imgconv.write_image(tmp_path / "out.jpg", image) == ()
    assert imgconv.read_image(tmp_path / "out.jpg").metadata.comment == "a bird"


def test_other_texts_are_kept(tmp_path) -> None:
    texts = {"Title": "a house", "Author": "Zoë 図", "Description": "what is seen", "Raw profile type exif": "\nexif\n 0\n"}
    info = PngImagePlugin.PngInfo()
    for number, (keyword, text) in enumerate(texts.items()):
        (info.add_itxt if number == 1 else info.add_text)(keyword, text, zip=number == 2)
    info.add_text("Comment", "by hand")
    image = decode(save("RGB", pnginfo=info))
    assert (dict(image.metadata.texts), image.metadata.comment, image.metadata.exif) == (texts, "by hand", b"")
    imgconv.write_image(tmp_path / "out.png", image)
    with Pillow.open(tmp_path / "out.png") as found:
        assert found.text == {**texts, "Comment": "by hand"}
    for other in registry.writable_formats():
        if other.name != "png":
            assert "texts" in other.fit(image.metadata, 3)[1]


def test_a_chunk_with_a_wrong_checksum_is_ignored() -> None:
    damaged = bytearray(chunk(b"eXIf", EXIF))
    damaged[-10] ^= 1
    assert metadata(with_chunks(bytes(damaged), chunk(b"tEXt", b"Comment\0behind"))) == Metadata(comment="behind")


def test_the_resolution_is_read_from_phys(write_png) -> None:
    found = metadata(with_chunks(chunk(b"pHYs", struct.pack(">IIB", 5906, 11811, 1)))).resolution
    assert found == pytest.approx((300, 150), rel=1e-4)
    for content in (struct.pack(">IIB", 3, 4, 0), struct.pack(">IIB", 0, 4, 1), b"short"):
        assert metadata(with_chunks(chunk(b"pHYs", content))).resolution is None
    assert "left out the resolution" in write_png(resolution=(1e-9, 1e12))[1][0]


@pytest.mark.parametrize("dots", [72, 96, 240, 300, 1200])
def test_a_resolution_is_rounded_once(write_png, dots) -> None:
    once = metadata(write_png(resolution=(dots, dots))[0]).resolution
    assert once == pytest.approx((dots, dots), abs=0.02)
    assert metadata(write_png(resolution=once)[0]).resolution == once


def test_chunks_are_written_in_the_required_order(write_png, profile) -> None:
    blocks = {"exif": EXIF, "xmp": PACKET, "icc": profile, "comment": "ein grüner Vogel", "resolution": (300.0, 150.0)}
    file, notes = write_png(**blocks, iptc=b"8BIM\x04\x04\0\0\0\0\0\0")
    assert notes == ("left out IPTC: PNG cannot store it",)
    kinds = [kind for kind, _ in chunks(file)]
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    assert set(kinds[1 : kinds.index(b"IDAT")]) == {b"iCCP", b"pHYs", b"eXIf", b"iTXt", b"tEXt"}


def test_metadata_of_pillow_is_read(profile) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "grün", zip=True)
    texts.add_itxt(XMP.decode(), PACKET.decode(), zip=True)
    found = metadata(save("RGB", exif=EXIF, icc_profile=profile, pnginfo=texts, dpi=(150, 300)))
    assert found == Metadata(EXIF, PACKET, profile, comment="grün", resolution=found.resolution)
    assert found.resolution == pytest.approx((300, 150), rel=1e-4)


# Colour

CICP = chunk(b"cICP", b"\x0c\x0d\0\1")
SRGB = chunk(b"sRGB", b"\0")
GAMMA = chunk(b"gAMA", struct.pack(">I", 100_000))
PRIMARIES = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))


def test_code_points_are_read_and_written(write_png) -> None:
    assert metadata(with_chunks(CICP)) == Metadata(cicp=b"\x0c\x0d\0\1")
    file, _ = write_png(cicp=b"\x09\x10\0\1")
    assert [kind for kind, _ in chunks(file)][:2] == [b"IHDR", b"cICP"]
    assert metadata(file).cicp == b"\x09\x10\0\1"
    assert metadata(with_chunks(chunk(b"cICP", b"\x0c\x0d\0"))).cicp == b""


@pytest.mark.parametrize("before", [SRGB, CICP, SRGB + CICP], ids=["sRGB", "cICP", "both"])
def test_gamma_is_ignored_with_srgb_or_cicp(before) -> None:
    assert metadata(with_chunks(before, GAMMA, PRIMARIES)).icc == b""


def test_a_profile_overrides_gamma(profile) -> None:
    assert metadata(with_chunks(GAMMA, PRIMARIES, chunk(b"iCCP", b"a\0\0" + zlib.compress(profile)))).icc == profile


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 1), ("1", 1), ("RGB", 3), ("P", 3), ("RGBA", 3)])
def test_gamma_becomes_a_profile(mode, channels) -> None:
    assert metadata(with_chunks(GAMMA, mode=mode)).profile_channels == channels
    assert metadata(with_chunks(GAMMA, PRIMARIES, mode=mode)).profile_channels == channels
    assert metadata(with_chunks(PRIMARIES, mode=mode)).profile_channels == (0 if channels == 1 else 3)


@pytest.mark.parametrize("gamma", [45_455, 45_450, 0])
def test_the_gamma_of_srgb_needs_no_profile(gamma) -> None:
    plain = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    added = chunk(b"gAMA", struct.pack(">I", gamma))
    assert metadata(with_chunks(added)) == metadata(with_chunks(added, plain)) == Metadata()
