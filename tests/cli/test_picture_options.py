"""The options for images and files: accepted and rejected values, and their effect."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import tifffile

import imgconv
from imgconv.cli import parameters
from imgconv.images.pages import PageRange


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (parameters.channels, "red", (0,)),
        (parameters.channels, "b,G", (2, 1)),
        (parameters.channels, "3, 0", (3, 0)),
        (parameters.channels, "gray", (0,)),
        (parameters.channels, "A,7", ("alpha", 7)),
        (parameters.compression, "ZIP", "deflate"),
        (parameters.compression, "7", "7"),
        (parameters.pixel_count, "300M", 300_000_000),
        (parameters.pixel_count, "2g", 2_000_000_000),
        (parameters.pixel_count, "1.5k", 1500),
        (parameters.pixel_count, "12", 12),
        (parameters.byte_size, "2G", 2 << 30),
        (parameters.byte_size, "0", 0),
        (parameters.level, "-9999", -9999.0),
        (parameters.pages, "0,3-5,7-", PageRange(((0, 0), (3, 5), (7, None)))),
    ],
)
def test_accepted_values(kind, text, value) -> None:
    assert kind.convert(text, None, None) == value
    assert kind.convert(value, None, None) == value


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--channels", "red,red", "each once"),
        ("--channels", "purple", "red, green, blue, alpha"),
        ("--channels", "4", "has 3 channels, 0 to 2; found 4"),
        ("--compression", "12", "a level from 0 to 9"),
        ("--compression", "", "a level from 0 to 9"),
        ("--compression", "lwz", "did you mean lzw"),
        ("--max-pixels", "0", "from 1 up"),
        ("--max-pixels", "many", "500M"),
        ("--max-pixels", "M", "from 1 up"),
        ("--memory", "-1", "from 0 up"),
        ("--pages", "3-1", "0,3-5"),
        ("--pages", "", "0,3-5"),
        ("--pages", "-1", "0,3-5"),
        ("--nodata", "none", "a level, or nan"),
        ("--quality", "0", "a whole number from 1 to 100"),
        ("--timeout", "-1", "seconds from 0 up"),
        ("--alpha", "weigthed", "did you mean weighted"),
    ],
)
def test_rejected_values(fails, photo, option, value, words) -> None:
    assert words in fails(2, "apply", "box", "photo.png", "out.png", f"{option}={value}")


@pytest.mark.parametrize("options", [("--gray", "--luma"), ("--luma", "--channels", "red"), ("--gray", "--channels", "0")])
def test_gray_luma_and_channels_exclude_each_other(fails, photo, options) -> None:
    assert "give one of them" in fails(2, "apply", "box", "photo.png", "out.png", *options)


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("out.png", ("--quality", "80"), "--quality is for .jpg"),
        ("out.jpg", ("--lossless",), "JPEG cannot be written without loss"),
        ("out.jpg", ("--compression", "lzw"), "it has no compression setting"),
        ("out.png", ("--compression", "lzw"), "it supports 0, 1, 2"),
        ("out.tif", ("--compression", "9"), "it supports none, lzw, deflate, zstd, packbits"),
        ("out.png", ("--depth", "1"), "--gray, or --depth 8"),
        ("out.jpg", ("--depth", "1", "--gray"), "--depth 8, or another format (.png, .tif"),
    ],
)
def test_unsupported_coding_is_an_error_before_filtering(fails, photo, tmp_path, target, options, words) -> None:

    assert words in fails(5, "apply", "box", "photo.png", target, *options)
    assert not (tmp_path / target).exists()


def test_the_limit_on_pixels(fails, done, photo) -> None:
    line = fails(4, "apply", "box", "photo.png", "out.png", "--max-pixels", "12999")
    assert "photo.png: has 100 x 130 pixels (0.013 megapixels), more than the limit of 0.013 megapixels" in line
    assert line.endswith("; raise --max-pixels to read it")
    line = fails(4, "apply", "box", "photo.png", "out.png", "--max-pixels", "5")
    assert "(0.013 megapixels), more than the limit of 5 pixels" in line
    done("apply", "box", "photo.png", "out.png", "--max-pixels", "13k")


@pytest.mark.parametrize("command", ["apply", "batch"])
def test_isolation_changes_nothing_in_the_result(done, photo, tmp_path, command) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "photo.png").rename(tmp_path / "in" / "photo.png")
    for option in ("--isolate", "--no-isolate"):
        names = ("in", "out") if command == "batch" else ("in/photo.png", "out.png")
        report = json.loads(done(command, "sharpen", *names, option, "--json", "--linear", "--strip"))
        (found,) = [file["report"] for file in report["files"]] if command == "batch" else [report]
        assert found["plans"][0]["method"]
        path = tmp_path / ("out/photo.png" if command == "batch" else "out.png")
        expected = imgconv.filter_image(imgconv.read_image(tmp_path / "in" / "photo.png"), "sharpen", linear=True)
        assert np.array_equal(cv2.imread(str(path)), expected.pixels)


def test_a_plan_is_for_the_filtered_channels(done, photo) -> None:
    (plan,) = json.loads(done("plan", "gaussian:sigma=2", "photo.png", "--json", "--linear"))
    assert plan["image"]["dtype"] == "float32"
    (plan,) = json.loads(done("plan", "gaussian:sigma=2", "photo.png", "--json", "--gray"))
    assert (plan["image"]["dtype"], plan["image"]["shape"]) == ("float32", [100, 130])
    (plan,) = json.loads(done("plan", "gaussian:sigma=2", "photo.png", "--json", "--channels", "red,blue"))
    assert (plan["image"]["dtype"], plan["image"]["shape"]) == ("uint8", [100, 130, 2])


def test_pages(done, fails, tmp_path, photo) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.stack([photo, photo[::-1], photo[:, ::-1]]), photometric="rgb")
    done("apply", "identity", "in.tif", "out.tif", "--pages", "2,0")
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), np.stack([photo[:, ::-1], photo]))
    assert "--pages selects page 3" in fails(2, "apply", "box", "in.tif", "out.tif", "--pages", "3")


@pytest.mark.parametrize("options", [("--timeout", "1"), ("--memory", "2G"), ("--memory", "2G", "--no-isolate")])
def test_limits_need_isolate(fails, photo, options) -> None:
    assert "add --isolate" in fails(2, "apply", "box", "photo.png", "out.png", *options)
    assert "add --isolate" in fails(2, "batch", "box", ".", "out", *options, "--no-isolate")


def test_quality_and_lossless_exclude_each_other(fails, photo) -> None:
    assert "contradict" in fails(2, "apply", "box", "photo.png", "out.webp", "--lossless", "--quality", "50")


def test_notes_in_a_batch_name_their_file(run, tmp_path, photo) -> None:
    (tmp_path / "in").mkdir()
    pixels = np.full((9, 9), np.nan, np.float32)
    pixels[0, 0] = 1
    tifffile.imwrite(tmp_path / "in" / "holes.tif", pixels)
    result = run("batch", "box", "in", "out", "--depth", "8")
    assert (result.code, result.err) == (0, "imgconv: in/holes.tif: missing values are stored as 0 in uint8\n")


@pytest.mark.parametrize(
    ("source", "depth", "level"), [("float32", "16", 500.4), ("uint8", "32f", 200), ("uint16", "8", 77), ("uint8", "16", 200)]
)
def test_levels_keep_keeps_the_numbers(done, tmp_path, source, depth, level) -> None:
    cv2.imwrite(str(tmp_path / "in.tif"), np.full((9, 12), level, source))
    done("apply", "box", "in.tif", "out.tif", "--depth", depth, "--levels", "keep")
    found = cv2.imread(str(tmp_path / "out.tif"), cv2.IMREAD_UNCHANGED)
    assert found.dtype == {"16": np.uint16, "32f": np.float32, "8": np.uint8}[depth]
    assert np.array_equal(np.unique(found), [round(level)])


@pytest.mark.parametrize("alpha", ["weighted", "keep", "straight"])
def test_levels_keep_keeps_white_as_full_alpha(done, tmp_path, photo, alpha) -> None:
    pixels = np.dstack([photo, np.where(photo[..., 0] > 99, 255, 0).astype(np.uint8)])
    cv2.imwrite(str(tmp_path / "in.png"), pixels)
    done("apply", "identity", "in.png", "out.png", "--depth", "16", "--levels", "keep", "--alpha", alpha)
    found = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    visible = pixels[..., 3] > 0
    assert np.array_equal(found[visible][:, :3], photo[visible])
    if alpha != "straight":
        assert np.array_equal(found[..., 3], pixels[..., 3].astype(np.uint16) * 257)
