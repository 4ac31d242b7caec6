"""`--region` and `--mask`."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


@pytest.mark.parametrize("isolate", [[], ["--isolate"]], ids=["", "isolated"])
def test_a_region(done, photo, load, isolate):
    done("apply", "laplacian", "photo.png", "all.png")
    done("apply", "laplacian", "photo.png", "part.png", "--region", "10,20,30,40", *isolate)
    expected = photo.copy()
    expected[10:40, 20:60] = load("all.png")[10:40, 20:60]
    assert np.array_equal(load("part.png"), expected)


def test_a_mask_in_edges_and_batch(done, photo, load, tmp_path):
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[:, 50:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    done("edges", "photo.png", "all.png")
    expected = np.where(mask[..., None] > 0, load("all.png"), photo)
    done("edges", "photo.png", "part.png", "--mask", "mask.png")
    done("batch", "edges", "photo.png", "out", "--mask", "mask.png")
    assert np.array_equal(load("part.png"), expected)
    assert np.array_equal(load("out/photo.png"), expected)


def test_errors(fails, photo, grey):
    assert "four whole numbers such as 100,200,50,80" in fails(2, "apply", "box", "photo.png", "out.png", "--region", "1,2,3")
    assert "--region 0,0,999,9" in fails(2, "apply", "box", "photo.png", "out.png", "--region", "0,0,999,9")
    assert "--mask has 100 x 120 pixels, the image 100 x 130" in fails(
        2, "apply", "box", "photo.png", "o.png", "--mask", "grey.png"
    )
    assert "no such file" in fails(4, "apply", "box", "photo.png", "out.png", "--mask", "none.png")


def panels(load, path, width):
    """Return the pixels of both panels of a preview, without the labels."""
    found = load(path)
    rows = len(found)
    return found[rows - 100 :, :width], found[rows - 100 :, -width:]


def test_a_preview_shows_both_images(done, photo, load):
    done("apply", "gaussian:3", "photo.png", "out.png", "--preview", "preview.png")
    before, after = panels(load, "preview.png", 130)
    assert np.array_equal(before, photo)
    assert np.array_equal(after, load("out.png"))
    assert load("preview.png")[:20].min() < 100  # the labels
    original = photo.copy()
    done("apply", "gaussian:3", "photo.png", "photo.png", "--preview", "preview.png", "--depth", "16", "--gray")
    before, after = panels(load, "preview.png", 130)
    assert np.array_equal(before, original)
    assert np.abs(after[..., 0] - load("photo.png") / 257).max() <= 1


def test_a_preview_of_a_smaller_result_with_alpha(done, photo, load, tmp_path):
    pixels = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    pixels[:, :60, 3] = 0
    cv2.imwrite(str(tmp_path / "in.png"), pixels)
    done("edges", "in.png", "out.png", "--stride", "2", "--preview", "preview.png")
    found = load("preview.png")
    assert found.shape[1:] == (130 + 8 + 65, 3)
    assert (found[-100:, :60] == 255).all()
    assert np.array_equal(found[-100:, 60:130], photo[:, 60:])


def test_previews_that_cannot_be(fails, photo, tmp_path):
    for words in ("- out.png --preview p.png", "photo.png - --preview p.png", "photo.png out.png --preview out.png"):
        assert "--preview reads IN and OUT" in fails(2, "apply", "box", *words.split())
    assert "unknown extension .xyz" in fails(5, "apply", "box", "photo.png", "out.png", "--preview", "p.xyz")
    message = fails(5, "apply", "box", "photo.png", "out.png", "--preview", "p.csv")
    assert "p.csv: the preview is in colour; choose another format, such as .png or .jpg" in message
    assert not (tmp_path / "out.png").exists()
