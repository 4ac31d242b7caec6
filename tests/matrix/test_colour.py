"""Colour: conversion of CMYK and Lab, colour profiles kept in outputs, and linear light by the curve of a profile.

References are LittleCMS through Pillow and, for sRGB, scikit-image; colour differences are CIE DE2000.
"""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
import pyvips
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms, PngImagePlugin
from scipy import ndimage
from skimage.color import deltaE_ciede2000, rgb2lab

from tests.images import profiles
from tests.matrix.by_pillow import save
from tests.matrix.labels import read_pillow, read_vips
from tests.matrix.pictures import cmyk_picture, full_scale, picture

SRGB = ImageCms.createProfile("sRGB")

#: CMYK profiles: a small one from `profiles`, and that of libvips.
CMYK_PROFILES = {"by hand": profiles.cmyk(), "of libvips": bytes(pyvips.Operation.call("profile_load", "cmyk"))}

#: RGB profiles: two wide gamuts, and one with darker midtones than sRGB.
RGB_PROFILES = {
    "Adobe RGB": imagecodecs.cms_profile("adobergb"),
    "P3 of libvips": bytes(pyvips.Operation.call("profile_load", "p3")),
    "gamma 1.8": profiles.rgb(profiles.para(0, 1.8)),
}

CHART = np.random.default_rng(3).integers(0, 256, (41, 58, 4), np.uint8)  # all amounts of all inks


def to_lab(pixels: NDArray, profile: bytes) -> NDArray:
    """Return 8-bit RGB converted by a profile to L*a*b*, without LittleCMS's precalculated grid."""
    options = {"renderingIntent": 1, "outputMode": "LAB", "flags": ImageCms.Flags.NOOPTIMIZE}
    lab = ImageCms.profileToProfile(Pillow.fromarray(pixels), io.BytesIO(profile), ImageCms.createProfile("LAB"), **options)
    levels = np.asarray(lab).astype(float)  # 255 is an L* of 100; a* and b* are signed
    return np.dstack([levels[:, :, 0] / 2.55, np.asarray(lab)[:, :, 1:].view(np.int8)])


def cmyk_to_srgb(inks: NDArray, profile: bytes, *, exactly: bool) -> NDArray:
    """Return CMYK converted to sRGB by Pillow, relative colorimetric with black point compensation.

    Uses LittleCMS's fine grid, or none if `exactly`. Its default coarse grid errs by a DE2000 of 3.5 near black.
    """
    image = Pillow.frombytes("CMYK", inks.shape[1::-1], inks.tobytes())
    flags = ImageCms.Flags.NOOPTIMIZE if exactly else ImageCms.Flags.HIGHRESPRECALC
    options = {"renderingIntent": 1, "outputMode": "RGB", "flags": ImageCms.Flags.BLACKPOINTCOMPENSATION | flags}
    return np.asarray(ImageCms.profileToProfile(image, io.BytesIO(profile), SRGB, **options))


def cmyk_file(kind: str, inks: NDArray, profile: bytes) -> tuple[str, bytes]:
    """Return the suffix and the bytes of a CMYK file."""
    image, file = Pillow.frombytes("CMYK", inks.shape[1::-1], inks.tobytes()), io.BytesIO()
    if kind == "jpeg":
        return ".jpg", save(image, "JPEG", quality=95, icc_profile=profile)
    if kind == "tiff":
        return ".tif", save(image, "TIFF", compression="tiff_lzw", icc_profile=profile)
    deep = inks.astype(np.uint16) * 257
    stored = np.ascontiguousarray(np.moveaxis(deep, -1, 0)) if kind == "planes of 16 bits" else deep
    planes = "separate" if kind == "planes of 16 bits" else "contig"
    tifffile.imwrite(file, stored, photometric="separated", planarconfig=planes, iccprofile=profile)
    return ".tif", file.getvalue()


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("jpeg", ".png"),
        ("jpeg", ".tif"),
        ("tiff", ".png"),
        ("tiff", ".webp"),
        ("16 bits", ".tif"),
        ("planes of 16 bits", ".png"),
    ],
)
@pytest.mark.parametrize("printer", CMYK_PROFILES)
def test_cmyk_is_converted_by_its_profile(printer, kind, target, tmp_path, run):
    profile = CMYK_PROFILES[printer]
    suffix, data = cmyk_file(kind, cmyk_picture() if kind == "jpeg" else CHART, profile)
    (tmp_path / f"in{suffix}").write_bytes(data)
    options = ["--depth", "8"] if "16" in kind else []
    result = run("apply", "identity", *options, tmp_path / f"in{suffix}", tmp_path / f"out{target}")
    assert result.code == 0
    assert "CMYK converted to sRGB" in result.err
    inks = np.asarray(Pillow.open(io.BytesIO(data))) if kind == "jpeg" else CHART
    with Pillow.open(tmp_path / f"out{target}") as image:
        found, embedded = np.asarray(image), image.info["icc_profile"]
    difference = deltaE_ciede2000(rgb2lab(found), rgb2lab(cmyk_to_srgb(inks, profile, exactly=False)))
    assert difference.mean() <= 1
    assert difference.max() <= 3
    difference = deltaE_ciede2000(rgb2lab(found), rgb2lab(cmyk_to_srgb(inks, profile, exactly=True)))
    assert difference.mean() <= 1
    assert np.percentile(difference, 99.9) <= 3
    # The embedded profile describes sRGB.
    assert deltaE_ciede2000(to_lab(found, embedded), to_lab(found, ImageCms.ImageCmsProfile(SRGB).tobytes())).max() <= 1


@pytest.mark.parametrize("depth", ["8", "16"])
def test_lab_is_converted_to_srgb(depth, tmp_path, run_ok):
    lab = ImageCms.profileToProfile(Pillow.fromarray(picture()), SRGB, ImageCms.createProfile("LAB"), outputMode="LAB")
    (tmp_path / "in.tif").write_bytes(save(lab, "TIFF"))
    if depth == "16":
        levels = np.asarray(lab)
        deep = np.dstack([levels[:, :, 0] * np.uint16(257), levels[:, :, 1:].astype(np.uint16) << 8])
        tifffile.imwrite(tmp_path / "in.tif", deep, photometric="cielab")
    assert "converted Lab to sRGB" in run_ok("apply", "identity", "--depth", "8", tmp_path / "in.tif", tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        difference = deltaE_ciede2000(rgb2lab(np.asarray(image)), rgb2lab(picture()))
    assert difference.mean() <= 1  # one level of 8-bit Lab is nearly as large
    assert difference.max() <= 4


def gaussian(pixels: NDArray, sigma: float) -> NDArray:
    """Return each channel filtered with a Gaussian in float64."""
    values = pixels.reshape(*pixels.shape[:2], -1).astype(np.float64)
    planes = [ndimage.gaussian_filter(values[:, :, c], sigma, mode="mirror") for c in range(values.shape[2])]
    return np.dstack(planes).reshape(pixels.shape)


@pytest.mark.parametrize("target", [".png", ".tif", ".webp", ".jpg", ".avif"])
@pytest.mark.parametrize("space", RGB_PROFILES)
def test_filtered_pixels_keep_their_rgb_profile(space, target, tmp_path, run_ok):
    profile = RGB_PROFILES[space]
    (tmp_path / "in.png").write_bytes(save(Pillow.fromarray(picture()), "PNG", icc_profile=profile))
    assert run_ok("apply", "gaussian:sigma=1", tmp_path / "in.png", tmp_path / f"out{target}") == ""
    out = tmp_path / f"out{target}"
    assert read_pillow(out)["icc"] == profile
    assert target == ".tif" or read_vips(out)["icc"] == profile
    expected = np.rint(gaussian(picture(), 1)).astype(np.uint8)
    with Pillow.open(out) as image:
        found = np.asarray(image)
    if target in (".png", ".tif", ".webp"):
        assert np.abs(found.astype(int) - expected).max() <= 1
    difference = deltaE_ciede2000(to_lab(found, read_pillow(out)["icc"]), to_lab(expected, profile))
    assert difference.mean() <= (0.5 if target in (".png", ".tif", ".webp") else 2)
    # Read as sRGB, the colours would differ visibly.
    assert deltaE_ciede2000(rgb2lab(found), to_lab(expected, profile)).mean() > 3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_linear_uses_the_curve_of_the_profile(dtype, channels, tmp_path, run_ok):
    profile = (profiles.rgb if channels == 3 else profiles.grey)(profiles.para(0, 1.8))
    pixels, full = np.abs(picture(dtype, channels)), full_scale(dtype)
    kind = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric=kind, iccprofile=profile)
    run_ok("apply", "gaussian:sigma=2", "--linear", tmp_path / "in.tif", tmp_path / "out.tif")
    found = tifffile.imread(tmp_path / "out.tif").astype(float) / full
    step = 0.6 / full if dtype != "f4" else 1e-4
    assert np.abs(found - gaussian((pixels / full) ** 1.8, 2) ** (1 / 1.8)).max() <= step
    assert np.abs(found - gaussian(pixels / full, 2)).max() > 10 * step  # the test would notice a filter without --linear


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif"])
def test_linear_uses_the_curve_of_the_profile_in_every_format(suffix, tmp_path, run_ok):
    path = tmp_path / f"in{suffix}"
    profile = imagecodecs.cms_profile("rgb", gamma=1.8)
    Pillow.fromarray(picture()).save(path, icc_profile=profile, **({"lossless": True} if suffix == ".webp" else {}))
    with Pillow.open(path) as image:
        pixels = np.asarray(image)
    run_ok("apply", "gaussian:sigma=2", "--linear", path, tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        found = np.asarray(image).astype(float)
    expected = gaussian((pixels / 255) ** 1.8, 2) ** (1 / 1.8) * 255
    # AVIF decoders differ by a level or two.
    assert np.abs(found - expected).max() <= (2 if suffix == ".avif" else 0.7)


@pytest.mark.parametrize(("written", "exponent"), [(55_556, 1.8), (60_000, 1 / 0.6), (100_000, 1.0)])
def test_linear_uses_the_gamma_of_a_png(written, exponent, tmp_path, run_ok):
    write_png_with_gamma(tmp_path / "in.png", written)
    run_ok("apply", "gaussian:sigma=2", "--linear", tmp_path / "in.png", tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        found, profile = np.asarray(image).astype(float), image.info["icc_profile"]
    assert np.abs(found - gaussian((picture() / 255) ** exponent, 2) ** (1 / exponent) * 255).max() <= 0.7
    # The embedded profile of the output has the gamma of the input's gAMA chunk.
    greys = np.dstack([np.arange(256, dtype=np.uint8)[np.newaxis]] * 3)
    light = (np.arange(256) / 255) ** exponent  # lightness: CIE 15, 8.2.1.1
    lightness = np.where(light > (6 / 29) ** 3, 116 * np.cbrt(light) - 16, light * (29 / 3) ** 3)
    assert np.abs(to_lab(greys, profile)[0, :, 0] - lightness).max() <= 0.5


def test_a_gamma_of_45455_is_read_as_srgb(tmp_path, run_ok):
    write_png_with_gamma(tmp_path / "in.png", 45_455)
    run_ok("apply", "gaussian:sigma=2", "--linear", tmp_path / "in.png", tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        found = np.asarray(image).astype(float)
    levels = picture() / 255  # linear light: IEC 61966-2-1
    light = gaussian(np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4), 2)
    expected = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(found - expected * 255).max() <= 0.7


def write_png_with_gamma(path, written: int) -> None:
    """Write a PNG with a gAMA chunk."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"gAMA", written.to_bytes(4, "big"))
    path.write_bytes(save(Pillow.fromarray(picture()), "PNG", pnginfo=chunks))


def test_gray_drops_an_rgb_profile(tmp_path, run_ok):
    (tmp_path / "in.png").write_bytes(save(Pillow.fromarray(picture()), "PNG", icc_profile=RGB_PROFILES["Adobe RGB"]))
    assert "left out the colour profile" in run_ok("apply", "identity", "--gray", tmp_path / "in.png", tmp_path / "out.png")
    assert "icc" not in read_pillow(tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        assert image.mode == "L"
