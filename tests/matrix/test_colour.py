"""Colour: inks and Lab as an eye would see them, profiles that go along and stay true, light by the curve of a profile.

What is seen is told by LittleCMS through Pillow and, for sRGB, by scikit-image; the distance is CIE DE2000.
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
from tests.matrix.by_pillow import saved
from tests.matrix.labels import to_pillow, to_vips
from tests.matrix.pictures import full_scale, inks, picture

SRGB = ImageCms.createProfile("sRGB")

#: A small printer made here, and the one that comes with libvips.
PRINTERS = {"by hand": profiles.cmyk(), "of libvips": bytes(pyvips.Operation.call("profile_load", "cmyk"))}

#: Wide ones, one darker in the middle than sRGB.
SPACES = {
    "Adobe RGB": imagecodecs.cms_profile("adobergb"),
    "P3 of libvips": bytes(pyvips.Operation.call("profile_load", "p3")),
    "gamma 1.8": profiles.rgb(profiles.para(0, 1.8)),
}

CHART = np.random.default_rng(3).integers(0, 256, (41, 58, 4), np.uint8)  # all inks at all strengths


def seen_as(pixels: NDArray, profile: bytes) -> NDArray:
    """Return red, green and blue of 8 bits as L*a*b*, by a profile, each pixel for itself."""
    told = {"renderingIntent": 1, "outputMode": "LAB", "flags": ImageCms.Flags.NOOPTIMIZE}
    lab = ImageCms.profileToProfile(Pillow.fromarray(pixels), io.BytesIO(profile), ImageCms.createProfile("LAB"), **told)
    levels = np.asarray(lab).astype(float)  # L* of 100 is 255; a* and b* are numbers with a sign
    return np.dstack([levels[:, :, 0] / 2.55, np.asarray(lab)[:, :, 1:].view(np.int8)])


def printed_as(plates: NDArray, profile: bytes, *, exactly: bool) -> NDArray:
    """Return inks in sRGB, relative colorimetric with black point compensation, as Pillow does it.

    By LittleCMS's fine grid, or pixel by pixel. The coarse one that it takes by itself is off by DE2000 of 3.5 near black.
    """
    image = Pillow.frombytes("CMYK", plates.shape[1::-1], plates.tobytes())
    flags = ImageCms.Flags.NOOPTIMIZE if exactly else ImageCms.Flags.HIGHRESPRECALC
    told = {"renderingIntent": 1, "outputMode": "RGB", "flags": ImageCms.Flags.BLACKPOINTCOMPENSATION | flags}
    return np.asarray(ImageCms.profileToProfile(image, io.BytesIO(profile), SRGB, **told))


def files_of_inks(kind: str, plates: NDArray, profile: bytes) -> tuple[str, bytes]:
    """Return the suffix and the bytes of a file of inks."""
    image, file = Pillow.frombytes("CMYK", plates.shape[1::-1], plates.tobytes()), io.BytesIO()
    if kind == "jpeg":
        return ".jpg", saved(image, "JPEG", quality=95, icc_profile=profile)
    if kind == "tiff":
        return ".tif", saved(image, "TIFF", compression="tiff_lzw", icc_profile=profile)
    deep = plates.astype(np.uint16) * 257
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
@pytest.mark.parametrize("printer", PRINTERS)
def test_inks_look_as_they_are_printed(printer, kind, target, tmp_path, run):
    profile = PRINTERS[printer]
    suffix, data = files_of_inks(kind, inks() if kind == "jpeg" else CHART, profile)
    (tmp_path / f"in{suffix}").write_bytes(data)
    options = ["--depth", "8"] if "16" in kind else []
    result = run("apply", "identity", *options, tmp_path / f"in{suffix}", tmp_path / f"out{target}")
    assert result.code == 0
    assert "CMYK converted to sRGB" in result.err
    plates = np.asarray(Pillow.open(io.BytesIO(data))) if kind == "jpeg" else CHART
    with Pillow.open(tmp_path / f"out{target}") as image:
        found, embedded = np.asarray(image), image.info["icc_profile"]
    apart = deltaE_ciede2000(rgb2lab(found), rgb2lab(printed_as(plates, profile, exactly=False)))
    assert apart.mean() <= 1
    assert apart.max() <= 3
    apart = deltaE_ciede2000(rgb2lab(found), rgb2lab(printed_as(plates, profile, exactly=True)))
    assert apart.mean() <= 1
    assert np.percentile(apart, 99.9) <= 3
    # What is embedded says that it is sRGB.
    assert deltaE_ciede2000(seen_as(found, embedded), seen_as(found, ImageCms.ImageCmsProfile(SRGB).tobytes())).max() <= 1


@pytest.mark.parametrize("depth", ["8", "16"])
def test_lab_looks_as_it_did(depth, tmp_path, done):
    lab = ImageCms.profileToProfile(Pillow.fromarray(picture()), SRGB, ImageCms.createProfile("LAB"), outputMode="LAB")
    (tmp_path / "in.tif").write_bytes(saved(lab, "TIFF"))
    if depth == "16":
        levels = np.asarray(lab)
        deep = np.dstack([levels[:, :, 0] * np.uint16(257), levels[:, :, 1:].astype(np.uint16) << 8])
        tifffile.imwrite(tmp_path / "in.tif", deep, photometric="cielab")
    assert "converted Lab to sRGB" in done("apply", "identity", "--depth", "8", tmp_path / "in.tif", tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        apart = deltaE_ciede2000(rgb2lab(np.asarray(image)), rgb2lab(picture()))
    assert apart.mean() <= 1  # a step of Lab in 8 bits is nearly as large
    assert apart.max() <= 4


def blurred(pixels: NDArray, sigma: float) -> NDArray:
    """Return a Gaussian of the numbers, channel by channel, in float64."""
    whole = pixels.reshape(*pixels.shape[:2], -1).astype(np.float64)
    planes = [ndimage.gaussian_filter(whole[:, :, c], sigma, mode="mirror") for c in range(whole.shape[2])]
    return np.dstack(planes).reshape(pixels.shape)


@pytest.mark.parametrize("target", [".png", ".tif", ".webp", ".jpg", ".avif"])
@pytest.mark.parametrize("space", SPACES)
def test_a_picture_in_another_space_is_seen_as_its_blur(space, target, tmp_path, done):
    profile = SPACES[space]
    (tmp_path / "in.png").write_bytes(saved(Pillow.fromarray(picture()), "PNG", icc_profile=profile))
    assert done("apply", "gaussian:sigma=1", tmp_path / "in.png", tmp_path / f"out{target}") == ""
    out = tmp_path / f"out{target}"
    assert to_pillow(out)["icc"] == profile
    assert target == ".tif" or to_vips(out)["icc"] == profile
    wanted = np.rint(blurred(picture(), 1)).astype(np.uint8)
    with Pillow.open(out) as image:
        found = np.asarray(image)
    if target in (".png", ".tif", ".webp"):
        assert np.abs(found.astype(int) - wanted).max() <= 1
    apart = deltaE_ciede2000(seen_as(found, to_pillow(out)["icc"]), seen_as(wanted, profile))
    assert apart.mean() <= (0.5 if target in (".png", ".tif", ".webp") else 2)
    # As if it were sRGB it would be seen as something else.
    assert deltaE_ciede2000(rgb2lab(found), seen_as(wanted, profile)).mean() > 3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_linear_light_is_that_of_the_profile(dtype, channels, tmp_path, done):
    profile = (profiles.rgb if channels == 3 else profiles.grey)(profiles.para(0, 1.8))
    pixels, full = np.abs(picture(dtype, channels)), full_scale(dtype)
    kind = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric=kind, iccprofile=profile)
    done("apply", "gaussian:sigma=2", "--linear", tmp_path / "in.tif", tmp_path / "out.tif")
    found = tifffile.imread(tmp_path / "out.tif").astype(float) / full
    step = 0.6 / full if dtype != "f4" else 1e-4
    assert np.abs(found - blurred((pixels / full) ** 1.8, 2) ** (1 / 1.8)).max() <= step
    assert np.abs(found - blurred(pixels / full, 2)).max() > 10 * step  # which is not the same


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif"])
def test_linear_light_is_that_of_the_profile_in_every_format(suffix, tmp_path, done):
    path = tmp_path / f"in{suffix}"
    profile = imagecodecs.cms_profile("rgb", gamma=1.8)
    Pillow.fromarray(picture()).save(path, icc_profile=profile, **({"lossless": True} if suffix == ".webp" else {}))
    with Pillow.open(path) as image:
        pixels = np.asarray(image)
    done("apply", "gaussian:sigma=2", "--linear", path, tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        found = np.asarray(image).astype(float)
    wanted = blurred((pixels / 255) ** 1.8, 2) ** (1 / 1.8) * 255
    # Decoders of AVIF differ by a level or two.
    assert np.abs(found - wanted).max() <= (2 if suffix == ".avif" else 0.7)


@pytest.mark.parametrize(("written", "exponent"), [(55_556, 1.8), (60_000, 1 / 0.6), (100_000, 1.0)])
def test_linear_light_is_that_of_the_gamma_of_a_png(written, exponent, tmp_path, done):
    with_gamma(tmp_path / "in.png", written)
    done("apply", "gaussian:sigma=2", "--linear", tmp_path / "in.png", tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        found, profile = np.asarray(image).astype(float), image.info["icc_profile"]
    assert np.abs(found - blurred((picture() / 255) ** exponent, 2) ** (1 / exponent) * 255).max() <= 0.7
    # The output says in a profile what the input said in a number.
    greys = np.dstack([np.arange(256, dtype=np.uint8)[np.newaxis]] * 3)
    light = (np.arange(256) / 255) ** exponent  # and its lightness as in CIE 15, 8.2.1.1
    lightness = np.where(light > (6 / 29) ** 3, 116 * np.cbrt(light) - 16, light * (29 / 3) ** 3)
    assert np.abs(seen_as(greys, profile)[0, :, 0] - lightness).max() <= 0.5


def test_the_gamma_that_stands_for_srgb_is_taken_for_it(tmp_path, done):
    with_gamma(tmp_path / "in.png", 45_455)
    done("apply", "gaussian:sigma=2", "--linear", tmp_path / "in.png", tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        found = np.asarray(image).astype(float)
    levels = picture() / 255  # and their light after IEC 61966-2-1
    light = blurred(np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4), 2)
    wanted = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(found - wanted * 255).max() <= 0.7


def with_gamma(path, written: int) -> None:
    """Write a PNG with a number for its gamma."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"gAMA", written.to_bytes(4, "big"))
    path.write_bytes(saved(Pillow.fromarray(picture()), "PNG", pnginfo=chunks))


def test_grey_of_colour_does_not_take_its_profile_along(tmp_path, done):
    (tmp_path / "in.png").write_bytes(saved(Pillow.fromarray(picture()), "PNG", icc_profile=SPACES["Adobe RGB"]))
    assert "left out the colour profile" in done("apply", "identity", "--gray", tmp_path / "in.png", tmp_path / "out.png")
    assert "icc" not in to_pillow(tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as image:
        assert image.mode == "L"
