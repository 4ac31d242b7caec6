"""Files of several pages, and animations: each page is filtered alone, and all that is said of them stays."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

import imgconv
from tests.matrix.animations import DURATIONS, PLAYED, PLAYERS, SUFFIXES, frames, made
from tests.matrix.pictures import inks, picture

KINDS = [*SUFFIXES]
PAIRS = list(itertools.product(KINDS, KINDS))

# Mean differences, in levels: AVIF is not exact, and a GIF has 256 colours a frame.
_LOSS = {"gif": 6.0, "webp": 0.0, "png": 0.0, "avif": 4.0}

PAGES = (picture(), picture("u2", 1)[:30, :33], picture("f4")[5:25, :, :], picture("u1", 1)[:, 9:])


def tiff(path, pages=PAGES, **options) -> None:
    with tifffile.TiffWriter(path) as file:
        for page in pages:
            kind = "rgb" if page.ndim == 3 else "minisblack"
            file.write(page, photometric=kind, metadata=None, **options)


def pages_of(path) -> list[np.ndarray]:
    with tifffile.TiffFile(path) as file:
        return [page.asarray() for page in file.pages]


def apart(found: np.ndarray, wanted: np.ndarray) -> float:
    """Return the mean difference of colours, where they are to be seen, and of alpha."""
    assert found.shape[:2] == wanted.shape[:2]
    seen = wanted[:, :, 3] > 0 if wanted.shape[2] == 4 else np.ones(wanted.shape[:2], bool)
    colours = np.abs(found[:, :, :3].astype(float) - wanted[:, :, :3])[seen].mean()
    holes = (
        np.abs(found[:, :, 3].astype(float) - (wanted[:, :, 3] if wanted.shape[2] == 4 else 255)) if found.shape[2] == 4 else 0
    )
    return float(colours + np.mean(holes))


def test_every_page_of_a_tiff_is_filtered_alone(tmp_path, done):
    tiff(tmp_path / "in.tif")
    assert done("apply", "[0 1 0; 2 0 0; 0 0 5]", "--scale", "1/8", tmp_path / "in.tif", tmp_path / "out.tif") == ""
    found = pages_of(tmp_path / "out.tif")
    assert [page.dtype for page in found] == [page.dtype for page in PAGES]
    for page, wanted in zip(found, PAGES, strict=True):
        kernel = imgconv.parse_kernel("[0 1 0; 2 0 0; 0 0 5]").scaled(1 / 8)
        assert np.array_equal(page, imgconv.correlate(wanted, kernel))


@pytest.mark.parametrize(("words", "numbers"), [("0", [0]), ("0,2-3", [0, 2, 3]), ("1-", [1, 2, 3]), ("3,0", [3, 0])])
def test_pages_are_chosen(words, numbers, tmp_path, done):
    tiff(tmp_path / "in.tif")
    done("apply", "identity", "--pages", words, tmp_path / "in.tif", tmp_path / "out.tif")
    found = pages_of(tmp_path / "out.tif")
    assert len(found) == len(numbers)
    assert all(np.array_equal(page, PAGES[number]) for page, number in zip(found, numbers, strict=True))


def test_a_page_that_is_not_there_is_wrong_usage(tmp_path, refused):
    tiff(tmp_path / "in.tif")
    message = refused(2, "apply", "identity", "--pages", "2-4", tmp_path / "in.tif", tmp_path / "out.tif")
    assert "--pages selects page 4" in message


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".avif", ".bmp", ".ppm"])
def test_pages_do_not_go_into_a_format_for_one(suffix, tmp_path, refused, done):
    tiff(tmp_path / "in.tif", (picture(), picture()))
    assert "--pages" in refused(5, "apply", "identity", tmp_path / "in.tif", tmp_path / f"out{suffix}")
    done("apply", "identity", "--pages", "1", tmp_path / "in.tif", tmp_path / f"out{suffix}")


@pytest.mark.parametrize("options", [{"bigtiff": True}, {"byteorder": ">"}])
def test_pages_of_other_tiffs(options, tmp_path, done):
    with tifffile.TiffWriter(tmp_path / "in.tif", **options) as file:
        for page in PAGES:
            file.write(page, photometric="rgb" if page.ndim == 3 else "minisblack", metadata=None)
    done("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")
    assert all(np.array_equal(found, page) for found, page in zip(pages_of(tmp_path / "out.tif"), PAGES, strict=True))


def test_pages_of_imagej_go_along(tmp_path, done):
    stack = np.stack([picture("u2", 1), picture("u2", 1)[::-1], picture("u2", 1)[:, ::-1]])
    tifffile.imwrite(tmp_path / "in.tif", stack, imagej=True)
    done("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), stack)
    assert len(pages_of(tmp_path / "out.tif")) == 3


def test_what_is_to_be_known_of_a_later_page_is_told(tmp_path, done):
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        file.write(picture(), photometric="rgb", metadata=None)
        file.write(inks(), photometric="separated", metadata=None)
    assert "CMYK without a colour profile" in done("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_animation_goes_on_as_another(source, target, alpha, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(made(source, alpha=alpha))
    assert imgconv.read_image(path).pages == len(DURATIONS)
    done("apply", "identity", path, out)
    for player in PLAYERS[target]:
        found = player(out)
        assert len(found.frames) == len(DURATIONS)
        assert found.durations in (None, DURATIONS)
        assert found.played in (None, 0 if source == "avif" else PLAYED)  # libavif writes it for ever
        for frame, wanted in zip(found.frames, frames(alpha), strict=True):
            loss = max(_LOSS[source] if source != "gif" else 0, _LOSS[target] if (source, target) != ("gif", "gif") else 0)
            assert apart(frame, wanted) <= loss


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_filtered_alone(kind, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[kind]}"
    path.write_bytes(made(kind))
    done("apply", "[0 1 0; 2 0 0; 0 0 5]", "--scale", "1/8", path, out)
    kernel = imgconv.parse_kernel("[0 1 0; 2 0 0; 0 0 5]").scaled(1 / 8)
    for player in PLAYERS[kind]:
        for frame, before in zip(player(out).frames, PLAYERS[kind][0](path).frames, strict=True):
            assert apart(frame, imgconv.correlate(before[:, :, :3], kernel)) <= _LOSS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_chosen_with_their_durations(kind, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[kind]}"
    path.write_bytes(made(kind))
    done("apply", "identity", "--pages", "0,2-3", path, out)
    for player in PLAYERS[kind]:
        found = player(out)
        assert found.durations in (None, (50, 120, 200))
        for frame, wanted in zip(found.frames, [frames()[n] for n in (0, 2, 3)], strict=True):
            assert apart(frame, wanted) <= (_LOSS[kind] if kind != "gif" else 0)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_frame_is_a_picture(kind, suffix, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{suffix}"
    path.write_bytes(made(kind))
    done("apply", "identity", "--pages", "2", path, out)
    with Pillow.open(out) as image:
        assert getattr(image, "n_frames", 1) == 1
        assert apart(np.asarray(image.convert("RGB")), frames()[2]) <= (
            20.0 if suffix == ".jpg" else _LOSS[kind] if kind != "gif" else 0.0
        )  # JPEG stores colour coarsely


@pytest.mark.parametrize("kind", KINDS)
def test_frames_become_pages_and_that_is_told(kind, tmp_path, done):
    path = tmp_path / f"in{SUFFIXES[kind]}"
    path.write_bytes(made(kind))
    assert "durations" in done("apply", "identity", path, tmp_path / "out.tif")
    for page, wanted in zip(pages_of(tmp_path / "out.tif"), frames(), strict=True):
        assert apart(page, wanted) <= (_LOSS[kind] if kind != "gif" else 0)


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".jp2", ".ppm"])
@pytest.mark.parametrize("kind", KINDS)
def test_frames_do_not_go_into_a_format_for_one(kind, suffix, tmp_path, refused):
    path = tmp_path / f"in{SUFFIXES[kind]}"
    path.write_bytes(made(kind))
    assert "--pages" in refused(5, "apply", "identity", path, tmp_path / f"out{suffix}")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "avif"])
@pytest.mark.parametrize("target", [kind for kind in KINDS if kind != "avif"])
@pytest.mark.parametrize("played", [0, 1, 7])
def test_it_is_played_as_often(kind, target, played, tmp_path, done):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[target]}"
    told = {"loop": None} if kind == "gif" and played == 1 else {"loop": played - (kind == "gif" and played > 0)}
    path.write_bytes(made(kind, **told))
    done("apply", "identity", path, out)
    assert {player(out).played for player in PLAYERS[target]} <= {None, played}


@pytest.mark.parametrize("played", [0, 1, 7])
def test_an_avif_is_played_as_often_too(played, tmp_path, done):
    """Of which no other library here tells: it has to come back out of it."""
    (tmp_path / "in.webp").write_bytes(made("webp", loop=played))
    done("apply", "identity", tmp_path / "in.webp", tmp_path / "between.avif")
    done("apply", "identity", tmp_path / "between.avif", tmp_path / "out.webp")
    assert {player(tmp_path / "out.webp").played for player in PLAYERS["webp"]} == {played}
