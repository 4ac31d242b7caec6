"""Multi-page files and animations: each page is filtered separately, and durations and loop counts are kept."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

import imgconv
from tests.matrix.animations import DURATIONS, LOOPS, READERS, SUFFIXES, encode, frames
from tests.matrix.pictures import cmyk_picture, picture

KINDS = [*SUFFIXES]
PAIRS = list(itertools.product(KINDS, KINDS))

# Largest mean difference in levels: AVIF is lossy, and GIF has 256 colours per frame.
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


def mean_difference(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the mean difference of visible colours plus that of alpha."""
    assert found.shape[:2] == expected.shape[:2]
    visible = expected[:, :, 3] > 0 if expected.shape[2] == 4 else np.ones(expected.shape[:2], bool)
    colours = np.abs(found[:, :, :3].astype(float) - expected[:, :, :3])[visible].mean()
    alpha = expected[:, :, 3] if expected.shape[2] == 4 else 255
    return float(colours + (np.abs(found[:, :, 3].astype(float) - alpha).mean() if found.shape[2] == 4 else 0))


def test_every_page_of_a_tiff_is_filtered_separately(tmp_path, run_ok):
    tiff(tmp_path / "in.tif")
    assert run_ok("apply", "[0 1 0; 2 0 0; 0 0 5]", "--scale", "1/8", tmp_path / "in.tif", tmp_path / "out.tif") == ""
    found = pages_of(tmp_path / "out.tif")
    assert [page.dtype for page in found] == [page.dtype for page in PAGES]
    for page, expected in zip(found, PAGES, strict=True):
        kernel = imgconv.parse_kernel("[0 1 0; 2 0 0; 0 0 5]").scaled(1 / 8)
        assert np.array_equal(page, imgconv.correlate(expected, kernel))


@pytest.mark.parametrize(("words", "numbers"), [("0", [0]), ("0,2-3", [0, 2, 3]), ("1-", [1, 2, 3]), ("3,0", [3, 0])])
def test_pages_selects_pages(words, numbers, tmp_path, run_ok):
    tiff(tmp_path / "in.tif")
    run_ok("apply", "identity", "--pages", words, tmp_path / "in.tif", tmp_path / "out.tif")
    found = pages_of(tmp_path / "out.tif")
    assert len(found) == len(numbers)
    assert all(np.array_equal(page, PAGES[number]) for page, number in zip(found, numbers, strict=True))


def test_a_missing_page_is_a_usage_error(tmp_path, run_error):
    tiff(tmp_path / "in.tif")
    message = run_error(2, "apply", "identity", "--pages", "2-4", tmp_path / "in.tif", tmp_path / "out.tif")
    assert "--pages selects page 4" in message


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".avif", ".bmp", ".ppm"])
def test_several_pages_into_a_single_image_format_are_an_error(suffix, tmp_path, run_error, run_ok):
    tiff(tmp_path / "in.tif", (picture(), picture()))
    assert "--pages" in run_error(5, "apply", "identity", tmp_path / "in.tif", tmp_path / f"out{suffix}")
    run_ok("apply", "identity", "--pages", "1", tmp_path / "in.tif", tmp_path / f"out{suffix}")


@pytest.mark.parametrize("options", [{"bigtiff": True}, {"byteorder": ">"}])
def test_pages_of_bigtiff_and_big_endian_files_are_kept(options, tmp_path, run_ok):
    with tifffile.TiffWriter(tmp_path / "in.tif", **options) as file:
        for page in PAGES:
            file.write(page, photometric="rgb" if page.ndim == 3 else "minisblack", metadata=None)
    run_ok("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")
    assert all(np.array_equal(found, page) for found, page in zip(pages_of(tmp_path / "out.tif"), PAGES, strict=True))


def test_pages_of_imagej_are_kept(tmp_path, run_ok):
    stack = np.stack([picture("u2", 1), picture("u2", 1)[::-1], picture("u2", 1)[:, ::-1]])
    tifffile.imwrite(tmp_path / "in.tif", stack, imagej=True)
    run_ok("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), stack)
    assert len(pages_of(tmp_path / "out.tif")) == 3


def test_notes_on_later_pages_are_printed(tmp_path, run_ok):
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        file.write(picture(), photometric="rgb", metadata=None)
        file.write(cmyk_picture(), photometric="separated", metadata=None)
    assert "CMYK without a colour profile" in run_ok("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_animation_keeps_frames_durations_and_loops(source, target, alpha, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(encode(source, alpha=alpha))
    assert imgconv.read_image(path).pages == len(DURATIONS)
    run_ok("apply", "identity", path, out)
    for reader in READERS[target]:
        found = reader(out)
        assert len(found.frames) == len(DURATIONS)
        assert found.durations in (None, DURATIONS)
        assert found.loops in (None, 0 if source == "avif" else LOOPS)  # libavif writes endless loops
        for frame, expected in zip(found.frames, frames(alpha), strict=True):
            loss = max(_LOSS[source] if source != "gif" else 0, _LOSS[target] if (source, target) != ("gif", "gif") else 0)
            assert mean_difference(frame, expected) <= loss


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_filtered_separately(kind, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[kind]}"
    path.write_bytes(encode(kind))
    run_ok("apply", "[0 1 0; 2 0 0; 0 0 5]", "--scale", "1/8", path, out)
    kernel = imgconv.parse_kernel("[0 1 0; 2 0 0; 0 0 5]").scaled(1 / 8)
    for reader in READERS[kind]:
        for frame, before in zip(reader(out).frames, READERS[kind][0](path).frames, strict=True):
            assert mean_difference(frame, imgconv.correlate(before[:, :, :3], kernel)) <= _LOSS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_pages_selects_frames_with_their_durations(kind, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[kind]}"
    path.write_bytes(encode(kind))
    run_ok("apply", "identity", "--pages", "0,2-3", path, out)
    for reader in READERS[kind]:
        found = reader(out)
        assert found.durations in (None, (50, 120, 200))
        for frame, expected in zip(found.frames, [frames()[n] for n in (0, 2, 3)], strict=True):
            assert mean_difference(frame, expected) <= (_LOSS[kind] if kind != "gif" else 0)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_selected_frame_is_a_still_image(kind, suffix, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{suffix}"
    path.write_bytes(encode(kind))
    run_ok("apply", "identity", "--pages", "2", path, out)
    with Pillow.open(out) as image:
        assert getattr(image, "n_frames", 1) == 1
        assert mean_difference(np.asarray(image.convert("RGB")), frames()[2]) <= (
            20.0 if suffix == ".jpg" else _LOSS[kind] if kind != "gif" else 0.0
        )  # chroma subsampling


@pytest.mark.parametrize("kind", KINDS)
def test_frames_become_tiff_pages_and_lost_durations_are_reported(kind, tmp_path, run_ok):
    path = tmp_path / f"in{SUFFIXES[kind]}"
    path.write_bytes(encode(kind))
    assert "durations" in run_ok("apply", "identity", path, tmp_path / "out.tif")
    for page, expected in zip(pages_of(tmp_path / "out.tif"), frames(), strict=True):
        assert mean_difference(page, expected) <= (_LOSS[kind] if kind != "gif" else 0)


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".jp2", ".ppm"])
@pytest.mark.parametrize("kind", KINDS)
def test_several_frames_into_a_single_image_format_are_an_error(kind, suffix, tmp_path, run_error):
    path = tmp_path / f"in{SUFFIXES[kind]}"
    path.write_bytes(encode(kind))
    assert "--pages" in run_error(5, "apply", "identity", path, tmp_path / f"out{suffix}")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "avif"])
@pytest.mark.parametrize("target", [kind for kind in KINDS if kind != "avif"])
@pytest.mark.parametrize("loops", [0, 1, 7])
def test_the_loop_count_is_kept(kind, target, loops, tmp_path, run_ok):
    path, out = tmp_path / f"in{SUFFIXES[kind]}", tmp_path / f"out{SUFFIXES[target]}"
    options = {"loop": None} if kind == "gif" and loops == 1 else {"loop": loops - (kind == "gif" and loops > 0)}
    path.write_bytes(encode(kind, **options))
    run_ok("apply", "identity", path, out)
    assert {reader(out).loops for reader in READERS[target]} <= {None, loops}


@pytest.mark.parametrize("loops", [0, 1, 7])
def test_the_loop_count_of_an_avif_is_kept(loops, tmp_path, run_ok):
    """No other library here reads the loop count of an AVIF, so it is converted back to WebP."""
    (tmp_path / "in.webp").write_bytes(encode("webp", loop=loops))
    run_ok("apply", "identity", tmp_path / "in.webp", tmp_path / "between.avif")
    run_ok("apply", "identity", tmp_path / "between.avif", tmp_path / "out.webp")
    assert {reader(tmp_path / "out.webp").loops for reader in READERS["webp"]} == {loops}
