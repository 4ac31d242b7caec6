"""JPEG and JPEG 2000 that OpenCV reads wrong, as Pillow and libvips, libjpeg and OpenJPEG wrote them."""

from __future__ import annotations

import io
import struct

import cv2
import imagecodecs
import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.errors import ReadError
from imgconv.images.codecs.stills import read_still
from imgconv.images.colour import cmyk_to_rgb
from imgconv.images.formats import sniffed

DOWN, ACROSS = np.mgrid[:40, :56]
GREY = np.minimum(4 * ACROSS + DOWN, 255).astype(np.uint8)
COLOURS = np.dstack([GREY, 255 - GREY, np.minimum(6 * DOWN, 255).astype(np.uint8)])  # red first
INKS = np.dstack([COLOURS, GREY // 3])


def still(data: bytes):
    view = memoryview(data)
    return read_still(view, sniffed(view), "x.pic")


def red_first(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 2 or pixels.shape[2] == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]


def saved(pixels: np.ndarray, mode: str, kind: str, **options) -> bytes:
    file = io.BytesIO()
    Pillow.frombytes(mode, pixels.shape[1::-1], pixels.tobytes()).save(file, kind, **options)
    return file.getvalue()


# JPEG


def printer() -> bytes:
    return bytes(pyvips.Operation.call("profile_load", "cmyk"))


def inverted(pixels: np.ndarray) -> bytes:
    return imagecodecs.jpeg8_encode(255 - pixels, level=98, colorspace="CMYK", outcolorspace="YCCK")


JPEGS_OF_INKS = {
    "Pillow's": lambda profile: saved(INKS, "CMYK", "JPEG", quality=98, icc_profile=profile or None),
    "YCCK": lambda profile: inverted(INKS),
    "without Adobe's marker": lambda profile: imagecodecs.jpeg8_encode(
        255 - INKS, level=98, colorspace="CMYK", outcolorspace="CMYK"
    ).replace(b"\xff\xee\x00\x0eAdobe", b"\xff\xea\x00\x0eOther", 1),
    "progressive": lambda profile: saved(INKS, "CMYK", "JPEG", quality=98, progressive=True, icc_profile=profile or None),
}


@pytest.mark.parametrize("how", JPEGS_OF_INKS)
@pytest.mark.parametrize("profiled", [False, True])
def test_inks_of_a_jpeg_become_colours_by_their_profile(how, profiled) -> None:
    profile = printer() if profiled and how in ("Pillow's", "progressive") else b""
    data = JPEGS_OF_INKS[how](profile)
    found = still(data)
    expected, icc, note = cmyk_to_rgb(INKS, profile)
    # 1 to 3 levels of an ink are what the compression leaves.
    assert np.abs(red_first(found.pixels).astype(int) - expected).mean() < 1.5
    assert np.abs(red_first(found.pixels).astype(int) - expected).max() < 16
    assert (found.metadata.icc, found.notes) == (icc, (note,))
    assert found.format == "jpeg"
    opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if profile:
        assert np.abs(red_first(opencv).astype(int) - expected).mean() > 10


@pytest.mark.parametrize("pixels", [GREY, COLOURS], ids=["grey", "colours"])
def test_12_bits_of_a_jpeg_are_read_as_16(pixels) -> None:
    wide = pixels.astype(np.uint16) * 16 + 5
    found = still(imagecodecs.jpeg8_encode(wide, level=98, bitspersample=12))
    assert found.pixels.dtype == np.uint16
    assert np.abs(red_first(found.pixels) - wide * (65_535 / 4095)).mean() < 200  # of 65535
    assert found.coding.bits == 12


@pytest.mark.parametrize("bits", [2, 7, 9, 12, 16])
@pytest.mark.parametrize("pixels", [GREY, COLOURS], ids=["grey", "colours"])
def test_a_jpeg_without_loss(pixels, bits) -> None:
    full, most = (1 << bits) - 1, 255 if bits < 9 else 65_535
    samples = (pixels.astype(np.uint32) * full // 255).astype(np.uint8 if bits < 9 else np.uint16)
    found = still(imagecodecs.jpeg8_encode(samples, lossless=True, bitspersample=bits))
    assert np.array_equal(red_first(found.pixels), np.rint(samples * (most / full)).astype(samples.dtype))


def test_a_usual_jpeg_is_left_to_opencv() -> None:
    for pixels in (GREY, COLOURS):
        for options in ({}, {"lossless": True, "bitspersample": 8}):
            assert still(imagecodecs.jpeg8_encode(pixels, **options)) is None


def test_a_jpeg_of_two_components_is_refused() -> None:
    with pytest.raises(ReadError, match=r"x\.pic: a JPEG of 2 components cannot be read"):
        still(imagecodecs.jpeg8_encode(np.dstack([GREY, GREY])))


# JPEG 2000


def boxed(data: bytes, edit) -> bytes:
    """Return a JPEG 2000 whose header, the boxes in `jp2h`, is edited."""
    at = data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, at)
    inner = edit(data[at + 8 : at + size])
    return data[:at] + struct.pack(">I4s", 8 + len(inner), b"jp2h") + inner + data[at + size :]


def with_space(number: int):
    def edit(header: bytes) -> bytes:
        at = header.index(b"colr") + 4
        return header[: at + 3] + struct.pack(">I", number) + header[at + 7 :]

    return edit


@pytest.mark.parametrize("boxes", ["jp2", "j2k"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int8", "int16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_samples_of_a_jpeg_2000(channels, dtype, boxes) -> None:
    bits, signed = 8 * np.dtype(dtype).itemsize, dtype.startswith("i")
    stacked = np.dstack([COLOURS, GREY])[:, :, -channels:] if channels == 2 else np.dstack([COLOURS, GREY])[:, :, :channels]
    samples = (stacked.astype(np.int64) * (257 if bits == 16 else 1) - (1 << (bits - 1)) * signed).astype(dtype)
    samples = samples[:, :, 0] if channels == 1 else samples
    data = imagecodecs.jpeg2k_encode(samples, level=0, codecformat=boxes, reversible=True)
    found = still(data)
    if channels != 2 and not signed:
        assert found is None
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    else:
        pixels = found.pixels
        assert found.format == ("jp2" if boxes == "jp2" else "")
    assert pixels.dtype == samples.dtype
    assert np.array_equal(red_first(pixels), samples)


@pytest.mark.parametrize("bits", [1, 4, 7, 9, 10, 12, 15])
@pytest.mark.parametrize("pixels", [GREY, COLOURS], ids=["grey", "colours"])
def test_few_bits_of_a_jpeg_2000_reach_white(pixels, bits) -> None:
    full, most = (1 << bits) - 1, 255 if bits < 9 else 65_535
    samples = (pixels.astype(np.uint32) * full // 255).astype(np.uint8 if bits < 9 else np.uint16)
    found = still(imagecodecs.jpeg2k_encode(samples, level=0, bitspersample=bits, reversible=True))
    assert np.array_equal(red_first(found.pixels), np.rint(samples * (most / full)).astype(samples.dtype))
    assert found.coding.bits == bits


@pytest.mark.parametrize("bits", [4, 8])
def test_a_table_of_colours_of_a_jpeg_2000(bits) -> None:
    table = np.random.default_rng(1).integers(0, 256, (16, 3), np.uint8)

    def edit(header: bytes) -> bytes:
        entries = struct.pack(">HB3B", 16, 3, 7, 7, 7) + table.tobytes()
        columns = b"".join(struct.pack(">HBB", 0, 1, column) for column in range(3))
        added = struct.pack(">I4s", 8 + len(entries), b"pclr") + entries
        return with_space(16)(header) + added + struct.pack(">I4s", 8 + len(columns), b"cmap") + columns

    data = boxed(imagecodecs.jpeg2k_encode(GREY // 16, level=0, bitspersample=bits, codecformat="jp2", reversible=True), edit)
    assert np.array_equal(red_first(still(data).pixels), table[GREY // 16])
    if bits == 8:  # of fewer Pillow takes the numbers for shades
        with Pillow.open(io.BytesIO(data)) as image:
            assert np.array_equal(np.asarray(image.convert("RGB")), table[GREY // 16])


def test_luma_and_chroma_of_a_jpeg_2000() -> None:
    data = boxed(saved(np.dstack([GREY, GREY // 2 + 60, 200 - GREY // 3]), "RGB", "JPEG2000", mct=0), with_space(18))
    with Pillow.open(io.BytesIO(data)) as image:
        assert np.abs(red_first(still(data).pixels).astype(int) - np.asarray(image)).max() <= 1


def test_inks_of_a_jpeg_2000() -> None:
    found = still(saved(INKS, "CMYK", "JPEG2000"))
    expected, _, note = cmyk_to_rgb(INKS, b"")
    assert np.array_equal(red_first(found.pixels), expected)
    assert found.notes == (note,)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (imagecodecs.jpeg2k_encode(GREY.astype(np.uint32) << 16, level=0, bitspersample=24), "of 24 bits a sample"),
        (imagecodecs.jpeg2k_encode(GREY.astype(np.int32) << 4, level=0, bitspersample=20), "of 20 signed bits a sample"),
        (boxed(saved(COLOURS, "RGB", "JPEG2000"), with_space(14)), "space of colours other than RGB"),
    ],
)
def test_a_jpeg_2000_that_cannot_be_kept(data, complaint) -> None:
    with pytest.raises(ReadError, match=complaint):
        still(data)


# Damage

WHOLE = {
    "inks": saved(INKS, "CMYK", "JPEG"),
    "12 bits": imagecodecs.jpeg8_encode(COLOURS.astype(np.uint16) * 16, bitspersample=12),
    "without loss": imagecodecs.jpeg8_encode(GREY.astype(np.uint16) * 16, lossless=True, bitspersample=12),
    "JPEG 2000": saved(np.dstack([GREY, GREY]), "LA", "JPEG2000"),
    "signed JPEG 2000": imagecodecs.jpeg2k_encode(GREY.view(np.int8), codecformat="j2k"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_cut_is_not_read(kind) -> None:
    data = WHOLE[kind]
    for end in (*range(0, len(data), max(1, len(data) // 60)), len(data) - 2):
        view = memoryview(data[:end])
        try:
            assert read_still(view, sniffed(memoryview(data)), "x") is None
        except ReadError:
            continue
        assert cv2.imdecode(np.frombuffer(view, np.uint8), cv2.IMREAD_UNCHANGED) is None if end else True


@pytest.mark.parametrize("kind", WHOLE)
@given(places=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), min_size=1, max_size=4))
def test_whatever_is_damaged_ends_in_a_read_error_or_a_picture(kind, places) -> None:
    data = bytearray(WHOLE[kind])
    for place, change in places:
        # The size that a header claims is looked at before.
        at = 60 + place % (len(data) - 60) if kind != "signed JPEG 2000" else 45 + place % (len(data) - 45)
        data[at] ^= change
    try:
        found, fault = read_still(memoryview(data), sniffed(memoryview(WHOLE[kind])), "x"), "x: "
    except ReadError as error:
        found, fault = None, str(error)
    assert found is None or found.pixels.size
    assert fault.startswith("x: ")
    assert "\n" not in fault
