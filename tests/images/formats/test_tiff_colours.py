"""Colour interpretation of TIFF samples: alpha, bands, palettes, CMYK, YCbCr and Lab, compared with other libraries."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageCms

from imgconv.images.colour.mixing import cmyk_to_rgb
from tests.cases import each
from tests.images import profiles
from tests.images.formats.tiff_files import COLUMNS, ROWS, bit_rows, build, by_tifffile, encode, noise, page, page_tags, to_rgb


@pytest.mark.parametrize(("dtype", "full"), [("uint8", 255), ("uint16", 65_535)])
def test_premultiplied_alpha_is_divided_and_multiplies_back(dtype, full) -> None:
    rng = np.random.default_rng(3)
    alpha = rng.integers(0, full + 1, (60, 50, 1))
    alpha[:5], alpha[5:9], alpha[9:20] = 0, full, rng.integers(0, 9, (11, 50, 1))
    stored = np.rint(rng.integers(0, full + 1, (60, 50, 3)) * (alpha / full))
    pixels = np.concatenate([stored, alpha], 2).astype(dtype)
    straight = to_rgb(page(by_tifffile(pixels, photometric="rgb", extrasamples=[1])).pixels).astype(float)
    assert np.array_equal(np.rint(straight[:, :, :3] * straight[:, :, 3:] / full), stored)
    assert np.array_equal(straight[:, :, 3:], alpha)
    visible = straight[:, :, 3] > full // 2
    assert np.abs(straight[:, :, :3] - stored * (full / np.maximum(alpha, 1)))[visible].max() <= 0.5 + 1e-9


def test_premultiplied_grey_floats() -> None:
    grey = np.array([[[0.25, 0.5], [0.5, 0.0]]], np.float32)
    assert page(by_tifffile(grey, photometric="minisblack", planarconfig="contig", extrasamples=[1])).pixels.tolist() == [
        [[0.5, 0.5], [0.5, 0.0]]
    ]


@each("separate", [False, True])
@each("dtype", ["uint8", "uint16", "float32"])
@each(
    "samples, photometric, extra, alpha, colours",
    [
        (4, "rgb", [0], None, 3),
        (4, "rgb", [2], 3, 3),
        (7, "rgb", [0, 0, 0, 0], None, 3),
        (6, "rgb", [0, 0, 2], 5, 3),
        (6, "rgb", [0, 2, 0], 4, 3),
        (2, "minisblack", [0], None, 1),
        (2, "minisblack", [2], 1, 1),
        (4, "minisblack", [0, 0, 0], None, 1),
        (5, "minisblack", [0, 0, 0, 2], 4, 1),
        (12, "minisblack", [0] * 11, None, 1),
    ],
)
def test_bands_and_alpha_follow_the_declaration(samples, photometric, extra, alpha, colours, dtype, separate) -> None:
    """Alpha is moved to the last channel; written files declare alpha and bands again."""
    stored = noise(dtype, samples)
    planes = np.ascontiguousarray(np.moveaxis(stored, 2, 0)) if separate else stored
    arrangement = "separate" if separate else "contig"
    image = page(by_tifffile(planes, photometric=photometric, planarconfig=arrangement, extrasamples=extra))
    order = [*range(samples)]
    if alpha is not None:
        order.append(order.pop(alpha))
    expected = stored[:, :, order]
    found = image.pixels[:, :, [2, 1, 0, *range(3, samples)]] if colours == 3 else image.pixels
    assert np.array_equal(found, expected)
    assert (image.has_alpha, image.colours, image.notes) == (alpha is not None, colours, ())
    with tifffile.TiffFile(io.BytesIO(encode(image))) as file:
        first = file.pages[0]
        assert np.array_equal(first.asarray(), expected)
        assert (first.photometric.name.lower(), first.extrasamples) == (photometric, tuple(sorted(extra)))


@pytest.mark.parametrize("extra", [None, [0, 0]])
def test_three_undeclared_samples_are_read_as_colour(extra) -> None:
    pixels = noise("uint16", 3)
    image = page(build([(page_tags(ROWS, COLUMNS, 16, 3, 1, t338=(3, extra)), [pixels.tobytes()])]))
    assert np.array_equal(to_rgb(image.pixels), pixels)
    assert image.notes == ("interpreted the 3 samples of each pixel as colour",)
    assert (image.has_alpha, image.colours) == (False, 3)


def test_premultiplied_colour_with_a_band() -> None:
    """Colour is divided by alpha, the band is not."""
    stored = np.array([[[20, 40, 60, 7, 100], [1, 2, 3, 4, 0]]], np.uint8)
    image = page(by_tifffile(stored, photometric="rgb", planarconfig="contig", extrasamples=[0, 1]))
    assert image.pixels.tolist() == [[[153, 102, 51, 7, 100], [0, 0, 0, 4, 0]]]


def test_rgba_without_declared_alpha_matches_pillow() -> None:
    pixels = noise("uint8", 4)
    data = build([(page_tags(ROWS, COLUMNS, 8, 4, 2), [pixels.tobytes()])])
    with Pillow.open(io.BytesIO(data)) as image:
        assert np.array_equal(to_rgb(page(data).pixels), np.asarray(image))
    assert page(data).notes == ()


@each("bits", [1, 2, 4, 8])
@each("factor, dtype", [(257, "uint8"), (256, "uint8"), (1, "uint8"), (255, "uint16")])
def test_palettes_are_expanded(bits, factor, dtype) -> None:
    rng = np.random.default_rng(bits)
    colours = rng.integers(0, 256, (3, 1 << bits)) * factor
    colours[0, :2] = 3 * factor, 255 * factor
    values = rng.integers(0, 1 << bits, (7, 11, 1))
    data = build([(page_tags(7, 11, bits, 1, 3, t320=(3, colours.ravel().tolist())), [bit_rows(values, bits)])])
    expected = colours.T[values[:, :, 0]] // (factor if dtype == "uint8" else 1)
    image = page(data)
    assert image.pixels.dtype == dtype
    assert np.array_equal(to_rgb(image.pixels), expected)
    assert image.coding.bits == (bits if bits < 8 else None)
    if factor == 257:
        assert np.array_equal(to_rgb(image.pixels), np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB")))


def test_cmyk_without_a_profile_is_converted() -> None:
    for dtype, separate in itertools.product(("uint8", "uint16"), (False, True)):
        inks = noise(dtype, 4)
        stored = np.ascontiguousarray(np.moveaxis(inks, 2, 0)) if separate else inks
        image = page(by_tifffile(stored, photometric="separated", planarconfig="separate" if separate else "contig"))
        colours, _, note = cmyk_to_rgb(inks, b"")
        assert np.array_equal(to_rgb(image.pixels), colours)
        assert image.notes == (note,)


def test_cmyk_is_converted_by_its_profile() -> None:
    inks, profile = noise("uint8", 4), profiles.cmyk()
    image = page(by_tifffile(inks, photometric="separated", iccprofile=profile))
    colours, icc, note = cmyk_to_rgb(inks, profile)
    assert np.array_equal(to_rgb(image.pixels), colours)
    assert (image.metadata.icc, image.notes) == (icc, (note,))
    assert image.metadata.icc != profile


def test_cmyk_matches_pillow() -> None:
    inks = np.zeros((3, 5, 4), np.uint8)
    inks[0, 0, 0] = inks[1, 1, 1] = inks[2, 2, 2] = inks[0, 4, 3] = 255
    data = by_tifffile(inks, photometric="separated")
    assert np.array_equal(to_rgb(page(data).pixels), np.asarray(Pillow.fromarray(inks, "CMYK").convert("RGB")))


def test_ycbcr_without_jpeg_is_converted() -> None:
    pixels = noise("uint8", 3)
    image = page(build([(page_tags(ROWS, COLUMNS, 8, 3, 6, t530=(3, [1, 1])), [pixels.tobytes()])]))
    expected = np.asarray(Pillow.fromarray(pixels, "YCbCr").convert("RGB")).astype(int)
    assert np.abs(to_rgb(image.pixels) - expected).max() <= 1


@pytest.mark.parametrize("photometric", [8, 9])
def test_lab_is_converted_to_srgb(photo, photometric) -> None:
    """The reference is LittleCMS; one level of 8-bit Lab is up to five levels of sRGB."""
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    stored = np.asarray(ImageCms.applyTransform(Pillow.fromarray(photo), ImageCms.buildTransform(srgb, lab, "RGB", "LAB")))
    # Pillow stores a* and b* signed, as photometric 8 (CIELab) does.
    stored = stored ^ np.array([0, 128, 128], np.uint8) if photometric == 9 else stored
    rows, columns = photo.shape[:2]
    image = page(build([(page_tags(rows, columns, 8, 3, photometric), [stored.tobytes()])]))
    differences = np.abs(to_rgb(image.pixels).astype(int) - photo)
    assert differences.max() <= 6
    assert differences.mean() < 1
    assert image.notes == ("converted Lab to sRGB",)
    if photometric == 8:  # 16 bits: a* and b* of 0 must stay neutral
        grey = np.zeros((3, 256, 3), ">i2")
        grey[:, :, 0] = (np.arange(256) * 257).astype(">u2").view(">i2")
        pixels = page(build([(page_tags(3, 256, 16, 3, 8), [grey.tobytes()])], ">")).pixels.astype(int)
        assert np.ptp(pixels, axis=2).max() <= 65  # close to neutral
        assert pixels[0, -1].min() >= 65_470
