"""`imgconv apply`: every option, checked by the output file."""

from __future__ import annotations

import json
import os
import re

import cv2
import numpy as np
import pytest
import tifffile
from scipy import ndimage, signal

import imgconv

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
SKEW = "[1 2 3; 4 5 6; 7 8 9]:scale=1/45"
SKEW_WEIGHTS = np.arange(1, 10).reshape(3, 3) / 45


def to_bytes(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def each_channel(function, pixels):
    return np.dstack([function(pixels[..., c].astype(float)) for c in range(pixels.shape[2])])


def test_sharpen_is_filter2d(done, photo, load):
    assert done("apply", "sharpen", "photo.png", "out.png") == ""
    assert np.array_equal(load("out.png"), cv2.filter2D(photo, -1, SHARPEN))


def test_a_matrix_is_used_as_written_and_convolve_rotates_it(done, photo, load):
    done("apply", SKEW, "photo.png", "a.png", "--correlate")
    done("apply", SKEW, "photo.png", "b.png", "--convolve")
    laid_on = each_channel(lambda p: ndimage.correlate(p, SKEW_WEIGHTS, mode="mirror"), photo)
    rotated = each_channel(lambda p: ndimage.convolve(p, SKEW_WEIGHTS, mode="mirror"), photo)
    assert np.array_equal(load("a.png"), to_bytes(np.round(laid_on, 9)))
    assert np.array_equal(load("b.png"), to_bytes(np.round(rotated, 9)))
    assert not np.array_equal(load("a.png"), load("b.png"))


@pytest.mark.parametrize(
    ("border", "scipy"),
    [("replicate", "nearest"), ("symmetric", "reflect"), ("reflect101", "mirror"), ("wrap", "wrap"), ("constant", "constant")],
)
@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_border(done, grey, load, border, scipy, engine):
    value = ["--border-value", "77"] if border == "constant" else []
    done("apply", SKEW, "grey.png", "out.png", "--border", border, *value, "--engine", engine)
    expected = ndimage.correlate(grey.astype(float), SKEW_WEIGHTS, mode=scipy, cval=77)
    assert np.array_equal(load("out.png"), to_bytes(np.round(expected, 9)))


def test_borders_of_rows_and_columns_may_differ(done, grey, load):
    done("apply", SKEW, "grey.png", "out.png", "--border", "reflect,wrap")
    padded = np.pad(np.pad(grey.astype(float), ((1, 1), (0, 0)), mode="symmetric"), ((0, 0), (1, 1)), mode="wrap")
    expected = signal.correlate2d(padded, SKEW_WEIGHTS, mode="valid")
    assert np.array_equal(load("out.png"), to_bytes(np.round(expected, 9)))


def test_a_border_value_alone_implies_constant(done, grey, load):
    done("apply", SKEW, "grey.png", "out.png", "--border-value", "77")
    expected = ndimage.correlate(grey.astype(float), SKEW_WEIGHTS, mode="constant", cval=77)
    assert np.array_equal(load("out.png"), to_bytes(np.round(expected, 9)))


def test_border_value_is_red_green_blue(done, photo, load):
    done("apply", "[1 0 0]:anchor=0 2", "photo.png", "out.png", "--border", "constant", "--border-value", "10,20,30")
    assert load("out.png")[:, :2].reshape(-1, 3).tolist() == [[30, 20, 10]] * (2 * photo.shape[0])


@pytest.mark.parametrize("mode", ["full", "valid", "same"])
def test_mode(done, grey, load, mode):
    done("apply", "[1 2 3; 4 5 6]:scale=1/21", "grey.png", "out.png", "--mode", mode, "--border", "constant", "--anchor", "0,1")
    expected = signal.correlate2d(grey.astype(float), np.array([[1, 2, 3], [4, 5, 6]]) / 21, mode=mode)
    if mode == "same":  # SciPy keeps the middle, which for two rows lies on the first
        expected = ndimage.correlate(grey.astype(float), np.array([[1, 2, 3], [4, 5, 6]]) / 21, mode="constant", origin=(-1, 0))
    assert np.array_equal(load("out.png"), to_bytes(np.round(expected, 9)))


def test_stride_and_dilation(done, grey, load):
    done("apply", SKEW, "grey.png", "out.png", "--stride", "2,3", "--dilation", "2")
    spread = np.zeros((5, 5))
    spread[::2, ::2] = SKEW_WEIGHTS
    expected = ndimage.correlate(grey.astype(float), spread, mode="mirror")[::2, ::3]
    assert np.array_equal(load("out.png"), to_bytes(np.round(expected, 9)))


def test_scale_delta_and_their_order(done, grey, load):
    done("apply", "identity", "grey.png", "out.png", "--scale", "1/2", "--delta", "10.5")
    assert np.array_equal(load("out.png"), to_bytes(grey / 2 + 10.5))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("clip", lambda v: v), ("abs", np.abs), ("offset", lambda v: v + 128)],
)
def test_range(done, grey, load, policy, expected):
    done("apply", "laplacian", "grey.png", "out.png", "--range", policy)
    response = ndimage.correlate(grey.astype(float), [[0, 1, 0], [1, -4, 1], [0, 1, 0]], mode="mirror")
    assert np.array_equal(load("out.png"), to_bytes(expected(response)))


def test_range_stretch_uses_the_whole_range(done, grey, load):
    done("apply", "laplacian", "grey.png", "out.png", "--range", "stretch")
    assert (load("out.png").min(), load("out.png").max()) == (0, 255)


def test_range_error_writes_nothing(fails, grey, tmp_path):
    assert "are outside the range 0 to 255" in fails(5, "apply", "laplacian", "grey.png", "out.png", "--range", "error")
    assert not (tmp_path / "out.png").exists()


def test_a_chain_is_rounded_once(done, grey, load):
    done("apply", "laplacian", "[1 0 0]", "grey.png", "out.png", "--range", "abs", "--border", "wrap")
    response = ndimage.correlate(grey.astype(float), [[0, 1, 0], [1, -4, 1], [0, 1, 0]], mode="wrap")
    assert np.array_equal(load("out.png"), to_bytes(np.abs(np.roll(response, 1, axis=1))))


def test_json_reports_files_methods_and_clipping(done, grey):
    report = json.loads(done("apply", "laplacian", "grey.png", "out.png", "--json"))
    response = ndimage.correlate(grey.astype(float), [[0, 1, 0], [1, -4, 1], [0, 1, 0]], mode="mirror")
    assert report["clipped"] == np.count_nonzero((response < 0) | (response > 255))
    assert report["input"] == {"path": "grey.png", "shape": [100, 120], "dtype": "uint8"}
    assert report["output"] == {"path": "out.png", "shape": [100, 120], "dtype": "uint8"}
    assert report["plans"][0]["method"] in ("filter2d", "bands")
    assert {c["method"] for c in report["plans"][0]["candidates"]} >= {"definition", "shifts", "windows", "filter2d"}


def test_verbose_reports_one_line(run, grey):
    result = run("apply", "laplacian", "grey.png", "out.png", "--verbose", "--range", "clip")
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert "values clipped" in result.err
    assert "filter2d (opencv, exact)" in result.err


def test_reports_do_not_change_the_result(done, run, grey, load):
    done("apply", "gaussian:sigma=1.3", "unsharp", "grey.png", "a.png")
    run("apply", "gaussian:sigma=1.3", "unsharp", "grey.png", "b.png", "--verbose")
    assert np.array_equal(load("a.png"), load("b.png"))


def test_no_clobber(done, fails, grey, load):
    done("apply", "identity", "grey.png", "out.png", "--no-clobber")
    message = fails(5, "apply", "box", "grey.png", "out.png", "--no-clobber")
    assert "out.png: already exists; choose another name, or omit --no-clobber" in message
    assert np.array_equal(load("out.png"), grey)


def test_user_kernels(done, grey, load, tmp_path):
    (tmp_path / "mine.yaml").write_text("kernels:\n  left: {about: shift, matrix: [[0, 0, 1]]}\n")
    done("apply", "left", "grey.png", "out.png", "--kernels", "mine.yaml", "--border", "wrap")
    assert np.array_equal(load("out.png"), np.roll(grey, -1, axis=1))


@pytest.mark.parametrize("method", ["definition", "shifts", "windows"])
def test_method(done, load, tmp_path, method):
    pixels = np.random.default_rng(1).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "in.png"), pixels)
    done("apply", "emboss", "in.png", "out.png", "--engine", "numpy", "--method", method)
    assert np.array_equal(load("out.png"), imgconv.correlate(pixels, "emboss"))


def test_file_names_may_be_non_ascii(done, grey, load, tmp_path):
    (tmp_path / "写真 é.png").write_bytes((tmp_path / "grey.png").read_bytes())
    done("apply", "identity", "写真 é.png", "résultat ñ.png")
    assert (tmp_path / "résultat ñ.png").exists()


def test_overflow_prints_no_warning(done, grey, load):
    done("apply", "[1e308 1e308]", "grey.png", "out.png")
    done("apply", "[1e308 -1e308]", "grey.png", "numpy.png", "--engine", "numpy")
    assert (load("out.png") == 255).all()
    assert load("numpy.png").shape == grey.shape


def test_complex_weights_need_a_magnitude(done, fails, grey, load):
    scharr = "[-3-3j 0-10j 3-3j; -10+0j 0+0j 10+0j; -3+3j 0+10j 3+3j]"
    assert "complex" in fails(2, "apply", scharr, "grey.png", "out.png")
    done("apply", scharr, "grey.png", "out.png", "--range", "abs", "--scale", "1/16")
    done("edges", "grey.png", "edges.png", "--operator", "scharr")
    assert np.abs(load("out.png").astype(int) - load("edges.png")).max() <= 1


LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])


def clipped_percent(err):
    return float(re.search(r"([\d.]+) % of the values were clipped; --range, --scale or --depth 32f can avoid it", err)[1])


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
@pytest.mark.parametrize("rows", [300, 4000], ids=["small", "sampled"])
def test_more_than_one_value_in_a_hundred_clipped_is_a_note(run, tmp_path, rows, engine):
    image = np.random.default_rng(0).integers(0, 256, (rows, 1200), np.uint8)
    image[: rows // 2] //= 2
    cv2.imwrite(str(tmp_path / "in.png"), image)
    sums = ndimage.correlate(image.astype(float), LAPLACIAN, mode="mirror")
    expected = 100 * np.mean((sums < 0) | (sums > 255))
    result = run("apply", "laplacian", "in.png", "out.png", "--engine", engine)
    assert result.code == 0
    assert clipped_percent(result.err) == pytest.approx(expected, abs=1)


def test_clipping_of_pages_is_one_note(run, tmp_path):
    pages = np.zeros((4, 50, 60), np.uint8)
    pages[0] = np.random.default_rng(0).integers(0, 256, (50, 60))
    tifffile.imwrite(tmp_path / "in.tif", pages, photometric="minisblack")
    sums = ndimage.correlate(pages[0].astype(float), LAPLACIAN, mode="mirror")
    err = run("apply", "laplacian", "in.tif", "out.tif").err
    assert err.count("\n") == 1
    assert clipped_percent(err) == pytest.approx(100 * np.mean((sums < 0) | (sums > 255)) / 4, abs=0.5)


def test_floats_beyond_white_written_in_8_bits_are_a_note(run, tmp_path):
    cv2.imwrite(str(tmp_path / "in.tif"), np.full((20, 30), 500, np.float32))
    assert clipped_percent(run("apply", "box", "in.tif", "out.png", "--depth", "8").err) == 100


@pytest.mark.parametrize(
    "arguments", [["sharpen", "--range", "clip"], ["laplacian", "--depth", "32f"], ["box"], ["laplacian", "--range", "stretch"]]
)
def test_no_note_on_clipping(run, grey, arguments):
    name = "out.tiff" if "32f" in arguments else "out.png"
    result = run("apply", arguments[0], "grey.png", name, *arguments[1:])
    assert (result.code, result.err) == (0, "")


def test_few_clipped_values_are_no_note(run, tmp_path):
    image = np.full((100, 100), 100, np.uint8)
    image[50, 50] = 255  # the pixel and its four neighbours are out of range
    cv2.imwrite(str(tmp_path / "in.png"), image)
    assert run("apply", "[0 -9 0; -9 37 -9; 0 -9 0]", "in.png", "out.png").err == ""


def test_backup_keeps_the_original(done, photo, load, tmp_path):
    original = (tmp_path / "photo.png").read_bytes()
    for _ in range(2):  # the second result does not replace the original
        done("apply", "box", "photo.png", "photo.png", "--backup")
        assert (tmp_path / "photo.png~").read_bytes() == original
    assert np.array_equal(load("photo.png"), imgconv.correlate(imgconv.correlate(photo, "box"), "box"))
    done("apply", "box", "photo.png", "new.png", "--backup")
    assert sorted(os.listdir(tmp_path)) == ["new.png", "photo.png", "photo.png~"]


def test_backup_of_a_batch(done, photo, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "photo.png").write_bytes(b"mine")
    done("batch", "box", "photo.png", "out", "--backup")
    assert (tmp_path / "out" / "photo.png~").read_bytes() == b"mine"


def test_a_misnamed_file_in_place_is_converted_with_a_note(run, photo, tmp_path):
    (tmp_path / "photo.png").rename(tmp_path / "photo.jpg")
    result = run("apply", "box", "photo.jpg", "photo.jpg", "--backup")
    assert "the file was PNG in spite of its name; now it is JPEG (--format png keeps it)" in result.err
    (tmp_path / "photo.jpg~").replace(tmp_path / "photo.jpg")
    assert run("apply", "box", "photo.jpg", "photo.jpg", "--format", "png").err == ""
    (tmp_path / "photo.jpg").rename(tmp_path / "photo.png")
    assert run("apply", "box", "photo.png", "photo.png", "--format", "tiff").err == ""  # as requested
    (tmp_path / "photo.png").rename(tmp_path / "photo.jpg")
    assert run("apply", "box", "photo.jpg", "photo.jpg", "--format", "png").err == ""
    assert (tmp_path / "photo.jpg").read_bytes().startswith(b"\x89PNG")
