"""The chunks of a PNG, those of other programs too: colour in all its forms, texts, and blocks of metadata as texts."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import PngImagePlugin

from imgconv.images.containers import png, raw_profiles
from imgconv.images.metadata import Metadata

XMP = b"XML:com.adobe.xmp"


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at + 8 : at + 8 + size]))
        assert data[at + 8 + size : at + 12 + size] == struct.pack(">I", zlib.crc32(kind + found[-1][1]))
        at += 12 + size
    return found


def saved(mode: str, **options) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8) * 5).convert(mode).save(file, "PNG", **options)
    return file.getvalue()


def with_chunks(*made: bytes, mode: str = "RGB", at_the_end: bool = False) -> bytes:
    plain = saved(mode)
    place = len(plain) - 12 if at_the_end else 33
    return plain[:place] + b"".join(made) + plain[place:]


def said(data: bytes) -> Metadata:
    return png.read(memoryview(data))[0]


@pytest.mark.parametrize(("mode", "options", "bits"), [
    ("1", {}, 1), ("P", {"bits": 1}, 1), ("P", {"bits": 2}, 2), ("P", {"bits": 4}, 4), ("P", {}, None), ("L", {}, None),
    ("RGBA", {}, None), ("I;16", {}, None),
])  # fmt: skip
def test_bits(mode, options, bits) -> None:
    assert png.read(memoryview(saved(mode, **options)))[1] == png.Coding(bits=bits)


@pytest.mark.parametrize("at_the_end", [False, True])
def test_chunks_anywhere(at_the_end, exif, xmp) -> None:
    made = (chunk(b"eXIf", exif), chunk(b"iTXt", XMP + bytes(5) + xmp), chunk(b"tEXt", b"Comment\0gr\xfcn"))
    metadata = said(with_chunks(*made, at_the_end=at_the_end))
    assert (metadata.exif, metadata.xmp, metadata.comment) == (exif, xmp, "grün")


def test_blocks_that_are_compressed(xmp, profile) -> None:
    packed = zlib.compress(xmp)
    metadata = said(
        with_chunks(chunk(b"iTXt", XMP + b"\0\1\0en\0XMP\0" + packed), chunk(b"iCCP", b"any name\0\0" + zlib.compress(profile)))
    )
    assert (metadata.xmp, metadata.icc) == (xmp, profile)


TEXTS = {
    "tEXt": (chunk(b"tEXt", b"Comment\0gr\xfcn"), "grün"),
    "tEXt that is UTF-8 all the same": (chunk(b"tEXt", b"comment\0" + "grün".encode()), "grün"),
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
}


@pytest.mark.parametrize("name", TEXTS)
def test_comments(name) -> None:
    made, expected = TEXTS[name]
    assert said(with_chunks(made)).comment == expected


@pytest.mark.parametrize("text", ["plain", "grün", "中文", "two\nlines", "Ã¼", "\udc80x"])
def test_comments_are_written_so_that_others_read_them(put, text) -> None:
    file = put("png", Metadata(comment=text))
    expected = text.encode("utf-8", "replace").decode()
    assert said(file).comment == expected
    assert Pillow.open(io.BytesIO(file)).text["Comment"] == expected
    assert ([kind for kind, _ in chunks(file) if kind in (b"tEXt", b"iTXt")] == [b"tEXt"]) == (
        text in ("plain", "grün", "two\nlines", "\udc80x")
    )


def test_a_chunk_with_a_wrong_check_is_left_out(exif) -> None:
    damaged = bytearray(chunk(b"eXIf", exif))
    damaged[-10] ^= 1
    assert said(with_chunks(bytes(damaged), chunk(b"tEXt", b"Comment\0behind"))) == Metadata(comment="behind")


def test_the_density() -> None:
    assert said(with_chunks(chunk(b"pHYs", struct.pack(">IIB", 5906, 11811, 1)))).resolution == pytest.approx(
        (300, 150), rel=1e-4
    )
    for content in (struct.pack(">IIB", 3, 4, 0), struct.pack(">IIB", 0, 4, 1), b"short"):
        assert said(with_chunks(chunk(b"pHYs", content))).resolution is None
    assert [left.name for left in png.fitted(Metadata(resolution=(1e-9, 1e12))).left_out] == ["resolution"]


@pytest.mark.parametrize("dots", [72, 96, 240, 300, 1200])
def test_a_resolution_goes_round_unchanged(put, dots) -> None:
    """What a PNG rounds once it does not round again."""
    once = said(put("png", Metadata(resolution=(dots, dots)))).resolution
    assert once == pytest.approx((dots, dots), abs=0.02)
    assert said(put("png", Metadata(resolution=once))).resolution == once


def test_chunks_stand_where_they_have_to(everything, put) -> None:
    file = put("png", everything)
    kinds = [kind for kind, _ in chunks(file)]
    assert kinds[0] == b"IHDR"
    assert kinds[-1] == b"IEND"
    assert set(kinds[1 : kinds.index(b"IDAT")]) == {b"iCCP", b"pHYs", b"eXIf", b"iTXt", b"zTXt", b"tEXt"}


def test_an_animation_keeps_its_frames(everything) -> None:
    file = io.BytesIO()
    first = Pillow.new("RGB", (9, 7), "red")
    first.save(file, "PNG", save_all=True, append_images=[Pillow.new("RGB", (9, 7), "blue")], duration=70)
    written = b"".join(map(bytes, png.written(memoryview(file.getvalue()), everything)))
    assert said(written).exif == everything.exif
    with Pillow.open(io.BytesIO(written)) as found:
        assert found.n_frames == 2
        found.seek(1)
        assert found.convert("RGB").getpixel((3, 3)) == (0, 0, 255)


def test_a_palette_stays_behind(everything) -> None:
    plain = saved("P")
    written = b"".join(map(bytes, png.written(memoryview(plain), everything)))
    kinds = [kind for kind, _ in chunks(written)]
    assert kinds.index(b"iCCP") < kinds.index(b"PLTE")
    assert np.array_equal(np.asarray(Pillow.open(io.BytesIO(written))), np.asarray(Pillow.open(io.BytesIO(plain))))


# Colour.

CICP = chunk(b"cICP", b"\x0c\x0d\0\1")
SRGB = chunk(b"sRGB", b"\0")
GAMMA = chunk(b"gAMA", struct.pack(">I", 100_000))
PRIMARIES = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))


def test_code_points_go_in_and_out(put) -> None:
    assert said(with_chunks(CICP)) == Metadata(cicp=b"\x0c\x0d\0\1")
    file = put("png", Metadata(cicp=b"\x09\x10\0\1"))
    assert [kind for kind, _ in chunks(file)][:2] == [b"IHDR", b"cICP"]
    assert said(file).cicp == b"\x09\x10\0\1"
    assert said(with_chunks(chunk(b"cICP", b"\x0c\x0d\0"))).cicp == b""


@pytest.mark.parametrize("before", [SRGB, CICP, SRGB + CICP], ids=["sRGB", "cICP", "both"])
def test_gamma_counts_for_nothing_behind_what_goes_before_it(before) -> None:
    assert said(with_chunks(before, GAMMA, PRIMARIES)).icc == b""


def test_a_profile_goes_before_gamma(profile) -> None:
    assert said(with_chunks(GAMMA, PRIMARIES, chunk(b"iCCP", b"a\0\0" + zlib.compress(profile)))).icc == profile


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 1), ("1", 1), ("RGB", 3), ("P", 3), ("RGBA", 3)])
def test_gamma_becomes_a_profile(mode, channels) -> None:
    assert said(with_chunks(GAMMA, mode=mode)).profile_channels == channels
    assert said(with_chunks(GAMMA, PRIMARIES, mode=mode)).profile_channels == channels
    assert said(with_chunks(PRIMARIES, mode=mode)).profile_channels == (0 if channels == 1 else 3)


@pytest.mark.parametrize("gamma", [45_455, 45_450, 0])
def test_the_gamma_of_a_plain_picture_says_nothing(gamma) -> None:
    plain = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    made = chunk(b"gAMA", struct.pack(">I", gamma))
    assert said(with_chunks(made)) == said(with_chunks(made, plain)) == Metadata()


# Blocks as texts.


def raw(name: bytes, title: bytes, block: bytes, kind: bytes = b"zTXt") -> bytes:
    text = b"\n%s\n%8d\n" % (title, len(block))
    text += b"".join(block[i : i + 36].hex().encode() + b"\n" for i in range(0, len(block), 36))
    keyword = b"Raw profile type " + name + b"\0"
    return chunk(kind, keyword + (b"\0" + zlib.compress(text) if kind == b"zTXt" else text))


@pytest.mark.parametrize("kind", [b"zTXt", b"tEXt"])
def test_blocks_of_old_files(kind, exif, xmp, iptc) -> None:
    blocks = [("exif", b"exif", b"exif", b"Exif\0\0" + exif), ("exif", b"APP1", b"generic profile", b"Exif\0\0" + exif)]
    blocks += [("xmp", b"xmp", b"xmp", xmp), ("xmp", b"APP1", b"generic profile", b"http://ns.adobe.com/xap/1.0/\0" + xmp)]
    blocks += [("iptc", b"iptc", b"iptc", iptc), ("iptc", b"8bim", b"8bim", iptc)]
    for block, name, title, content in blocks:
        expected = {"exif": exif, "xmp": xmp, "iptc": iptc}[block]
        assert said(with_chunks(raw(name, title, content, kind))) == Metadata(**{block: expected})


def test_records_without_resources_get_one() -> None:
    records = b"\x1c\x02\x05\0\x06A tale"
    found = said(with_chunks(raw(b"iptc", b"iptc", records))).iptc
    assert found == b"8BIM\x04\x04\0\0\0\0\0\x0b" + records + b"\0"
    assert said(with_chunks(raw(b"iptc", b"iptc", b"nonsense"))).iptc == b""


def test_resources_go_before_the_records_in_them(iptc) -> None:
    assert said(with_chunks(raw(b"iptc", b"iptc", iptc[12:26]), raw(b"8bim", b"8bim", iptc))).iptc == iptc


def test_iptc_is_written_as_imagemagick_has_it(iptc, put) -> None:
    text = Pillow.open(io.BytesIO(put("png", Metadata(iptc=iptc)))).text["Raw profile type iptc"]
    lines = text.split("\n")
    assert (lines[0], lines[1], lines[2]) == ("", "iptc", f"{len(iptc):8d}")
    assert bytes.fromhex("".join(lines[3:])) == iptc
    assert max(map(len, lines)) == 72


@pytest.mark.parametrize(
    "text", [b"", b"\nexif\n", b"\nexif\n   4\n0011", b"\nexif\n   2\n00zz", b"\nexif\n   1\n\xff\xff", b" " * 999]
)
def test_damaged_texts_hold_no_block(text) -> None:
    assert raw_profiles.parsed(text) == b""


def test_what_pillow_writes_is_read(exif, xmp, profile) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "grün", zip=True)
    texts.add_itxt(XMP.decode(), xmp.decode(), zip=True)
    metadata = said(saved("RGB", exif=exif, icc_profile=profile, pnginfo=texts, dpi=(150, 300)))
    assert metadata == Metadata(exif, xmp, profile, comment="grün", resolution=metadata.resolution)
    assert metadata.resolution == pytest.approx((300, 150), rel=1e-4)
