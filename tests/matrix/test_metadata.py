"""Metadata from five formats into five: all of it is kept, as two other libraries confirm."""

from __future__ import annotations

import itertools
import math

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from tests.images import profiles
from tests.matrix.labels import LABEL_READERS, LABELS, SUFFIXES, encode, read_pillow, view_pillow, view_vips
from tests.matrix.pictures import picture

KINDS = [*SUFFIXES]
PAIRS = list(itertools.product(KINDS, KINDS))

# Mean loss of JPEG and AVIF in levels; a wrong orientation differs by far more.
_LOSS = 4.0

# Relative tolerance: resolutions are stored as whole dots per inch, centimetre or metre.
_ROUNDED = 2e-3


def is_kept(found: dict, name: str) -> bool:
    """Return whether a label has its original value."""
    if name != "resolution":
        return found.get(name) == LABELS[name]
    return all(math.isclose(a, b, rel_tol=_ROUNDED) for a, b in zip(found.get(name, (0, 0)), LABELS[name], strict=True))


def mean_difference(first: np.ndarray, second: np.ndarray) -> float:
    assert first.shape == second.shape
    return float(np.abs(first.astype(float) - second.astype(float)).mean())


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_all_metadata_is_kept(source, target, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(encode(source, LABELS))
    assert run_ok("apply", "identity", path, out) == ""
    for reader in LABEL_READERS[target]:
        found = reader(out)
        unsupported = {"orientation"} if target == "avif" and reader is not read_pillow else set()
        lost = {name: found.get(name) for name in LABELS if name not in unsupported and not is_kept(found, name)}
        assert lost == {}
    for view in (view_pillow, view_vips):
        assert mean_difference(view(out), view(path)) < _LOSS


@pytest.mark.parametrize(("source", "target"), [(s, t) for s, t in PAIRS if s in ("jpeg", "png")])
def test_a_comment_is_kept(source, target, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(encode(source, {"comment": "made by hand"}))
    assert run_ok("apply", "identity", path, out) == ""
    found = [reader(out) for reader in LABEL_READERS[target]]
    place = "comment" if target in ("jpeg", "png") else "description"
    # libvips does not read the comment of a JPEG.
    assert all(labels.get(place) == "made by hand" for labels in found[: 1 if target == "jpeg" else 2])


@pytest.mark.parametrize("target", KINDS)
def test_a_comment_beside_a_description_is_kept_or_its_loss_is_reported(target, tmp_path, run_ok):
    path, out = tmp_path / "in.jpg", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(encode("jpeg", {"comment": "made by hand", "description": "another text"}))
    notes = run_ok("apply", "identity", path, out)
    assert read_pillow(out)["description"] == "another text"
    kept = read_pillow(out).get("comment") == "made by hand"
    assert kept == (target in ("jpeg", "png"))
    assert kept != ("left out the comment" in notes)


@pytest.mark.parametrize(("source", "target"), [(s, t) for s, t in PAIRS if s in ("jpeg", "png", "tiff")])
def test_a_grey_profile_is_kept_unless_the_output_is_colour(source, target, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    profile = profiles.grey(profiles.para(0, 1.8))
    path.write_bytes(encode(source, {"icc": profile}, picture("u1", 1)))
    notes = run_ok("apply", "identity", path, out)
    if target == "webp":  # which stores colour only
        assert "left out the colour profile" in notes
        assert all("icc" not in reader(out) for reader in LABEL_READERS[target])
    else:
        assert notes == ""
        assert [reader(out)["icc"] for reader in LABEL_READERS[target]] == [profile] * 2


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_large_profile_is_kept(source, target, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    curve = np.rint(65_535 * np.linspace(0, 1, 12_000) ** 2.1).astype(int)
    profile = profiles.rgb(profiles.curv(curve), profiles.curv(curve[::-1]), profiles.curv(curve))
    assert len(profile) > 65_535  # larger than a JPEG segment
    path.write_bytes(encode(source, {"icc": profile}))
    run_ok("apply", "identity", path, out)
    assert [reader(out)["icc"] for reader in LABEL_READERS[target]] == [profile] * 2


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_strip_removes_all_metadata(source, target, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(encode(source, {**LABELS, **({"comment": "hidden"} if source in ("jpeg", "png") else {})}))
    assert run_ok("apply", "identity", "--strip", path, out) == ""
    for reader in LABEL_READERS[target]:
        left = {name: value for name, value in reader(out).items() if (name, value) != ("orientation", 1)}
        if target == "jpeg":
            left.pop("resolution", None)  # a JFIF segment always has a density
        assert left == {}
    data = out.read_bytes()
    assert not any(word in data for word in (b"of a hill", b"Ada", b"xpacket", b"Adobe RGB", b"hidden"))
    with Pillow.open(out) as image:
        assert image.size == view_pillow(path).shape[1::-1]
    for view in (view_pillow, view_vips):
        assert mean_difference(view(out), view_pillow(path)) < _LOSS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_auto_orient_rotates_the_pixels_and_resets_the_tag(kind, orientation, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[kind]}"
    path.write_bytes(encode(kind, {**LABELS, "orientation": orientation}))
    run_ok("apply", "identity", "--auto-orient", path, out)
    for reader in LABEL_READERS[kind]:
        assert reader(out).get("orientation", 1) == 1
        assert reader(out)["artist"] == "Ada"
    upright = view_pillow(path)
    assert upright.shape[:2] == ((41, 58) if orientation < 5 else (58, 41))
    assert stored_pixels(out).shape == upright.shape
    for view in (view_pillow, view_vips, stored_pixels):
        assert mean_difference(view(out), upright) < (0.5 if kind in ("png", "tiff", "webp") else _LOSS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_without_auto_orient_pixels_and_orientation_are_kept(kind, orientation, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[kind]}"
    path.write_bytes(encode(kind, {**LABELS, "orientation": orientation}))
    run_ok("apply", "identity", path, out)
    assert read_pillow(out).get("orientation", 1) == orientation
    assert mean_difference(stored_pixels(out), stored_pixels(path)) < (0.5 if kind in ("png", "tiff", "webp") else _LOSS)
    for view in (view_pillow, view_vips):
        assert mean_difference(view(out), view(path)) < _LOSS


def stored_pixels(path) -> np.ndarray:
    """Return the pixels as stored, without applying the orientation."""
    if path.suffix == ".tif":
        return tifffile.imread(path)
    if path.suffix == ".avif":
        return imagecodecs.avif_decode(path.read_bytes())
    with Pillow.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "jpeg"])
def test_pixels_are_rotated_for_a_format_without_orientation(kind, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / "out.ppm"
    path.write_bytes(encode(kind, LABELS))
    assert "applied EXIF orientation 6 to the pixels" in run_ok("apply", "identity", path, out)
    assert mean_difference(view_pillow(out), view_pillow(path)) < 0.5


def test_the_kernel_is_not_rotated_with_the_orientation(tmp_path, run_ok):
    """The kernel applies to the stored pixels; with `--auto-orient`, to the upright ones."""
    path, stored_out, upright_out = tmp_path / "in.png", tmp_path / "a.png", tmp_path / "b.png"
    path.write_bytes(encode("png", {"orientation": 6}))
    run_ok("apply", "[0 0 1]", path, stored_out)
    run_ok("apply", "[0 0 1]", "--auto-orient", path, upright_out)
    pixels, upright = picture(), view_pillow(path)
    assert np.array_equal(stored_pixels(stored_out)[:, :-1], pixels[:, 1:])
    assert np.array_equal(stored_pixels(upright_out)[:, :-1], upright[:, 1:])
