"""Pixels of JPEGs written by Pillow and libjpeg, including kinds that OpenCV decodes incorrectly or not at all."""

from __future__ import annotations

import io

import cv2
import imagecodecs
import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.errors import ReadError
from imgconv.images.colour.mixing import cmyk_to_rgb
from imgconv.images.files import decode
from tests.images.formats.pictures import page, read, to_rgb

DOWN, ACROSS = np.mgrid[:40, :56]
GREY = np.minimum(4 * ACROSS + DOWN, 255).astype(np.uint8)
COLOURS = np.dstack([GREY, 255 - GREY, np.minimum(6 * DOWN, 255).astype(np.uint8)])  # RGB
INKS = np.dstack([COLOURS, GREY // 3])


def save(pixels: np.ndarray, mode: str | None = None, **options) -> bytes:
    file = io.BytesIO()
    image = Pillow.frombytes(mode, pixels.shape[1::-1], pixels.tobytes()) if mode else Pillow.fromarray(pixels)
    image.save(file, "JPEG", **options)
    return file.getvalue()


def cmyk_profile() -> bytes:
    return bytes(pyvips.Operation.call("profile_load", "cmyk"))


def cmyk_jpeg(colorspace: str) -> bytes:
    return imagecodecs.jpeg8_encode(255 - INKS, level=98, colorspace="CMYK", outcolorspace=colorspace)


CMYK_JPEGS = {
    "Pillow's": lambda profile: save(INKS, "CMYK", quality=98, icc_profile=profile or None),
    "progressive": lambda profile: save(INKS, "CMYK", quality=98, progressive=True, icc_profile=profile or None),
    "YCCK": lambda profile: cmyk_jpeg("YCCK"),
    "without Adobe's marker": lambda profile: cmyk_jpeg("CMYK").replace(
        b"\xff\xee\x00\x0eAdobe", b"\xff\xea\x00\x0eOther", 1
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CMYK_JPEGS)
@pytest.mark.parametrize("profiled", [False, True])
def test_cmyk_is_converted_by_its_profile(kind, profiled) -> None:
    profile = cmyk_profile() if profiled and kind in ("Pillow's", "progressive") else b""
    data = CMYK_JPEGS[kind](profile)
    found = decode(data)
    expected, icc, note = cmyk_to_rgb(INKS, profile)
    # The compression changes an ink by 1 to 3 levels.
    assert np.abs(to_rgb(found.pixels).astype(int) - expected).mean() < 1.5
    assert np.abs(to_rgb(found.pixels).astype(int) - expected).max() < 16
    assert (found.metadata.icc, found.notes, found.format) == (icc, (note,), "jpeg")
    opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if profile:
        assert np.abs(to_rgb(opencv).astype(int) - expected).mean() > 10


@pytest.mark.parametrize("pixels", [GREY, COLOURS], ids=["grey", "colours"])
def test_12_bits_are_scaled_to_16(pixels) -> None:
    wide = pixels.astype(np.uint16) * 16 + 5
    data = imagecodecs.jpeg8_encode(wide, level=98, bitspersample=12)
    assert read(data).dtype == np.uint16
    assert np.abs(read(data) - wide * (65_535 / 4095)).mean() < 200  # levels of 65535
    assert page(data).coding.bits == decode(data).coding.bits == 12


@pytest.mark.parametrize("bits", [2, 7, 8, 9, 12, 16])
@pytest.mark.parametrize("pixels", [GREY, COLOURS], ids=["grey", "colours"])
def test_lossless_jpegs_are_exact(pixels, bits) -> None:
    full, largest = (1 << bits) - 1, 255 if bits < 9 else 65_535
    samples = (pixels.astype(np.uint32) * full // 255).astype(np.uint8 if bits < 9 else np.uint16)
    found = read(imagecodecs.jpeg8_encode(samples, lossless=True, bitspersample=bits))
    assert np.array_equal(found, np.rint(samples * (largest / full)).astype(samples.dtype))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("pixels", [GREY, COLOURS], ids=["grey", "colours"])
def test_grey_and_colour_match_pillow(pixels, progressive) -> None:
    data = save(pixels, progressive=progressive)
    assert np.abs(read(data).astype(int) - np.asarray(Pillow.open(io.BytesIO(data)))).max() <= 1


def test_two_components_are_an_error() -> None:
    with pytest.raises(ReadError, match=r"x\.pic: a JPEG with 2 components of 8 bits is not supported; save it as PNG or TIFF"):
        decode(imagecodecs.jpeg8_encode(np.dstack([GREY, GREY])), "x.pic")


# Damage

INTACT = {
    "inks": save(INKS, "CMYK"),
    "12 bits": imagecodecs.jpeg8_encode(COLOURS.astype(np.uint16) * 16, bitspersample=12),
    "lossless": imagecodecs.jpeg8_encode(GREY.astype(np.uint16) * 16, lossless=True, bitspersample=12),
}


@pytest.mark.parametrize("kind", INTACT)
def test_a_truncated_file_is_a_read_error(kind) -> None:
    data = INTACT[kind]
    for end in (*range(3, len(data), max(1, len(data) // 60)), len(data) - 2):
        with pytest.raises(ReadError, match="x: "):
            decode(data[:end], "x")


@pytest.mark.parametrize("kind", INTACT)
@given(places=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_damaged_file_gives_a_picture_or_a_read_error(kind, places) -> None:
    data = bytearray(INTACT[kind])
    for place, change in places:
        data[3 + place % (len(data) - 3)] ^= change
    try:
        assert decode(bytes(data), "x", 1 << 22).pixels.size
    except ReadError as error:
        message = str(error)
    else:
        message = "x: "
    assert message.startswith("x: ")
    assert "\n" not in message
