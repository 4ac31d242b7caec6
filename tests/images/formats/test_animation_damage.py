"""Animations: frames in any order, too many of them, and of files that are cut short, damaged or made to mislead."""

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
    opened,
)


def some(kind: str) -> bytes:
    numbers = np.random.default_rng(7)
    if kind == "gif":
        return gif(numbers, (1, 3, 2), transparent=0.5, whole=True)
    if kind == "png":
        return apng(numbers, 6)
    first, *rest = (Pillow.fromarray(numbers.integers(0, 256, (ROWS, COLUMNS, 4), np.uint8)) for _ in range(COUNT))
    file = io.BytesIO()
    first.save(file, kind.upper(), save_all=True, append_images=rest, loop=3)
    return file.getvalue()


FILES = {kind: some(kind) for kind in ANIMATED}


@pytest.mark.parametrize("kind", FILES)
def test_frames_in_any_order_and_again(kind) -> None:
    in_order, pages = frames(FILES[kind]), opened(FILES[kind])
    for index in (5, 5, 0, 3, 2, 4, 1, 1):
        found = pages.page(index).pixels
        assert np.array_equal(found, in_order[index])
        found[:] = 0  # arrays belong to the caller


@pytest.mark.parametrize("kind", FILES)
def test_frames_that_are_too_large_together_are_rejected_unless_they_are_allowed(kind) -> None:
    total = COUNT * ROWS * COLUMNS
    assert opened(FILES[kind], total).count == COUNT
    message = rf"x\.pic: has {COUNT} frames of {ROWS} x {COLUMNS} pixels \(0\.001\d* megapixels\), .*; raise `max_pixels`"
    with pytest.raises(ReadError, match=message):
        opened(FILES[kind], total - 1)


@pytest.mark.parametrize("kind", FILES)
def test_the_limit_of_pillow_does_not_apply_and_stays(kind, monkeypatch) -> None:
    expected = frames(FILES[kind])
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 3)
    assert all(np.array_equal(one, other) for one, other in zip(frames(FILES[kind]), expected, strict=True))
    assert Pillow.MAX_IMAGE_PIXELS == 3


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_cut_short_is_not_read_to_its_end(kind) -> None:
    for end in range(0, len(FILES[kind]) - 1, 7):
        with pytest.raises(ReadError, match=r"x\.pic: "):
            frames(FILES[kind][:end])


@pytest.mark.parametrize("kind", FILES)
@given(places=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_damaged_file_ends_in_a_read_error_or_in_frames(kind, places) -> None:
    data = bytearray(FILES[kind])
    for place, change in places:
        data[place % len(data)] ^= change
    fault = ""
    try:
        frames(bytes(data))
    except ReadError as error:
        fault = str(error)
    assert "\n" not in fault


HOSTILE = {
    "blocks of one byte": FILES["gif"][:-1] + b"!\xfe" + b"\x01\0" * 4_000_000,
    "pictures of nothing": FILES["gif"][:-1] + (b"\x2c" + bytes(8) + b"\0\x02\0") * 300_000 + b";",
    "ends of nothing": FILES["gif"][:-1] + bytes(4_000_000),
    "chunks of nothing": FILES["png"][:33] + chunk(b"aaaa", b"") * 500_000,
    "frames of nothing": FILES["webp"][:30] + b"ANMF\0\0\0\0" * 500_000,
    "durations without end": FILES["avif"].replace(b"stts\0\0\0\0", b"stts\0\0\0\0\xff", 1),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_made_to_take_forever_does_not(case) -> None:
    start = time.process_time()
    with pytest.raises(ReadError):
        frames(HOSTILE[case])
    assert time.process_time() - start < 5


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_number_of_frames_of_files_written_by_pillow(kind, count) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (count, 8, 9, 3), np.uint8)
    first, *rest = map(Pillow.fromarray, noise)
    file = io.BytesIO()
    first.save(file, kind.upper(), save_all=True, append_images=rest)
    pages = opened(file.getvalue())
    assert (pages.count, pages.timing is None) == (count, count == 1)
    assert pages.page(0).pages == count
