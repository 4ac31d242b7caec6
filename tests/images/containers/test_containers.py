"""Every container: what goes in comes out, other programs find it, the picture stays as it was."""

from __future__ import annotations

import dataclasses
import io

import cv2
import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow

from imgconv.images import containers
from imgconv.images.formats import FORMATS
from imgconv.images.metadata import Metadata

WRITABLE = [name for name in containers.CONTAINERS if containers.container_of(name).written]
PLACES = {
    "jpeg": {"exif", "xmp", "icc", "iptc", "comment", "resolution"},
    "png": {"exif", "xmp", "icc", "iptc", "comment", "resolution"},
    "webp": {"exif", "xmp", "icc", "comment", "resolution"},
    "gif": {"xmp", "comment"},
}


def pixels_of(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def opened(data: bytes) -> Pillow.Image:
    found = Pillow.open(io.BytesIO(data))
    found.load()
    return found


@pytest.mark.parametrize("kind", WRITABLE)
def test_what_goes_in_comes_out(kind, everything, put, said) -> None:
    fitted = containers.fitted(FORMATS[kind], everything, 3)
    assert set(fitted.metadata.blocks()) == PLACES[kind]
    assert {left.name for left in fitted.left_out} == set(everything.blocks()) - PLACES[kind]
    assert all(left.why == f"{FORMATS[kind].title} has no place for it" for left in fitted.left_out)
    found = said(kind, put(kind, everything))
    assert dataclasses.replace(found, resolution=None) == dataclasses.replace(fitted.metadata, resolution=None)
    if "resolution" in PLACES[kind]:
        assert found.resolution == pytest.approx((300, 150), rel=1e-4)


@pytest.mark.parametrize("kind", WRITABLE)
@pytest.mark.parametrize("block", ["exif", "xmp", "icc", "iptc", "comment", "resolution"])
def test_each_block_alone(kind, block, everything, put, said) -> None:
    alone = everything.only({block})
    found = said(kind, put(kind, alone))
    # A WebP says the resolution and the comment in EXIF.
    expected = {block} & PLACES[kind] | ({"exif"} if kind == "webp" and block in ("comment", "resolution") else set())
    assert set(found.blocks()) == expected


@pytest.mark.parametrize("kind", WRITABLE)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_picture_stays_as_it_was(kind, channels, picture, everything, put) -> None:
    if channels == 4 and not FORMATS[kind].alpha:
        channels = 3
    pixels = picture[:, :, 0].copy() if channels == 1 else np.dstack([picture, picture[:, :, :1]])[:, :, :channels]
    if kind == "gif" and channels == 1:
        pixels = np.dstack([pixels] * 3)
    plain, full = put(kind, Metadata(), pixels), put(kind, everything, pixels)
    assert full != plain
    assert np.array_equal(pixels_of(full), pixels_of(plain))
    assert np.array_equal(np.asarray(opened(full)), np.asarray(opened(plain)))
    assert opened(full).mode == opened(plain).mode


@pytest.mark.parametrize("kind", WRITABLE)
def test_no_metadata_no_change(kind, picture) -> None:
    encoded = cv2.imencode(FORMATS[kind].extensions[0], picture)[1]
    pieces = containers.written(FORMATS[kind], encoded.data, Metadata())
    assert b"".join(map(bytes, pieces)) == encoded.tobytes()


@pytest.mark.parametrize("kind", WRITABLE)
def test_the_bytes_of_the_picture_are_not_copied(kind, everything) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (200, 300, 3), np.uint8)
    encoded = cv2.imencode(FORMATS[kind].extensions[0], noise)[1]
    fitted = containers.fitted(FORMATS[kind], everything, 3).metadata
    pieces = containers.written(FORMATS[kind], encoded.data, fitted)
    shared = [len(p) for p in pieces if isinstance(p, memoryview) and np.shares_memory(np.asarray(p), encoded)]
    assert sum(shared) > 0.9 * len(encoded)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_pillow_finds_it(kind, everything, put) -> None:
    found = opened(put(kind, everything))
    assert found.getexif()[0x0112] == 6
    assert found.getexif()[0x010F] == "A maker"
    assert found.info["icc_profile"] == everything.icc
    assert found.info["xmp"] == everything.xmp
    if kind == "webp":
        assert (found.getexif()[0x011A], found.getexif()[0x011B], found.getexif()[0x0128]) == (150, 300, 2)
        assert found.getexif()[0x010E].encode("latin-1").decode() == "ein grüner Vogel"
    else:
        assert found.info["dpi"] == pytest.approx((150, 300), rel=1e-4)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_libvips_finds_it(kind, everything, put) -> None:
    found = pyvips.Image.new_from_buffer(put(kind, everything), "")
    assert found.get("xmp-data") == everything.xmp
    assert found.get("icc-profile-data") == everything.icc
    assert found.get("orientation") == 6
    assert found.get("exif-ifd0-Make").startswith("A maker")
    if kind == "jpeg":
        assert found.get("iptc-data") == b"Photoshop 3.0\0" + everything.iptc
    if kind != "webp":
        assert (found.xres, found.yres) == pytest.approx((150 / 25.4, 300 / 25.4), rel=1e-4)  # a millimetre


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_what_libvips_writes_is_read(kind, picture, everything, said) -> None:
    image = pyvips.Image.new_from_array(picture[:, :, ::-1].copy()).copy(xres=150 / 25.4, yres=300 / 25.4)
    image.set_type(pyvips.GValue.blob_type, "xmp-data", everything.xmp)
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", everything.icc)
    image.set_type(pyvips.GValue.blob_type, "iptc-data", b"Photoshop 3.0\0" + everything.iptc)
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    found = said(kind, image.write_to_buffer(FORMATS[kind].extensions[0]))
    assert (found.xmp, found.icc, found.orientation) == (everything.xmp, everything.icc, 6)
    assert found.resolution == pytest.approx((300, 150), rel=5e-3)  # in whole dots, in a JPEG a centimetre
    assert found.iptc == (everything.iptc if kind == "jpeg" else b"")


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_opencv_finds_it(kind, everything, put) -> None:
    file = np.frombuffer(put(kind, everything), np.uint8)
    _, kinds, blocks = cv2.imdecodeWithMetadata(file, flags=cv2.IMREAD_UNCHANGED)
    found = {int(k): np.asarray(block).tobytes() for k, block in zip(kinds, blocks, strict=True)}
    assert everything.exif in found[cv2.IMAGE_METADATA_EXIF] or kind == "webp"
    assert found[cv2.IMAGE_METADATA_ICCP] == everything.icc
    assert everything.xmp in found[cv2.IMAGE_METADATA_XMP]


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_long_blocks(kind, everything, put) -> None:
    noise = np.random.default_rng(1).bytes(200_000)
    long = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + noise[:75_000].hex().encode() + b"</x:xmpmeta>"
    icc = (len(everything.icc) + len(noise)).to_bytes(4, "big") + everything.icc[4:] + noise
    metadata = dataclasses.replace(everything, icc=icc, xmp=long, iptc=everything.iptc + noise)
    fitted = containers.fitted(FORMATS[kind], metadata, 3)
    file = put(kind, metadata)
    found, _ = containers.read(memoryview(file), kind)
    assert (found.icc, found.xmp, found.iptc) == (metadata.icc, metadata.xmp, fitted.metadata.iptc)
    assert opened(file).info["icc_profile"] == metadata.icc
    assert pyvips.Image.new_from_buffer(file, "").get("icc-profile-data") == metadata.icc


@pytest.mark.parametrize("name", ["bmp", "tiff", "hdr"])
def test_a_format_without_a_container_says_nothing_and_takes_what_its_row_says(name, everything) -> None:
    fitted = containers.fitted(FORMATS[name], everything, 3)
    assert set(fitted.metadata.blocks()) == FORMATS[name].metadata & set(everything.blocks())
    assert containers.read(memoryview(b"BM anything"), name) == (Metadata(), containers.Coding())
    assert containers.written(FORMATS[name], memoryview(b"BM"), Metadata()) == [b"BM"]


def test_an_encoder_has_to_write_what_has_no_written() -> None:
    assert [name for name in FORMATS if containers.is_left_to_encoder(FORMATS[name])] == ["tiff", "avif"]


DISPLAY_P3, PQ = b"\x0c\x0d\0\1", b"\x09\x10\0\1"


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "tiff"])
@pytest.mark.parametrize("colours", [1, 3])
def test_code_points_become_a_profile(name, colours) -> None:
    fitted = containers.fitted(FORMATS[name], Metadata(cicp=DISPLAY_P3), colours)
    assert fitted.left_out == ()
    assert fitted.metadata.profile_channels == colours


def test_code_points_that_cannot_become_one_are_told_and_those_of_srgb_are_not(profile) -> None:
    assert [left.name for left in containers.fitted(FORMATS["jpeg"], Metadata(cicp=PQ), 3).left_out] == ["cicp"]
    assert containers.fitted(FORMATS["jpeg"], Metadata(cicp=b"\1\x0d\0\1"), 3) == (Metadata(), ())
    assert containers.fitted(FORMATS["bmp"], Metadata(cicp=b"\1\x0d\0\1"), 3) == (Metadata(), ())
    assert containers.fitted(FORMATS["jpeg"], Metadata(cicp=PQ, icc=profile), 3) == (Metadata(icc=profile), ())
