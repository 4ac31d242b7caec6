from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgconv.benchmark.cells import Cell, Picture, make_cells
from imgconv.benchmark.measuring import Effort, measure_cells

#: The least effort: every contestant runs once a round.
LEAST = Effort(seconds=0.0, rounds=1)


@pytest.fixture(autouse=True)
def _without_user_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Isolate the tests from constants fitted by the user."""
    monkeypatch.setenv("IMGCONV_COSTS", str(tmp_path / "none.json"))


def small_picture(dtype: str = "uint8", shape: tuple[int, ...] = (30, 41)) -> Picture:
    pixels = np.random.default_rng(0).random(shape) * (1 if dtype.startswith("f") else 255)
    return Picture(f"small {dtype}", pixels.astype(dtype))


@pytest.fixture
def cell() -> Cell:
    return Cell(small_picture(), "random", 5)


@pytest.fixture(scope="session")
def results():
    """Return real measurements of two pictures, three kinds and two sizes, with the least effort."""
    pictures = [small_picture("float32"), small_picture("uint8", (24, 31, 3))]
    return measure_cells(make_cells(pictures, (3, 7)), LEAST)
