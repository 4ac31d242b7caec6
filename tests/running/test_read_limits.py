"""`Limits`: time and memory of reading a file; other work is not limited."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from imgconv.errors import ReadError
from imgconv.images.files import Input
from imgconv.images.output import Output
from imgconv.running import read_limits
from imgconv.running.isolation import Workers
from imgconv.running.read_limits import Limits
from tests.running.faulty_files import FUNCTION, LARGE, make_job

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


@pytest.mark.parametrize("limits", [Limits(0, 0), Limits(0, 2 * LARGE)])
def test_zero_means_no_limit(tmp_path, limits) -> None:
    with Workers(1, limits, function=FUNCTION) as workers:
        for command in ("memory", "memory in opencv", "sleep:0.1"):
            assert workers.run(*make_job(tmp_path, command)) > 0


def test_memory_is_limited_while_reading_only(tmp_path) -> None:
    with Workers(1, Limits(0, LARGE // 2), function=FUNCTION) as workers:
        with pytest.raises(ReadError, match="reading needed more than 100 MB; `memory` allows more"):
            workers.run(*make_job(tmp_path, "memory"))
        assert workers.run(*make_job(tmp_path, "memory later")) == LARGE


def test_a_decompression_bomb_exceeds_the_memory_limit(tmp_path, make_task) -> None:
    bomb = np.zeros((4000, 4000), np.uint8)
    cv2.imwrite(str(tmp_path / "bomb.png"), bomb)
    source, target = str(tmp_path / "bomb.png"), str(tmp_path / "out.png")
    assert os.path.getsize(source) < bomb.size // 100
    with Workers(1, Limits(memory=bomb.size // 2)) as workers:
        workers.set_up(make_task("identity"))
        with pytest.raises(ReadError, match=r"bomb\.png: reading needed more than 8 MB"):
            workers.run(Input(source), Output(target))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bomb.png"]
    with Workers(1, Limits(memory=bomb.size * 8)) as workers:
        workers.set_up(make_task("identity"))
        assert workers.run(Input(source), Output(target)).shape == bomb.shape


@pytest.mark.parametrize(
    ("physical", "jobs", "memory"), [(64e9, 2, 16e9), (64e9, 8, 4e9), (64e9, 64, 4e9), (6e9, 1, 3e9), (6e9, 8, 3e9), (0, 4, 0)]
)
def test_default_memory_is_divided_among_jobs_with_a_minimum(monkeypatch, physical, jobs, memory) -> None:
    monkeypatch.setattr(read_limits, "total_memory", lambda: int(physical))
    assert Limits.for_jobs(jobs, timeout=7) == Limits(7, memory)
