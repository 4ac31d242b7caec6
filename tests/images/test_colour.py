from __future__ import annotations

import io
import itertools

import cv2
import imagecodecs
import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow
from PIL import ImageCms
from skimage.color import deltaE_ciede2000, rgb2gray, rgb2lab

from imgconv.images.colour import mixing
from imgconv.images.colour.mixing import cmyk_to_rgb, grey
from imgconv.images.colour.profiles import srgb
from tests.images import profiles

#: Default CMYK profile of libvips: that of a real printer, with a table for each intent.
PRINTER = bytes(pyvips.Operation.call("profile_load", "cmyk"))
CMYK_PROFILES = {"a real printer": PRINTER, "a small one": profiles.cmyk(), "a finer one": profiles.cmyk(5)}


def cmyk_pixels(dtype: str = "uint8") -> np.ndarray:
    """Return every combination of seven amounts of four inks, plus random ones: (50, 70, 4)."""
    amounts = np.array(list(itertools.product(np.linspace(0, 1, 7), repeat=4)))
    others = np.random.default_rng(1).random((50 * 70 - len(amounts), 4))
    full = np.iinfo(dtype).max
    return np.rint(np.concatenate([amounts, others]) * full).astype(dtype).reshape(50, 70, 4)


def converted_by_pillow(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """Return 8-bit CMYK converted by Pillow's LittleCMS without a precalculated grid."""
    target = ImageCms.createProfile("sRGB")
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(io.BytesIO(profile), target, "CMYK", "RGB", intent, flags)
    source = Pillow.frombytes("CMYK", pixels.shape[1::-1], pixels.tobytes())
    return np.asarray(ImageCms.applyTransform(source, transform))


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ΔE 2000 of each pixel."""
    return deltaE_ciede2000(*(rgb2lab(pixels / np.iinfo(pixels.dtype).max) for pixels in (a, b)))


@pytest.mark.parametrize("profile", CMYK_PROFILES.values(), ids=CMYK_PROFILES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_cmyk_with_a_profile_matches_pillow(profile: bytes, dtype: str) -> None:
    pixels = cmyk_pixels()
    wide = pixels if dtype == "uint8" else pixels.astype(np.uint16) * 257
    found, embedded, note = cmyk_to_rgb(wide, profile)
    assert found.shape == (50, 70, 3)
    assert found.dtype == dtype
    assert embedded == srgb()
    assert note == "CMYK converted to sRGB by its colour profile"
    distance = difference(found, converted_by_pillow(pixels, profile))
    assert distance.mean() < 0.3
    assert distance.max() < 4  # dark mixtures of four inks, where the grid is coarse
    plain, _, _ = cmyk_to_rgb(wide, b"")
    assert difference(found, plain).mean() > 5  # the profile matters


@pytest.mark.parametrize("profile", CMYK_PROFILES.values(), ids=CMYK_PROFILES)
def test_paper_is_white_and_full_ink_is_black(profile: bytes) -> None:
    found, _, _ = cmyk_to_rgb(np.array([[[0, 0, 0, 0], [255, 255, 255, 255], [0, 0, 0, 255]]], np.uint8), profile)
    assert found[0, 0].min() >= 253
    assert found[0, 1].max() <= 25
    assert found[0, 2].max() <= 60


@pytest.mark.parametrize("shape", [(1, 1), (4, 3), (3, 4), (1, 300), (5, 2)])
def test_any_size_and_strided_views(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (2 * shape[0], shape[1], 5), dtype=np.uint8)
    view = pixels[::2, ::-1, :4]
    for profile in (profiles.cmyk(), b""):
        found, _, _ = cmyk_to_rgb(view, profile)
        assert found.shape == (*shape, 3)
        one = cmyk_to_rgb(view[-1:, -1:].copy(), profile)[0]
        assert np.array_equal(found[-1:, -1:], one)


def test_cmyk_without_a_profile_uses_the_formula() -> None:
    pixels = cmyk_pixels()
    found, embedded, note = cmyk_to_rgb(pixels, b"")
    expected = Pillow.frombytes("CMYK", (70, 50), pixels.tobytes()).convert("RGB")
    assert np.array_equal(found, np.asarray(expected))
    assert embedded == b""
    assert "without a colour profile" in note
    assert "approximate" in note


def test_the_formula_in_16_bits() -> None:
    pixels = cmyk_pixels("uint16")
    part = pixels.astype(np.float64) / 65535
    expected = np.rint(65535 * (1 - part[:, :, :3]) * (1 - part[:, :, 3:]))
    assert np.array_equal(cmyk_to_rgb(pixels, b"")[0], expected)
    many = np.tile(pixels, (1, 30, 1))
    assert np.array_equal(cmyk_to_rgb(many, b"")[0], np.tile(expected, (1, 30, 1)))


UNUSABLE = {
    "nothing like one": (b"what" * 99, "is damaged"),
    "cut short": (PRINTER[:100], "is damaged"),
    "without its tables": (PRINTER[:700], "cannot be used"),
    "no tags": (profiles.built(b"CMYK", {}), "cannot be used"),
    "of another space": (srgb(), "is for RGB, not for CMYK"),
    "of no space": (profiles.built(b"\n\0\x1b[", {}), "is for another colour space, not for CMYK"),
}


@pytest.mark.parametrize(("profile", "fault"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_profile_is_ignored_with_a_note(profile: bytes, fault: str, capfd) -> None:
    found, embedded, note = cmyk_to_rgb(cmyk_pixels(), profile)
    assert np.array_equal(found, cmyk_to_rgb(cmyk_pixels(), b"")[0])
    assert embedded == b""
    assert note.startswith(f"the colour profile {fault}: ")
    assert note.isprintable()
    assert capfd.readouterr() == ("", "")


DAMAGED = """
import sys
import numpy as np
from imgconv.images.colour.mixing import cmyk_to_rgb
from tests.images import profiles
random, whole, used = np.random.default_rng(int(sys.argv[1])), profiles.cmyk(2), set()
inks = random.integers(0, 256, (2, 3, 4), dtype=np.uint8)
for _ in range(int(sys.argv[2])):
    data = bytearray(whole)
    for at in random.integers(0, len(data), random.integers(1, 5)):
        data[at] = random.choice([0, 1, 127, 128, 255, data[at] ^ (1 << random.integers(8))])
    data = bytes(data[: random.integers(len(data))] if random.random() < 0.1 else data)
    found, _, note = cmyk_to_rgb(inks, data)
    assert found.shape == (2, 3, 3)
    used.add(note)
assert len(used) > 2, used
print("whole")
"""


@pytest.mark.parametrize("count", [20, pytest.param(500, marks=pytest.mark.long)])
def test_damaged_profiles_crash_no_process(count: int, root, run_python) -> None:
    code = f"import sys; sys.path.insert(0, {str(root)!r})\n{DAMAGED}"
    done = run_python("-W", "error", "-c", code, str(count), str(count))
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole\n", "")


def test_the_srgb_profile_has_a_fixed_date() -> None:
    found = srgb()
    about = ImageCms.ImageCmsProfile(io.BytesIO(found)).profile
    assert int.from_bytes(found[24:26], "big") == 2000  # the creation year; Pillow 12.3 fails on its month
    assert about.profile_description == "sRGB built-in"
    expected = imagecodecs.cms_profile("srgb")
    assert found == expected[:24] + found[24:36] + expected[36:]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_luma_matches_opencv_and_pillow(dtype: str) -> None:
    full = np.iinfo(dtype).max if dtype.startswith("u") else 1
    pixels = (np.random.default_rng(3).random((37, 50, 3)) * full).astype(dtype)
    found = grey(pixels, linear=False)
    assert found.dtype == ("float64" if dtype == "float64" else "float32")
    assert found == pytest.approx(pixels @ np.array([0.114, 0.587, 0.299]), rel=1e-6)
    if dtype != "float64":  # unsupported by OpenCV
        # OpenCV rounds integers; in 16 bits it also rounds the weights.
        distance = {"uint8": 0.51, "uint16": 2.0}.get(dtype, 0)
        assert np.allclose(found, cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), rtol=2e-6, atol=distance)
    if dtype == "uint8":
        theirs = np.asarray(Pillow.fromarray(pixels[:, :, ::-1]).convert("L")).astype(int)
        assert np.abs(np.rint(found) - theirs).max() <= 1


def test_luminance_matches_scikit_image() -> None:
    pixels = np.random.default_rng(4).random((37, 50, 3))
    # The weights of scikit-image are 0.2125, 0.7154, 0.0721.
    assert grey(pixels, linear=True) == pytest.approx(rgb2gray(pixels[:, :, ::-1]), abs=2e-4)
    assert grey(pixels, linear=True) == pytest.approx(pixels @ np.array([0.0722, 0.7152, 0.2126]))
    one = np.zeros((1, 3, 3))
    one[0, [0, 1, 2], [0, 1, 2]] = 1
    assert grey(one, linear=True)[0] == pytest.approx(mixing.LUMINANCE)
    assert grey(one, linear=False)[0] == pytest.approx(mixing.LUMA)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "float32", "float64"])
@pytest.mark.parametrize("linear", [False, True])
def test_grey_of_equal_channels_is_exact(dtype: str, linear: bool) -> None:
    limits = (-1, 1) if dtype.startswith("f") else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    one = np.linspace(*limits, 65536).astype(dtype).reshape(2, -1)
    found = grey(np.stack([one] * 3, axis=-1)[::-1], linear)
    assert np.array_equal(found, one[::-1])


def test_grey_of_infinities() -> None:
    pixels = np.array([[[np.inf, np.inf, np.inf], [1, 2, np.inf], [-np.inf, 0, 0], [np.nan, 1, 1], [np.inf, 3, 3]]])
    for values in (pixels, pixels.astype(np.float32)):
        assert repr(grey(values, linear=True)[0].tolist()) == "[inf, inf, -inf, nan, inf]"
