"""Animations: random access to frames, size limits, and truncated, damaged or malicious files."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.errors import ReadError
from tests.images.formats.animations import (
    ANIMATED,
    COLUMNS,
    COUNT,
    ROWS,
    apng,
    chunk,
    frames,
    gif,
    open_pages,
)


def animation_of(kind: str) -> bytes:
    numbers = np.random.default_rng(7)
    if kind == "gif":
        return gif(numbers, (1, 3, 2), transparent=0.5, whole=True)
    if kind == "png":
        return apng(numbers, 6)
    first, *rest = (Pillow.fromarray(numbers.integers(0, 256, (ROWS, COLUMNS, 4), np.uint8)) for _ in range(COUNT))
    file = io.BytesIO()
    first.save(file, kind.upper(), save_all=True, append_images=rest, loop=3)
    return file.getvalue()


FILES = {kind: animation_of(kind) for kind in ANIMATED}


@pytest.mark.parametrize("kind", FILES)
def test_frames_can_be_read_in_any_order(kind) -> None:
    in_order, pages = frames(FILES[kind]), open_pages(FILES[kind])
    for index in (5, 5, 0, 3, 2, 4, 1, 1):
        found = pages.page(index).pixels
        assert np.array_equal(found, in_order[index])
        found[:] = 0  # the caller may modify the returned array


@pytest.mark.parametrize("kind", FILES)
def test_the_total_size_of_frames_is_limited_by_max_pixels(kind) -> None:
    total = COUNT * ROWS * COLUMNS
    assert open_pages(FILES[kind], total).count == COUNT
    message = rf"x\.pic: has {COUNT} frames of {ROWS} x {COLUMNS} pixels \(0\.001\d* megapixels\), .*; raise `max_pixels`"
    with pytest.raises(ReadError, match=message):
        open_pages(FILES[kind], total - 1)


@pytest.mark.parametrize("kind", FILES)
def test_the_limit_of_pillow_is_ignored_and_kept(kind, monkeypatch) -> None:
    expected = frames(FILES[kind])
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 3)
    assert all(np.array_equal(one, other) for one, other in zip(frames(FILES[kind]), expected, strict=True))
    assert Pillow.MAX_IMAGE_PIXELS == 3


@pytest.mark.parametrize("kind", FILES)
def test_a_truncated_file_is_a_read_error(kind) -> None:
    for end in range(0, len(FILES[kind]) - 1, 7):
        with pytest.raises(ReadError, match=r"x\.pic: "):
            frames(FILES[kind][:end])


@pytest.mark.parametrize("kind", FILES)
@given(places=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_damaged_file_gives_frames_or_a_read_error(kind, places) -> None:
    data = bytearray(FILES[kind])
    for random_place, change in places:
        data[random_place % len(data)] ^= change
    message = ""
    try:
        frames(bytes(data))
    except ReadError as error:
        message = str(error)
    assert "\n" not in message


HOSTILE = {
    "blocks of one byte": FILES["gif"][:-1] + b"!\xfe" + b"\x01\0" * 4_000_000,
    "empty pictures": FILES["gif"][:-1] + (b"\x2c" + bytes(8) + b"\0\x02\0") * 300_000 + b";",
    "zero bytes": FILES["gif"][:-1] + bytes(4_000_000),
    "empty chunks": FILES["png"][:33] + chunk(b"aaaa", b"") * 500_000,
    "empty frames": FILES["webp"][:30] + b"ANMF\0\0\0\0" * 500_000,
    "endless durations": FILES["avif"].replace(b"stts\0\0\0\0", b"stts\0\0\0\0\xff", 1),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_malicious_file_is_rejected_quickly(case) -> None:
    start = time.process_time()
    with pytest.raises(ReadError):
        frames(HOSTILE[case])
    assert time.process_time() - start < 5


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_files_of_pillow_have_the_right_number_of_frames(kind, count) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (count, 8, 9, 3), np.uint8)
    first, *rest = map(Pillow.fromarray, noise)
    file = io.BytesIO()
    first.save(file, kind.upper(), save_all=True, append_images=rest)
    pages = open_pages(file.getvalue())
    assert (pages.count, pages.timing is None) == (count, count == 1)
    assert pages.page(0).pages == count
