"""`imgconv edges`: every operator and output, checked by the output file."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import filters

import imgconv


@pytest.mark.parametrize("operator", ["sobel", "scharr", "prewitt"])
def test_magnitude_equals_scikit_image(done, grey, load, operator):
    done("edges", "grey.png", "out.tiff", "--operator", operator, "--depth", "32f")
    # scikit-image divides by the square root of 2, so that no diagonal goes beyond 1.
    expected = getattr(filters, operator)(grey / 255.0, mode="mirror") * np.sqrt(2)
    assert np.allclose(load("out.tiff"), expected, atol=1e-5)


def test_scharr_is_the_default(done, grey, load):
    done("edges", "grey.png", "a.png")
    done("edges", "grey.png", "b.png", "--operator", "scharr")
    assert np.array_equal(load("a.png"), load("b.png"))


@pytest.mark.parametrize("output", ["x", "y"])
def test_signed_outputs_are_offset_to_middle_grey(done, grey, load, output):
    done("edges", "grey.png", "out.png", "--operator", "sobel", "--output", output)
    axis = (1, 0) if output == "x" else (0, 1)
    expected = cv2.Sobel(grey, cv2.CV_64F, *axis, borderType=cv2.BORDER_REFLECT_101) / 4
    assert np.array_equal(load("out.png"), np.clip(np.rint(expected + 128), 0, 255))


def test_direction(done, load, tmp_path):
    ramp = np.add.outer(np.zeros(9), np.arange(9) * 10).astype(np.uint8)
    for name, pixels in (("right", ramp), ("down", ramp.T), ("left", ramp[:, ::-1])):
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
        done("edges", f"{name}.png", f"{name}_8.png", "--output", "direction")
        done("edges", f"{name}.png", f"{name}.tiff", "--output", "direction", "--depth", "32f")
    assert [load(f"{n}.tiff")[4, 4] for n in ("right", "down", "left")] == [0, 90, 180]
    assert [load(f"{n}_8.png")[4, 4] for n in ("right", "down", "left")] == [0, 64, 128]


@pytest.mark.parametrize("operator", ["roberts", "kirsch"])
def test_the_other_operators(done, photo, load, operator):
    done("edges", "photo.png", "out.png", "--operator", operator)
    assert np.array_equal(load("out.png"), imgconv.find_edges(photo, operator))
    assert load("out.png").max() > 50


def test_user_operators(done, grey, load, tmp_path):
    (tmp_path / "mine.yaml").write_text("operators:\n  slope: {x: '[-1 1]', y: '[-1; 1]'}\n")
    done("edges", "grey.png", "out.tiff", "--operator", "slope", "--kernels", "mine.yaml", "--output", "x", "--depth", "32f")
    assert np.allclose(load("out.tiff")[:, 1:], np.diff(grey.astype(float), axis=1) / 255, atol=1e-6)


def test_bad_input(fails, grey):
    assert "did you mean sobel" in fails(3, "edges", "grey.png", "out.png", "--operator", "sobl")
    assert "unknown output" in fails(2, "edges", "grey.png", "out.png", "--output", "z")
    assert "no output x" in fails(2, "edges", "grey.png", "out.png", "--operator", "kirsch", "--output", "x")
    assert "an angle" in fails(2, "edges", "grey.png", "out.png", "--output", "direction", "--scale", "2")


@pytest.mark.parametrize(("colour", "bgr"), [("black", [0, 0, 0]), ("#ff8000", [0, 128, 255]), ("WHITE", [255, 255, 255])])
def test_edges_as_the_alpha_of_a_colour(done, photo, load, colour, bgr):
    done("edges", "photo.png", "edges.png")
    done("edges", "photo.png", "lines.png", "--as-alpha", colour)
    lines = load("lines.png")
    assert np.array_equal(lines[..., 3], load("edges.png").max(axis=2))
    assert np.array_equal(np.unique(lines[..., :3].reshape(-1, 3), axis=0), [bgr])
    done("edges", "photo.png", "deep.png", "--as-alpha", colour, "--depth", "16", "--gray")
    deep = load("deep.png")
    assert (deep.dtype, deep.shape[2]) == (np.uint16, 4)
    assert np.array_equal(deep[0, 0, :3], np.array(bgr) * 257)


def test_as_alpha_needs_alpha_magnitude_and_a_colour(fails, photo):
    message = fails(5, "edges", "photo.png", "lines.jpg", "--as-alpha", "black")
    assert "JPEG has no alpha channel; choose another format (.png, .tif, .webp, .avif)" in message
    message = fails(2, "edges", "photo.png", "lines.png", "--as-alpha", "black", "--alpha", "drop")
    assert "--as-alpha writes the alpha channel that --alpha drop removes; give one of them" in message
    assert "found --output x" in fails(2, "edges", "photo.png", "lines.png", "--as-alpha", "black", "--output", "x")
    assert "a colour such as #ff8000" in fails(2, "edges", "photo.png", "lines.png", "--as-alpha", "mauve")
    assert "--region and --mask" in fails(2, "edges", "photo.png", "lines.png", "--as-alpha", "red", "--region", "0,0,5,5")
