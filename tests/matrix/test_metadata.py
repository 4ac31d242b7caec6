"""What files say beside their pixels, from five formats into five: all of it stays, two other libraries find it."""

from __future__ import annotations

import itertools
import math

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from tests.images import profiles
from tests.matrix.labels import LABELS, LISTENERS, SUFFIXES, made, seen, seen_by_vips, to_pillow
from tests.matrix.pictures import picture

KINDS = [*SUFFIXES]
PAIRS = list(itertools.product(KINDS, KINDS))

# JPEG and AVIF lose a little of the pixels, on average and in levels; what is turned another way is off by far more.
_LOSS = 4.0

# Resolutions are stored as whole dots an inch, a centimetre or a metre.
_ROUNDED = 2e-3


def agree(found: dict, name: str) -> bool:
    """Return whether a label is what it was."""
    if name != "resolution":
        return found.get(name) == LABELS[name]
    return all(math.isclose(a, b, rel_tol=_ROUNDED) for a, b in zip(found.get(name, (0, 0)), LABELS[name], strict=True))


def apart(first: np.ndarray, second: np.ndarray) -> float:
    assert first.shape == second.shape
    return float(np.abs(first.astype(float) - second.astype(float)).mean())


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_all_labels_go_along(source, target, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(made(source, LABELS))
    assert done("apply", "identity", path, out) == ""
    for listener in LISTENERS[target]:
        found = listener(out)
        silent = {"orientation"} if target == "avif" and listener is not to_pillow else set()
        lost = {name: found.get(name) for name in LABELS if name not in silent and not agree(found, name)}
        assert lost == {}
    for look in (seen, seen_by_vips):
        assert apart(look(out), look(path)) < _LOSS


@pytest.mark.parametrize(("source", "target"), [(s, t) for s, t in PAIRS if s in ("jpeg", "png")])
def test_a_comment_goes_along(source, target, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(made(source, {"comment": "made by hand"}))
    assert done("apply", "identity", path, out) == ""
    found = [listener(out) for listener in LISTENERS[target]]
    place = "comment" if target in ("jpeg", "png") else "description"
    # libvips says nothing of the comment of a JPEG.
    assert all(said.get(place) == "made by hand" for said in found[: 1 if target == "jpeg" else 2])


@pytest.mark.parametrize("target", KINDS)
def test_a_comment_beside_a_description_is_kept_or_its_loss_is_told(target, tmp_path, done):
    path, out = tmp_path / "in.jpg", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(made("jpeg", {"comment": "made by hand", "description": "another text"}))
    told = done("apply", "identity", path, out)
    assert to_pillow(out)["description"] == "another text"
    kept = to_pillow(out).get("comment") == "made by hand"
    assert kept == (target in ("jpeg", "png"))
    assert kept != ("left out the comment" in told)


@pytest.mark.parametrize(("source", "target"), [(s, t) for s, t in PAIRS if s in ("jpeg", "png", "tiff")])
def test_the_profile_of_a_grey_picture_goes_along_where_it_stays_grey(source, target, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    profile = profiles.grey(profiles.para(0, 1.8))
    path.write_bytes(made(source, {"icc": profile}, picture("u1", 1)))
    told = done("apply", "identity", path, out)
    if target == "webp":  # which knows colour only
        assert "left out the colour profile" in told
        assert all("icc" not in listener(out) for listener in LISTENERS[target])
    else:
        assert told == ""
        assert [listener(out)["icc"] for listener in LISTENERS[target]] == [profile] * 2


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_large_profile_goes_along(source, target, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    curve = np.rint(65_535 * np.linspace(0, 1, 12_000) ** 2.1).astype(int)
    profile = profiles.rgb(profiles.curv(curve), profiles.curv(curve[::-1]), profiles.curv(curve))
    assert len(profile) > 65_535  # more than a segment of a JPEG has room for
    path.write_bytes(made(source, {"icc": profile}))
    done("apply", "identity", path, out)
    assert [listener(out)["icc"] for listener in LISTENERS[target]] == [profile] * 2


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_strip_leaves_nothing_but_the_picture(source, target, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(made(source, {**LABELS, **({"comment": "hidden"} if source in ("jpeg", "png") else {})}))
    assert done("apply", "identity", "--strip", path, out) == ""
    for listener in LISTENERS[target]:
        left = {name: value for name, value in listener(out).items() if (name, value) != ("orientation", 1)}
        if target == "jpeg":
            left.pop("resolution", None)  # a JFIF segment always has a pair of numbers
        assert left == {}
    data = out.read_bytes()
    assert not any(word in data for word in (b"nobody", b"Ada", b"xpacket", b"Adobe RGB", b"hidden"))
    with Pillow.open(out) as image:
        assert image.size == seen(path).shape[1::-1]
    for look in (seen, seen_by_vips):
        assert apart(look(out), seen(path)) < _LOSS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_auto_orient_turns_the_pixels_and_not_what_is_seen(kind, orientation, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[kind]}"
    path.write_bytes(made(kind, {**LABELS, "orientation": orientation}))
    done("apply", "identity", "--auto-orient", path, out)
    for listener in LISTENERS[kind]:
        assert listener(out).get("orientation", 1) == 1
        assert listener(out)["artist"] == "Ada"
    upright = seen(path)
    assert upright.shape[:2] == ((41, 58) if orientation < 5 else (58, 41))
    assert stored(out).shape == upright.shape
    for look in (seen, seen_by_vips, stored):
        assert apart(look(out), upright) < (0.5 if kind in ("png", "tiff", "webp") else _LOSS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_without_it_pixels_and_orientation_stay_as_stored(kind, orientation, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[kind]}"
    path.write_bytes(made(kind, {**LABELS, "orientation": orientation}))
    done("apply", "identity", path, out)
    assert to_pillow(out).get("orientation", 1) == orientation
    assert apart(stored(out), stored(path)) < (0.5 if kind in ("png", "tiff", "webp") else _LOSS)
    for look in (seen, seen_by_vips):
        assert apart(look(out), look(path)) < _LOSS


def stored(path) -> np.ndarray:
    """Return the pixels as they stand in the file, whatever it says of where up is."""
    if path.suffix == ".tif":
        return tifffile.imread(path)
    if path.suffix == ".avif":
        return imagecodecs.avif_decode(path.read_bytes())
    with Pillow.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "jpeg"])
def test_a_format_without_a_place_for_it_takes_the_picture_upright(kind, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / "out.ppm"
    path.write_bytes(made(kind, LABELS))
    assert "applied EXIF orientation 6 to the pixels" in done("apply", "identity", path, out)
    assert apart(seen(out), seen(path)) < 0.5


def test_the_filter_is_not_turned_with_the_picture(tmp_path, done):
    """A picture that is turned by its tag is filtered as it is stored, one that was turned first as it is seen."""
    path, stored_out, upright_out = tmp_path / "in.png", tmp_path / "a.png", tmp_path / "b.png"
    path.write_bytes(made("png", {"orientation": 6}))
    done("apply", "[0 0 1]", path, stored_out)
    done("apply", "[0 0 1]", "--auto-orient", path, upright_out)
    whole, upright = picture(), seen(path)
    assert np.array_equal(stored(stored_out)[:, :-1], whole[:, 1:])
    assert np.array_equal(stored(upright_out)[:, :-1], upright[:, 1:])
