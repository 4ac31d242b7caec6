from __future__ import annotations

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from PIL import Image as Pillow
from PIL import ImageCms

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"


@pytest.fixture(scope="session")
def photographs() -> Path:
    return PHOTOGRAPHS


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """Part of a photograph: 37 x 50, BGR."""
    return cv2.imread(str(PHOTOGRAPHS / "astronaut.png"))[60:97, 200:250].copy()


@pytest.fixture
def file_names(tmp_path):
    """Return a function that lists the names of the files in `tmp_path`, including hidden ones."""
    return lambda: sorted(os.listdir(tmp_path))


@pytest.fixture(scope="session")
def profile() -> bytes:
    """An ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def save():
    """Return a function that encodes RGB pixels with Pillow: `save(pixels, "PNG", **options)`, as bytes."""

    def save(pixels: np.ndarray, kind: str, **options) -> bytes:
        file = io.BytesIO()
        Pillow.fromarray(pixels).save(file, kind, **options)
        return file.getvalue()

    return save
