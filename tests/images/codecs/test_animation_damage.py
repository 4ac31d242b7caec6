"""Frames in any order, too many of them, and of files that are cut, damaged or made to mislead."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import GifImagePlugin
from PIL import Image as Pillow

from imgconv.errors import ReadError
from imgconv.images.codecs.animation import ANIMATED, open_animation
from tests.images.codecs.animations import COLUMNS, COUNT, ROWS, apng, chunk, gif


def opened(data: bytes, kind: str, max_pixels: int = 1 << 24):
    return open_animation(memoryview(data), kind, "x.pic", max_pixels)


def frames(data: bytes, kind: str) -> list[np.ndarray]:
    pages = opened(data, kind)
    return [pages.page(index).pixels for index in range(pages.count)]


def some(kind: str) -> bytes:
    numbers = np.random.default_rng(7)
    if kind == "gif":
        return gif(numbers, (1, 3, 2), transparent=0.5, whole=True)
    if kind == "png":
        return apng(numbers, 6, partial=True)
    first, *rest = (Pillow.fromarray(numbers.integers(0, 256, (ROWS, COLUMNS, 4), np.uint8)) for _ in range(COUNT))
    file = io.BytesIO()
    first.save(file, kind.upper(), save_all=True, append_images=rest, loop=3)
    return file.getvalue()


FILES = {kind: some(kind) for kind in sorted(ANIMATED)}


@pytest.mark.parametrize("kind", FILES)
def test_frames_in_any_order_and_again(kind) -> None:
    in_order, pages = frames(FILES[kind], kind), opened(FILES[kind], kind)
    for index in (5, 5, 0, 3, 2, 4, 1, 1):
        found = pages.page(index).pixels
        assert np.array_equal(found, in_order[index])
        found[:] = 0  # whoever has it may change it


def test_frames_in_order_are_decoded_once(monkeypatch) -> None:
    decoded = []
    original = GifImagePlugin.GifImageFile._open
    monkeypatch.setattr(GifImagePlugin.GifImageFile, "_open", lambda self: (decoded.append(1), original(self))[1])
    frames(gif(np.random.default_rng(0), (1,), transparent=0, whole=True), "gif")
    assert len(decoded) == COUNT


@pytest.mark.parametrize("kind", FILES)
def test_frames_that_are_too_large_together_are_refused_unless_they_are_allowed(kind) -> None:
    total = COUNT * ROWS * COLUMNS
    assert opened(FILES[kind], kind, total).count == COUNT
    message = rf"x\.pic: claims {COUNT} frames of {ROWS} x {COLUMNS} pixels, 0\.001\d* megapixels together; .* --max-pixels"
    with pytest.raises(ReadError, match=message):
        opened(FILES[kind], kind, total - 1)


@pytest.mark.parametrize("kind", FILES)
def test_pillows_own_limit_is_none_of_ours(kind, monkeypatch) -> None:
    expected = frames(FILES[kind], kind)
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 3)
    assert all(np.array_equal(one, other) for one, other in zip(frames(FILES[kind], kind), expected, strict=True))
    assert Pillow.MAX_IMAGE_PIXELS == 3


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_cut_is_not_read_to_its_end(kind) -> None:
    data = FILES[kind]
    for end in range(0, len(data) - 1, 7):
        with pytest.raises(ReadError, match=r"x\.pic: "):
            frames(data[:end], kind)


@pytest.mark.parametrize("kind", FILES)
@given(places=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), min_size=1, max_size=4))
def test_whatever_is_damaged_ends_in_a_read_error_or_frames(kind, places) -> None:
    data = bytearray(FILES[kind])
    for place, change in places:
        data[place % len(data)] ^= change
    fault = ""
    try:
        pages = opened(bytes(data), kind)
        assert pages.count == len(pages.timing.durations)
        for index in range(pages.count):
            assert pages.page(index).pixels.size
    except ReadError as error:
        fault = str(error)
    assert "\n" not in fault


HOSTILE = {
    "blocks of one byte": ("gif", FILES["gif"][:-1] + b"!\xfe" + b"\x01\0" * 4_000_000),
    "pictures of nothing": ("gif", FILES["gif"][:-1] + (b"\x2c" + bytes(8) + b"\0\x02\0") * 300_000 + b";"),
    "chunks of nothing": ("png", FILES["png"][:33] + chunk(b"aaaa", b"") * 500_000),
    "frames of nothing": ("webp", FILES["webp"][:30] + b"ANMF\0\0\0\0" * 500_000),
    "times without end": ("avif", FILES["avif"].replace(b"stts\0\0\0\0", b"stts\0\0\0\0\xff", 1)),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_files_made_to_take_for_ever_do_not(case) -> None:
    kind, data = HOSTILE[case]
    start = time.process_time()
    with pytest.raises(ReadError):
        frames(data, kind)
    assert time.process_time() - start < 5
