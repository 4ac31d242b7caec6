"""Metadata blocks in every format that stores them: read back, read by other libraries, without changes to the pixels."""

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

STORED_BLOCKS = {name: set(registry.format_named(name).places - {"cicp", "texts"}) for name in ("jpeg", "png", "webp", "gif")}


def pixels_of(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def open_with_pillow(data: bytes) -> Pillow.Image:
    found = Pillow.open(io.BytesIO(data))
    found.load()
    return found


def fitted(kind: str, metadata: Metadata, colours: int = 3) -> tuple[Metadata, list[str]]:
    """Return the metadata that a format stores, and the names of the blocks that it drops."""
    kept, lost = registry.format_named(kind).fit(metadata, colours)
    return kept, list(lost)


@pytest.mark.parametrize("kind", STORED_BLOCKS)
def test_metadata_is_read_back(kind, full_metadata, file_with, loss_notes) -> None:
    kept, lost = fitted(kind, full_metadata)
    assert set(kept.blocks()) == STORED_BLOCKS[kind]
    assert set(lost) == set(full_metadata.blocks()) - STORED_BLOCKS[kind]
    assert all(
        note.endswith(f": {registry.format_named(kind).title} cannot store it") for note in loss_notes(kind, full_metadata)
    )
    found = decode(file_with(kind, full_metadata)).metadata
    assert dataclasses.replace(found, resolution=None) == dataclasses.replace(kept, resolution=None)
    if "resolution" in STORED_BLOCKS[kind]:
        assert found.resolution == pytest.approx((300, 150), rel=1e-4)


@each("kind", STORED_BLOCKS)
@each("block", ["exif", "xmp", "icc", "iptc", "comment", "resolution"])
def test_each_block_is_stored_separately(kind, block, full_metadata, file_with) -> None:
    found = decode(file_with(kind, full_metadata.only({block}))).metadata
    # WebP stores the resolution and the comment in EXIF.
    expected = {block} & STORED_BLOCKS[kind] | ({"exif"} if kind == "webp" and block in ("comment", "resolution") else set())
    assert set(found.blocks()) == expected


@pytest.mark.parametrize("kind", STORED_BLOCKS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_metadata_does_not_change_the_pixels(kind, channels, picture, full_metadata, file_with) -> None:
    channels = 3 if channels == 4 and kind == "jpeg" else channels
    alpha = np.where(picture[:, :, :1] > 90, np.uint8(255), np.uint8(0))
    pixels = picture[:, :, 0].copy() if channels == 1 else np.dstack([picture, alpha])[:, :, :channels]
    upright = dataclasses.replace(full_metadata, exif=b"")
    plain, full = file_with(kind, Metadata(), pixels), file_with(kind, upright, pixels)
    assert full != plain
    assert np.array_equal(pixels_of(full), pixels_of(plain))
    assert np.array_equal(np.asarray(open_with_pillow(full)), np.asarray(open_with_pillow(plain)))
    assert open_with_pillow(full).mode == open_with_pillow(plain).mode


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_the_encoded_pixels_are_not_copied(kind, full_metadata) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (200, 300, 3), np.uint8)
    chosen = registry.format_named(kind)
    encoded = cv2.imencode(chosen.extensions[0], noise)[1]
    pieces = chosen.with_metadata(encoded.data, fitted(kind, full_metadata)[0])
    shared = [len(p) for p in pieces if isinstance(p, memoryview) and np.shares_memory(np.asarray(p), encoded)]
    assert sum(shared) > 0.9 * len(encoded)
    assert b"".join(map(bytes, chosen.with_metadata(encoded.data, Metadata()))) == encoded.tobytes()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_pillow_reads_the_metadata(kind, full_metadata, file_with) -> None:
    found = open_with_pillow(file_with(kind, full_metadata))
    assert found.getexif()[0x0112] == 6
    assert found.getexif()[0x010F] == "A maker"
    assert found.info["icc_profile"] == full_metadata.icc
    assert found.info["xmp"] == full_metadata.xmp
    if kind == "webp":
        assert (found.getexif()[0x011A], found.getexif()[0x011B], found.getexif()[0x0128]) == (150, 300, 2)
        assert found.getexif()[0x010E].encode("latin-1").decode() == "ein grüner Vogel"
    else:
        assert found.info["dpi"] == pytest.approx((150, 300), rel=1e-4)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_libvips_reads_the_metadata(kind, full_metadata, file_with) -> None:
    found = pyvips.Image.new_from_buffer(file_with(kind, full_metadata), "")
    assert found.get("xmp-data") == full_metadata.xmp
    assert found.get("icc-profile-data") == full_metadata.icc
    assert found.get("orientation") == 6
    assert found.get("exif-ifd0-Make").startswith("A maker")
    if kind == "jpeg":
        assert found.get("iptc-data") == b"Photoshop 3.0\0" + full_metadata.iptc
    if kind != "webp":
        assert (found.xres, found.yres) == pytest.approx((150 / 25.4, 300 / 25.4), rel=1e-4)  # per millimetre


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_metadata_of_libvips_is_read(kind, picture, full_metadata) -> None:
    image = pyvips.Image.new_from_array(picture[:, :, ::-1].copy()).copy(xres=150 / 25.4, yres=300 / 25.4)
    image.set_type(pyvips.GValue.blob_type, "xmp-data", full_metadata.xmp)
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", full_metadata.icc)
    image.set_type(pyvips.GValue.blob_type, "iptc-data", b"Photoshop 3.0\0" + full_metadata.iptc)
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    found = decode(image.write_to_buffer(registry.format_named(kind).extensions[0])).metadata
    assert (found.xmp, found.icc, found.orientation) == (full_metadata.xmp, full_metadata.icc, 6)
    assert found.resolution == pytest.approx((300, 150), rel=5e-3)  # whole dots; in a JPEG per centimetre
    assert found.iptc == (full_metadata.iptc if kind == "jpeg" else b"")


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_opencv_reads_the_metadata(kind, full_metadata, file_with) -> None:
    file = np.frombuffer(file_with(kind, full_metadata), np.uint8)
    _, kinds, blocks = cv2.imdecodeWithMetadata(file, flags=cv2.IMREAD_UNCHANGED)
    found = {int(k): np.asarray(block).tobytes() for k, block in zip(kinds, blocks, strict=True)}
    assert full_metadata.exif in found[cv2.IMAGE_METADATA_EXIF] or kind == "webp"
    assert found[cv2.IMAGE_METADATA_ICCP] == full_metadata.icc
    assert full_metadata.xmp in found[cv2.IMAGE_METADATA_XMP]


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_long_blocks_are_stored(kind, full_metadata, file_with) -> None:
    noise = np.random.default_rng(1).bytes(200_000)
    long = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + noise[:75_000].hex().encode() + b"</x:xmpmeta>"
    icc = (len(full_metadata.icc) + len(noise)).to_bytes(4, "big") + full_metadata.icc[4:] + noise
    metadata = dataclasses.replace(full_metadata, icc=icc, xmp=long, iptc=full_metadata.iptc + noise)
    file, kept = file_with(kind, metadata), fitted(kind, metadata)[0]
    found = decode(file).metadata
    assert (found.icc, found.xmp, found.iptc) == (icc, kept.xmp, kept.iptc)
    assert kept.xmp == (b"" if kind == "jpeg" else long)
    assert open_with_pillow(file).info["icc_profile"] == icc
    assert pyvips.Image.new_from_buffer(file, "").get("icc-profile-data") == icc


@pytest.mark.parametrize("kind", ["bmp", "ppm", "hdr", "exr", "jp2"])
def test_formats_without_metadata_drop_all_blocks(kind, full_metadata) -> None:
    kept, lost = fitted(kind, full_metadata)
    assert (kept, set(lost)) == (Metadata(), set(full_metadata.blocks()))


DISPLAY_P3, UNKNOWN, SRGB = b"\x0c\x0d\0\1", b"\x09\x10\0\1", b"\1\x0d\0\1"


@pytest.mark.parametrize("kind", ["jpeg", "webp", "avif", "tiff"])
@pytest.mark.parametrize("colours", [1, 3])
def test_code_points_become_a_profile(kind, colours) -> None:
    kept, lost = fitted(kind, Metadata(cicp=DISPLAY_P3), colours)
    assert (kept.profile_channels, lost) == (colours, [])


def test_unsupported_code_points_are_reported_and_srgb_is_not(profile) -> None:
    assert fitted("jpeg", Metadata(cicp=UNKNOWN)) == (Metadata(), ["cicp"])
    assert fitted("jpeg", Metadata(cicp=SRGB)) == (Metadata(), [])
    assert fitted("bmp", Metadata(cicp=SRGB)) == (Metadata(), [])
    assert fitted("jpeg", Metadata(cicp=UNKNOWN, icc=profile)) == (Metadata(icc=profile), [])
