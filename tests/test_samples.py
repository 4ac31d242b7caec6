"""The sample pictures equal the output of their script and have the properties that they are used for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

import imgconv

#: Name, shape and type of each picture.
PICTURES = {
    "zone_plate.png": ((512, 512), np.uint8),
    "slanted_edge.png": ((240, 320), np.uint16),
    "text.png": ((400, 560), np.uint8),
    "noisy_scene.png": ((432, 576, 3), np.uint8),
}


#: Pictures for the examples of the documentation.
EXAMPLES = {
    "logo.png": ((200, 200, 4), np.uint8),
    "mask.png": ((190, 210), np.uint8),
    "psf.png": ((21, 21), np.uint8),
    "scan.tif": ((180, 240), np.uint16),
    "heights.tif": ((160, 220), np.float32),
    "loop.gif": ((64, 64, 3), np.uint8),
    "photos/house.jpg": ((190, 210, 3), np.uint8),
    "photos/meadow.jpg": ((182, 246, 3), np.uint8),
    "photos/below/tree.jpg": ((140, 180, 3), np.uint8),
}


def read(path: Path) -> np.ndarray:
    return imgconv.read_image(path).pixels


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_have_the_expected_shape_type_and_file_size(name: str, samples: Path) -> None:
    shape, dtype = PICTURES[name]
    picture = read(samples / name)
    assert picture.shape == shape
    assert picture.dtype == dtype
    assert (samples / name).stat().st_size < 500_000


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_small(name: str, samples: Path) -> None:
    picture = read(samples / name)
    assert (picture.shape, picture.dtype) == EXAMPLES[name]
    assert (samples / name).stat().st_size < 100_000


def test_the_examples_hold_what_the_manual_says(samples: Path) -> None:
    logo = read(samples / "logo.png")
    assert {0, 255} < {*logo[..., 3].ravel().tolist()}
    assert not logo[logo[..., 3] == 0].any()
    scan = imgconv.open_image(samples / "scan.tif")
    assert scan.count == 2
    with tifffile.TiffFile(samples / "heights.tif") as file:
        assert file.pages.first.nodata == -9999
        assert 0 < (file.asarray() == -9999).mean() < 0.2
    assert imgconv.open_image(samples / "loop.gif").count == 8
    with Image.open(samples / "photos/below/tree.jpg") as tree:
        assert tree.getexif()[0x0112] == 6
    assert imgconv.parse_kernel(f"@{samples / 'kernel.txt'}").weights.tolist() == [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]


def test_the_script_draws_the_committed_pictures(samples: Path, tmp_path: Path, run_python) -> None:
    done = run_python(samples / "draw.py", tmp_path)
    assert done.returncode == 0, done.stderr
    drawn_names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert drawn_names == {*PICTURES, *EXAMPLES, "kernel.txt"}
    for name in (*PICTURES, *EXAMPLES):
        drawn, committed = read(tmp_path / name), read(samples / name)
        assert drawn.shape == committed.shape
        assert drawn.dtype == committed.dtype
        # OpenCV 5 changed the letters, but not the pictures drawn by arithmetic.
        if name == "text.png" and int(cv2.__version__.split(".")[0]) < 5:
            continue
        # One level: a sine or a power of another machine's library may be rounded the other way.
        assert np.abs(drawn.astype(float) - committed).max() <= (16 if name == "scan.tif" else 1), name


def test_the_zone_plate_reaches_nyquist_and_no_further(samples: Path) -> None:
    plate = read(samples / "zone_plate.png").astype(float)
    middle = plate[256]
    # At the side the wave advances by half a cycle per pixel: neighbours are opposite.
    assert np.abs(middle[:8:2] - middle[1:8:2]).min() > 240
    # Aliasing would bring low frequencies back before the side.
    changes = np.abs(np.diff(middle))
    halves = [changes[256 + 32 * n : 256 + 32 * (n + 1)].mean() for n in range(8)]
    assert halves == sorted(halves)


def test_the_edge_is_slanted_by_five_degrees_and_crosses_the_middle(samples: Path) -> None:
    edge = read(samples / "slanted_edge.png").astype(float)
    dark, light = edge[0, 0], edge[0, -1]
    assert light / dark == pytest.approx(4, abs=1e-3)
    # The light area of a row, in pixels, gives the exact position of the edge.
    crossing = edge.shape[1] - ((edge - dark) / (light - dark)).sum(axis=1)
    slope, middle = np.polyfit(np.arange(edge.shape[0]) - (edge.shape[0] - 1) / 2, crossing, 1)
    assert np.degrees(np.arctan(-slope)) == pytest.approx(5, abs=1e-3)
    assert middle == pytest.approx(edge.shape[1] / 2, abs=1e-3)
    # The 16 bits are used: no two rows have the edge at the same position within a pixel.
    assert len(np.unique(edge)) > 200
