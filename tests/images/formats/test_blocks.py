"""Metadata of every format that stores them: what is written is read, other programs find it, the picture stays as it was."""

from __future__ import annotations

import dataclasses
import io

import cv2
import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow

from imgconv.images.files import decode
from imgconv.images.formats import registry
from imgconv.images.metadata import Metadata
from tests.cases import each

PLACES = {name: set(registry.format_named(name).places - {"cicp", "texts"}) for name in ("jpeg", "png", "webp", "gif")}


def pixels_of(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def opened(data: bytes) -> Pillow.Image:
    found = Pillow.open(io.BytesIO(data))
    found.load()
    return found


def fitted(kind: str, metadata: Metadata, colours: int = 3) -> tuple[Metadata, list[str]]:
    """Return what a format stores of metadata, and the names of the blocks that it does not."""
    kept, lost = registry.format_named(kind).fit(metadata, colours)
    return kept, list(lost)


@pytest.mark.parametrize("kind", PLACES)
def test_what_goes_in_comes_out(kind, everything, put, left_out) -> None:
    kept, lost = fitted(kind, everything)
    assert set(kept.blocks()) == PLACES[kind]
    assert set(lost) == set(everything.blocks()) - PLACES[kind]
    assert all(note.endswith(f": {registry.format_named(kind).title} cannot store it") for note in left_out(kind, everything))
    found = decode(put(kind, everything)).metadata
    assert dataclasses.replace(found, resolution=None) == dataclasses.replace(kept, resolution=None)
    if "resolution" in PLACES[kind]:
        assert found.resolution == pytest.approx((300, 150), rel=1e-4)


@each("kind", PLACES)
@each("block", ["exif", "xmp", "icc", "iptc", "comment", "resolution"])
def test_each_block_alone(kind, block, everything, put) -> None:
    found = decode(put(kind, everything.only({block}))).metadata
    # A WebP stores the resolution and the comment in EXIF.
    expected = {block} & PLACES[kind] | ({"exif"} if kind == "webp" and block in ("comment", "resolution") else set())
    assert set(found.blocks()) == expected


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_picture_stays_as_it_was(kind, channels, picture, everything, put) -> None:
    channels = 3 if channels == 4 and kind == "jpeg" else channels
    alpha = np.where(picture[:, :, :1] > 90, np.uint8(255), np.uint8(0))
    pixels = picture[:, :, 0].copy() if channels == 1 else np.dstack([picture, alpha])[:, :, :channels]
    upright = dataclasses.replace(everything, exif=b"")
    plain, full = put(kind, Metadata(), pixels), put(kind, upright, pixels)
    assert full != plain
    assert np.array_equal(pixels_of(full), pixels_of(plain))
    assert np.array_equal(np.asarray(opened(full)), np.asarray(opened(plain)))
    assert opened(full).mode == opened(plain).mode


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_the_bytes_of_the_picture_are_not_copied(kind, everything) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (200, 300, 3), np.uint8)
    chosen = registry.format_named(kind)
    encoded = cv2.imencode(chosen.extensions[0], noise)[1]
    pieces = chosen.with_metadata(encoded.data, fitted(kind, everything)[0])
    shared = [len(p) for p in pieces if isinstance(p, memoryview) and np.shares_memory(np.asarray(p), encoded)]
    assert sum(shared) > 0.9 * len(encoded)
    assert b"".join(map(bytes, chosen.with_metadata(encoded.data, Metadata()))) == encoded.tobytes()


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
def test_what_libvips_writes_is_read(kind, picture, everything) -> None:
    image = pyvips.Image.new_from_array(picture[:, :, ::-1].copy()).copy(xres=150 / 25.4, yres=300 / 25.4)
    image.set_type(pyvips.GValue.blob_type, "xmp-data", everything.xmp)
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", everything.icc)
    image.set_type(pyvips.GValue.blob_type, "iptc-data", b"Photoshop 3.0\0" + everything.iptc)
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    found = decode(image.write_to_buffer(registry.format_named(kind).extensions[0])).metadata
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
    file, kept = put(kind, metadata), fitted(kind, metadata)[0]
    found = decode(file).metadata
    assert (found.icc, found.xmp, found.iptc) == (icc, kept.xmp, kept.iptc)
    assert kept.xmp == (b"" if kind == "jpeg" else long)
    assert opened(file).info["icc_profile"] == icc
    assert pyvips.Image.new_from_buffer(file, "").get("icc-profile-data") == icc


@pytest.mark.parametrize("kind", ["bmp", "ppm", "hdr", "exr", "jp2"])
def test_a_format_without_metadata(kind, everything) -> None:
    kept, lost = fitted(kind, everything)
    assert (kept, set(lost)) == (Metadata(), set(everything.blocks()))


DISPLAY_P3, UNKNOWN, SRGB = b"\x0c\x0d\0\1", b"\x09\x10\0\1", b"\1\x0d\0\1"


@pytest.mark.parametrize("kind", ["jpeg", "webp", "avif", "tiff"])
@pytest.mark.parametrize("colours", [1, 3])
def test_code_points_become_a_profile(kind, colours) -> None:
    kept, lost = fitted(kind, Metadata(cicp=DISPLAY_P3), colours)
    assert (kept.profile_channels, lost) == (colours, [])


def test_code_points_without_a_profile_are_named_and_those_of_srgb_are_not(profile) -> None:
    assert fitted("jpeg", Metadata(cicp=UNKNOWN)) == (Metadata(), ["cicp"])
    assert fitted("jpeg", Metadata(cicp=SRGB)) == (Metadata(), [])
    assert fitted("bmp", Metadata(cicp=SRGB)) == (Metadata(), [])
    assert fitted("jpeg", Metadata(cicp=UNKNOWN, icc=profile)) == (Metadata(icc=profile), [])
