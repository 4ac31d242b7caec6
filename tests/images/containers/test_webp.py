"""The chunks of a WebP, made extended where it was not; what it has no place for stands in its EXIF."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from imgconv.images.containers import webp
from imgconv.images.metadata import Metadata


def saved(mode: str, **options) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(2).integers(0, 256, (7, 9, 4), np.uint8)
    frames = [Pillow.new(mode, (9, 7))] if options.get("save_all") else []
    Pillow.fromarray(noise).convert(mode).save(file, "WEBP", append_images=frames, **options)
    return file.getvalue()


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    assert struct.unpack_from("<4sI4s", data) == (b"RIFF", len(data) - 8, b"WEBP")
    found, at = [], 12
    while at < len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        found.append((kind, data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    assert at == len(data)
    return found


KINDS = {
    "lossy": (saved("RGB"), False),
    "lossless": (saved("RGB", lossless=True), True),
    "lossy with alpha": (saved("RGBA"), False),
    "lossless with alpha": (saved("RGBA", lossless=True), True),
    "lossy with EXIF": (saved("RGB", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"), False),
    "animated": (saved("RGBA", save_all=True), False),
    "animated lossless": (saved("RGBA", save_all=True, lossless=True), True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whether_it_is_lossless(kind) -> None:
    data, lossless = KINDS[kind]
    assert webp.read(memoryview(data))[1] == webp.Coding(lossless=lossless)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("blocks", [{"icc"}, {"exif", "xmp"}, {"icc", "exif", "xmp"}])
def test_chunks_stand_in_their_order_and_the_flags_tell_them(kind, blocks, everything) -> None:
    plain = KINDS[kind][0]
    metadata = everything.only(blocks)
    written = b"".join(map(bytes, webp.written(memoryview(plain), metadata)))
    found = chunks(written)
    names = [name for name, _ in found]
    assert names[0] == b"VP8X"
    assert ((names.index(b"ICCP") if "icc" in blocks else 1), names.count(b"ICCP")) == (1, int("icc" in blocks))
    assert names[-2:] == [b"EXIF", b"XMP "] or "exif" not in blocks
    flags, columns, rows = found[0][1][0], found[0][1][4:7], found[0][1][7:10]
    assert (columns, rows) == (b"\x08\0\0", b"\x06\0\0")
    expected = 0x20 * ("icc" in blocks) | 0x08 * ("exif" in blocks) | 0x04 * ("xmp" in blocks)
    assert flags & 0x2C == expected
    assert bool(flags & 0x10) == ("alpha" in kind or "animated" in kind)
    before, after = Pillow.open(io.BytesIO(plain)), Pillow.open(io.BytesIO(written))
    assert before.n_frames == after.n_frames
    assert after.mode == before.mode
    for frame in range(before.n_frames):
        before.seek(frame)
        after.seek(frame)
        assert np.array_equal(np.asarray(after), np.asarray(before))


@pytest.mark.parametrize("size", [(1, 1), (16_383, 1), (3, 300)])
def test_the_canvas_has_the_size_of_the_picture(size, put, exif) -> None:
    for quality in (101, 80):
        file = put("webp", Metadata(exif=exif), np.zeros((*size, 3), np.uint8), cv2.IMWRITE_WEBP_QUALITY, quality)
        assert Pillow.open(io.BytesIO(file)).size == size[::-1]
        assert cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED).shape[:2] == size


def test_odd_lengths_are_padded(put) -> None:
    for length in (20, 21):
        file = put("webp", Metadata(icc=b"p" * length, xmp=b"x" * length))
        assert dict(chunks(file))[b"ICCP"] == b"p" * length
        assert dict(chunks(file))[b"XMP "] == b"x" * length


def test_the_resolution_and_the_comment_are_those_of_exif(exif, said, put) -> None:
    fields = Pillow.Exif()
    fields[0x010E], fields[0x011A], fields[0x011B], fields[0x0128] = "a bird", 240.0, 120.0, 2
    found = said("webp", saved("RGB", exif=fields.tobytes()))
    assert (found.comment, found.resolution) == ("a bird", (120, 240))
    # What EXIF says already stays as it is, byte for byte; another resolution takes its place.
    assert said("webp", put("webp", found)).exif == found.exif
    changed = webp.fitted(Metadata(exif=found.exif, resolution=(72.0, 72.0))).metadata
    assert said("webp", put("webp", changed)).resolution == (72, 72)


def test_a_comment_does_not_take_the_place_of_another(put) -> None:
    fields = Pillow.Exif()
    fields[0x010E] = "a bird"
    fitted = webp.fitted(Metadata(exif=fields.tobytes()[6:], comment="another bird"))
    assert fitted.metadata == Metadata(exif=fields.tobytes()[6:])
    assert [left.name for left in fitted.left_out] == ["comment"]
    assert "another text" in fitted.left_out[0].why


def test_damaged_exif_takes_nothing() -> None:
    fitted = webp.fitted(Metadata(exif=b"II*\0\xff\xff\xff\xff", comment="a", resolution=(72.0, 72.0)))
    assert fitted.metadata == Metadata(exif=b"II*\0\xff\xff\xff\xff")
    assert {left.name for left in fitted.left_out} == {"comment", "resolution"}
