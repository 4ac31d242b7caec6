"""What the samples of a TIFF mean: alpha, palettes, inks, YCbCr, Lab, logarithms; as other programs and the definitions say."""

from __future__ import annotations

import io
import itertools

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from imgconv.images.colour import cmyk_to_rgb
from tests.images import profiles
from tests.images.tiff_files import COLUMNS, ROWS, bit_rows, described, made, noise, page, red_first, written


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


@pytest.mark.parametrize(
    ("samples", "photometric", "extra", "words"),
    [
        (4, "rgb", [2], ""),
        (4, "rgb", [0], "took the last sample of a pixel for alpha"),
        (2, "minisblack", [0], "took the last sample of a pixel for alpha"),
        (3, "minisblack", [0, 0], "took the 3 samples of a pixel for colour"),
        (4, "minisblack", [0, 0, 0], "took the 4 samples of a pixel for colour and alpha"),
    ],
)
def test_what_the_file_does_not_say_is_told(samples, photometric, extra, words) -> None:
    pixels = noise("uint16", samples)
    image = page(written(pixels, photometric=photometric, planarconfig="contig", extrasamples=extra))
    assert np.array_equal(red_first(image.pixels), pixels)
    assert [note for note in image.notes if not note.startswith(words or "-")] == []
    assert len(image.notes) == bool(words)


def test_rgba_that_does_not_speak_of_alpha_is_taken_as_pillow_takes_it() -> None:
    pixels = noise("uint8", 4)
    data = made([(described(ROWS, COLUMNS, 8, 4, 2), [pixels.tobytes()])])
    with Pillow.open(io.BytesIO(data)) as image:
        assert np.array_equal(red_first(page(data).pixels), np.asarray(image))
    assert page(data).notes == ()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize(
    ("factor", "dtype"), [(257, "uint8"), (256, "uint8"), (1, "uint8"), (255, "uint16")], ids=["257", "256", "1", "16 bits"]
)
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


@pytest.mark.parametrize("across_and_down", [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2)])
def test_ycbcr_without_jpeg(across_and_down) -> None:
    """The last pixels of a row or a column have a unit of their own."""
    across, down = across_and_down
    units = np.random.default_rng(4).integers(0, 256, (-(-7 // down), -(-11 // across), across * down + 2), np.uint8)
    light = units[:, :, :-2].reshape(*units.shape[:2], down, across).swapaxes(1, 2).reshape(units.shape[0] * down, -1)[:7, :11]
    blue, red = (np.kron(units[:, :, n], np.ones((down, across)))[:7, :11] for n in (-2, -1))
    expected = cv2.cvtColor(np.dstack([light, red, blue]).astype(np.uint8), cv2.COLOR_YCrCb2RGB).astype(int)
    image = page(made([(described(7, 11, 8, 3, 6, t530=(3, list(across_and_down))), [units.tobytes()])]))
    assert np.abs(red_first(image.pixels) - expected).max() <= 2


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
    assert image.notes == ("turned Lab into sRGB",)
    if photometric == 8:  # 16 bits begin with these 8, and a* and b* are zero where they are
        grey = np.zeros((3, 256, 3), ">i2")
        grey[:, :, 0] = (np.arange(256) * 257).astype(">u2").view(">i2")
        pixels = page(made([(described(3, 256, 16, 3, 8), [grey.tobytes()])], ">")).pixels.astype(int)
        assert np.ptp(pixels, axis=2).max() <= 65  # neutral stays neutral
        assert pixels[0, -1].min() >= 65_470


def test_logluv_as_opencv_writes_and_reads_it() -> None:
    pixels = np.random.default_rng(5).random((9, 7, 3)).astype(np.float32)
    data = cv2.imencode(".tif", pixels, [cv2.IMWRITE_TIFF_COMPRESSION, 34676])[1].tobytes()
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.allclose(page(data).pixels, expected, atol=1e-3)
