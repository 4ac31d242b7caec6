"""A picture read on a thread of its own."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import pytest
import tifffile

from imgconv.errors import ReadError, UsageError
from imgconv.images.pages import parse_page_range
from imgconv.running import reading_ahead
from imgconv.running.reading_ahead import Reading


def test_the_picture_is_the_one_in_the_file(tmp_path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (20, 30, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "in.png"), pixels)
    before = time.perf_counter()
    reading = Reading(str(tmp_path / "in.png"))
    assert np.array_equal(reading.opened().first.pixels, pixels)
    assert before <= reading.started <= time.perf_counter()


def test_a_picture_that_cannot_be_read_is_told_to_who_waits_for_it(tmp_path) -> None:
    reading = Reading(str(tmp_path / "none.png"))
    with pytest.raises(ReadError, match="no such file"):
        reading.opened()


def test_nobody_waits_before_the_picture_is_wanted(monkeypatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(reading_ahead, "opened", lambda source, *_: (go.wait(10), source)[1])
    reading = Reading("word")
    go.set()
    assert reading.opened() == "word"


def test_the_first_page_that_is_wanted_is_the_one_that_is_read(tmp_path) -> None:
    pages = np.random.default_rng(2).integers(0, 256, (4, 20, 30), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", pages, photometric="minisblack")
    found = Reading(str(tmp_path / "in.tif"), parse_page_range("2-3")).opened()
    assert (found.pages.count, found.wanted) == (4, (2, 3))
    assert np.array_equal(found.first.pixels, pages[2])
    with pytest.raises(UsageError, match="--pages asks for 4"):
        Reading(str(tmp_path / "in.tif"), parse_page_range("1-4")).opened()
    with pytest.raises(ReadError, match="--max-pixels"):
        Reading(str(tmp_path / "in.tif"), None, 599).opened()
