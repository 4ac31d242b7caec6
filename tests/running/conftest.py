from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from imgconv.filters.parsing import parse_filter
from imgconv.images.image import Image
from imgconv.running.journal import Journal
from imgconv.running.picture_path import filter_picture
from imgconv.running.task import Task
from tests.running.journal_rows import record
from tests.running.levels import KERNEL

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"


@pytest.fixture(scope="session")
def photo():
    """Part of a photograph: 90 x 131, BGR."""
    return cv2.imread(str(PHOTOGRAPHS / "astronaut.png"))[30:120, 150:281].copy()


@pytest.fixture(scope="session")
def grey():
    """Part of a grey photograph: 77 x 64."""
    return cv2.imread(str(PHOTOGRAPHS / "camera.png"), cv2.IMREAD_GRAYSCALE)[100:177, 200:264].copy()


@pytest.fixture(scope="session")
def alpha():
    """Asymmetric alpha for `photo`, with every value from 0 to 255."""
    return (np.arange(90 * 131) * 7 % 256).astype(np.uint8).reshape(90, 131)


@pytest.fixture
def make_task():
    """Build a task from the notation of a filter, options of the convolution, and fields of the task."""

    def make(text: str = "sharpen", *, options: dict[str, object] | None = None, **fields) -> Task:
        return Task(parse_filter(text, **(options or {})), **fields)

    return make


@pytest.fixture
def tree(tmp_path, photo, grey) -> Path:
    """in/b.png, in/a.jpg, in/sub/deep/ü 1.png, in/notes.txt, and hidden files in/.c.png and in/.d/e.png."""
    root = tmp_path / "in"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / ".d").mkdir()
    cv2.imwrite(str(root / "a.jpg"), photo)
    cv2.imwrite(str(root / "b.png"), photo)
    cv2.imwrite(str(root / "sub" / "deep" / "ü 1.png"), grey)
    cv2.imwrite(str(root / ".c.png"), grey)
    cv2.imwrite(str(root / ".d" / "e.png"), grey)
    (root / "notes.txt").write_text("no picture")
    return root


@pytest.fixture
def filtered(make_task):
    """Filter an array or an image, and return the pixels: `filtered(pixels, filter, alpha="keep", ...)`."""

    def run(pixels, text=KERNEL, *, options=None, scale=1, delta=0, **fields):
        task = make_task(text, options=options, scale=Fraction(scale), delta=Fraction(delta), **fields)
        image = pixels if isinstance(pixels, Image) else Image(pixels)
        return filter_picture(image, task).image.pixels

    return run


@pytest.fixture
def pair(tmp_path) -> tuple[Path, Path]:
    """An input, in/a.png, and a result, out/sub/a.png; both are text."""
    source, target = tmp_path / "in" / "a.png", tmp_path / "out" / "sub" / "a.png"
    for path in (source, target):
        path.parent.mkdir(parents=True)
        path.write_text(path.parent.name)
    return source, target


@pytest.fixture
def recorded(pair, tmp_path) -> tuple[Path, Path]:
    """That pair, recorded with the recipe "r"."""
    with Journal(tmp_path / "out") as journal:
        record(journal, *pair)
    return pair
