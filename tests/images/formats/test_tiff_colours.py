"""The meaning of samples in TIFF: alpha, bands, palettes, CMYK, YCbCr, Lab, against other programs and the definitions."""

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
from tests.images.formats.tiff_files import COLUMNS, ROWS, bit_rows, described, encoded, made, noise, page, red_first, written


@pytest.mark.parametrize(("dtype", "full"), [("uint8", 255), ("uint16", 65_535)])
def test_premultiplied_alpha_is_divided_out_and_multiplies_back(dtype, full) -> None:
    rng = np.random.default_rng(3)
    alpha = rng.integers(0, full + 1, (60, 50, 1))
    alpha[:5], alpha[5:9], alpha[9:20] = 0, full, rng.integers(0, 9, (11, 50, 1))
    stored = np.rint(rng.integers(0, full + 1, (60, 50, 3)) * (alpha / full))
    pixels = np.concatenate([stored, alpha], 2).astype(dtype)
    straight = red_first(page(written(pixels, photometric="rgb", extrasamples=[1])).pixels).astype(float)
    assert np.array_equal(np.rint(straight[:, :, :3] * straight[:, :, 3:] / full), stored)
    assert np.array_equal(straight[:, :, 3:], alpha)
    shown = straight[:, :, 3] > full // 2
    assert np.abs(straight[:, :, :3] - stored * (full / np.maximum(alpha, 1)))[shown].max() <= 0.5 + 1e-9


def test_premultiplied_floats_and_greys() -> None:
    grey = np.array([[[0.25, 0.5], [0.5, 0.0]]], np.float32)
    assert page(written(grey, photometric="minisblack", planarconfig="contig", extrasamples=[1])).pixels.tolist() == [
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
def test_bands_and_alpha_are_what_the_file_declares(samples, photometric, extra, alpha, colours, dtype, separate) -> None:
    """Alpha comes last, and is declared again when the image is written, as is the kind of every band."""
    stored = noise(dtype, samples)
    planes = np.ascontiguousarray(np.moveaxis(stored, 2, 0)) if separate else stored
    arrangement = "separate" if separate else "contig"
    image = page(written(planes, photometric=photometric, planarconfig=arrangement, extrasamples=extra))
    order = [*range(samples)]
    if alpha is not None:
        order.append(order.pop(alpha))
    wanted = stored[:, :, order]
    found = image.pixels[:, :, [2, 1, 0, *range(3, samples)]] if colours == 3 else image.pixels
    assert np.array_equal(found, wanted)
    assert (image.has_alpha, image.colours, image.notes) == (alpha is not None, colours, ())
    with tifffile.TiffFile(io.BytesIO(encoded(image))) as file:
        first = file.pages[0]
        assert np.array_equal(first.asarray(), wanted)
        assert (first.photometric.name.lower(), first.extrasamples) == (photometric, tuple(sorted(extra)))


@pytest.mark.parametrize("extra", [None, [0, 0]])
def test_three_greys_are_taken_for_colour(extra) -> None:
    pixels = noise("uint16", 3)
    image = page(made([(described(ROWS, COLUMNS, 16, 3, 1, t338=(3, extra)), [pixels.tobytes()])]))
    assert np.array_equal(red_first(image.pixels), pixels)
    assert image.notes == ("interpreted the 3 samples of each pixel as colour",)
    assert (image.has_alpha, image.colours) == (False, 3)


def test_premultiplied_colour_beside_a_band() -> None:
    """The band is not divided by alpha; the first alpha that is declared is alpha."""
    stored = np.array([[[20, 40, 60, 7, 100], [1, 2, 3, 4, 0]]], np.uint8)
    image = page(written(stored, photometric="rgb", planarconfig="contig", extrasamples=[0, 1]))
    assert image.pixels.tolist() == [[[153, 102, 51, 7, 100], [0, 0, 0, 4, 0]]]


def test_rgba_without_declared_alpha_is_read_as_pillow_reads_it() -> None:
    pixels = noise("uint8", 4)
    data = made([(described(ROWS, COLUMNS, 8, 4, 2), [pixels.tobytes()])])
    with Pillow.open(io.BytesIO(data)) as image:
        assert np.array_equal(red_first(page(data).pixels), np.asarray(image))
    assert page(data).notes == ()


@each("bits", [1, 2, 4, 8])
@each("factor, dtype", [(257, "uint8"), (256, "uint8"), (1, "uint8"), (255, "uint16")])
def test_palettes(bits, factor, dtype) -> None:
    rng = np.random.default_rng(bits)
    colours = rng.integers(0, 256, (3, 1 << bits)) * factor
    colours[0, :2] = 3 * factor, 255 * factor
    values = rng.integers(0, 1 << bits, (7, 11, 1))
    data = made([(described(7, 11, bits, 1, 3, t320=(3, colours.ravel().tolist())), [bit_rows(values, bits)])])
    expected = colours.T[values[:, :, 0]] // (factor if dtype == "uint8" else 1)
    image = page(data)
    assert image.pixels.dtype == dtype
    assert np.array_equal(red_first(image.pixels), expected)
    assert image.coding.bits == (bits if bits < 8 else None)
    if factor == 257:
        assert np.array_equal(red_first(image.pixels), np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB")))


def test_cmyk() -> None:
    for dtype, separate in itertools.product(("uint8", "uint16"), (False, True)):
        inks = noise(dtype, 4)
        stored = np.ascontiguousarray(np.moveaxis(inks, 2, 0)) if separate else inks
        image = page(written(stored, photometric="separated", planarconfig="separate" if separate else "contig"))
        colours, _, note = cmyk_to_rgb(inks, b"")
        assert np.array_equal(red_first(image.pixels), colours)
        assert image.notes == (note,)


def test_cmyk_by_its_profile() -> None:
    inks, profile = noise("uint8", 4), profiles.cmyk()
    image = page(written(inks, photometric="separated", iccprofile=profile))
    colours, icc, note = cmyk_to_rgb(inks, profile)
    assert np.array_equal(red_first(image.pixels), colours)
    assert (image.metadata.icc, image.notes) == (icc, (note,))
    assert image.metadata.icc != profile


def test_cmyk_is_no_worse_than_in_pillow() -> None:
    inks = np.zeros((3, 5, 4), np.uint8)
    inks[0, 0, 0] = inks[1, 1, 1] = inks[2, 2, 2] = inks[0, 4, 3] = 255
    data = written(inks, photometric="separated")
    assert np.array_equal(red_first(page(data).pixels), np.asarray(Pillow.fromarray(inks, "CMYK").convert("RGB")))


def test_ycbcr_without_jpeg() -> None:
    pixels = noise("uint8", 3)
    image = page(made([(described(ROWS, COLUMNS, 8, 3, 6, t530=(3, [1, 1])), [pixels.tobytes()])]))
    expected = np.asarray(Pillow.fromarray(pixels, "YCbCr").convert("RGB")).astype(int)
    assert np.abs(red_first(image.pixels) - expected).max() <= 1


@pytest.mark.parametrize("photometric", [8, 9])
def test_lab_is_turned_into_srgb(photo, photometric) -> None:
    """Little CMS goes to Lab; in 8 bits a step of Lab is up to five of sRGB."""
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    stored = np.asarray(ImageCms.applyTransform(Pillow.fromarray(photo), ImageCms.buildTransform(srgb, lab, "RGB", "LAB")))
    # Pillow gives a* and b* with a sign, as CIELab has them.
    stored = stored ^ np.array([0, 128, 128], np.uint8) if photometric == 9 else stored
    rows, columns = photo.shape[:2]
    image = page(made([(described(rows, columns, 8, 3, photometric), [stored.tobytes()])]))
    differences = np.abs(red_first(image.pixels).astype(int) - photo)
    assert differences.max() <= 6
    assert differences.mean() < 1
    assert image.notes == ("converted Lab to sRGB",)
    if photometric == 8:  # 16 bits begin with these 8, and a* and b* are zero where they are
        grey = np.zeros((3, 256, 3), ">i2")
        grey[:, :, 0] = (np.arange(256) * 257).astype(">u2").view(">i2")
        pixels = page(made([(described(3, 256, 16, 3, 8), [grey.tobytes()])], ">")).pixels.astype(int)
        assert np.ptp(pixels, axis=2).max() <= 65  # neutral stays neutral
        assert pixels[0, -1].min() >= 65_470
