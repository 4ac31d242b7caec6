"""EXIF, colour profiles and orientation: kept by formats that support them, else applied or reported."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

from imgconv.images.files import read_image, write_image
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata, upright
from tests.cases import each

ORIENTATION, DESCRIPTION = 0x0112, 0x010E
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_of(orientation: int) -> Pillow.Exif:
    exif = Pillow.Exif()
    exif[ORIENTATION] = orientation
    exif[DESCRIPTION] = "a part of a photograph"
    return exif


@pytest.fixture
def source(tmp_path, photo):
    """Write a JPEG with EXIF and a profile by Pillow."""

    def write(orientation: int, profile: bytes = PROFILE):
        picture = Pillow.fromarray(photo[:, :, ::-1])
        picture.save(tmp_path / "in.jpg", exif=exif_of(orientation), icc_profile=profile, quality=100, subsampling=0)
        return tmp_path / "in.jpg"

    return write


def upright_pixels(path) -> np.ndarray:
    """Return the picture with its orientation applied by Pillow."""
    with Pillow.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB")).astype(int)


@each("orientation", range(1, 9))
@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tif", "bmp", "ppm", "avif"])
def test_every_format_keeps_or_applies_the_orientation(source, tmp_path, orientation, extension) -> None:
    path = source(orientation)
    write_image(tmp_path / f"out.{extension}", read_image(path))
    found, expected = upright_pixels(tmp_path / f"out.{extension}"), upright_pixels(path)
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 4  # lossy formats; a wrong orientation differs by 30


@pytest.mark.parametrize("extension", ["ppm", "bmp"])
def test_lost_metadata_is_reported_one_line_each(source, tmp_path, extension) -> None:
    notes = write_image(tmp_path / f"out.{extension}", read_image(source(6)))
    assert len(notes) >= 2
    assert any("profile" in note for note in notes)
    assert any("applied EXIF orientation 6 to the pixels" in note for note in notes)
    assert all(len(note.splitlines()) == 1 for note in notes)
    with Pillow.open(tmp_path / f"out.{extension}") as found:
        assert found.size == (37, 50)


@each("extension", ["jpg", "png", "webp"])
@each("profile", [b"garbage" * 40, b"x", PROFILE[:-9]])
@each("orientation", [1, 6])
def test_a_damaged_profile_affects_neither_pixels_nor_orientation(source, tmp_path, extension, profile, orientation) -> None:
    path = source(orientation, profile)
    write_image(tmp_path / f"out.{extension}", read_image(path))
    with Pillow.open(tmp_path / f"out.{extension}") as found:
        assert found.getexif().get(DESCRIPTION) == "a part of a photograph"
    assert np.abs(upright_pixels(tmp_path / f"out.{extension}") - upright_pixels(path)).mean() < 3


def test_a_cmyk_profile_is_dropped_for_rgb(tmp_path) -> None:
    profile = PROFILE[:16] + b"CMYK" + PROFILE[20:]
    Pillow.new("CMYK", (16, 8), (10, 200, 60, 30)).save(tmp_path / "in.jpg", icc_profile=profile)
    image = read_image(tmp_path / "in.jpg")
    assert image.metadata.profile_channels != 4
    assert any("profile" in note for note in image.notes)
    write_image(tmp_path / "out.png", image)
    with Pillow.open(tmp_path / "out.png") as found:
        assert found.mode == "RGB"
        assert "icc_profile" not in found.info


def test_a_grey_profile_is_kept_for_grey_only(tmp_path, photo) -> None:
    metadata = Metadata(icc=PROFILE[:16] + b"GRAY" + PROFILE[20:])
    write_image(tmp_path / "grey.jpg", Image(photo[:, :, 0].copy(), metadata))
    write_image(tmp_path / "colour.jpg", Image(photo, metadata))
    assert read_image(tmp_path / "grey.jpg").metadata.icc == metadata.icc
    assert read_image(tmp_path / "colour.jpg").metadata.icc == b""


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_matches_pillow(photo, orientation) -> None:
    stored = Pillow.fromarray(photo)
    stored.getexif()[ORIENTATION] = orientation
    assert np.array_equal(upright(photo, orientation), np.asarray(ImageOps.exif_transpose(stored)))
    assert upright(photo, orientation).flags.c_contiguous
    assert upright(photo[:, :, 0], orientation).ndim == 2


@pytest.mark.parametrize("exif", [b"", exif_of(3).tobytes()[6:], exif_of(8).tobytes()[6:]], ids=["none", "3", "8"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_oriented_changes_nothing_else(exif, orientation) -> None:
    changed = Metadata(exif=exif, icc=b"icc").oriented(orientation)
    assert changed.orientation == orientation
    assert changed.icc == b"icc"
    if exif:
        found = Pillow.Exif()
        found.load(b"Exif\0\0" + changed.exif)
        assert (found[ORIENTATION], found[DESCRIPTION]) == (orientation, "a part of a photograph")


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: b"II*\0\x08\0\0\0" + tail))
def test_invalid_exif_has_a_valid_orientation(exif) -> None:
    metadata = Metadata(exif=exif)
    assert 1 <= metadata.orientation <= 8
    for orientation in (1, 6):
        assert 1 <= metadata.oriented(orientation).orientation <= 8


def test_blocks_and_only() -> None:
    metadata = Metadata(exif=b"e", icc=b"i")
    assert metadata.blocks() == {"exif": b"e", "icc": b"i"}
    assert metadata.only({"icc", "xmp"}) == Metadata(icc=b"i")
