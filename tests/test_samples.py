"""The sample pictures equal the output of their script and have the properties that they are used for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

#: Name, shape and type of each picture.
PICTURES = {
    "zone_plate.png": ((512, 512), np.uint8),
    "slanted_edge.png": ((240, 320), np.uint16),
    "text.png": ((400, 560), np.uint8),
    "noisy_scene.png": ((432, 576, 3), np.uint8),
}


def read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None, path
    return picture


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_have_the_expected_shape_type_and_file_size(name: str, samples: Path) -> None:
    shape, dtype = PICTURES[name]
    picture = read(samples / name)
    assert picture.shape == shape
    assert picture.dtype == dtype
    assert (samples / name).stat().st_size < 500_000


def test_the_script_draws_the_committed_pictures(samples: Path, tmp_path: Path, run_python) -> None:
    done = run_python(samples / "draw.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == set(PICTURES)
    for name in PICTURES:
        drawn, committed = read(tmp_path / name), read(samples / name)
        assert drawn.shape == committed.shape
        assert drawn.dtype == committed.dtype
        # OpenCV 5 changed the letters, but not the pictures drawn by arithmetic.
        if name == "text.png" and int(cv2.__version__.split(".")[0]) < 5:
            continue
        # One level: a sine or a power of another machine's library may be rounded the other way.
        assert np.abs(drawn.astype(int) - committed).max() <= 1, name


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
