"""Orientation, resolution and description of EXIF: reading, and editing without moving other fields."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.images import exif
from imgconv.images.metadata import exif_in
from tests.cases import each

DESCRIPTION, MAKER, ORIENTATION, ACROSS, DOWN, UNIT, EXIF, NOTE = 270, 271, 274, 282, 283, 296, 0x8769, 0x927C


def exif_bytes(fields: dict[int, object], endian: str = ">") -> bytes:
    found = Pillow.Exif()
    found.endian = endian
    found.update(fields)
    return found.tobytes().removeprefix(b"Exif\0\0")


def parsed_by_pillow(data: bytes) -> Pillow.Exif:
    found = Pillow.Exif()
    found.load(b"Exif\0\0" + data)
    return found


@each("endian", ["<", ">"])
@each(
    "fields, expected",
    [
        ({ACROSS: 150.0, DOWN: 300.0, UNIT: 2}, (300, 150)),
        ({ACROSS: 150.0, DOWN: 300.0}, (300, 150)),
        ({ACROSS: 59.0, DOWN: 118.0, UNIT: 3}, (299.72, 149.86)),
        ({ACROSS: 150.0, UNIT: 2}, (150, 150)),
        ({ACROSS: 1.0, DOWN: 1.0, UNIT: 1}, None),
        ({ACROSS: 0.0, DOWN: 1.0, UNIT: 2}, None),
        ({DOWN: 1.0, UNIT: 2}, None),
        ({MAKER: "A maker"}, None),
    ],
)
def test_resolution_is_read_as_dots_per_inch(endian, fields, expected) -> None:
    found = exif.resolution(exif_bytes(fields, endian))
    assert found == (expected and pytest.approx(expected))


@pytest.mark.parametrize("endian", ["<", ">"])
def test_the_description_is_read(endian) -> None:
    assert exif.description(exif_bytes({DESCRIPTION: "a bird  "}, endian)) == "a bird"
    assert exif.description(exif_bytes({DESCRIPTION: "      "}, endian)) == ""
    assert exif.description(exif_bytes({MAKER: "A maker"}, endian)) == ""


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("resolution", [(300.0, 150.0), (72.009, 28.5), (1e6, 0.25)])
def test_with_resolution_changes_nothing_else(endian, resolution) -> None:
    note = bytes(range(200))
    before = exif_bytes({MAKER: "A maker", ACROSS: 72.0, EXIF: {NOTE: note, 0x829A: 0.01}}, endian)
    after = exif.with_resolution(before, resolution)
    assert exif.resolution(after) == pytest.approx(resolution)
    assert exif.agrees(after, resolution)
    assert not exif.agrees(before, resolution)
    found = parsed_by_pillow(after)
    assert found[MAKER] == "A maker"
    assert (float(found[DOWN]), float(found[ACROSS]), found[UNIT]) == (*(pytest.approx(r) for r in resolution), 2)
    assert dict(found.get_ifd(EXIF))[NOTE] == note
    # The maker note must not move: it may contain offsets.
    assert after[8 : len(before)] == before[8:]


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("value", [1, 6, 8])
def test_an_orientation_is_overwritten_in_place(endian, value) -> None:
    before = exif_bytes({MAKER: "A maker", ORIENTATION: 3}, endian)
    after = exif.with_orientation(before, value)
    assert exif.orientation_of(after) == parsed_by_pillow(after)[ORIENTATION] == value
    assert len(after) == len(before)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize("before", [b"", exif_bytes({MAKER: "A maker"}), exif_bytes({MAKER: "A maker", ORIENTATION: 99}, "<")])
def test_an_orientation_is_added(before) -> None:
    assert exif.orientation_of(before) == 1
    after = exif.with_orientation(before, 5)
    assert exif.orientation_of(after) == 5
    assert parsed_by_pillow(after).get(MAKER) == ("A maker" if before else None)


@pytest.mark.parametrize("data", [b"XX*\0\x08\0\0\0", b"II*\0\xff\xff\xff\xff", b"II+\0\x08\0\0\0" + bytes(9)])
def test_other_data_is_unchanged(data) -> None:
    assert exif.with_orientation(data, 6) == data
    assert exif.orientation_of(data) == 1


def test_exif_in_a_block() -> None:
    block = exif_bytes({MAKER: "A maker"})
    assert exif_in(block) == exif_in(b"Exif\0\0" + block) == block
    assert exif_in(b"no EXIF at all") == b""


@pytest.mark.parametrize("text", ["a", "abc", "ein grüner Vogel"])
def test_with_description_replaces_or_creates_exif(text) -> None:
    for before in (b"", exif_bytes({MAKER: "A maker"}), exif_bytes({DESCRIPTION: "old", MAKER: "A maker"})):
        after = exif.with_description(before, text)
        assert exif.description(after) == text
        assert parsed_by_pillow(after).get(MAKER) == ("A maker" if before else None)
        (start,) = struct.unpack_from(">I", after, 4)
        (count,) = struct.unpack_from(">H", after, start)
        tags = [struct.unpack_from(">H", after, start + 2 + 12 * n)[0] for n in range(count)]
        assert tags == sorted(set(tags))


@pytest.mark.parametrize("resolution", [(float("nan"), 1.0), (float("inf"), 1.0), (1e12, 1.0), (-3.0, 1.0)])
def test_an_unrepresentable_resolution_gives_no_exif(resolution) -> None:
    assert exif.with_resolution(b"", resolution) == b""


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: b"II*\0\x08\0\0\0" + tail))
def test_arbitrary_bytes_raise_nothing(data) -> None:
    assert 1 <= exif.orientation_of(data) <= 8
    assert exif.with_orientation(data, 3) == data or exif.orientation_of(exif.with_orientation(data, 3)) == 3
    found = exif.resolution(data)
    assert found is None or min(found) > 0
    assert isinstance(exif.description(data), str)
    changed = exif.with_resolution(data, (300.0, 150.0))
    assert not changed or exif.agrees(changed, (300.0, 150.0))
    changed = exif.with_description(data, "text")
    assert not changed or exif.description(changed) == "text"
