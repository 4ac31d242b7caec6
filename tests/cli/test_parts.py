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
