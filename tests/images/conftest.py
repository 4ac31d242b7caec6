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
    """A part of a photograph: 37 x 50, blue, green, red."""
    return cv2.imread(str(PHOTOGRAPHS / "astronaut.png"))[60:97, 200:250].copy()


@pytest.fixture
def left(tmp_path):
    """Return the names of the files that are left, hidden ones too."""
    return lambda: sorted(os.listdir(tmp_path))


@pytest.fixture(scope="session")
def profile() -> bytes:
    """An ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def saved():
    """Return what Pillow makes of pixels, red first: `saved(pixels, "PNG", **options)`, as bytes."""

    def save(pixels: np.ndarray, kind: str, **options) -> bytes:
        file = io.BytesIO()
        Pillow.fromarray(pixels).save(file, kind, **options)
        return file.getvalue()

    return save
